import type { Knex } from 'knex'
import type { PatientKey } from './patient-key.ts'
import { recordRun } from './record.ts'

/** Jobs of one transaction: others get their turn between two. */
const batch = 100

export interface RebuildOptions {
  patientKey: PatientKey
  /** Told after each batch; true: no more. */
  isStopped?: () => boolean
  onProgress?: (runs: number) => void
}

/**
 * Counts every inference that is in the database anew. What is counted of studies that are deleted stays as it is.
 * @returns how many were counted
 */
export async function rebuildInsights(database: Knex, options: RebuildOptions): Promise<number> {
  return await recordAfter(database, '', options)
}

/**
 * Counts what was there before there was anything to count it in; where it was stopped, it goes on.
 * @returns how many were counted; null where nothing was left to do
 */
export async function fillInsights(database: Knex, options: RebuildOptions): Promise<number | null> {
  const state = await database('insight_state')
    .where({ id: 1 })
    .first<{ filled: number; filled_after: string } | undefined>('filled', 'filled_after')
  if (!state || state.filled === 1) return null
  const runs = await recordAfter(database, state.filled_after, options, async (trx, filled_after) => {
    await trx('insight_state').where({ id: 1 }).update({ filled_after })
  })
  if (options.isStopped?.() !== true) await database('insight_state').where({ id: 1 }).update({ filled: 1 })
  return runs
}

async function recordAfter(
  database: Knex,
  first: string,
  { patientKey, isStopped = () => false, onProgress }: RebuildOptions,
  commit: (trx: Knex, last: string) => Promise<void> = async () => {},
): Promise<number> {
  let after = first
  let runs = 0
  for (;;) {
    const ids: string[] = await database('jobs')
      .where({ kind: 'infer', cancelled: 0 })
      .whereIn('state', ['done', 'failed'])
      .andWhere('id', '>', after)
      .orderBy('id')
      .limit(batch)
      .pluck('id')
    const last = ids.at(-1)
    if (last === undefined || isStopped()) return runs
    await database.transaction(async (trx) => {
      for (const id of ids) await recordRun(trx, id, patientKey)
      await commit(trx, last)
    })
    runs += ids.length
    after = last
    onProgress?.(runs)
  }
}
