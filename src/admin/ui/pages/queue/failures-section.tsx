import { Button, Group, Skeleton } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useSearchParams } from 'wouter'
import type { BulkOutcome, FailureGroup } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { useConfirm } from '../../parts/confirm.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { destinationName, number, plural } from '../../words.ts'

/** What a retry did, in words; what could not be queued is told with its reason. */
export function tellRetried({ changed, left, more }: BulkOutcome): void {
  const first = left[0]
  if (changed > 0)
    toastDone(
      `${plural(changed, 'job')} ${changed === 1 ? 'is' : 'are'} queued again.${more ? ' There are more: retry once more.' : ''}`,
    )
  if (first) toastFailed(`${plural(left.length, 'job')} could not be queued`, new Error(first.reason))
  if (changed === 0 && !first) toastDone('There was nothing to retry.')
}

/** Failures by their reasons: one press retries all that failed for the same one. */
export function FailuresSection() {
  const may = useMay()
  const confirm = useConfirm()
  const query = useApi('GET /queue/failures')
  const retryAll = useAct('POST /queue/retry', { onDone: tellRetried })
  const askAll = async (jobs: number) => {
    const isSure = await confirm({
      title: `Retry all ${plural(jobs, 'failed job')}?`,
      text: 'Also those whose cause may still be there. What was refused as unsuitable, or ended by somebody, stays.',
      confirm: 'Retry them all',
    })
    if (isSure) retryAll.mutate({ body: {} }, { onError: (error) => toastFailed('Nothing is queued', error) })
  }
  return (
    <section aria-labelledby="failures">
      <Answer query={query} skeleton={<Skeleton height={140} radius="lg" />}>
        {({ groups, looked, complete }) => {
          const retryable = groups.filter(({ refused, cancelled }) => !refused && !cancelled)
          const jobs = retryable.reduce((sum, group) => sum + group.jobs, 0)
          return (
            <>
              <div className="section-head">
                <h2 id="failures">Why jobs failed</h2>
                {may('queue.act') && retryable.length > 1 && (
                  <Button
                    size="xs"
                    variant="default"
                    loading={retryAll.isPending}
                    leftSection={<IconRefresh size={14} aria-hidden />}
                    onClick={() => void askAll(jobs)}
                  >
                    Retry all
                  </Button>
                )}
              </div>
              {groups.length === 0 ? (
                <p className="panel queue-quiet">Nothing has failed.</p>
              ) : (
                <ul className="panel queue-list">
                  {groups.map((group) => (
                    <Failures key={`${group.kind} ${group.reason} ${group.refused}`} group={group} />
                  ))}
                </ul>
              )}
              {!complete && <span className="sub">Of the last {number(looked)} failures.</span>}
            </>
          )
        }}
      </Answer>
    </section>
  )
}

function Failures({ group }: { group: FailureGroup }) {
  const { reason, kind, refused, cancelled, jobs, studies, example, lastAt, pipelines, destinations } = group
  const may = useMay()
  const [, setParams] = useSearchParams()
  const retry = useAct('POST /queue/retry', { onDone: tellRetried })
  const where = [...pipelines, ...destinations.map((name) => destinationName(name))].join(', ')
  return (
    <li>
      <StateBadge
        state={refused ? 'refused' : 'failed'}
        {...(cancelled ? { label: 'Ended by somebody', tone: 'idle' as const } : {})}
      />
      <div className="queue-words">
        <Sentence text={jobs === 1 ? example : reason} />
        <span className="sub">
          {kind === 'infer' ? 'Inference' : 'Delivery'}
          {where && ` · ${where}`} · {plural(jobs, 'job')} of {plural(studies, 'study', 'studies')}
          {lastAt && (
            <>
              {' '}
              · last <TimeAgo at={lastAt} />
            </>
          )}
        </span>
      </div>
      <Group gap={6}>
        <Button
          size="xs"
          variant="default"
          aria-label={`Show the ${plural(jobs, 'job')}: ${reason}`}
          onClick={() => {
            setParams({ state: 'failed', reason, kind })
            document.getElementById('jobs')?.scrollIntoView({ block: 'start' })
          }}
        >
          Show
        </Button>
        {may('queue.act') && (
          <Button
            size="xs"
            variant="default"
            loading={retry.isPending}
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={() =>
              retry.mutate(
                { body: { kind, reason, refused, cancelled } },
                { onError: (error) => toastFailed('Nothing is queued', error) },
              )
            }
          >
            Retry {plural(jobs, 'job')}
          </Button>
        )}
      </Group>
    </li>
  )
}
