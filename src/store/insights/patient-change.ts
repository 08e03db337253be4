import type { Knex } from 'knex'
import { findingRefOf } from './filter.ts'
import { slopeOf } from './summary.ts'

interface Point {
  studyInstanceUID: string
  /** YYYY-MM-DD. */
  date: string
  value: number
  version: string | null
}

interface ValueRow {
  name: string
  code: string
  site: string
  unit: string
  pipeline: string
  version: string | null
  studyInstanceUID: string
  studyDate: string | null
  runId: number
  value: number
}

const dayMs = 86_400_000

/**
 * What was measured of the patient of a study, over all of the patient's studies that were counted, by study date. A measurement that
 * an inference gives several times (of several lesions) cannot be told apart from study to study, and is left out.
 * @param shadow true: with inferences of shadow routes
 */
export async function patientChange(database: Knex, studyInstanceUID: string, { shadow = false } = {}) {
  const own = await database('insight_runs')
    .where({ study_instance_uid: studyInstanceUID })
    .whereNotNull('patient_key')
    .first<{ patient_key: string } | undefined>('patient_key')
  if (!own) return { known: false, studies: [], measurements: [] }
  const runs = database('insight_runs').where({
    'insight_runs.current': 1,
    'insight_runs.patient_key': own.patient_key,
  })
  if (!shadow) runs.where('insight_runs.shadow', 0)
  const studies: { uid: string; date: string | null; here: number | null }[] = await runs
    .clone()
    .leftJoin('studies', 'studies.study_instance_uid', 'insight_runs.study_instance_uid')
    .distinct({ uid: 'insight_runs.study_instance_uid', date: 'insight_runs.study_date', here: 'studies.id' })
  const rows: ValueRow[] = await runs
    .clone()
    .join('insight_values', 'insight_values.run_id', 'insight_runs.id')
    .orderBy(['insight_runs.study_date', 'insight_runs.at', 'insight_values.id'])
    .select({
      name: 'insight_values.name',
      code: 'insight_values.code',
      site: 'insight_values.site',
      unit: 'insight_values.unit',
      value: 'insight_values.value',
      pipeline: 'insight_runs.pipeline',
      version: 'insight_runs.version',
      studyInstanceUID: 'insight_runs.study_instance_uid',
      studyDate: 'insight_runs.study_date',
      runId: 'insight_runs.id',
    })
  return {
    known: true,
    studies: studies
      .map(({ uid, date, here }) => ({ studyInstanceUID: uid, date: dayOf(date), here: here !== null }))
      .sort((a, b) => ((a.date ?? '') + a.studyInstanceUID < (b.date ?? '') + b.studyInstanceUID ? -1 : 1)),
    measurements: measurementsOf(rows),
  }
}

/** Where a pipeline ran on a study more than once, by several routes, its last run counts. */
function measurementsOf(rows: readonly ValueRow[]) {
  const series = new Map<string, Map<string, ValueRow[]>>()
  for (const row of rows) {
    const key = JSON.stringify([row.pipeline, row.name, row.code, row.site, row.unit])
    const studies = series.get(key) ?? new Map<string, ValueRow[]>()
    const there = studies.get(row.studyInstanceUID) ?? []
    studies.set(row.studyInstanceUID, there[0]?.runId === row.runId ? [...there, row] : [row])
    series.set(key, studies)
  }
  return [...series.values()].flatMap((studies) => {
    const [of] = [...studies.values()].flat()
    if (!of || [...studies.values()].some((values) => values.length > 1)) return []
    const points = [...studies.values()].flat().flatMap((row): Point[] => {
      const date = dayOf(row.studyDate)
      return date === null
        ? []
        : [{ studyInstanceUID: row.studyInstanceUID, date, value: row.value, version: row.version }]
    })
    return [{ finding: findingRefOf(of), pipeline: of.pipeline, points, change: changeOf(points) }]
  })
}

/** How a value changed with time; null where all are of one day. @param points by date, ascending */
export function changeOf(points: readonly { date: string; value: number }[]) {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || first.date === last.date) return null
  const dated = points.map(({ date, value }) => ({ x: (Date.parse(date) - Date.parse(first.date)) / dayMs, y: value }))
  const perDay = slopeOf(dated) ?? 0
  const grows = points.every(({ value }) => value > 0)
    ? (slopeOf(dated.map(({ x, y }) => ({ x, y: Math.log(y) }))) ?? 0)
    : 0
  return {
    days: dated.at(-1)?.x ?? 0,
    perYear: perDay * 365.25,
    percent: first.value === 0 ? null : ((last.value - first.value) / Math.abs(first.value)) * 100,
    doublingDays: grows > 1e-9 ? Math.LN2 / grows : null,
  }
}

/** DA as YYYY-MM-DD; null where it is none. */
function dayOf(date: string | null): string | null {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(date ?? '')
  const day = parts && `${parts[1]}-${parts[2]}-${parts[3]}`
  return day !== null && !Number.isNaN(Date.parse(day)) ? day : null
}
