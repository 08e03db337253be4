import { Button, Collapse, NativeSelect, NumberInput, TextInput } from '@mantine/core'
import { useDebouncedCallback, useDisclosure } from '@mantine/hooks'
import { IconAdjustmentsHorizontal, IconSearch, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useApi } from '../../api/use-api.ts'
import { unitName } from '../../words.ts'
import type { Filters, useFilters } from './use-filters.ts'

const states = [
  ['', 'All'],
  ['receiving', 'Receiving'],
  ['processing', 'Processing'],
  ['done', 'Done'],
  ['failed', 'Failed'],
] as const

const modalities = ['CR', 'CT', 'DX', 'MG', 'MR', 'NM', 'PT', 'RF', 'SC', 'US', 'XA']
const further = ['patient', 'accession', 'from', 'to', 'modality', 'finding'] as const

type Bar = ReturnType<typeof useFilters>

/** Search, state, and behind a button the further filters. */
export function FilterBar({ filters, change, clear }: Bar) {
  const set = further.filter((name) => filters[name] !== undefined).length
  const [isOpen, more] = useDisclosure(set > 0)
  const isFiltered = set > 0 || filters.search !== undefined || filters.state !== undefined
  return (
    <div className="studies-filter">
      <div className="studies-bar">
        <div className="choices" role="group" aria-label="State">
          {states.map(([value, label]) => (
            <button
              key={value}
              type="button"
              aria-pressed={(filters.state ?? '') === value}
              onClick={() => change({ state: value })}
            >
              {label}
            </button>
          ))}
        </div>
        <Written
          className="studies-search"
          label="Search"
          isHidden
          placeholder="Patient, ID, accession or description"
          value={filters.search}
          onWritten={(search) => change({ search })}
          sign={<IconSearch size={16} aria-hidden />}
        />
        <Button
          variant="default"
          leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden />}
          onClick={more.toggle}
          aria-expanded={isOpen}
          aria-controls="studies-more"
        >
          {set > 0 ? `Filters (${set})` : 'Filters'}
        </Button>
        <NativeSelect
          aria-label="Order"
          value={filters.sort ?? 'changed'}
          onChange={(event) =>
            change({ sort: event.currentTarget.value === 'changed' ? null : event.currentTarget.value })
          }
          data={[
            { value: 'changed', label: 'Last changed first' },
            { value: 'arrived', label: 'Last arrived first' },
            { value: 'date', label: 'Newest study date first' },
          ]}
        />
        {isFiltered && (
          <Button variant="subtle" leftSection={<IconX size={15} aria-hidden />} onClick={clear}>
            Clear
          </Button>
        )}
      </div>
      <Collapse expanded={isOpen} id="studies-more">
        <More filters={filters} change={change} />
      </Collapse>
    </div>
  )
}

function More({ filters, change }: Pick<Bar, 'filters' | 'change'>) {
  return (
    <div className="studies-more">
      <Written label="Patient name or ID" value={filters.patient} onWritten={(patient) => change({ patient })} />
      <Written
        label="Accession number"
        placeholder="A1024, or A10*"
        value={filters.accession}
        onWritten={(accession) => change({ accession })}
      />
      <TextInput
        type="date"
        label="Study date, from"
        value={filters.from ?? ''}
        max={filters.to}
        onChange={(event) => change({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label="Study date, to"
        value={filters.to ?? ''}
        min={filters.from}
        onChange={(event) => change({ to: event.currentTarget.value })}
      />
      <NativeSelect
        label="Modality"
        value={filters.modality ?? ''}
        onChange={(event) => change({ modality: event.currentTarget.value })}
        data={[
          { value: '', label: 'Any' },
          ...new Set([...modalities, ...(filters.modality ? [filters.modality] : [])]),
        ]}
      />
      <FindingFilter filters={filters} change={change} />
    </div>
  )
}

/** A finding by its name, and how its value compares. */
function FindingFilter({ filters, change }: Pick<Bar, 'filters' | 'change'>) {
  const { data } = useApi('GET /studies/findings')
  const known = data?.findings ?? []
  const unit = known.find(({ name }) => name === filters.finding)?.unit
  const [value, setValue] = useState<string | number>(filters.value ?? '')
  const tell = useDebouncedCallback(
    (next: string | number) => change({ value: String(next), is: filters.is ?? 'ge' }),
    300,
  )
  return (
    <div className="studies-finding">
      <NativeSelect
        label="Finding"
        value={filters.finding ?? ''}
        onChange={(event) => change({ finding: event.currentTarget.value })}
        data={[
          { value: '', label: 'Any' },
          ...known.map(({ name }) => name),
          ...(filters.finding && !known.some(({ name }) => name === filters.finding) ? [filters.finding] : []),
        ]}
      />
      <NativeSelect
        aria-label="Comparison"
        disabled={filters.finding === undefined}
        value={filters.is ?? 'ge'}
        onChange={(event) => change({ is: event.currentTarget.value })}
        data={[
          { value: 'ge', label: 'at least' },
          { value: 'gt', label: 'more than' },
          { value: 'eq', label: 'equal to' },
          { value: 'le', label: 'at most' },
          { value: 'lt', label: 'less than' },
        ]}
      />
      <NumberInput
        aria-label="Value of the finding"
        placeholder="any value"
        disabled={filters.finding === undefined}
        value={value}
        hideControls
        suffix={unit && unitName(unit) ? ` ${unitName(unit)}` : ''}
        onChange={(next) => {
          setValue(next)
          tell(next)
        }}
      />
    </div>
  )
}

interface WrittenProps {
  label: string
  isHidden?: boolean
  value: string | undefined
  placeholder?: string
  className?: string
  sign?: React.ReactNode
  onWritten(value: string): void
}

/** A text that counts when somebody pauses in writing it. */
function Written({ label, isHidden = false, value, onWritten, sign, ...rest }: WrittenProps) {
  const [text, setText] = useState(value ?? '')
  // The address may change from elsewhere: the search box of the header, or the way back.
  const [seen, setSeen] = useState(value)
  if (seen !== value) {
    setSeen(value)
    if (text.trim() !== (value ?? '')) setText(value ?? '')
  }
  const tell = useDebouncedCallback((next: string) => onWritten(next.trim()), 250)
  return (
    <TextInput
      {...rest}
      type="search"
      {...(isHidden ? { 'aria-label': label } : { label })}
      leftSection={sign}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
        tell(event.currentTarget.value)
      }}
    />
  )
}

export type { Filters }
