import type { Knex } from 'knex'
import type { DriftMeasure, DriftResult, DriftVerdict } from './drift.ts'

export interface KeptEvaluation extends DriftResult {
  id: number
  at: string
}

/** A verdict that is another than the one before. */
export interface DriftChange {
  pipeline: string
  version: string | null
  /** null: it was never evaluated. */
  before: DriftVerdict | null
  after: DriftVerdict
  /** What has drifted, gravest first: labels and verdicts. */
  measures: { label: string; verdict: DriftVerdict; stability: number | null }[]
}

/** Evaluations are kept for so long. */
const keptDays = 400

/** Keeps an evaluation. @returns the change of the verdict; null where it is the same, or the first and no drift */
export async function keepEvaluation(database: Knex, result: DriftResult, at: string): Promise<DriftChange | null> {
  const { pipeline, version, verdict } = result
  return await database.transaction(async (trx) => {
    const latest = () => {
      const rows = trx('drift_evaluations').where({ pipeline, latest: 1 })
      return version === null ? rows.whereNull('version') : rows.where({ version })
    }
    const before = (await latest().first<{ verdict: DriftVerdict } | undefined>('verdict'))?.verdict ?? null
    await latest().update({ latest: 0 })
    const [row] = await trx('drift_evaluations')
      .insert({
        at,
        pipeline,
        version,
        latest: 1,
        verdict,
        reference: JSON.stringify(result.reference),
        window: JSON.stringify(result.window),
      })
      .returning<{ id: number }[]>('id')
    for (const { bins, ...measure } of result.measures)
      await trx('drift_measures').insert({ evaluation_id: row?.id, ...measure, bins: JSON.stringify(bins) })
    const oldest = new Date(Date.parse(at) - keptDays * 86_400_000).toISOString()
    await trx('drift_evaluations').where({ latest: 0 }).andWhere('at', '<', oldest).delete()
    if (isQuiet(before) && isQuiet(verdict)) return null
    return before === verdict
      ? null
      : { pipeline, version, before, after: verdict, measures: driftedOf(result.measures) }
  })
}

/** Whether nobody need be told: too few values say as much as no drift. */
function isQuiet(verdict: DriftVerdict | null): boolean {
  return verdict === null || verdict === 'none' || verdict === 'too-few'
}

function driftedOf(measures: readonly DriftMeasure[]): DriftChange['measures'] {
  return measures
    .filter(({ verdict }) => !isQuiet(verdict))
    .sort((a, b) => (b.stability ?? 0) - (a.stability ?? 0))
    .map(({ label, verdict, stability }) => ({ label, verdict, stability }))
}

type EvaluationRow = Omit<KeptEvaluation, 'reference' | 'window' | 'measures'> & { reference: string; window: string }

/** The newest evaluation of every pipeline and version. */
export async function latestEvaluations(database: Knex, pipeline?: string): Promise<KeptEvaluation[]> {
  const rows = database('drift_evaluations').where({ latest: 1 })
  if (pipeline !== undefined) rows.where({ pipeline })
  const found: EvaluationRow[] = await rows
    .orderBy(['pipeline', { column: 'id', order: 'desc' }])
    .select('id', 'at', 'pipeline', 'version', 'verdict', 'reference', 'window')
  return await Promise.all(
    found.map(async ({ reference, window, ...row }) => ({
      ...row,
      reference: JSON.parse(reference) as KeptEvaluation['reference'],
      window: JSON.parse(window) as KeptEvaluation['window'],
      measures: await measuresOf(database, row.id),
    })),
  )
}

async function measuresOf(database: Knex, evaluationId: number): Promise<DriftMeasure[]> {
  const rows: (Omit<DriftMeasure, 'bins'> & { bins: string })[] = await database('drift_measures')
    .where({ evaluation_id: evaluationId })
    .orderBy('id')
    .select(
      'subject',
      'label',
      'side',
      'kind',
      'verdict',
      'reference',
      'window',
      'stability',
      'statistic',
      'degrees',
      'probability',
      'bins',
    )
  return rows.map((row) => ({ ...row, bins: JSON.parse(row.bins) as DriftMeasure['bins'] }))
}

/** How one thing has drifted, oldest first; the newest 400 evaluations. @param subject as a measure names it */
export async function driftHistory(
  database: Knex,
  { pipeline, version, subject }: { pipeline: string; version: string | null; subject: string },
) {
  const rows = database('drift_measures')
    .join('drift_evaluations', 'drift_evaluations.id', 'drift_measures.evaluation_id')
    .where({ 'drift_evaluations.pipeline': pipeline, 'drift_measures.subject': subject })
  if (version === null) rows.whereNull('drift_evaluations.version')
  else rows.where('drift_evaluations.version', version)
  const found: {
    at: string
    verdict: DriftVerdict
    stability: number | null
    statistic: number | null
    probability: number | null
  }[] = await rows.orderBy('drift_evaluations.id', 'desc').limit(400).select({
    at: 'drift_evaluations.at',
    verdict: 'drift_measures.verdict',
    stability: 'drift_measures.stability',
    statistic: 'drift_measures.statistic',
    probability: 'drift_measures.probability',
  })
  return found.reverse()
}

/** Versions of pipelines that ran since a time (ISO 8601 UTC), other than in shadow. */
export async function versionsSince(
  database: Knex,
  since: string,
): Promise<{ pipeline: string; version: string | null }[]> {
  return await database('insight_runs')
    .where({ current: 1, shadow: 0 })
    .andWhere('at', '>=', since)
    .distinct('pipeline', 'version')
    .orderBy(['pipeline', 'version'])
}
