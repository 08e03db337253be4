import { Button, Group, Modal, NativeSelect, Stack, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { BodyOf } from '../../api/call.ts'
import { useAct, useApi } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { destinationName } from '../../words.ts'
import { pauseTitle } from './pause-words.ts'

type Body = BodyOf<'POST /queue/pauses'>
type Scope = 'all' | 'infer' | 'deliver' | 'pipeline' | 'destination'

const scopes: { value: Scope; label: string }[] = [
  { value: 'all', label: 'Everything' },
  { value: 'infer', label: 'All inferences' },
  { value: 'deliver', label: 'All deliveries' },
  { value: 'pipeline', label: 'One pipeline' },
  { value: 'destination', label: 'One destination' },
]

/** Pauses a part of the queue; it asks why, for those who find it paused. */
export function PauseDialog({ onClose }: { onClose(): void }) {
  const [scope, setScope] = useState<Scope>('all')
  const [chosen, setChosen] = useState('')
  const [reason, setReason] = useState('')
  const pipelines = useApi('GET /pipelines', undefined, { enabled: scope === 'pipeline' })
  const destinations = useApi('GET /destinations', undefined, { enabled: scope === 'destination' })
  const pause = useAct('POST /queue/pauses', {
    onDone: (made) => {
      toastDone(`${pauseTitle(made)}.`)
      onClose()
    },
  })
  const names =
    scope === 'pipeline'
      ? [...new Set(pipelines.data?.pipelines.map(({ name }) => name) ?? [])].map((name) => ({
          value: name,
          label: name,
        }))
      : (destinations.data?.destinations.map(({ name }) => ({ value: name, label: destinationName(name) })) ?? [])
  const isNamed = scope === 'pipeline' || scope === 'destination'
  const name = names.some(({ value }) => value === chosen) ? chosen : (names[0]?.value ?? '')
  const send = (event: FormEvent) => {
    event.preventDefault()
    const body: Body =
      scope === 'all'
        ? { scope, reason }
        : scope === 'infer' || scope === 'deliver'
          ? { scope: 'kind', name: scope, reason }
          : { scope, name, reason }
    pause.mutate({ body })
  }
  const problem = pause.error ?? pipelines.error ?? destinations.error
  return (
    <Modal opened onClose={onClose} title="Pause" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={send}>
        <Stack>
          <div className="muted">
            What runs ends; nothing more is begun until somebody resumes it, also after a restart. Studies are received
            as before.
          </div>
          <NativeSelect
            label="What"
            value={scope}
            onChange={(event) => setScope(event.currentTarget.value as Scope)}
            data={scopes}
          />
          {isNamed && (
            <NativeSelect
              label={scope === 'pipeline' ? 'Pipeline' : 'Destination'}
              value={name}
              disabled={names.length === 0}
              onChange={(event) => setChosen(event.currentTarget.value)}
              data={names.length > 0 ? names : [{ value: '', label: 'None is there' }]}
            />
          )}
          <TextInput
            label="Why"
            description="For those who find it paused."
            placeholder="The archive is being moved until Friday"
            required
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {problem && <ProblemAlert error={problem} title="Nothing is paused" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={reason.trim() === '' || (isNamed && name === '')} loading={pause.isPending}>
              Pause
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
