import { Button, Group, Modal, NativeSelect, Stack, Switch, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { Schedule } from '../../api/schema.ts'
import { useAct } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { cronWords } from './cron-words.ts'

const examples = [
  { value: '', label: 'Choose…' },
  { value: '*/15 * * * *', label: 'Every 15 minutes' },
  { value: '0 * * * *', label: 'Every hour' },
  { value: '30 2 * * *', label: 'Every night at 02:30' },
  { value: '0 7 * * 1', label: 'Every Monday at 07:00' },
  { value: '0 6 1 * *', label: 'On the first of every month' },
]

/** Changes when something runs, and whether. */
export function ScheduleDialog({ schedule, onClose }: { schedule: Schedule; onClose(): void }) {
  const { name, title, defaults, etag } = schedule
  const [cron, setCron] = useState(schedule.cron)
  const [timeZone, setTimeZone] = useState(schedule.settings.timeZone ?? '')
  const [enabled, setEnabled] = useState(schedule.enabled)
  const change = useAct('PUT /schedules/{name}', {
    onDone: () => {
      toastDone(`“${title}” is changed.`)
      onClose()
    },
  })
  const send = (body: { cron: string | null; timeZone: string | null; enabled: boolean | null }) =>
    change.mutate({ path: { name }, body, ifMatch: etag })
  const save = (event: FormEvent) => {
    event.preventDefault()
    send({
      cron: cron.trim() === defaults.cron ? null : cron.trim(),
      timeZone: timeZone.trim() === '' ? null : timeZone.trim(),
      enabled: enabled === defaults.enabled ? null : enabled,
    })
  }
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={save}>
        <Stack>
          <Switch
            label="Runs by schedule"
            checked={enabled}
            onChange={(event) => setEnabled(event.currentTarget.checked)}
          />
          <NativeSelect
            label="Examples"
            value={examples.some(({ value }) => value === cron) ? cron : ''}
            onChange={(event) => event.currentTarget.value && setCron(event.currentTarget.value)}
            data={examples}
          />
          <TextInput
            label="When"
            description={cronWords(cron) ?? 'Minute, hour, day, month, day of the week, as cron writes them.'}
            required
            maxLength={200}
            value={cron}
            onChange={(event) => setCron(event.currentTarget.value)}
          />
          <TextInput
            label="Time zone"
            description={timeZone === '' ? 'Empty: that of the machine.' : undefined}
            placeholder="Europe/Vienna"
            maxLength={64}
            value={timeZone}
            onChange={(event) => setTimeZone(event.currentTarget.value)}
          />
          {change.error && <ProblemAlert error={change.error} title="Not saved" />}
          <Group justify="space-between">
            <Button
              variant="subtle"
              onClick={() => send({ cron: null, timeZone: null, enabled: null })}
              disabled={schedule.author === null}
            >
              As the node comes
            </Button>
            <Group gap="xs">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" loading={change.isPending}>
                Save
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
