import { Button, NumberInput, SegmentedControl, Switch, Text, TextInput } from '@mantine/core'
import { IconCalendarTime } from '@tabler/icons-react'
import { useState } from 'react'
import { useApi } from '../../api/use-api.ts'
import { exactly } from '../../words.ts'
import type { SectionProps } from './builder-tab.tsx'
import { CalendarDialog } from './calendar-dialog.tsx'
import { asSentence, firstLine, priorities } from './route-words.ts'

/** Priority with the off-peak windows, what other routes do after this one, the quiet time, and the words for people. */
export function OrderSection({ definition, problems, readOnly, change }: SectionProps) {
  const priority = definition.priority ?? 'normal'
  const wrong = problems.filter(({ path }) => /^(name|description|priority|stop|fallback|assemble|$)/.test(path))
  const toggle = (key: 'stop' | 'fallback', isOn: boolean) => {
    const { [key]: _, ...others } = definition
    change(isOn ? { ...definition, [key]: true } : others)
  }
  return (
    <fieldset disabled={readOnly} className="route-fields">
      <legend className="sr-only">When, and in which order</legend>
      <div>
        <div className="route-label" id="route-priority">
          Priority
        </div>
        <SegmentedControl
          aria-labelledby="route-priority"
          disabled={readOnly}
          value={priority}
          onChange={(value) => change({ ...definition, priority: value })}
          data={priorities.map(({ value, label }) => ({ value, label }))}
          className="route-priorities"
        />
        <Text size="sm" c="dimmed" mt={6}>
          {priorities.find(({ value }) => value === priority)?.note}
        </Text>
        {priority === 'off-peak' && <Windows />}
        <TextInput
          mt="md"
          label="In one sentence"
          description="For those who look at the list of routes."
          value={definition.description ?? ''}
          maxLength={500}
          onChange={(event) => {
            const { description: _, ...others } = definition
            const text = event.currentTarget.value
            change(text === '' ? others : { ...definition, description: text })
          }}
        />
      </div>
      <div className="route-switches">
        <Switch
          label="Stop: where it matches, later routes are not asked"
          checked={definition.stop ?? false}
          onChange={(event) => toggle('stop', event.currentTarget.checked)}
        />
        <Switch
          label="Fallback: asked last, and only where no other route has matched"
          checked={definition.fallback ?? false}
          onChange={(event) => toggle('fallback', event.currentTarget.checked)}
        />
        <NumberInput
          label="Quiet time, seconds"
          description="How long nothing new may come until a study that matches counts as complete. Empty: as the node does."
          min={0}
          max={86_400}
          value={definition.assemble?.quiet ?? ''}
          onChange={(quiet) => {
            const { assemble: _, ...others } = definition
            change(quiet === '' ? others : { ...definition, assemble: { quiet: Number(quiet) } })
          }}
        />
        {wrong.map(({ path, expectation }) => (
          <p key={path + expectation} className="route-wrong">
            {asSentence(firstLine(expectation))}
          </p>
        ))}
      </div>
    </fieldset>
  )
}

/** When off-peak jobs may begin next. */
function Windows() {
  const [isOpen, setOpen] = useState(false)
  const { data } = useApi('GET /routes/calendar/next')
  const sentence =
    data === undefined
      ? ' '
      : data.open && data.closes
        ? `A window is open until ${exactly(data.closes)}.`
        : data.opens
          ? `The next window opens ${exactly(data.opens)}.`
          : 'No window opens within a year.'
  return (
    <div className="route-windows">
      <span>{sentence}</span>
      <Button
        size="compact-sm"
        variant="subtle"
        leftSection={<IconCalendarTime size={15} aria-hidden />}
        onClick={() => setOpen(true)}
      >
        The calendar
      </Button>
      {isOpen && <CalendarDialog onClose={() => setOpen(false)} />}
    </div>
  )
}
