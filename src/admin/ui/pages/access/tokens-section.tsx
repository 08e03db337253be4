import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconKey, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { permissions } from '../../../permissions.ts'
import type { Token } from '../../api/schema.ts'
import { useAct, useApi } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { TimeAgo, useNow } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { actorName, plural } from '../../words.ts'
import { roleWords } from './role-words.ts'
import { SecretDialog } from './secret-dialog.tsx'
import { TokenDialog } from './token-dialog.tsx'

/** The tokens of programs. */
export function TokensSection() {
  const query = useApi('GET /tokens')
  const [isAdding, adding] = useDisclosure(false)
  const [made, setMade] = useState<{ name: string; token: string } | null>(null)
  return (
    <section aria-labelledby="tokens">
      <div className="section-head">
        <h2 id="tokens">{query.data ? plural(query.data.tokens.length, 'token') : 'Tokens'}</h2>
        <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={adding.open}>
          Make a token
        </Button>
      </div>
      <DataTable
        label="Tokens"
        columns={columns}
        rows={query.data?.tokens}
        keyOf={({ id }) => id}
        error={query.error}
        onRetry={() => void query.refetch()}
        expected={{ rows: 2, height: 38 }}
        empty={{ icon: IconKey, title: 'There is no token', text: 'A program that calls the API needs one.' }}
      />
      {isAdding && <TokenDialog onClose={adding.close} onMade={setMade} />}
      {made && (
        <SecretDialog title={`Token ${made.name}`} label="token" secret={made.token} onClose={() => setMade(null)}>
          Copy it to the program, which sends it as <code>Authorization: Bearer …</code>. It is shown this once.
        </SecretDialog>
      )}
    </section>
  )
}

const columns: Column<Token>[] = [
  {
    key: 'name',
    label: 'Token',
    bare: true,
    render: ({ name, createdBy, createdAt }) => (
      <span>
        <b>{name}</b>
        <small>
          made {createdBy && `by ${actorName(createdBy)}, `}
          <TimeAgo at={createdAt} />
        </small>
      </span>
    ),
  },
  {
    key: 'may',
    label: 'May',
    width: '36%',
    render: ({ role, permissions: scope }) =>
      role ? (
        `what a ${roleWords[role].name.toLowerCase()} may`
      ) : (
        <span title={scope.join(', ')}>{scope.map((one) => permissions[one][1]).join('; ')}</span>
      ),
  },
  {
    key: 'used',
    label: 'Last used',
    width: '150px',
    render: ({ lastUsedAt }) =>
      lastUsedAt === null ? <span className="muted">never</span> : <TimeAgo at={lastUsedAt} />,
  },
  { key: 'ends', label: 'Expires', width: '150px', render: ({ expiresAt }) => <Expiry at={expiresAt} /> },
  { key: 'acts', label: 'Actions', bare: true, width: '120px', render: (token) => <Revoke token={token} /> },
]

function Expiry({ at }: { at: string | null }) {
  const now = useNow()
  if (at === null) return <span className="muted">never</span>
  if (new Date(at).getTime() < now) return <StateBadge state="disabled" label="Expired" />
  return <TimeAgo at={at} />
}

function Revoke({ token: { id, name } }: { token: Token }) {
  const confirm = useConfirm()
  const revoke = useAct('DELETE /tokens/{id}', { onDone: () => toastDone(`${name} is revoked.`) })
  const ask = async () => {
    const isSure = await confirm({
      title: `Revoke the token ${name}?`,
      text: 'Programs that use it are refused from the next request on.',
      confirm: `Revoke ${name}`,
      danger: true,
    })
    if (isSure) revoke.mutate({ path: { id } }, { onError: (error) => toastFailed(`${name} still holds`, error) })
  }
  return (
    <Button
      size="xs"
      variant="default"
      aria-label={`Revoke ${name}`}
      loading={revoke.isPending}
      onClick={() => void ask()}
    >
      Revoke
    </Button>
  )
}
