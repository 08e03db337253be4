import { Button, Group, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlugOff } from '@tabler/icons-react'
import { useState } from 'react'
import type { AnswerOf } from '../../api/call.ts'
import { useMay } from '../../api/session.tsx'
import { useAct } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { TestSteps } from '../../parts/test-steps.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { bytes, duration, number, plural } from '../../words.ts'
import { permissionWords } from './refused-section.tsx'
import { RemoteDialog } from './remote-dialog.tsx'

type Remote = AnswerOf<'GET /remotes'>['configured'][number]

/** Those that may call, with what they sent. */
export function RemotesTable({ remotes }: { remotes: Remote[] }) {
  return (
    <section aria-labelledby="remotes">
      <div className="section-head">
        <h2 id="remotes">Admitted</h2>
        <span className="muted">{plural(remotes.length, 'sender')}</span>
      </div>
      <DataTable
        label="Admitted senders"
        columns={columns}
        rows={remotes}
        keyOf={({ aeTitle }) => aeTitle}
        empty={{
          icon: IconPlugOff,
          title: 'Nobody is admitted yet',
          text: 'Let a scanner call: it is listed as refused, and one press admits it.',
        }}
      />
    </section>
  )
}

const columns: Column<Remote>[] = [
  {
    key: 'name',
    label: 'AE title',
    bare: true,
    width: '22%',
    render: ({ aeTitle, origin }) => (
      <span>
        <b>{aeTitle}</b>
        <small>{origin === 'file' ? 'in the configuration file' : 'added here'}</small>
      </span>
    ),
  },
  {
    key: 'addresses',
    label: 'Calls from',
    render: ({ addresses }) => addresses.join(', ') || 'any address',
  },
  { key: 'may', label: 'May', width: '130px', render: ({ may }) => may.map((one) => permissionWords[one]).join(', ') },
  {
    key: 'traffic',
    label: 'Last day',
    width: '20%',
    render: ({ traffic: { lastDay, rejected, lastSeenAt } }) => (
      <span>
        {plural(lastDay.instances, 'instance')}, {bytes(lastDay.bytes)}
        <small>
          {lastSeenAt === null ? 'never seen' : <TimeAgo at={lastSeenAt} prefix="last seen" />}
          {rejected > 0 && `, ${number(rejected)} rejected in all`}
        </small>
      </span>
    ),
  },
  { key: 'acts', label: 'Actions', bare: true, width: '26%', render: (remote) => <Acts remote={remote} /> },
]

function Acts({ remote }: { remote: Remote }) {
  const { aeTitle, host, origin, etag } = remote
  const [isChanging, changing] = useDisclosure(false)
  const [answer, setAnswer] = useState<AnswerOf<'POST /remotes/{aeTitle}/echo'> | null>(null)
  const may = useMay()
  const confirm = useConfirm()
  const echo = useAct('POST /remotes/{aeTitle}/echo', {
    changes: [],
    onDone: setAnswer,
  })
  const remove = useAct('DELETE /remotes/{aeTitle}', { onDone: () => toastDone(`${aeTitle} is removed.`) })
  const path = { aeTitle }
  const ask = async () => {
    const isSure = await confirm({
      title: `Remove ${aeTitle}?`,
      text: 'It may not call any more; open associations go on. What it sent stays.',
      confirm: `Remove ${aeTitle}`,
      danger: true,
    })
    if (isSure)
      remove.mutate({ path, ifMatch: etag }, { onError: (error) => toastFailed(`${aeTitle} is still admitted`, error) })
  }
  return (
    <Group gap={6}>
      {host !== null && may('remotes.test') && (
        <Button
          size="xs"
          variant="default"
          loading={echo.isPending}
          onClick={() => echo.mutate({ path }, { onError: (error) => toastFailed(`${aeTitle} was not asked`, error) })}
        >
          C-ECHO
        </Button>
      )}
      {origin === 'api' && may('remotes.manage') && (
        <>
          <Button size="xs" variant="default" aria-label={`Change ${aeTitle}`} onClick={changing.open}>
            Change
          </Button>
          <Button
            size="xs"
            variant="default"
            aria-label={`Remove ${aeTitle}`}
            loading={remove.isPending}
            onClick={() => void ask()}
          >
            Remove
          </Button>
        </>
      )}
      {isChanging && <RemoteDialog before={remote} onClose={changing.close} />}
      {answer && (
        <Modal
          opened
          onClose={() => setAnswer(null)}
          title={`C-ECHO to ${aeTitle}`}
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <TestSteps
            ok={answer.ok}
            sentence={answer.ok ? `${aeTitle} answers.` : `${aeTitle} does not answer.`}
            steps={stepsOf(answer)}
          />
        </Modal>
      )}
    </Group>
  )
}

/** What was asked, and what came of it. */
function stepsOf({ host, port, ok, ms, sentence }: AnswerOf<'POST /remotes/{aeTitle}/echo'>) {
  return [
    {
      step: 'echo',
      title: `C-ECHO to ${host}, port ${port}`,
      outcome: ok ? ('passed' as const) : ('failed' as const),
      ms,
      sentence: ok ? `It answered after ${duration(ms)}.` : sentence,
      advice: null,
    },
  ]
}
