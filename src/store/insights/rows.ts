import type { Knex } from 'knex'
import { type FindingKey, type InsightFilter, runsMatching } from './filter.ts'

/** An inference as it is counted, with one of the values that are asked for. */
export interface InsightRow {
  id: number
  studyInstanceUID: string
  patientKey: string | null
  pipeline: string
  version: string | null
  route: string | null
  outcome: string
  at: string
  hour: number | null
  weekday: number | null
  age: number | null
  sex: string | null
  modality: string | null
  bodyPart: string | null
  scanner: string | null
  protocol: string | null
  kernel: string | null
  sliceThickness: number | null
  pixelSpacing: number | null
  kvp: number | null
  fieldStrength: number | null
  images: number | null
  /** NULL: the inference does not give what is asked for, or nothing is. */
  value: number | null
}

const columns = {
  id: 'insight_runs.id',
  studyInstanceUID: 'insight_runs.study_instance_uid',
  patientKey: 'insight_runs.patient_key',
  pipeline: 'insight_runs.pipeline',
  version: 'insight_runs.version',
  route: 'insight_runs.route',
  outcome: 'insight_runs.outcome',
  at: 'insight_runs.at',
  hour: 'insight_runs.hour',
  weekday: 'insight_runs.weekday',
  age: 'insight_runs.age',
  sex: 'insight_runs.sex',
  modality: 'insight_runs.modality',
  bodyPart: 'insight_runs.body_part',
  scanner: 'insight_runs.scanner',
  protocol: 'insight_runs.protocol',
  kernel: 'insight_runs.kernel',
  sliceThickness: 'insight_runs.slice_thickness',
  pixelSpacing: 'insight_runs.pixel_spacing',
  kvp: 'insight_runs.kvp',
  fieldStrength: 'insight_runs.field_strength',
  images: 'insight_runs.images',
}

/** Rows that an answer is made of at most: the newest. Beyond it, a narrower filter is the way. */
export const mostRows = 200_000
/** Rows of one question: between two, others get their turn. */
const batch = 20_000

export interface InsightRows {
  rows: InsightRow[]
  /** True: there are more. */
  truncated: boolean
}

/**
 * The inferences that a filter lets through, the newest first.
 * @param finding only inferences that give it, a row a value; null: every inference once
 */
export async function readRows(
  database: Knex,
  filter: InsightFilter,
  finding: FindingKey | null,
  most = mostRows,
): Promise<InsightRows> {
  const rows: InsightRow[] = []
  let last: { at: string; id: number; valueId: number } | null = null
  for (;;) {
    const next = runsMatching(database, filter)
    if (finding) next.join('insight_values', 'insight_values.run_id', 'insight_runs.id').where(withTable(finding))
    if (last) {
      const { at, id, valueId } = last
      const place = finding
        ? ['(insight_runs.at, insight_runs.id, insight_values.id) < (?, ?, ?)', [at, id, valueId]]
        : ['(insight_runs.at, insight_runs.id) < (?, ?)', [at, id]]
      next.whereRaw(place[0] as string, place[1] as (string | number)[])
    }
    const order = ['insight_runs.at', 'insight_runs.id', ...(finding ? ['insight_values.id'] : [])]
    const size = Math.min(batch, most + 1 - rows.length)
    const found: (InsightRow & { valueId: number })[] = await next
      .orderBy(order.map((column) => ({ column, order: 'desc' })))
      .limit(size)
      .select(
        columns,
        finding
          ? { value: 'insight_values.value', valueId: 'insight_values.id' }
          : database.raw('null as value, 0 as "valueId"'),
      )
    for (const row of found) rows.push(row)
    const end = found.at(-1)
    if (rows.length > most) return { rows: rows.slice(0, most), truncated: true }
    if (found.length < size || !end) return { rows, truncated: false }
    last = { at: end.at, id: end.id, valueId: end.valueId }
  }
}

/** A finding as a condition on `insight_values`. */
export function withTable({ name, code, site, unit }: FindingKey): Record<string, string> {
  return {
    'insight_values.name': name,
    'insight_values.code': code,
    'insight_values.site': site,
    'insight_values.unit': unit,
  }
}
