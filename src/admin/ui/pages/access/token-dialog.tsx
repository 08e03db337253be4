import { Button, Checkbox, Group, Modal, NativeSelect, Radio, Stack, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { type Permission, permissionNames, permissions, type Role } from '../../../permissions.ts'
import { useMay } from '../../api/session.tsx'
import { useAct } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { roleNames, roleWords } from './role-words.ts'

const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
  { value: '', label: 'It does not expire' },
]

/** Makes a token, as narrow as the program needs it. */
export function TokenDialog(props: { onClose(): void; onMade(made: { name: string; token: string }): void }) {
  const { onClose, onMade } = props
  const may = useMay()
  const [name, setName] = useState('')
  const [rights, setRights] = useState<'role' | 'scope'>('role')
  const [role, setRole] = useState<Role>('viewer')
  const [scope, setScope] = useState<string[]>([])
  const [days, setDays] = useState('90')
  const make = useAct('POST /tokens', {
    onDone: ({ token }) => {
      onClose()
      onMade({ name: name.trim(), token })
    },
  })
  const save = (event: FormEvent) => {
    event.preventDefault()
    const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * 86_400_000).toISOString()
    const given = rights === 'role' ? { role } : { permissions: scope as Permission[] }
    make.mutate({ body: { name: name.trim(), expiresAt, ...given } })
  }
  return (
    <Modal opened size="lg" onClose={onClose} title="Make a token" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={save}>
        <Stack>
          <TextInput
            label="Name"
            description="Of the program that uses it; the audit shows it."
            placeholder="worklist-sync"
            required
            maxLength={100}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NativeSelect
            label="Lifetime"
            value={days}
            onChange={(event) => setDays(event.currentTarget.value)}
            data={lifetimes}
          />
          <Radio.Group label="It may" value={rights} onChange={(value) => setRights(value)}>
            <Group mt={6}>
              <Radio value="role" label="What a role may" />
              <Radio value="scope" label="Only what is chosen" />
            </Group>
          </Radio.Group>
          {rights === 'role' ? (
            <NativeSelect
              label="Role"
              value={role}
              onChange={(event) => setRole(event.currentTarget.value as Role)}
              data={roleNames.map((value) => ({ value, label: `${roleWords[value].name}: ${roleWords[value].text}` }))}
            />
          ) : (
            <Checkbox.Group label="Permissions" value={scope} onChange={setScope}>
              <div className="access-scope">
                {permissionNames
                  .filter((one) => may(one))
                  .map((one) => (
                    <Checkbox key={one} value={one} label={permissions[one][1]} />
                  ))}
              </div>
            </Checkbox.Group>
          )}
          {make.error && <ProblemAlert error={make.error} title="Not made" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={rights === 'scope' && scope.length === 0} loading={make.isPending}>
              Make it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
