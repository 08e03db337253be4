import { ActionIcon, Button, Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash, IconX } from '@tabler/icons-react'
import type { PipelineCard, RouteProblem } from '../../api/schema.ts'
import { ConditionEditor } from './condition-editor.tsx'
import { asSentence, firstLine, type Input, type Preference, preferences } from './route-words.ts'

export interface InputEditorProps {
  name: string
  input: Partial<Input>
  /** What the pipeline says of this input; undefined where it has none of this name. */
  card: PipelineCard['inputs'][number] | undefined
  /** Names of the other inputs. */
  others: readonly string[]
  problems: readonly RouteProblem[]
  readOnly: boolean
  onChange(input: Partial<Input>): void
  onRemove(): void
}

/** Which series becomes an input of the pipeline: its condition, what is preferred, and where it is looked for. */
export function InputEditor({ name, input, card, others, problems, readOnly, onChange, onRemove }: InputEditorProps) {
  const of = (path: string) => problems.filter((one) => one.path.startsWith(`inputs.${name}.${path}`))
  const rest = problems.filter(
    ({ path, line }) => path.startsWith(`inputs.${name}`) && (line === null || !path.endsWith('.where')),
  )
  return (
    <section className="route-input" id={`route-input-${name}`} aria-labelledby={`route-input-${name}-title`}>
      <div className="route-input-head">
        <h3 id={`route-input-${name}-title`}>
          Series “{name}”{card && <span className="muted"> {describe(card)}</span>}
        </h3>
        {!card && !readOnly && (
          <Button
            size="compact-sm"
            variant="subtle"
            color="red.8"
            leftSection={<IconTrash size={14} aria-hidden />}
            onClick={onRemove}
          >
            Not of this pipeline: remove
          </Button>
        )}
      </div>
      <ConditionEditor
        label={`Series ${name}`}
        scope="series"
        text={input.where ?? ''}
        problems={of('where')}
        readOnly={readOnly}
        onChange={(where) => onChange({ ...input, where })}
      />
      <fieldset disabled={readOnly} className="route-input-more">
        <legend className="sr-only">Further settings of series {name}</legend>
        <Preferences value={input.prefer ?? []} onChange={(prefer) => onChange({ ...input, prefer })} name={name} />
        <div className="route-input-options">
          <NativeSelect
            label="Looked for in"
            value={input.from ?? 'study'}
            onChange={(event) =>
              onChange(without({ ...input, from: event.currentTarget.value as 'study' | 'prior' }, 'from', 'study'))
            }
            data={[
              { value: 'study', label: 'the study' },
              { value: 'prior', label: 'an earlier study of the patient' },
            ]}
          />
          {others.length > 0 && (
            <NativeSelect
              label="Has to refer to"
              value={input.of ?? ''}
              onChange={(event) => onChange(without({ ...input, of: event.currentTarget.value }, 'of', ''))}
              data={[{ value: '', label: 'nothing' }, ...others.map((one) => ({ value: one, label: `series ${one}` }))]}
            />
          )}
          <Checkbox
            label="Needed: without it the route does not match"
            checked={input.required ?? true}
            onChange={(event) => onChange({ ...input, required: event.currentTarget.checked })}
          />
          <Checkbox
            label="Every series that fits, not one"
            checked={input.several ?? false}
            onChange={(event) =>
              onChange(without({ ...input, several: event.currentTarget.checked }, 'several', false))
            }
          />
        </div>
      </fieldset>
      {rest.map(({ path, expectation }) => (
        <p key={path + expectation} className="route-wrong">
          {asSentence(firstLine(expectation))}
        </p>
      ))}
    </section>
  )
}

/** What is left at its default is not written. */
function without(input: Partial<Input>, key: keyof Input, usual: unknown): Partial<Input> {
  if (input[key] !== usual) return input
  const { [key]: _, ...others } = input
  return others
}

function describe({ kind, modality }: PipelineCard['inputs'][number]): string {
  return [modality.join(' or '), kind === 'volume' ? 'a stack of slices' : kind].filter(Boolean).join(', ')
}

const plain = new Set<string>(['thinnest-slices', 'most-instances', 'newest', 'oldest'])

function Preferences({
  value,
  name,
  onChange,
}: {
  value: readonly Preference[]
  name: string
  onChange(value: Preference[]): void
}) {
  const put = (at: number, one: Preference) => onChange(value.map((other, index) => (index === at ? one : other)))
  const move = (at: number, by: number) => {
    const next = [...value]
    const [taken] = next.splice(at, 1)
    if (taken !== undefined) next.splice(at + by, 0, taken)
    onChange(next)
  }
  const used = new Set(value.map(kindOf))
  const next = preferences.find(({ value: kind }) => plain.has(kind) && !used.has(kind))?.value ?? 'highest'
  return (
    <div className="route-preferences" role="group" aria-label={`Of several series for ${name}`}>
      <div className="route-label">Where several fit, take</div>
      {value.length === 0 && <p className="route-none muted">the first one by its number.</p>}
      <ol>
        {value.map((preference, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: their order is what they are
          <li key={index}>
            <NativeSelect
              aria-label={`Preference ${index + 1}`}
              value={kindOf(preference)}
              onChange={(event) => put(index, preferenceOf(event.currentTarget.value))}
              data={preferences.map(({ value: kind, label }) => ({ value: kind, label }))}
            />
            {typeof preference !== 'string' && (
              <TextInput
                aria-label={`Number of preference ${index + 1}, as CEL`}
                placeholder="series.SeriesNumber"
                value={'highest' in preference ? preference.highest : preference.lowest}
                onChange={(event) => {
                  const rank = event.currentTarget.value
                  put(index, 'highest' in preference ? { highest: rank } : { lowest: rank })
                }}
              />
            )}
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Preference ${index + 1} earlier`}
              disabled={index === 0}
              onClick={() => move(index, -1)}
            >
              <IconArrowUp size={15} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Preference ${index + 1} later`}
              disabled={index === value.length - 1}
              onClick={() => move(index, 1)}
            >
              <IconArrowDown size={15} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Remove preference ${index + 1}`}
              onClick={() => onChange(value.filter((_, at) => at !== index))}
            >
              <IconX size={15} aria-hidden />
            </ActionIcon>
          </li>
        ))}
      </ol>
      {value.length < 8 && (
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => onChange([...value, preferenceOf(next)])}
        >
          {value.length === 0 ? 'Preference' : 'Then'}
        </Button>
      )}
    </div>
  )
}

function kindOf(preference: Preference): string {
  return typeof preference === 'string' ? preference : 'highest' in preference ? 'highest' : 'lowest'
}

function preferenceOf(kind: string): Preference {
  if (kind === 'highest') return { highest: 'series.SeriesNumber' }
  if (kind === 'lowest') return { lowest: 'series.SeriesNumber' }
  return kind as Preference
}
