import { Button, Group, Modal, Radio, Stack, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { Role } from '../../../permissions.ts'
import { useAct } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { roleNames, roleWords } from './role-words.ts'

/** Adds a user, who gets a one-time password. */
export function UserDialog(props: { onClose(): void; onAdded(issued: { name: string; password: string }): void }) {
  const { onClose, onAdded } = props
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const add = useAct('POST /users', {
    onDone: (answer) => {
      onClose()
      onAdded({ name: answer.name, password: answer.oneTimePassword })
    },
  })
  const save = (event: FormEvent) => {
    event.preventDefault()
    add.mutate({ body: { name: name.trim(), role } })
  }
  return (
    <Modal opened onClose={onClose} title="Add a user" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={save}>
        <Stack>
          <TextInput
            label="User name"
            required
            maxLength={100}
            autoComplete="off"
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Radio.Group label="Role" value={role} onChange={(value) => setRole(value)}>
            <Stack gap={8} mt={6}>
              {roleNames.map((one) => (
                <Radio key={one} value={one} label={roleWords[one].name} description={roleWords[one].text} />
              ))}
            </Stack>
          </Radio.Group>
          {add.error && <ProblemAlert error={add.error} title="Not added" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={add.isPending}>
              Add
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
