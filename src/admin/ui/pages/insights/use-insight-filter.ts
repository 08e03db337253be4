import { useState } from 'react'
import { useSearchParams } from 'wouter'
import type { QueryOf } from '../../api/call.ts'
import type { InsightOptions } from '../../api/schema.ts'

const names = [
  'part',
  'days',
  'finding',
  'by',
  'pipeline',
  'version',
  'modality',
  'scanner',
  'bodyPart',
  'sex',
  'ageFrom',
  'ageTo',
  'shadow',
] as const
type Name = (typeof names)[number]
export type InsightValues = Partial<Record<Name, string>>
export type Filter = Omit<QueryOf<'GET /insights/volumes'>, 'by'>

/** What is looked at stands in the address. */
export function useInsightFilter() {
  const [params, setParams] = useSearchParams()
  const values: InsightValues = Object.fromEntries(
    names.map((name) => [name, params.get(name) ?? undefined] as const).filter(([, value]) => value),
  )
  const change = (part: InsightValues) => {
    const all = Object.entries({ ...values, ...part }).filter(([, value]) => value)
    setParams(Object.fromEntries(all) as Record<string, string>, { replace: true })
  }
  const days = values.days === 'all' ? null : Number(values.days) || 90
  // To the hour, so that the same question stays the same one.
  const [now] = useState(() => Math.floor(Date.now() / 3_600_000) * 3_600_000)
  const from = days === null ? undefined : new Date(now - days * 86_400_000).toISOString()
  const filter: Filter = {
    from,
    pipeline: values.pipeline,
    version: values.version,
    modality: values.modality,
    scanner: values.scanner,
    bodyPart: values.bodyPart,
    sex: values.sex,
    ageFrom: values.ageFrom === undefined ? undefined : Number(values.ageFrom),
    ageTo: values.ageTo === undefined ? undefined : Number(values.ageTo),
    shadow: values.shadow === 'true' ? 'true' : 'false',
  }
  return { values, change, filter, days }
}

/** The finding that is looked at: the one of the address, or the most frequent. */
export function chosenFinding(options: InsightOptions, id: string | undefined) {
  return options.findings.find((one) => one.id === id) ?? options.findings[0] ?? null
}
