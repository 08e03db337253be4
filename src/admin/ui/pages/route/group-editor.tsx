import { ActionIcon, Button, NativeSelect } from '@mantine/core'
import { IconFolderPlus, IconPlus, IconStack2, IconTrash } from '@tabler/icons-react'
import type {
  Condition,
  ConditionGroup,
  ConditionValue,
  FieldCondition,
  Operator,
  SeriesCondition,
} from '../../../../route/conditions/model.ts'
import { type OperatorChoice, operatorsFor } from '../../../../route/conditions/operators.ts'
import { FieldPicker, nameOfPath } from './field-picker.tsx'
import { operatorWords } from './operator-words.ts'
import { type Field, type Scope, useField } from './use-vocabulary.ts'
import { isNumeric, ValueField } from './value-field.tsx'

interface GroupProps {
  group: ConditionGroup
  scope: Scope
  /** Inside a condition on the series of the study: there are no further ones in it. */
  isInner?: boolean
  onChange(group: ConditionGroup): void
  onRemove?(): void
}

const matches = [
  { value: 'all', label: 'All of these hold' },
  { value: 'any', label: 'At least one of these holds' },
  { value: 'none', label: 'None of these holds' },
]

/** Conditions side by side, and how they are joined. */
export function GroupEditor({ group, scope, isInner = false, onChange, onRemove }: GroupProps) {
  const { match, members } = group
  const put = (index: number, member: Condition) =>
    onChange({ ...group, members: members.map((one, at) => (at === index ? member : one)) })
  const remove = (index: number) => onChange({ ...group, members: members.filter((_, at) => at !== index) })
  const add = (member: Condition) => onChange({ ...group, members: [...members, member] })
  return (
    <div className={`route-group route-group-${match}`} role="group" aria-label="Conditions">
      <div className="route-group-head">
        <NativeSelect
          aria-label="How the conditions are joined"
          size="xs"
          value={match}
          onChange={(event) => onChange({ ...group, match: event.currentTarget.value as ConditionGroup['match'] })}
          data={matches}
        />
        {onRemove && <RemoveButton what="this group" onClick={onRemove} />}
      </div>
      {members.length === 0 && (
        <p className="route-none muted">
          {scope === 'study' ? 'No condition: every study.' : 'No condition yet: add one, such as “Modality is CT”.'}
        </p>
      )}
      {members.map((member, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: conditions have nothing else to tell them apart
        <Member
          key={index}
          {...{ member, scope, isInner }}
          onChange={(next) => put(index, next)}
          onRemove={() => remove(index)}
        />
      ))}
      <div className="route-add">
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => add({ kind: 'field', field: '', operator: 'equals', values: [''] })}
        >
          Condition
        </Button>
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<IconFolderPlus size={14} aria-hidden />}
          onClick={() => add({ kind: 'group', match: match === 'any' ? 'all' : 'any', members: [] })}
        >
          Group
        </Button>
        {!isInner && (
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconStack2 size={14} aria-hidden />}
            onClick={() =>
              add({ kind: 'series', quantifier: 'some', where: { kind: 'group', match: 'all', members: [] } })
            }
          >
            {scope === 'study' ? 'Series of the study' : 'Other series'}
          </Button>
        )}
      </div>
    </div>
  )
}

interface MemberProps<T extends Condition> {
  member: T
  scope: Scope
  isInner: boolean
  onChange(member: Condition): void
  onRemove(): void
}

function Member({ member, ...props }: MemberProps<Condition>) {
  if (member.kind === 'field') return <Line {...props} member={member} />
  if (member.kind === 'series') return <SeriesLine {...props} member={member} />
  return <GroupEditor {...props} group={member} />
}

function SeriesLine({ member, onChange, onRemove }: MemberProps<SeriesCondition>) {
  return (
    <div className="route-series-line">
      <div className="route-group-head">
        <NativeSelect
          aria-label="How many series"
          size="xs"
          value={member.quantifier}
          onChange={(event) =>
            onChange({ ...member, quantifier: event.currentTarget.value as SeriesCondition['quantifier'] })
          }
          data={[
            { value: 'some', label: 'Some series of the study is so' },
            { value: 'every', label: 'Every series of the study is so' },
            { value: 'no', label: 'No series of the study is so' },
          ]}
        />
        <RemoveButton what="this condition on the series" onClick={onRemove} />
      </div>
      <GroupEditor group={member.where} scope="series" isInner onChange={(where) => onChange({ ...member, where })} />
    </div>
  )
}

/** Field, operator and value: one line. */
function Line({ member, scope, isInner, onChange, onRemove }: MemberProps<FieldCondition>) {
  const field = useField(member.field)
  const choices = field ? operatorsFor(field) : []
  const choice = choices.find(({ operator }) => operator === member.operator)
  const name = member.field === '' ? 'this condition' : nameOfPath(member.field, scope)
  const setOperator = (operator: Operator) => {
    const next = choices.find((one) => one.operator === operator)
    const wanted = next?.values ?? 1
    const isSame = next?.of === choice?.of
    onChange({
      ...member,
      operator,
      values: fitted(isSame ? member.values : [], wanted, next?.of === 'number' || isNumeric(field)),
    })
  }
  const choose = (path: string, chosen: Field | undefined) => {
    const offered = chosen ? operatorsFor(chosen) : []
    const same = offered.find(({ operator }) => operator === member.operator) ?? offered[0]
    const isNumber = same?.of === 'number' || isNumeric(chosen)
    const kept = member.field === '' ? [] : member.values
    onChange({
      kind: 'field',
      field: path,
      operator: same?.operator ?? member.operator,
      values: fitted(kept, same?.values ?? 1, isNumber),
    })
  }
  return (
    <div className="route-line">
      <FieldPicker value={member.field} scope={scope} isInner={isInner} onChange={choose} />
      <NativeSelect
        aria-label={`Comparison of ${name}`}
        className="route-operator"
        disabled={member.field === ''}
        value={member.operator}
        onChange={(event) => setOperator(event.currentTarget.value as Operator)}
        data={[
          ...(choice ? [] : [{ value: member.operator, label: operatorWords(member.operator) }]),
          ...choices.map(({ operator, label }) => ({ value: operator, label })),
        ]}
      />
      <ValueField
        condition={member}
        choice={choice}
        field={field}
        onChange={(values) => onChange({ ...member, values })}
      />
      <RemoveButton what={name} onClick={onRemove} />
    </div>
  )
}

/** As many values as an operator takes, of the kind that it takes; what does not fit is left out. */
function fitted(
  values: readonly ConditionValue[],
  wanted: OperatorChoice['values'],
  isNumber: boolean,
): ConditionValue[] {
  const usable = values.filter((value) => value !== '' && (typeof value === 'number') === isNumber)
  if (wanted === 'many') return usable
  return Array.from({ length: wanted }, (_, at) => usable[at] ?? '')
}

function RemoveButton({ what, onClick }: { what: string; onClick(): void }) {
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${what}`} onClick={onClick} className="route-remove">
      <IconTrash size={16} aria-hidden />
    </ActionIcon>
  )
}
