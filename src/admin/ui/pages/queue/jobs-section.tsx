import { Button, Checkbox, NativeSelect } from '@mantine/core'
import { IconRefresh, IconStack2, IconX } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import { call } from '../../api/call.ts'
import type { JobRow } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useApi } from '../../api/use-api.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { plural } from '../../words.ts'
import { jobColumns } from './job-columns.tsx'

const states = [
  ['running', 'Running'],
  ['queued', 'Waiting'],
  ['failed', 'Failed'],
  ['done', 'Done'],
] as const
const limit = 25

/** The jobs themselves; the failed ones can be chosen and retried together. */
export function JobsSection() {
  const [params, setParams] = useSearchParams()
  const state = states.find(([value]) => value === params.get('state'))?.[0] ?? 'running'
  const kind = (['infer', 'deliver'] as const).find((value) => value === params.get('kind'))
  const reason = params.get('reason') ?? undefined
  const offset = Math.max(0, Math.floor(Number(params.get('page')) || 0)) * limit
  const go = (to: Record<string, string | undefined>) => {
    const all = { state, kind, reason, ...to }
    setParams(Object.fromEntries(Object.entries(all).filter(([, value]) => value)) as Record<string, string>, {
      replace: true,
    })
  }
  const query = useApi(
    'GET /jobs',
    { query: { state, kind, reason, limit, offset } },
    { keepPrevious: true, every: 15_000 },
  )
  const may = useMay()
  const choice = useChoice(query.data?.jobs)
  const canChoose = state === 'failed' && may('queue.act') && (query.data?.jobs.length ?? 0) > 0
  return (
    <section aria-labelledby="jobs">
      <div className="section-head">
        <h2 id="jobs">Jobs</h2>
      </div>
      <div className="queue-bar">
        <div className="choices" role="group" aria-label="State">
          {states.map(([value, label]) => (
            <button
              key={value}
              type="button"
              aria-pressed={state === value}
              onClick={() => go({ state: value, reason: undefined })}
            >
              {label}
            </button>
          ))}
        </div>
        <NativeSelect
          aria-label="Kind"
          value={kind ?? ''}
          onChange={(event) => go({ kind: event.currentTarget.value })}
          data={[
            { value: '', label: 'Inferences and deliveries' },
            { value: 'infer', label: 'Inferences' },
            { value: 'deliver', label: 'Deliveries' },
          ]}
        />
        {reason && (
          <Button
            variant="light"
            rightSection={<IconX size={14} aria-hidden />}
            aria-label="Of one reason: show those of all reasons"
            onClick={() => go({ reason: undefined })}
          >
            Of one reason
          </Button>
        )}
        {canChoose && choice.ids.length > 0 && (
          <Button
            leftSection={<IconRefresh size={15} aria-hidden />}
            loading={choice.isPending}
            onClick={() => void choice.retry()}
          >
            Retry {plural(choice.ids.length, 'job')}
          </Button>
        )}
      </div>
      <DataTable
        label="Jobs"
        columns={canChoose ? [chooser(choice), ...jobColumns] : jobColumns}
        rows={query.data?.jobs}
        keyOf={({ id }) => id}
        error={query.error}
        onRetry={() => void query.refetch()}
        stale={query.isPlaceholderData}
        expected={{ rows: 3, height: 40 }}
        empty={emptyOf(state)}
        paging={
          query.data && {
            total: query.data.total,
            totalIsExact: query.data.totalIsExact,
            limit,
            offset,
            onOffset: (next) => go({ page: next > 0 ? String(next / limit) : undefined }),
          }
        }
      />
    </section>
  )
}

function emptyOf(state: (typeof states)[number][0]) {
  const icon = IconStack2
  if (state === 'running') return { icon, title: 'Nothing runs', text: 'What a route matches runs here, live.' }
  if (state === 'queued') return { icon, title: 'Nothing waits', text: 'Everything that was asked for has begun.' }
  if (state === 'failed') return { icon, title: 'Nothing here has failed' }
  return { icon, title: 'Nothing is done yet' }
}

/** Which of the shown jobs are chosen, and retrying them one by one. */
function useChoice(jobs: JobRow[] | undefined) {
  const client = useQueryClient()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [isPending, setPending] = useState(false)
  const shown = jobs?.map(({ id }) => id) ?? []
  const ids = shown.filter((id) => chosen.has(id))
  const retry = async () => {
    setPending(true)
    const outcomes = await Promise.allSettled(ids.map((id) => call('POST /jobs/{id}/retry', { path: { id } })))
    const failures = outcomes.filter((one) => one.status === 'rejected')
    const done = outcomes.length - failures.length
    if (done > 0) toastDone(`${plural(done, 'job')} ${done === 1 ? 'is' : 'are'} queued again.`)
    if (failures[0]) toastFailed(`${plural(failures.length, 'job')} could not be queued`, failures[0].reason)
    setChosen(new Set())
    setPending(false)
    await client.invalidateQueries()
  }
  const set = (id: string, isOn: boolean) =>
    setChosen((before) => new Set(isOn ? [...before, id] : [...before].filter((one) => one !== id)))
  const setAll = (isOn: boolean) => setChosen(new Set(isOn ? shown : []))
  return { ids, shown, has: (id: string) => chosen.has(id), set, setAll, retry, isPending }
}

function chooser(choice: ReturnType<typeof useChoice>): Column<JobRow> {
  return {
    key: 'choose',
    label: 'Choose',
    bare: true,
    width: '82px',
    render: ({ id }) => (
      <Checkbox
        aria-label="Choose this job"
        checked={choice.has(id)}
        onChange={(event) => choice.set(id, event.currentTarget.checked)}
      />
    ),
  }
}
