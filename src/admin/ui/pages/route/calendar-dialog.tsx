import { ActionIcon, Button, Group, Modal, NativeSelect, Skeleton, Stack, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call, callWithTag } from '../../api/call.ts'
import type { OffPeakCalendar } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { actorName } from '../../words.ts'

const weekdays = [
  ['mon', 'Mon'],
  ['tue', 'Tue'],
  ['wed', 'Wed'],
  ['thu', 'Thu'],
  ['fri', 'Fri'],
  ['sat', 'Sat'],
  ['sun', 'Sun'],
] as const

/** When jobs of off-peak routes may begin: the windows of every week, and days that differ. */
export function CalendarDialog({ onClose }: { onClose(): void }) {
  const client = useQueryClient()
  const may = useMay()
  const isEditor = may('PUT /routes/calendar')
  const found = useQuery({
    queryKey: ['calendar to edit'],
    queryFn: () => callWithTag('GET /routes/calendar'),
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
  const [edited, setEdited] = useState<OffPeakCalendar | null>(null)
  const calendar = edited ?? found.data?.answer.calendar
  const save = useMutation({
    mutationFn: (body: OffPeakCalendar) => call('PUT /routes/calendar', { body }, { ifMatch: found.data?.etag ?? '' }),
    onSuccess: () => {
      toastDone('The calendar is changed; jobs that wait have their new times.')
      void client.invalidateQueries({ queryKey: ['GET /routes/calendar/next'] })
      onClose()
    },
  })
  const problem = save.error ?? found.error
  return (
    <Modal opened onClose={onClose} size="lg" title="Off-peak windows" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        {!calendar && !problem && <Skeleton height={220} />}
        {calendar && (
          <fieldset disabled={!isEditor} className="route-calendar">
            <legend className="sr-only">Windows and exceptions</legend>
            <Windows calendar={calendar} onChange={setEdited} />
            <Exceptions calendar={calendar} onChange={setEdited} />
            <TextInput
              label="Time zone"
              placeholder="That of the machine"
              value={calendar.timeZone ?? ''}
              onChange={(event) => {
                const { timeZone: _, ...others } = calendar
                const zone = event.currentTarget.value
                setEdited(zone === '' ? others : { ...calendar, timeZone: zone })
              }}
            />
          </fieldset>
        )}
        {found.data?.answer.author && (
          <span className="muted">Last changed by {actorName(found.data.answer.author)}.</span>
        )}
        {problem && <ProblemAlert error={problem} title="Not changed" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {isEditor ? 'Cancel' : 'Close'}
          </Button>
          {isEditor && (
            <Button disabled={edited === null} loading={save.isPending} onClick={() => edited && save.mutate(edited)}>
              Change the calendar
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  )
}

interface PartProps {
  calendar: OffPeakCalendar
  onChange(calendar: OffPeakCalendar): void
}

function Windows({ calendar, onChange }: PartProps) {
  const { windows } = calendar
  const put = (at: number, next: Partial<OffPeakCalendar['windows'][number]>) =>
    onChange({ ...calendar, windows: windows.map((one, index) => (index === at ? { ...one, ...next } : one)) })
  return (
    <div>
      <div className="route-label">Every week</div>
      {windows.map(({ days, from, to }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: windows have nothing else
        <div key={index} className="route-window">
          <span className="choices" role="group" aria-label={`Days of window ${index + 1}`}>
            {weekdays.map(([day, label]) => (
              <button
                key={day}
                type="button"
                aria-pressed={days.includes(day)}
                onClick={() =>
                  put(index, {
                    days: weekdays.map(([one]) => one).filter((one) => (one === day) !== days.includes(one)),
                  })
                }
              >
                {label}
              </button>
            ))}
          </span>
          <TextInput
            aria-label={`From, window ${index + 1}`}
            value={from}
            onChange={(event) => put(index, { from: event.currentTarget.value })}
          />
          <span className="muted">to</span>
          <TextInput
            aria-label={`To, window ${index + 1}`}
            value={to}
            onChange={(event) => put(index, { to: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove window ${index + 1}`}
            onClick={() => onChange({ ...calendar, windows: windows.filter((_, at) => at !== index) })}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button
        size="compact-sm"
        variant="subtle"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() =>
          onChange({
            ...calendar,
            windows: [...windows, { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '19:00', to: '07:00' }],
          })
        }
      >
        Window
      </Button>
    </div>
  )
}

function Exceptions({ calendar, onChange }: PartProps) {
  const { exceptions } = calendar
  const put = (at: number, next: Partial<OffPeakCalendar['exceptions'][number]>) =>
    onChange({ ...calendar, exceptions: exceptions.map((one, index) => (index === at ? { ...one, ...next } : one)) })
  return (
    <div>
      <div className="route-label">Days that differ</div>
      {exceptions.map(({ date, open, comment }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: exceptions have nothing else that stays
        <div key={index} className="route-window">
          <TextInput
            type="date"
            aria-label={`Date of exception ${index + 1}`}
            value={date}
            onChange={(event) => put(index, { date: event.currentTarget.value })}
          />
          <NativeSelect
            aria-label={`Exception ${index + 1} is`}
            value={typeof open === 'string' ? open : 'hours'}
            onChange={(event) => {
              const value = event.currentTarget.value
              if (value !== 'hours') put(index, { open: value as 'all-day' | 'closed' })
            }}
            data={[
              { value: 'all-day', label: 'open all day' },
              { value: 'closed', label: 'closed' },
              ...(typeof open === 'string'
                ? []
                : [{ value: 'hours', label: open.map(({ from, to }) => `${from} to ${to}`).join(', ') }]),
            ]}
          />
          <TextInput
            aria-label={`Why, exception ${index + 1}`}
            placeholder="Why"
            value={comment ?? ''}
            onChange={(event) => put(index, { comment: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove exception ${index + 1}`}
            onClick={() => onChange({ ...calendar, exceptions: exceptions.filter((_, at) => at !== index) })}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button
        size="compact-sm"
        variant="subtle"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() =>
          onChange({
            ...calendar,
            exceptions: [...exceptions, { date: new Date().toISOString().slice(0, 10), open: 'all-day' }],
          })
        }
      >
        Day
      </Button>
    </div>
  )
}
