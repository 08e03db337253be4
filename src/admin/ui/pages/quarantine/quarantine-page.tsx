import { Button, Group } from '@mantine/core'
import { IconDownload, IconShieldCheck } from '@tabler/icons-react'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import { addressOf } from '../../api/call.ts'
import type { QuarantinedObject } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { sopClassName } from '../../parts/dicom-names.ts'
import { Bytes, TimeAgo } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { actorName, plural } from '../../words.ts'
import { BulkActs, chooser } from './bulk-acts.tsx'
import './quarantine.css'

const states = [
  ['quarantined', 'In quarantine'],
  ['reingested', 'Taken in again'],
  ['discarded', 'Discarded'],
] as const
type State = (typeof states)[number][0]

const limit = 25

/** What could not be kept as an instance: to be looked at, taken in again or discarded. */
export function QuarantinePage() {
  const [params, setParams] = useSearchParams()
  const state = states.find(([value]) => value === params.get('state'))?.[0] ?? 'quarantined'
  const offset = Math.max(0, Math.floor(Number(params.get('page')) || 0)) * limit
  const go = (to: { state?: State; page?: number }) =>
    setParams(
      {
        ...((to.state ?? state) === 'quarantined' ? {} : { state: to.state ?? state }),
        ...(to.page ? { page: String(to.page) } : {}),
      },
      { replace: true },
    )
  const query = useApi('GET /quarantine', { query: { state, limit, offset } }, { keepPrevious: true })
  const may = useMay()
  const [marked, setChosen] = useState<readonly number[]>([])
  const objects = query.data?.objects ?? []
  const chosen = marked.filter((id) => objects.some((object) => object.id === id))
  const canChoose = state === 'quarantined' && may('quarantine.act') && objects.length > 1
  return (
    <Page title="Quarantine" lead={query.data ? plural(query.data.total, 'object') : ' '}>
      <div className="quarantine-states">
        <div className="choices" role="group" aria-label="State">
          {states.map(([value, label]) => (
            <button key={value} type="button" aria-pressed={state === value} onClick={() => go({ state: value })}>
              {label}
            </button>
          ))}
        </div>
        {state === 'quarantined' && may('quarantine.act') && chosen.length > 0 && (
          <BulkActs ids={chosen} onDone={() => setChosen([])} />
        )}
      </div>
      <DataTable
        label="Objects in quarantine"
        columns={canChoose ? [chooser(chosen, setChosen), ...columns] : columns}
        rows={query.data?.objects}
        keyOf={({ id }) => id}
        error={query.error}
        onRetry={() => void query.refetch()}
        stale={query.isPlaceholderData}
        expected={{ rows: 4, height: 60 }}
        empty={
          state === 'quarantined'
            ? {
                icon: IconShieldCheck,
                title: 'Nothing is in quarantine',
                text: 'What cannot be kept as an instance comes here, with the reason.',
              }
            : { title: 'Nothing here', text: 'What is taken in again, or discarded, stays listed.' }
        }
        paging={
          query.data && {
            total: query.data.total,
            limit,
            offset,
            onOffset: (next) => go({ page: next / limit }),
          }
        }
      />
    </Page>
  )
}

const ways: Readonly<Record<string, string>> = {
  'c-store': 'C-STORE',
  'stow-rs': 'STOW-RS',
  folder: 'a watched folder',
  recovery: 'recovery after a crash',
}

const columns: Column<QuarantinedObject>[] = [
  {
    key: 'reason',
    label: 'Reason',
    bare: true,
    render: ({ code, reason }) => (
      <span>
        <Sentence text={reason} />
        <small>{code}</small>
      </span>
    ),
  },
  {
    key: 'what',
    label: 'Object',
    width: '20%',
    render: ({ id, sopClassUID, sopInstanceUID, size }) => (
      <span>
        No. {id}, <Bytes of={size} />
        <small>
          {sopClassUID ? (sopClassName(sopClassUID) ?? 'another kind of object') : 'kind not known'}
          {sopInstanceUID && <Copyable value={sopInstanceUID} label="SOP Instance UID" name="" />}
        </small>
      </span>
    ),
  },
  {
    key: 'from',
    label: 'From',
    width: '20%',
    render: ({ sender, via, at }) => (
      <span>
        {sender}
        <small>
          by {ways[via] ?? via}, <TimeAgo at={at} />
        </small>
      </span>
    ),
  },
  { key: 'acts', label: 'Actions', bare: true, width: '300px', render: (object) => <Acts object={object} /> },
]

function Acts({ object }: { object: QuarantinedObject }) {
  const { id, code, state, stateAt, stateBy } = object
  const may = useMay()
  const confirm = useConfirm()
  const reingest = useAct('POST /quarantine/{id}/reingest', {
    onDone: () => toastDone(`No. ${id} is taken in: it is in its study now.`),
  })
  const discard = useAct('POST /quarantine/{id}/discard', { onDone: () => toastDone(`No. ${id} is discarded.`) })
  if (state !== 'quarantined')
    return (
      <span>
        <StateBadge state={state} />
        <small>
          {state === 'discarded' ? 'Discarded' : 'Taken in again'}
          {stateBy && ` by ${actorName(stateBy)}`}
          {stateAt && (
            <>
              , <TimeAgo at={stateAt} />
            </>
          )}
        </small>
      </span>
    )
  const takeIn = (accept: boolean) =>
    reingest.mutate(
      { path: { id }, body: { accept } },
      { onError: (error) => toastFailed(`No. ${id} stays in quarantine`, error) },
    )
  const accept = async () => {
    const isSure = await confirm({
      title: `Accept the UIDs of no. ${id}?`,
      text: 'Its data set names other UIDs than the sender did. It is kept under those of the data set.',
      confirm: 'Accept its own UIDs',
    })
    if (isSure) takeIn(true)
  }
  const remove = async () => {
    const isSure = await confirm({
      title: `Discard no. ${id}?`,
      text: 'Its bytes are deleted for good; its entry stays in the list.',
      confirm: 'Discard it',
      danger: true,
    })
    if (!isSure) return
    discard.mutate({ path: { id } }, { onError: (error) => toastFailed(`No. ${id} stays in quarantine`, error) })
  }
  return (
    <Group gap={6}>
      {may('quarantine.act') && (
        <>
          <Button size="xs" variant="default" loading={reingest.isPending} onClick={() => takeIn(false)}>
            Take in again
          </Button>
          {code === 'command-mismatch' && (
            <Button size="xs" variant="default" onClick={() => void accept()}>
              Accept its own UIDs
            </Button>
          )}
          <Button size="xs" variant="default" loading={discard.isPending} onClick={() => void remove()}>
            Discard
          </Button>
        </>
      )}
      <Button
        component="a"
        size="xs"
        variant="subtle"
        href={addressOf('GET /quarantine/{id}/file', { path: { id } })}
        download={`quarantine-${id}.dcm`}
        aria-label={`Download no. ${id}`}
      >
        <IconDownload size={15} aria-hidden />
      </Button>
    </Group>
  )
}
