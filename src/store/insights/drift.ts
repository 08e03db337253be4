import type { Knex } from 'knex'
import {
  chiSquare,
  kolmogorovSmirnov,
  type PopulationStability,
  stabilityOfCategories,
  stabilityOfNumbers,
} from './drift-statistics.ts'
import { findingRefOf, runsMatching } from './filter.ts'
import { type InsightRow, readRows } from './rows.ts'

/** The gravest last. */
export const driftVerdicts = ['too-few', 'none', 'moderate', 'strong'] as const
export type DriftVerdict = (typeof driftVerdicts)[number]

/** Population stability index from which drift is moderate, and strong: the limits that are in general use. */
export const driftLimits = { moderate: 0.1, strong: 0.25 } as const

/** What is compared with what. */
export interface DriftRule {
  /** Days up to now that are the window. */
  windowDays: number
  /** The first runs of the version, or all runs of the pipeline that ended in a period (ISO 8601 UTC). */
  reference: { firstRuns: number } | { from: string; to: string }
  /** Values that reference and window have to have each: fewer give no verdict. */
  minimum: number
}

export interface DriftMeasure {
  /** `input:age`, or `output:` and the id of the finding. */
  subject: string
  label: string
  side: 'input' | 'output'
  kind: 'number' | 'category'
  verdict: DriftVerdict
  reference: number
  window: number
  stability: number | null
  statistic: number | null
  degrees: number | null
  probability: number | null
  bins: PopulationStability['bins']
}

export interface DriftResult {
  pipeline: string
  version: string | null
  verdict: DriftVerdict
  reference: { kind: 'first-runs' | 'period'; from: string | null; to: string | null; runs: number }
  window: { from: string | null; to: string | null; runs: number }
  measures: DriftMeasure[]
}

const numberInputs = [
  ['age', 'Age'],
  ['sliceThickness', 'Slice thickness'],
  ['pixelSpacing', 'Pixel spacing'],
  ['kvp', 'KVP'],
  ['fieldStrength', 'Field strength'],
  ['images', 'Images'],
  ['hour', 'Hour of the examination'],
] as const
const categoryInputs = [
  ['sex', 'Sex'],
  ['modality', 'Modality'],
  ['bodyPart', 'Body part'],
  ['scanner', 'Scanner'],
  ['protocol', 'Protocol'],
  ['kernel', 'Kernel'],
  ['outcome', 'Outcome of the inference'],
] as const

/** Categories that count for themselves: rarer ones are one, so that free text makes no drift of its own. */
const mostCategories = 12

interface Sample {
  rows: readonly InsightRow[]
  values: ReadonlyMap<string, { label: string; values: number[] }>
}

/**
 * Compares what a version of a pipeline got and gave lately with what it got and gave in the reference. Runs of shadow routes, and of
 * revisions that are not the newest, do not count.
 * @param now ISO 8601 UTC
 */
export async function evaluateDrift(
  database: Knex,
  { pipeline, version }: { pipeline: string; version: string | null },
  rule: DriftRule,
  now: string,
): Promise<DriftResult> {
  const from = new Date(Date.parse(now) - rule.windowDays * 86_400_000).toISOString()
  const reference = await referenceRows(database, { pipeline, version }, rule)
  const taken = new Set('firstRuns' in rule.reference ? reference.map(({ id }) => id) : [])
  const window = (await readRows(database, { pipeline, from, to: now }, null)).rows.filter(
    (row) => row.version === version && !taken.has(row.id),
  )
  const samples = { reference: await sampleOf(database, reference), window: await sampleOf(database, window) }
  const measures = [...inputMeasures(samples, rule), ...outputMeasures(samples, rule)]
  const of = 'firstRuns' in rule.reference ? spanOf(reference) : rule.reference
  return {
    pipeline,
    version,
    verdict: gravest(measures.map((measure) => measure.verdict)),
    reference: {
      kind: 'firstRuns' in rule.reference ? 'first-runs' : 'period',
      from: of.from,
      to: of.to,
      runs: reference.length,
    },
    window: { from, to: now, runs: window.length },
    measures,
  }
}

async function referenceRows(
  database: Knex,
  { pipeline, version }: { pipeline: string; version: string | null },
  { reference }: DriftRule,
): Promise<InsightRow[]> {
  if ('from' in reference) return (await readRows(database, { pipeline, ...reference }, null)).rows
  const own = runsMatching(database, { pipeline })
  if (version === null) own.whereNull('version')
  else own.where({ version })
  const place = own.orderBy(['at', 'id']).offset(reference.firstRuns - 1)
  const last = await place.first<{ at: string } | undefined>('at')
  const to = last && new Date(Date.parse(last.at) + 1).toISOString()
  const rows = (await readRows(database, { pipeline, to }, null)).rows.filter((row) => row.version === version)
  return rows.slice(-reference.firstRuns)
}

