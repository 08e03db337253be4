import { Button, Group, Modal, Skeleton } from '@mantine/core'
import { IconMailOff } from '@tabler/icons-react'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { NotificationMessage } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { duration, plural } from '../../words.ts'
import { eventNames } from './event-names.ts'

const states = [
  ['', 'All'],
  ['waiting', 'Waiting'],
  ['sent', 'Sent'],
  ['dead', 'Given up'],
] as const
const marks = {
  waiting: { state: 'queued' },
  sending: { state: 'running', label: 'Sending' },
  sent: { state: 'done', label: 'Sent' },
  dead: { state: 'failed', label: 'Given up' },
} as const

/** What waits to be sent, was sent, or was given up. */
export function MessagesSection() {
  const may = useMay()
  const [params, setParams] = useSearchParams()
  const state = states.find(([value]) => value !== '' && value === params.get('state'))?.[0] || undefined
  const [pages, setPages] = useState<number[]>([])
  const query = useApi(
    'GET /notifications/messages',
    { query: { state, before: pages.at(-1), limit: 50 } },
    { keepPrevious: true, every: 10_000 },
  )
  const retryAll = useAct('POST /notifications/messages/retry', {
    onDone: ({ messages }) => toastDone(`${plural(messages, 'message')} ${messages === 1 ? 'is' : 'are'} sent again.`),
  })
  const [shown, setShown] = useState<NotificationMessage | null>(null)
  return (
    <section aria-label="Log">
      <div className="notifications-bar">
        <div className="choices" role="group" aria-label="State">
          {states.map(([value, label]) => (
            <button
              key={value}
              type="button"
              aria-pressed={(state ?? '') === value}
              onClick={() => {
                setPages([])
                setParams(value === '' ? { part: 'log' } : { part: 'log', state: value })
              }}
            >
              {label}
            </button>
          ))}
        </div>
        {state === 'dead' && may('notifications.manage') && (query.data?.messages.length ?? 0) > 0 && (
          <Button
            variant="default"
            loading={retryAll.isPending}
            onClick={() => retryAll.mutate({}, { onError: (error) => toastFailed('Nothing is sent again', error) })}
          >
            Send all again
          </Button>
        )}
      </div>
      <DataTable
        label="Messages, the newest first"
        columns={columnsOf(setShown)}
        rows={query.data?.messages}
        keyOf={({ id }) => id}
        error={query.error}
        onRetry={() => void query.refetch()}
        stale={query.isPlaceholderData}
        expected={{ rows: 5, height: 40 }}
        empty={{ icon: IconMailOff, title: 'No message is here', text: 'What is sent is listed, with every attempt.' }}
      />
      {query.data && (pages.length > 0 || query.data.before !== null) && (
        <Group justify="flex-end" mt="sm" gap="xs">
          <Button
            size="xs"
            variant="default"
            disabled={pages.length === 0}
            onClick={() => setPages(pages.slice(0, -1))}
          >
            Newer
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={query.data.before === null}
            onClick={() => query.data?.before && setPages([...pages, query.data.before])}
          >
            Older
          </Button>
        </Group>
      )}
      {shown && <Attempts message={shown} onClose={() => setShown(null)} />}
    </section>
  )
}

function columnsOf(onShow: (message: NotificationMessage) => void): Column<NotificationMessage>[] {
  return [
    {
      key: 'what',
      label: 'Message',
      bare: true,
      render: ({ event, sentence, studyInstanceUID }) => (
        <span>
          <b>{eventNames[event]}</b>
          <small>
            <Sentence text={sentence} />{' '}
            {studyInstanceUID && <Link href={`/studies/${studyInstanceUID}`}>the study</Link>}
          </small>
        </span>
      ),
    },
    { key: 'to', label: 'To', width: '18%', render: ({ target }) => target },
    {
      key: 'state',
      label: 'State',
      width: '24%',
      render: ({ state, error, attempts, urgent, runAfter }) => (
        <span>
          <StateBadge {...marks[state]} /> {urgent && <StateBadge plain state="warning" label="urgent" />}
          <small>
            {error}
            {state === 'waiting' && attempts > 0 && (
              <>
                {' '}
                <TimeAgo at={runAfter} prefix="again" />
              </>
            )}
          </small>
        </span>
      ),
    },
    { key: 'at', label: 'When', width: '140px', render: ({ sentAt, at }) => <TimeAgo at={sentAt ?? at} /> },
    {
      key: 'acts',
      label: 'Actions',
      bare: true,
      width: '230px',
      render: (message) => <Acts message={message} onShow={() => onShow(message)} />,
    },
  ]
}

function Acts({ message: { id, state, attempts }, onShow }: { message: NotificationMessage; onShow(): void }) {
  const may = useMay()
  const path = { id }
  const retry = useAct('POST /notifications/messages/{id}/retry', { onDone: () => toastDone('It is sent again.') })
  const discard = useAct('DELETE /notifications/messages/{id}', { onDone: () => toastDone('It is discarded.') })
  return (
    <Group gap={6}>
      {attempts > 0 && (
        <Button
          size="xs"
          variant="subtle"
          aria-label={`${plural(attempts, 'attempt')} of message ${id}`}
          onClick={onShow}
        >
          {plural(attempts, 'attempt')}
        </Button>
      )}
      {state === 'dead' && may('notifications.manage') && (
        <>
          <Button
            size="xs"
            variant="default"
            loading={retry.isPending}
            onClick={() => retry.mutate({ path }, { onError: (error) => toastFailed('It is not sent again', error) })}
          >
            Send again
          </Button>
          <Button
            size="xs"
            variant="default"
            loading={discard.isPending}
            onClick={() => discard.mutate({ path }, { onError: (error) => toastFailed('It stays', error) })}
          >
            Discard
          </Button>
        </>
      )}
    </Group>
  )
}

function Attempts({ message: { id, target }, onClose }: { message: NotificationMessage; onClose(): void }) {
  const query = useApi('GET /notifications/messages/{id}/attempts', { path: { id } })
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={`Attempts to tell ${target}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Answer query={query} skeleton={<Skeleton height={120} />}>
        {({ attempts }) => (
          <ul className="notifications-told">
            {attempts.map(({ at, ms, messages, ok, answer }) => (
              <li key={at}>
                <StateBadge state={ok ? 'success' : 'failure'} />
                <span className="notifications-words">
                  {answer}
                  {messages > 1 && <span className="sub">{plural(messages, 'message')} as one</span>}
                </span>
                <span className="muted">
                  <TimeAgo at={at} />, {duration(ms)}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Modal>
  )
}
