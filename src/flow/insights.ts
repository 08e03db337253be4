import type { Knex } from 'knex'
import type { InsightsSettings } from '../config-insights.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { JobQueueOptions } from '../jobs/queue.ts'
import type { Log } from '../log.ts'
import { type DriftRule, evaluateDrift } from '../store/insights/drift.ts'
import { type DriftChange, keepEvaluation, versionsSince } from '../store/insights/drift-evaluations.ts'
import { type PatientKey, patientKeyOf } from '../store/insights/patient-key.ts'
import { fillInsights } from '../store/insights/rebuild.ts'
import { recordRun } from '../store/insights/record.ts'
import type { SecretBox } from '../store/secret-box.ts'

export interface InsightsOptions {
  database: Knex
  settings: InsightsSettings
  patientKey: PatientKey
  log: Log
  /** Told when a verdict on drift is another than before. */
  onDrift: (change: DriftChange) => void
  now?: () => Date
}

/** The patients' key; where it cannot be opened, inferences are counted without one: change per patient is then not known. */
export async function openPatientKey(database: Knex, box: SecretBox, log: Log): Promise<PatientKey> {
  try {
    return await patientKeyOf(database, box)
  } catch (error) {
    if (!(error instanceof HilumError) || error.code !== 'cannot-unseal') throw error
    log.error('patients cannot be told apart in insights', { reason: error.message })
    return () => null
  }
}

/** For the queue: counts inferences as they end. */
export function countingAtEnd(patientKey: PatientKey): NonNullable<JobQueueOptions['atEnd']> {
  return async (trx, jobId, kind) => {
    if (kind === 'infer') await recordRun(trx, jobId, patientKey)
  }
}

/** What is done over many studies beside what is asked for: what is there from before is counted, and drift is evaluated. */
export class Insights {
  readonly #options: InsightsOptions
  #stopped = false
  #filling: Promise<void> = Promise.resolve()

  constructor(options: InsightsOptions) {
    this.#options = options
  }

  /** Begins to count what was there before. */
  start(): void {
    const { database, patientKey, log } = this.#options
    this.#filling = fillInsights(database, { patientKey, isStopped: () => this.#stopped })
      .then((runs) => {
        if (runs !== null) log.info('earlier inferences are counted', { runs })
      })
      .catch((error: unknown) => log.error('earlier inferences cannot be counted now', { reason: messageOf(error) }))
  }

  /**
   * Evaluates and keeps the drift of every version that ran within its window, and tells of verdicts that have changed.
   * @returns the changes
   */
  async evaluateDrift(): Promise<DriftChange[]> {
    const { database, settings, onDrift } = this.#options
    const now = (this.#options.now?.() ?? new Date()).toISOString()
    const changes: DriftChange[] = []
    for (const version of await versionsSince(database, longestWindow(settings, now))) {
      const rule = driftRule(settings, version.pipeline)
      const result = await evaluateDrift(database, version, rule, now)
      // A version that is not run any more keeps its last verdict.
      if (result.window.runs === 0 && result.reference.kind === 'period') continue
      const change = await keepEvaluation(database, result, now)
      if (change) changes.push(change)
    }
    for (const change of changes) onDrift(change)
    return changes
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#filling
  }
}

/** What is compared with what, for a pipeline. */
export function driftRule({ drift: { pipelines, ...rule } }: InsightsSettings, pipeline: string): DriftRule {
  const own = pipelines[pipeline] ?? {}
  return {
    windowDays: own.windowDays ?? rule.windowDays,
    reference: own.reference ?? rule.reference,
    minimum: own.minimum ?? rule.minimum,
  }
}

function longestWindow({ drift }: InsightsSettings, now: string): string {
  const days = [drift.windowDays, ...Object.values(drift.pipelines).map(({ windowDays = 0 }) => windowDays)]
  return new Date(Date.parse(now) - Math.max(...days) * 86_400_000).toISOString()
}
