import { NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import type { QueryOf } from '../../api/call.ts'
import { useApi } from '../../api/use-api.ts'
import { actionName } from './audit-words.ts'

const names = ['actor', 'action', 'outcome', 'subject', 'from', 'to'] as const
type Name = (typeof names)[number]
type Values = Partial<Record<Name, string>>

/** What is looked for stands in the address. */
export function useAuditFilters() {
  const [params, setParams] = useSearchParams()
  const values: Values = Object.fromEntries(
    names.map((name) => [name, params.get(name) ?? undefined] as const).filter(([, value]) => value),
  )
  const change = (part: Partial<Record<Name, string>>) => {
    const all = Object.entries({ ...values, ...part }).filter(([, value]) => value)
    setParams(Object.fromEntries(all) as Record<string, string>, { replace: true })
  }
  const outcome = (['success', 'failure'] as const).find((one) => one === values.outcome)
  const period = { from: startOf(values.from), to: startOf(values.to, 1) }
  const query: QueryOf<'GET /audit'> = {
    actor: values.actor === undefined ? undefined : actorQuery(values.actor),
    action: values.action,
    outcome,
    subject: values.subject,
    ...period,
  }
  return { values, change, query, period, key: JSON.stringify(query), isFiltered: Object.keys(values).length > 0 }
}

/** People write a name; the audit says `user:NAME`. */
function actorQuery(written: string): string {
  return /^(user|token|dicom|system|oidc)\b/.test(written) ? written : `user:${written}*`
}

/** Midnight where the reader is. @param days later */
function startOf(date: string | undefined, days = 0): string | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date ?? '')) return undefined
  const at = new Date(`${date}T00:00:00`)
  at.setDate(at.getDate() + days)
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}

type Filters = Pick<ReturnType<typeof useAuditFilters>, 'values' | 'change'>

export function AuditFilters({ values, change }: Filters) {
  const actions = useApi('GET /audit/actions')
  const known = actions.data?.actions ?? []
  const listed = values.action && !known.includes(values.action) ? [...known, values.action] : known
  return (
    <search className="audit-filter">
      <Written label="Who" placeholder="anna" value={values.actor} onWritten={(actor) => change({ actor })} />
      <NativeSelect
        label="What"
        value={values.action ?? ''}
        onChange={(event) => change({ action: event.currentTarget.value })}
        data={[
          { value: '', label: 'Everything' },
          ...listed
            .map((value) => ({ value, label: actionName(value) }))
            .sort((a, b) => a.label.localeCompare(b.label)),
        ]}
      />
      <Written
        label="Of what"
        placeholder="Name or UID"
        value={values.subject}
        onWritten={(subject) => change({ subject })}
      />
      <NativeSelect
        label="Outcome"
        value={values.outcome ?? ''}
        onChange={(event) => change({ outcome: event.currentTarget.value })}
        data={[
          { value: '', label: 'Any' },
          { value: 'success', label: 'Success' },
          { value: 'failure', label: 'Failure' },
        ]}
      />
      <TextInput
        type="date"
        label="From"
        value={values.from ?? ''}
        onChange={(event) => change({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label="To"
        value={values.to ?? ''}
        onChange={(event) => change({ to: event.currentTarget.value })}
      />
    </search>
  )
}

/** A text that is asked for once somebody pauses. */
function Written(props: {
  label: string
  placeholder: string
  value: string | undefined
  onWritten(text: string): void
}) {
  const { label, placeholder, value = '', onWritten } = props
  const [text, setText] = useState(value)
  const tell = useDebouncedCallback((next: string) => onWritten(next.trim()), 300)
  return (
    <TextInput
      label={label}
      placeholder={placeholder}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
        tell(event.currentTarget.value)
      }}
    />
  )
}
