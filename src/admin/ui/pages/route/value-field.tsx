import { Autocomplete, NumberInput, Select, TagsInput, TextInput } from '@mantine/core'
import type { ConditionValue, FieldCondition } from '../../../../route/conditions/model.ts'
import type { OperatorChoice } from '../../../../route/conditions/operators.ts'
import { sopClassName } from '../../parts/dicom-names.ts'
import { plural } from '../../words.ts'
import type { Field } from './use-vocabulary.ts'

const numeric = new Set(['DS', 'IS', 'FL', 'FD', 'SL', 'SS', 'UL', 'US', 'SV', 'UV'])

/** True where a field's values are numbers. */
export function isNumeric(field: Pick<Field, 'vr'> | undefined, values: readonly ConditionValue[] = []): boolean {
  return field ? numeric.has(field.vr) : values.some((value) => typeof value === 'number')
}

interface ValueProps {
  condition: FieldCondition
  choice: OperatorChoice | undefined
  field: Field | undefined
  onChange(values: ConditionValue[]): void
}

/** What a field is compared with: as many values as the operator takes, those of past traffic offered. */
export function ValueField({ condition, choice, field, onChange }: ValueProps) {
  const { values } = condition
  const asked = choice?.values ?? (values.length > 1 ? 'many' : (values.length as 0 | 1))
  if (asked === 0) return <span className="route-novalue" aria-hidden />
  const isNumber = choice?.of === 'number' || (choice?.of !== 'text' && isNumeric(field, values))
  if (asked === 'many') return <ManyValues {...{ values, field, isNumber, onChange }} />
  if (asked === 2)
    return (
      <span className="route-range">
        <OneValue
          value={values[0]}
          label="From"
          {...{ field, isNumber }}
          onChange={(low) => onChange([low, values[1] ?? ''])}
        />
        <span className="muted">to</span>
        <OneValue
          value={values[1]}
          label="To"
          {...{ field, isNumber }}
          onChange={(high) => onChange([values[0] ?? '', high])}
        />
      </span>
    )
  return (
    <OneValue
      value={values[0]}
      label="Value"
      {...{ field, isNumber }}
      isDate={choice?.of === 'own'}
      onChange={(value) => onChange([value])}
    />
  )
}

interface OneProps {
  value: ConditionValue | undefined
  label: string
  field: Field | undefined
  isNumber: boolean
  isDate?: boolean
  onChange(value: ConditionValue): void
}

function OneValue({ value, label, field, isNumber, isDate = true, onChange }: OneProps) {
  if (isNumber)
    return (
      <NumberInput
        aria-label={label}
        className="route-value"
        value={value ?? ''}
        onChange={(next) => onChange(next === '' ? '' : Number(next))}
      />
    )
  const text = String(value ?? '')
  if (field?.vr === 'DA' && isDate)
    return (
      <TextInput
        type="date"
        aria-label={label}
        className="route-value"
        value={text.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')}
        onChange={(event) => onChange(event.currentTarget.value.replaceAll('-', ''))}
      />
    )
  const counts = countsOf(field)
  const option = (one: string) => <ValueOption value={one} count={counts.get(one)} />
  if (field?.vr === 'UI')
    return (
      <Select
        aria-label={label}
        className="route-value"
        searchable
        placeholder="Choose"
        value={text === '' ? null : text}
        onChange={(next) => onChange(next ?? '')}
        data={[...new Set([...(text === '' ? [] : [text]), ...counts.keys()])].map((uid) => ({
          value: uid,
          label: sopClassName(uid) ?? uid,
        }))}
        renderOption={({ option: { value: uid } }) => option(uid)}
        nothingFoundMessage="Not seen yet: write it in the text beside"
      />
    )
  return (
    <Autocomplete
      aria-label={label}
      className="route-value"
      placeholder={counts.size > 0 ? 'Choose or write' : 'Write a value'}
      value={text}
      onChange={onChange}
      data={[...counts.keys()]}
      maxDropdownHeight={280}
      renderOption={({ option: { value: one } }) => option(one)}
    />
  )
}

function ManyValues({
  values,
  field,
  isNumber,
  onChange,
}: Omit<OneProps, 'value' | 'label' | 'onChange'> & {
  values: ConditionValue[]
  onChange(values: ConditionValue[]): void
}) {
  const counts = countsOf(field)
  return (
    <TagsInput
      aria-label="Values"
      className="route-value"
      placeholder={values.length === 0 ? 'Choose or write, then Enter' : ''}
      value={values.map(String)}
      onChange={(texts) => onChange(isNumber ? texts.map(Number).filter(Number.isFinite) : texts)}
      data={[...counts.keys()]}
      maxDropdownHeight={280}
      acceptValueOnBlur
      renderOption={({ option: { value } }) => <ValueOption value={value} count={counts.get(value)} />}
    />
  )
}

function ValueOption({ value, count }: { value: string; count: number | undefined }) {
  return (
    <span className="route-option">
      <span>{sopClassName(value) ?? value}</span>
      {count !== undefined && <span className="muted">{plural(count, 'study', 'studies')}</span>}
    </span>
  )
}

function countsOf(field: Field | undefined): Map<string, number> {
  return new Map((field?.values ?? []).map(({ value, count }) => [String(value), count]))
}
