import {
  Button,
  Checkbox,
  Group,
  Modal,
  NativeSelect,
  NumberInput,
  PasswordInput,
  Radio,
  Stack,
  Switch,
  TagsInput,
  TextInput,
} from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { BodyOf } from '../../api/call.ts'
import type { NotificationTarget } from '../../api/schema.ts'
import { useAct } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'

type Body = BodyOf<'POST /notifications/targets'>
type Security = 'starttls' | 'tls' | 'none'

/** Adds a target, or changes one. */
export function TargetDialog({ before, onClose }: { before: NotificationTarget | null; onClose(): void }) {
  const email = before?.via.kind === 'email' ? before.via : null
  const webhook = before?.via.kind === 'webhook' ? before.via : null
  const [draft, setDraft] = useState(() => ({
    name: before?.name ?? '',
    kind: before?.via.kind ?? 'email',
    enabled: before?.enabled ?? true,
    phi: before?.phi ?? false,
    digestMinutes: before?.digestMinutes ?? 0,
    mostPerHour: before?.mostPerHour ?? 60,
    url: webhook?.url ?? '',
    secret: '',
    host: email?.host ?? '',
    port: email?.port ?? 587,
    security: email?.security ?? 'starttls',
    username: email?.username ?? '',
    password: '',
    from: email?.from ?? '',
    to: email?.to ?? ([] as string[]),
  }))
  const set = (part: Partial<typeof draft>) => setDraft((current) => ({ ...current, ...part }))
  const done = () => {
    toastDone(before ? `${draft.name} is changed.` : `${draft.name} is added: say what it is told of, and test it.`)
    onClose()
  }
  const add = useAct('POST /notifications/targets', { onDone: done })
  const change = useAct('PUT /notifications/targets/{id}', { onDone: done })
  const kept = (given: string, known: string | null | undefined) =>
    given !== '' ? given : known ? ({ keep: true } as const) : null
  const save = (event: FormEvent) => {
    event.preventDefault()
    const ca = before?.via.ca ?? null
    const rejectUnauthorized = before?.via.rejectUnauthorized ?? true
    const via: Body['via'] =
      draft.kind === 'webhook'
        ? {
            kind: 'webhook',
            url: draft.url,
            secret: kept(draft.secret, webhook?.secret),
            headers: Object.fromEntries((webhook?.headers ?? []).map((name) => [name, { keep: true } as const])),
            ca,
            rejectUnauthorized,
          }
        : {
            kind: 'email',
            host: draft.host.trim(),
            port: draft.port,
            security: draft.security,
            username: draft.username.trim() || null,
            password: draft.username.trim() === '' ? null : kept(draft.password, email?.password),
            from: draft.from.trim(),
            to: draft.to,
            ca,
            rejectUnauthorized,
          }
    const { name, enabled, phi, digestMinutes, mostPerHour } = draft
    const body: Body = { name, enabled, phi, digestMinutes, mostPerHour, timeout: before?.timeout ?? 10, via }
    if (before) change.mutate({ path: { id: before.id }, body, ifMatch: before.etag })
    else add.mutate({ body })
  }
  const problem = add.error ?? change.error
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={before ? `Change ${before.name}` : 'Add a target'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={save}>
        <Stack>
          <TextInput
            label="Name"
            placeholder="Radiology on call"
            required
            maxLength={64}
            data-autofocus
            value={draft.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
          {before === null && (
            <Radio.Group label="How" value={draft.kind} onChange={(value) => set({ kind: value })}>
              <Group mt={6}>
                <Radio value="email" label="By e-mail" />
                <Radio value="webhook" label="By a webhook" />
              </Group>
            </Radio.Group>
          )}
          {draft.kind === 'webhook' ? (
            <>
              <TextInput
                label="Address"
                description="Messages are posted there as JSON."
                placeholder="https://hub.example/hilum"
                type="url"
                required
                value={draft.url}
                onChange={(event) => set({ url: event.currentTarget.value.trim() })}
              />
              <PasswordInput
                label="Key of the signature"
                description={
                  webhook?.secret ? 'Left empty, it stays as it is.' : 'The other side proves by it who sent a message.'
                }
                autoComplete="off"
                value={draft.secret}
                onChange={(event) => set({ secret: event.currentTarget.value })}
              />
            </>
          ) : (
            <Mail draft={draft} set={set} hasPassword={Boolean(email?.password)} />
          )}
          <div className="notifications-pair">
            <NumberInput
              label="Gathered for"
              description="What is not urgent is sent as one; 0: each at once."
              suffix=" min"
              min={0}
              max={1440}
              value={draft.digestMinutes}
              onChange={(value) => set({ digestMinutes: Number(value) || 0 })}
            />
            <NumberInput
              label="Messages an hour"
              description="More are gathered, and sent as one."
              min={1}
              max={3600}
              value={draft.mostPerHour}
              onChange={(value) => set({ mostPerHour: Number(value) || 60 })}
            />
          </div>
          <Checkbox
            label="It may be told who the patient is"
            description="Only where everybody who reads it may know."
            checked={draft.phi}
            onChange={(event) => set({ phi: event.currentTarget.checked })}
          />
          <Switch
            label="On"
            checked={draft.enabled}
            onChange={(event) => set({ enabled: event.currentTarget.checked })}
          />
          {problem && <ProblemAlert error={problem} title="Not saved" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              disabled={draft.kind === 'email' && draft.to.length === 0}
              loading={add.isPending || change.isPending}
            >
              {before ? 'Save' : 'Add'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

interface MailDraft {
  host: string
  port: number
  security: Security
  username: string
  password: string
  from: string
  to: string[]
}

function Mail(props: { draft: MailDraft; set(part: Partial<MailDraft>): void; hasPassword: boolean }) {
  const { draft, set, hasPassword } = props
  return (
    <>
      <TagsInput
        label="To"
        description="Press Enter after each address."
        placeholder={draft.to.length === 0 ? 'on-call@hospital.example' : ''}
        required
        value={draft.to}
        onChange={(to) => set({ to })}
      />
      <TextInput
        label="From"
        type="email"
        required
        placeholder="hilum@hospital.example"
        value={draft.from}
        onChange={(event) => set({ from: event.currentTarget.value })}
      />
      <div className="notifications-pair">
        <TextInput
          label="Mail server"
          required
          placeholder="smtp.hospital.example"
          value={draft.host}
          onChange={(event) => set({ host: event.currentTarget.value })}
        />
        <NumberInput
          label="Port"
          min={1}
          max={65_535}
          value={draft.port}
          onChange={(value) => set({ port: Number(value) || 587 })}
        />
        <NativeSelect
          label="Encryption"
          value={draft.security}
          onChange={(event) => set({ security: event.currentTarget.value as Security })}
          data={[
            { value: 'starttls', label: 'STARTTLS' },
            { value: 'tls', label: 'TLS from the first byte' },
            { value: 'none', label: 'None' },
          ]}
        />
        <TextInput
          label="User name"
          placeholder="where one is needed"
          value={draft.username}
          onChange={(event) => set({ username: event.currentTarget.value })}
        />
      </div>
      {draft.username.trim() !== '' && (
        <PasswordInput
          label="Password"
          description={hasPassword ? 'Left empty, it stays as it is.' : undefined}
          required={!hasPassword}
          autoComplete="off"
          value={draft.password}
          onChange={(event) => set({ password: event.currentTarget.value })}
        />
      )}
    </>
  )
}
