import { ActionIcon, Button, NativeSelect, NumberInput, Switch } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import type { PipelineCard } from '../../api/schema.ts'
import { unitName } from '../../words.ts'
import type { SectionProps } from './builder-tab.tsx'
import { asSentence, type Definition, firstLine } from './route-words.ts'

type Critical = NonNullable<Definition['urgent']>[number]

/** Which findings are critical and told at once, and what is made of a result that somebody accepts. */
export function FindingsSection({
  definition,
  problems,
  readOnly,
  change,
  measurements,
}: SectionProps & { measurements: PipelineCard['measurements'] }) {
  const { urgent = [], onAccept } = definition
  const names = [...new Set([...measurements.map(({ name }) => name), ...urgent.map(({ finding }) => finding)])]
  const unitOf = (finding: string) => unitName(measurements.find(({ name }) => name === finding)?.unit ?? '')
  const set = (next: Critical[]) => {
    const { urgent: _, ...others } = definition
    change(next.length === 0 ? others : { ...definition, urgent: next })
  }
  const put = (at: number, one: Critical) => set(urgent.map((other, index) => (index === at ? one : other)))
  const limit = (at: number, key: 'over' | 'under', value: string | number) => {
    const { [key]: _, ...others } = urgent[at] as Critical
    put(at, value === '' ? others : { ...others, [key]: Number(value) })
  }
  return (
    <fieldset disabled={readOnly} className="route-findings">
      <legend className="route-label">Critical findings</legend>
      {urgent.length === 0 && <p className="route-none muted">None: no result of this route is told at once.</p>}
      {urgent.map(({ finding, over, under, category }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a finding may stand there twice
        <div key={index} className="route-critical">
          <NativeSelect
            label="Finding"
            value={finding}
            onChange={(event) => put(index, { ...(urgent[index] as Critical), finding: event.currentTarget.value })}
            data={names}
          />
          <NumberInput
            label={`Above ${unitOf(finding)}`.trim()}
            value={over ?? ''}
            onChange={(value) => limit(index, 'over', value)}
          />
          <NumberInput
            label={`Below ${unitOf(finding)}`.trim()}
            value={under ?? ''}
            onChange={(value) => limit(index, 'under', value)}
          />
          <NativeSelect
            label="To be told"
            value={String(category ?? 1)}
            onChange={(event) => {
              const next = Number(event.currentTarget.value) as 1 | 2 | 3
              const { category: _, ...others } = urgent[index] as Critical
              put(index, next === 1 ? others : { ...others, category: next })
            }}
            data={[
              { value: '1', label: 'within minutes' },
              { value: '2', label: 'within hours' },
              { value: '3', label: 'within days' },
            ]}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove critical finding ${index + 1}`}
            onClick={() => set(urgent.filter((_, at) => at !== index))}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      {names.length > 0 && (
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => set([...urgent, { finding: names[0] ?? '' }])}
        >
          Critical finding
        </Button>
      )}
      <Switch
        mt="sm"
        label="Where a reader accepts a result, write its report anew as verified by them"
        checked={onAccept === 'verified-sr'}
        onChange={(event) => {
          const { onAccept: _, ...others } = definition
          change(event.currentTarget.checked ? { ...definition, onAccept: 'verified-sr' } : others)
        }}
      />
      {problems
        .filter(({ path }) => path.startsWith('urgent') || path === 'onAccept')
        .map(({ path, expectation }) => (
          <p key={path + expectation} className="route-wrong">
            {asSentence(firstLine(expectation))}
          </p>
        ))}
    </fieldset>
  )
}
