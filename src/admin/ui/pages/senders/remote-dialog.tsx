import { Button, Checkbox, Group, Modal, NumberInput, Stack, TagsInput, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { AnswerOf, BodyOf } from '../../api/call.ts'
import { useAct } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { permissionWords } from './refused-section.tsx'

type Remote = AnswerOf<'GET /remotes'>['configured'][number]
type Definition = BodyOf<'PUT /remotes/{aeTitle}'>
type May = NonNullable<Definition['may']>

/** Adds a sender before it ever called, or changes one. */
export function RemoteDialog({ before, onClose }: { before: Remote | null; onClose(): void }) {
  const [title, setTitle] = useState('')
  const [addresses, setAddresses] = useState<string[]>(before?.addresses ?? [])
  const [may, setMay] = useState<string[]>(before?.may ?? ['store'])
  const [host, setHost] = useState(before?.host ?? '')
  const [port, setPort] = useState(before?.port ?? 104)
  const done = ({ aeTitle }: { aeTitle: string }) => {
    toastDone(before ? `${aeTitle} is changed.` : `${aeTitle} may call now.`)
    onClose()
  }
  const add = useAct('POST /remotes', { onDone: done })
  const change = useAct('PUT /remotes/{aeTitle}', { onDone: done })
  const save = (event: FormEvent) => {
    event.preventDefault()
    const definition: Definition = { addresses, may: may as May, host: host.trim() || null, port }
    if (before) change.mutate({ path: { aeTitle: before.aeTitle }, body: definition, ifMatch: before.etag })
    else add.mutate({ body: { aeTitle: title.trim(), ...definition } })
  }
  const problem = add.error ?? change.error
  return (
    <Modal
      opened
      onClose={onClose}
      title={before ? `Change ${before.aeTitle}` : 'Add a sender'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={save}>
        <Stack>
          {before === null && (
            <TextInput
              label="AE title"
              description="As the device calls itself; at most 16 characters."
              placeholder="CT1"
              required
              maxLength={16}
              data-autofocus
              value={title}
              onChange={(event) => setTitle(event.currentTarget.value)}
            />
          )}
          <TagsInput
            label="Calls from"
            description="IP addresses, or blocks as 10.0.0.0/8; press Enter after each. Empty: from any."
            placeholder={addresses.length === 0 ? '10.20.4.17' : ''}
            value={addresses}
            onChange={setAddresses}
          />
          <Checkbox.Group label="May" value={may} onChange={setMay}>
            <Group mt={6}>
              {Object.entries(permissionWords).map(([value, label]) => (
                <Checkbox key={value} value={value} label={label} />
              ))}
            </Group>
          </Checkbox.Group>
          <Group align="flex-end" grow>
            <TextInput
              label="Listens at"
              description="For C-ECHO, and to send it images."
              placeholder="10.20.4.17"
              value={host}
              onChange={(event) => setHost(event.currentTarget.value)}
            />
            <NumberInput
              label="Port"
              min={1}
              max={65_535}
              allowDecimal={false}
              value={port}
              onChange={(value) => setPort(Number(value) || 104)}
            />
          </Group>
          {before?.tls && <div className="muted">It is called over TLS; saving here calls it without.</div>}
          {problem && <ProblemAlert error={problem} title="Not saved" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={may.length === 0} loading={add.isPending || change.isPending}>
              {before ? 'Save' : 'Add'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