const spanOf = (rows: readonly InsightRow[]) => ({ from: rows.at(-1)?.at ?? null, to: rows[0]?.at ?? null })

async function sampleOf(database: Knex, rows: readonly InsightRow[]): Promise<Sample> {
  const values = new Map<string, { label: string; values: number[] }>()
  for (let start = 0; start < rows.length; start += 500) {
    const ids = rows.slice(start, start + 500).map(({ id }) => id)
    const found: { name: string; code: string; site: string; unit: string; value: number }[] = await database(
      'insight_values',
    )
      .whereIn('run_id', ids)
      .select('name', 'code', 'site', 'unit', 'value')
    for (const { value, ...key } of found) {
      const { id } = findingRefOf(key)
      const known = values.get(id)
      if (known) known.values.push(value)
      else values.set(id, { label: key.site === '' ? key.name : `${key.name} (${key.site})`, values: [value] })
    }
  }
  return { rows, values }
}

type Samples = Record<'reference' | 'window', Sample>

function inputMeasures(samples: Samples, rule: DriftRule): DriftMeasure[] {
  const numbers = numberInputs.flatMap(([field, label]) => {
    const of = (side: keyof Samples) => samples[side].rows.flatMap((row) => row[field] ?? [])
    return ofNumbers({ subject: `input:${field}`, label, side: 'input' }, of('reference'), of('window'), rule)
  })
  const categories = categoryInputs.flatMap(([field, label]) => {
    const of = (side: keyof Samples) => samples[side].rows.flatMap((row) => row[field] ?? [])
    return ofCategories(
      { subject: `input:${field}`, label, side: field === 'outcome' ? 'output' : 'input' },
      of('reference'),
      of('window'),
      rule,
    )
  })
  return [...numbers, ...categories]
}

function outputMeasures({ reference, window }: Samples, rule: DriftRule): DriftMeasure[] {
  const ids = [...new Set([...reference.values.keys(), ...window.values.keys()])].sort()
  return ids.flatMap((id) => {
    const [before, after] = [reference.values.get(id), window.values.get(id)]
    const named = { subject: `output:${id}`, label: before?.label ?? after?.label ?? id, side: 'output' as const }
    return ofNumbers(named, before?.values ?? [], after?.values ?? [], rule)
  })
}

type Named = Pick<DriftMeasure, 'subject' | 'label' | 'side'>

/** None where neither side has a value. */
function ofNumbers(
  named: Named,
  reference: readonly number[],
  window: readonly number[],
  rule: DriftRule,
): DriftMeasure[] {
  if (reference.length + window.length === 0) return []
  const stability = stabilityOfNumbers(reference, window)
  const test = kolmogorovSmirnov(reference, window)
  return [measureOf({ ...named, kind: 'number' }, [reference.length, window.length], { stability, test }, rule)]
}

function ofCategories(
  named: Named,
  reference: readonly string[],
  window: readonly string[],
  rule: DriftRule,
): DriftMeasure[] {
  if (reference.length + window.length === 0) return []
  const known = commonest([...reference, ...window])
  const count = (values: readonly string[]) => countsOf(values.map((value) => (known.has(value) ? value : 'others')))
  const [before, after] = [count(reference), count(window)]
  const stability = stabilityOfCategories(before, after)
  const test = chiSquare(before, after)
  return [measureOf({ ...named, kind: 'category' }, [reference.length, window.length], { stability, test }, rule)]
}

function commonest(values: readonly string[]): Set<string> {
  const counts = [...countsOf(values)].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  return new Set(counts.slice(0, mostCategories).map(([value]) => value))
}

function countsOf(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

function measureOf(
  named: Named & Pick<DriftMeasure, 'kind'>,
  [reference, window]: readonly [number, number],
  {
    stability,
    test,
  }: {
    stability: PopulationStability | null
    test: { statistic: number; probability: number; degreesOfFreedom?: number } | null
  },
  { minimum }: DriftRule,
): DriftMeasure {
  const isEnough = Math.min(reference, window) >= minimum && stability !== null
  return {
    ...named,
    verdict: isEnough ? verdictOf(stability.index) : 'too-few',
    reference,
    window,
    stability: stability?.index ?? null,
    statistic: test?.statistic ?? null,
    degrees: test?.degreesOfFreedom ?? null,
    probability: test?.probability ?? null,
    bins: stability?.bins ?? [],
  }
}

function verdictOf(index: number): DriftVerdict {
  if (index >= driftLimits.strong) return 'strong'
  return index >= driftLimits.moderate ? 'moderate' : 'none'
}

function gravest(verdicts: readonly DriftVerdict[]): DriftVerdict {
  return driftVerdicts[Math.max(0, ...verdicts.map((verdict) => driftVerdicts.indexOf(verdict)))] ?? 'too-few'
}
