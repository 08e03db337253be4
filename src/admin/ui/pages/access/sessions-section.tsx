import { Button } from '@mantine/core'
import type { LoginSession } from '../../api/schema.ts'
import { useAct, useApi } from '../../api/use-api.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { plural } from '../../words.ts'

/** Who is logged in, and where. */
export function SessionsSection() {
  const query = useApi('GET /sessions', { query: {} })
  return (
    <section aria-labelledby="sessions">
      <div className="section-head">
        <h2 id="sessions">{query.data ? plural(query.data.sessions.length, 'session') : 'Sessions'}</h2>
      </div>
      <DataTable
        label="Sessions"
        columns={columns}
        rows={query.data?.sessions}
        keyOf={({ id }) => id}
        error={query.error}
        onRetry={() => void query.refetch()}
        expected={{ rows: 2, height: 38 }}
        empty={{ title: 'Nobody is logged in' }}
      />
    </section>
  )
}

const columns: Column<LoginSession>[] = [
  {
    key: 'user',
    label: 'User',
    bare: true,
    render: ({ user, current }) => (
      <span>
        <b>{user}</b> {current && <StateBadge plain state="good" label="this one" />}
      </span>
    ),
  },
  {
    key: 'where',
    label: 'Where',
    width: '36%',
    render: ({ address, agent }) => (
      <span>
        {browserOf(agent)}
        {address && <small>{address}</small>}
      </span>
    ),
  },
  { key: 'seen', label: 'Last used', width: '150px', render: ({ lastSeenAt }) => <TimeAgo at={lastSeenAt} /> },
  { key: 'ends', label: 'Ends', width: '150px', render: ({ expiresAt }) => <TimeAgo at={expiresAt} /> },
  { key: 'acts', label: 'Actions', bare: true, width: '110px', render: (session) => <End session={session} /> },
]

function End({ session: { id, user, current } }: { session: LoginSession }) {
  const end = useAct('DELETE /sessions/{id}', { onDone: () => toastDone(`The session of ${user} is ended.`) })
  if (current) return null
  return (
    <Button
      size="xs"
      variant="default"
      aria-label={`End the session of ${user}`}
      loading={end.isPending}
      onClick={() => end.mutate({ path: { id } }, { onError: (error) => toastFailed('The session goes on', error) })}
    >
      End
    </Button>
  )
}

/** `Firefox on Windows`, as far as the browser tells. */
function browserOf(agent: string | null): string {
  if (!agent) return 'a program'
  const browser = (
    [
      [/Edg\//, 'Edge'],
      [/Firefox\//, 'Firefox'],
      [/Chrome\//, 'Chrome'],
      [/Safari\//, 'Safari'],
    ] as const
  ).find(([form]) => form.test(agent))?.[1]
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent)?.[0]?.replace('Mac OS X', 'macOS')
  return browser ? `${browser}${system ? ` on ${system}` : ''}` : agent
}
