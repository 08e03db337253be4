import { Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { plural } from '../../words.ts'
import { type Field, type Scope, useFields } from './use-vocabulary.ts'

export interface FieldPickerProps {
  value: string
  scope: Scope
  /** Inside a condition on the series of the study: only fields of series. */
  isInner: boolean
  onChange(path: string, field: Field | undefined): void
}

/** Chooses a field by its words or its keyword; those of past traffic come first. */
export function FieldPicker({ value, scope, isInner, onChange }: FieldPickerProps) {
  const [search, setSearch] = useState('')
  const chosenName = value === '' ? '' : nameOfPath(value, scope)
  const [asked] = useDebouncedValue(search === chosenName ? '' : search, 200)
  const { data, isFetching } = useFields(
    asked.replace(/ of the study$/, ''),
    scope === 'study' ? 'study' : isInner ? 'series' : undefined,
  )
  const fields = (data?.fields ?? []).filter(({ path }) => path !== value)
  const byPath = new Map<string, Field>(fields.map((field) => [field.path, field]))
  const offered = fields.map((field) => ({ value: field.path, label: labelOf(field, scope) }))
  return (
    <Select
      aria-label="Field"
      className="route-field"
      placeholder="Choose a field"
      searchable
      allowDeselect={false}
      maxDropdownHeight={320}
      comboboxProps={{ width: 340, position: 'bottom-start' }}
      value={value === '' ? null : value}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={(path) => path !== null && onChange(path, byPath.get(path))}
      data={value === '' ? offered : [{ value, label: chosenName }, ...offered]}
      filter={({ options }) => options}
      nothingFoundMessage={isFetching ? 'Asking…' : 'No field is called so'}
      renderOption={({ option }) => {
        const field = byPath.get(option.value)
        return (
          <span className="route-option">
            <span>{option.label}</span>
            <span className="muted">
              {field && field.seen > 0 ? `in ${plural(field.seen, 'study', 'studies')}` : (field?.keyword ?? 'chosen')}
            </span>
          </span>
        )
      }}
    />
  )
}

function labelOf({ label, level }: Field, scope: Scope): string {
  return scope === 'series' && level === 'study' && !/of the study/i.test(label) ? `${label} of the study` : label
}

/** `series.SliceThickness` as "Slice Thickness". */
export function nameOfPath(path: string, scope: Scope): string {
  const [level, ...rest] = path.split('.')
  const words = rest
    .join(' ')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
  if (rest[0] === 'instances') return level === 'study' ? 'Number of instances of the study' : 'Number of instances'
  return scope === 'series' && level === 'study' ? `${words} of the study` : words
}
