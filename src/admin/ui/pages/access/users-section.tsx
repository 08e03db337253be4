import { Button, Group, Menu } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconDots, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import type { User } from '../../api/schema.ts'
import { useSession } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { plural } from '../../words.ts'
import { roleNames, roleWords } from './role-words.ts'
import { SecretDialog } from './secret-dialog.tsx'
import { UserDialog } from './user-dialog.tsx'

interface Issued {
  name: string
  password: string
}

/** The people who may log in. */
export function UsersSection() {
  const query = useApi('GET /users')
  const [isAdding, adding] = useDisclosure(false)
  const [issued, setIssued] = useState<Issued | null>(null)
  return (
    <section aria-labelledby="users">
      <div className="section-head">
        <h2 id="users">{query.data ? plural(query.data.users.length, 'user') : 'Users'}</h2>
        <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={adding.open}>
          Add a user
        </Button>
      </div>
      <DataTable
        label="Users"
        columns={columnsOf(setIssued)}
        rows={query.data?.users}
        keyOf={({ name }) => name}
        error={query.error}
        onRetry={() => void query.refetch()}
        expected={{ rows: 2, height: 38 }}
        empty={{ title: 'There is no user' }}
      />
      {isAdding && <UserDialog onClose={adding.close} onAdded={setIssued} />}
      {issued && (
        <SecretDialog
          title={`One-time password of ${issued.name}`}
          label="one-time password"
          secret={issued.password}
          onClose={() => setIssued(null)}
        >
          Give it to {issued.name}, who chooses a password of their own at the first login. It is shown this once.
        </SecretDialog>
      )}
    </section>
  )
}

function columnsOf(onIssued: (issued: Issued) => void): Column<User>[] {
  return [
    {
      key: 'name',
      label: 'User',
      bare: true,
      render: ({ name, kind }) => (
        <span>
          <b>{name}</b>
          {kind === 'oidc' && <small>logs in at the OpenID provider</small>}
        </span>
      ),
    },
    {
      key: 'role',
      label: 'Role',
      width: '32%',
      render: ({ role }) => (
        <span>
          {roleWords[role].name}
          <small>{roleWords[role].text}</small>
        </span>
      ),
    },
    { key: 'state', label: 'State', width: '190px', render: stateOf },
    {
      key: 'seen',
      label: 'Last login',
      width: '150px',
      render: ({ lastLoginAt }) =>
        lastLoginAt === null ? <span className="muted">never</span> : <TimeAgo at={lastLoginAt} />,
    },
    {
      key: 'acts',
      label: 'Actions',
      bare: true,
      width: '90px',
      render: (user) => <Acts user={user} onIssued={onIssued} />,
    },
  ]
}

function stateOf({ disabled, mustChangePassword }: User) {
  if (disabled) return <StateBadge state="disabled" />
  if (mustChangePassword) return <StateBadge state="pending" label="One-time password" />
  return <StateBadge state="good" label="Active" />
}

function Acts({ user: { name, role, kind, disabled }, onIssued }: { user: User; onIssued(issued: Issued): void }) {
  const me = useSession().name
  const confirm = useConfirm()
  const path = { name }
  const change = useAct('PUT /users/{name}/role', {
    onDone: (answer) => toastDone(`${name} is ${roleWords[answer.role].name.toLowerCase()} now.`),
  })
  const disable = useAct('PUT /users/{name}/disabled', {
    onDone: (answer) => toastDone(answer.disabled ? `${name} is disabled.` : `${name} may log in again.`),
  })
  const reset = useAct('POST /users/{name}/password', {
    onDone: ({ oneTimePassword }) => onIssued({ name, password: oneTimePassword }),
  })
  const remove = useAct('DELETE /users/{name}', { onDone: () => toastDone(`${name} is removed.`) })
  const failed = (error: unknown) => toastFailed(`Nothing changed for ${name}`, error)
  const askReset = async () => {
    const isSure = await confirm({
      title: `Give ${name} a one-time password?`,
      text: 'The password of now does not hold any more, and every session of the user ends.',
      confirm: 'Give a one-time password',
    })
    if (isSure) reset.mutate({ path }, { onError: failed })
  }
  const askRemove = async () => {
    const isSure = await confirm({
      title: `Remove ${name}?`,
      text: 'The sessions of the user end. The audit keeps the name.',
      confirm: `Remove ${name}`,
      danger: true,
    })
    if (isSure) remove.mutate({ path }, { onError: failed })
  }
  return (
    <Group gap={6}>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Button
            size="xs"
            variant="default"
            aria-label={`Actions on ${name}`}
            loading={change.isPending || disable.isPending || reset.isPending || remove.isPending}
          >
            <IconDots size={15} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {kind === 'local' && (
            <>
              <Menu.Label>Role</Menu.Label>
              {roleNames
                .filter((one) => one !== role)
                .map((one) => (
                  <Menu.Item
                    key={one}
                    onClick={() => change.mutate({ path, body: { role: one } }, { onError: failed })}
                  >
                    Make {roleWords[one].name.toLowerCase()}
                  </Menu.Item>
                ))}
              <Menu.Divider />
              <Menu.Item onClick={() => void askReset()}>One-time password…</Menu.Item>
            </>
          )}
          {name !== me && (
            <>
              <Menu.Item onClick={() => disable.mutate({ path, body: { disabled: !disabled } }, { onError: failed })}>
                {disabled ? 'Enable' : 'Disable'}
              </Menu.Item>
              <Menu.Item color="var(--bad)" onClick={() => void askRemove()}>
                Remove…
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
    </Group>
  )
}
