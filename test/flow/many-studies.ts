import type { Knex } from 'knex'
import { header } from '../route/phantom-study.ts'

export interface StoredStudy {
  uid: string
  /** ISO 8601 UTC. */
  at: string
  elements?: Record<string, unknown>
  series: { uid: string; elements: Record<string, unknown>; instances?: number }[]
  /** No revision yet. */
  arriving?: boolean
}

/** Studies as the index holds them, complete unless they still arrive; without files. */
export async function insertStudies(database: Knex, studies: readonly StoredStudy[]): Promise<void> {
  await database.transaction((trx) => insertAll(trx, studies))
}

async function insertAll(database: Knex, studies: readonly StoredStudy[]): Promise<void> {
  for (const { uid, at, elements = {}, series, arriving = false } of studies) {
    const { PatientID, StudyDate, StudyTime } = elements
    const ids: { id: number }[] = await database('studies')
      .insert({
        study_instance_uid: uid,
        header: JSON.stringify(header({ StudyInstanceUID: uid, ...elements })),
        state: arriving ? 'receiving' : 'done',
        revision: arriving ? 0 : 1,
        patient_id: PatientID ?? null,
        study_date: StudyDate ?? null,
        study_time: StudyTime ?? null,
        last_instance_at: at,
        created_at: at,
        updated_at: at,
      })
      .returning('id')
    const id = ids[0]?.id as number
    const instances = series.map((one) => one.instances ?? 3)
    for (const [i, one] of series.entries())
      await database('series').insert({
        study_id: id,
        series_instance_uid: one.uid,
        origin: 'source',
        instances: instances[i],
        header: JSON.stringify(header(one.elements)),
        created_at: at,
      })
    const members = Object.fromEntries(series.map((one, i) => [one.uid, Array(instances[i]).fill('key')]))
    if (!arriving)
      await database('revisions').insert({
        study_id: id,
        number: 1,
        completed_at: at,
        reason: 'for a test',
        instances: instances.reduce((sum, n) => sum + n, 0),
        members: JSON.stringify(members),
        routed: 1,
      })
  }
}
