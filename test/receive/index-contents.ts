import type { Knex } from 'knex'

/** What the index holds, without ids, file names and times: what must not depend on the order in which it was written. */
export async function indexOf(database: Knex) {
  const studies = await database('studies')
    .orderBy('study_instance_uid')
    .select(
      'study_instance_uid',
      'patient_id',
      'patient_name',
      'study_date',
      'header',
      'source_instances',
      'changed',
      'state',
    )
  const series = await database('series')
    .orderBy('series_instance_uid')
    .select('series_instance_uid', 'modality', 'series_number', 'origin', 'instances')
  const instances = await database('instances')
    .join('series', 'series.id', 'instances.series_id')
    .orderBy('sop_instance_uid')
    .select('sop_instance_uid', 'series_instance_uid', 'size', 'instance_number', 'instances.origin')
  const arrivals = await database('arrivals')
    .join('series', 'series.id', 'arrivals.series_id')
    .orderBy('series_instance_uid')
    .select('series_instance_uid', 'arrivals.instances', 'replaced')
  return { studies, series, instances, arrivals }
}

/** A study's newest revision, for rows that must have one. */
export async function addRevision(database: Knex, studyId: number, number = 1): Promise<number> {
  const [row] = await database('revisions')
    .insert({
      study_id: studyId,
      number,
      completed_at: '2026-11-21T12:01:00.000Z',
      reason: 'for a test',
      instances: 1,
      members: '{}',
      routed: 1,
    })
    .returning('id')
  await database('studies').where({ id: studyId }).update({ revision: number, changed: 0 })
  return row.id
}

/** A row in `results` of the only study, as an inference leaves it. */
export async function addOwnResult(database: Knex, sopInstanceUID: string): Promise<void> {
  const { id: studyId } = await database('studies').first('id')
  const revisionId = await addRevision(database, studyId)
  const now = '2026-11-21T12:02:00.000Z'
  await database('jobs').insert({
    id: 'job',
    kind: 'infer',
    study_id: studyId,
    revision_id: revisionId,
    state: 'done',
    payload: '{}',
    run_after: now,
    created_at: now,
  })
  await database('results').insert({
    job_id: 'job',
    study_id: studyId,
    revision_id: revisionId,
    pipeline: 'p@sha256:0',
    role: 'segmentation',
    sop_instance_uid: sopInstanceUID,
    sop_class_uid: '1.2.840.10008.5.1.4.1.1.66.4',
    series_instance_uid: '1.2.3.1.9',
    modality: 'SEG',
    object_key: 'results/a/b.dcm',
    size: 1,
    sha256: '0'.repeat(64),
    created_at: now,
  })
}
