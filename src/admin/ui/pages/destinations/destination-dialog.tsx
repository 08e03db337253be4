import {
  Button,
  Collapse,
  Group,
  Modal,
  NativeSelect,
  NumberInput,
  PasswordInput,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { type FormEvent, useState } from 'react'
import type { BodyOf } from '../../api/call.ts'
import type { Destination } from '../../api/schema.ts'
import { useAct } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { TestSteps } from '../../parts/test-steps.tsx'
import { toastDone } from '../../parts/toast.tsx'

type Definition = BodyOf<'PUT /destinations/{name}'>

interface Draft {
  name: string
  url: string
  auth: 'none' | 'basic' | 'bearer'
  username: string
  secret: string
  timeout: number
  ca: string
  rejectUnauthorized: boolean
}

/** Adds a destination, or changes one. It can be tried before it is saved. */
export function DestinationDialog({ before, onClose }: { before: Destination | null; onClose(): void }) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(before))
  const set = (part: Partial<Draft>) => setDraft((current) => ({ ...current, ...part }))
  const [isMore, more] = useDisclosure(draft.timeout !== 60 || draft.ca !== '' || !draft.rejectUnauthorized)
  const done = () => {
    toastDone(before ? `${before.name} is changed.` : `${draft.name} is added; routes may deliver to it.`)
    onClose()
  }
  const add = useAct('POST /destinations', { onDone: done })
  const change = useAct('PUT /destinations/{name}', { onDone: done })
  const tryOut = useAct('POST /destinations/try', { changes: [] })
  const isHttps = draft.url.startsWith('https:')
  const keepsSecret = before !== null && before.auth.kind === draft.auth && before.auth.secret !== null
  const definition = definitionOf(draft, before, keepsSecret)
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (before) change.mutate({ path: { name: before.name }, body: definition, ifMatch: before.etag })
    else add.mutate({ body: { name: draft.name, ...definition } })
  }
  const problem = add.error ?? change.error ?? tryOut.error
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={before ? `Change ${before.name}` : 'Add a destination'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={save}>
        <Stack>
          {before === null && (
            <TextInput
              label="Name"
              description="Routes deliver by this name: lower-case letters, digits and hyphens."
              placeholder="archive"
              pattern="[a-z0-9][a-z0-9\-]*"
              maxLength={64}
              required
              data-autofocus
              value={draft.name}
              onChange={(event) => set({ name: event.currentTarget.value })}
            />
          )}
          <TextInput
            label="Address"
            description="Of the DICOMweb service, which takes STOW-RS."
            placeholder="https://pacs.example/dicom-web"
            type="url"
            required
            value={draft.url}
            onChange={(event) => set({ url: event.currentTarget.value.trim() })}
          />
          <NativeSelect
            label="Login"
            value={draft.auth}
            onChange={(event) => set({ auth: event.currentTarget.value as Draft['auth'], secret: '' })}
            data={[
              { value: 'none', label: 'None' },
              { value: 'basic', label: 'User name and password' },
              { value: 'bearer', label: 'Bearer token' },
            ]}
          />
          {draft.auth === 'basic' && (
            <TextInput
              label="User name"
              required
              value={draft.username}
              onChange={(event) => set({ username: event.currentTarget.value })}
            />
          )}
          {draft.auth !== 'none' && (
            <PasswordInput
              label={draft.auth === 'basic' ? 'Password' : 'Token'}
              description={
                keepsSecret ? 'Left empty, it stays as it is.' : 'Kept sealed on the node, and never shown again.'
              }
              required={!keepsSecret}
              autoComplete="off"
              value={draft.secret}
              onChange={(event) => set({ secret: event.currentTarget.value })}
            />
          )}
          <div>
            <Button variant="subtle" size="xs" onClick={more.toggle} aria-expanded={isMore}>
              More
            </Button>
            <Collapse expanded={isMore}>
              <Stack pt="sm">
                <NumberInput
                  label="Time for one request"
                  suffix=" s"
                  min={1}
                  max={3600}
                  value={draft.timeout}
                  onChange={(value) => set({ timeout: Number(value) || 60 })}
                />
                <Textarea
                  label="Authorities to trust"
                  description={
                    before?.tls?.ca
                      ? 'PEM. Some are set; left empty, those of the system hold from now on.'
                      : 'PEM; left empty, those of the system.'
                  }
                  placeholder="-----BEGIN CERTIFICATE-----"
                  autosize
                  minRows={2}
                  maxRows={8}
                  disabled={!isHttps}
                  value={draft.ca}
                  onChange={(event) => set({ ca: event.currentTarget.value })}
                />
                <Switch
                  label="Check the certificate"
                  description="Off only for tests: anybody could pretend to be the destination."
                  disabled={!isHttps}
                  checked={draft.rejectUnauthorized}
                  onChange={(event) => set({ rejectUnauthorized: event.currentTarget.checked })}
                />
              </Stack>
            </Collapse>
          </div>
          {problem && <ProblemAlert error={problem} title="Not yet" />}
          {tryOut.data && !tryOut.isPending && <TestSteps {...tryOut.data} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              variant="default"
              loading={tryOut.isPending}
              disabled={draft.url === ''}
              onClick={() => tryOut.mutate({ body: { name: before?.name ?? null, ...definition } })}
            >
              Try it
            </Button>
            <Button type="submit" loading={add.isPending || change.isPending}>
              {before ? 'Save' : 'Add'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

function draftOf(before: Destination | null): Draft {
  return {
    name: '',
    url: before?.url ?? '',
    auth: before?.auth.kind ?? 'none',
    username: before?.auth.username ?? '',
    secret: '',
    timeout: before?.timeout ?? 60,
    ca: '',
    rejectUnauthorized: before?.tls?.rejectUnauthorized ?? true,
  }
}

function definitionOf(draft: Draft, before: Destination | null, keepsSecret: boolean): Definition {
  const secret = draft.secret === '' && keepsSecret ? ({ keep: true } as const) : draft.secret
  const auth: Definition['auth'] =
    draft.auth === 'none'
      ? { kind: 'none' }
      : draft.auth === 'basic'
        ? { kind: 'basic', username: draft.username, password: secret }
        : { kind: 'bearer', token: secret }
  const headers = Object.fromEntries((before?.headers ?? []).map((name) => [name, { keep: true } as const]))
  const ca = draft.ca.trim() === '' ? null : draft.ca
  const tls = ca !== null || !draft.rejectUnauthorized ? { ca, rejectUnauthorized: draft.rejectUnauthorized } : null
  return { url: draft.url, auth, headers, tls, timeout: draft.timeout }
}
