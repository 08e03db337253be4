import type { Knex } from 'knex'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { isOfNewest } from '../current-results.ts'
import { insertRows } from '../insert-rows.ts'
import { examinationFacts } from './facts.ts'
import type { PatientKey } from './patient-key.ts'

interface EndedJob {
  id: string
  studyId: number
  studyInstanceUID: string
  studyHeader: string
  revision: number
  members: string
  route: string | null
  pipeline: string | null
  shadow: number
  state: string
  refused: number
  cancelled: number
  payload: string
  finishedAt: string | null
}

interface Payload {
  inputs?: Record<string, string>
  earlier?: Record<string, unknown>
}

/**
 * Counts an inference that has ended, with what it found, in place of what was counted of the same job before. All of it is read from the
 * database, so that it comes out the same whenever it is done. Jobs that somebody ended are not counted.
 * @param trx the transaction in which the job's end is written
 */
export async function recordRun(trx: Knex, jobId: string, patientKey: PatientKey): Promise<void> {
  const job = await endedJob(trx, jobId)
  if (!job) return
  const run = { ...(await rowOf(trx, job, patientKey)), current: 1 }
  const [kept] = await trx('insight_runs').insert(run).onConflict('job_id').merge().returning<{ id: number }[]>('id')
  const runId = kept?.id ?? 0
  await trx('insight_values').where({ run_id: runId }).delete()
  if (run.outcome === 'done') await recordValues(trx, jobId, runId)
  await markCurrentRuns(trx, job.studyInstanceUID)
}

async function endedJob(trx: Knex, id: string): Promise<EndedJob | undefined> {
  return await trx('jobs')
    .join('studies', 'studies.id', 'jobs.study_id')
    .join('revisions', 'revisions.id', 'jobs.revision_id')
    .where({ 'jobs.id': id, 'jobs.kind': 'infer', 'jobs.cancelled': 0 })
    .whereIn('jobs.state', ['done', 'failed'])
    .first<EndedJob | undefined>({
      id: 'jobs.id',
      studyId: 'studies.id',
      studyInstanceUID: 'studies.study_instance_uid',
      studyHeader: 'studies.header',
      revision: 'revisions.number',
      members: 'revisions.members',
      route: 'jobs.route',
      pipeline: 'jobs.pipeline',
      shadow: 'jobs.shadow',
      state: 'jobs.state',
      refused: 'jobs.refused',
      cancelled: 'jobs.cancelled',
      payload: 'jobs.payload',
      finishedAt: 'jobs.finished_at',
    })
}

async function rowOf(trx: Knex, job: EndedJob, patientKey: PatientKey) {
  const [pipeline = '', digest = ''] = (job.pipeline ?? '').split('@')
  const known = await trx('pipelines').where({ digest }).first<{ version: string } | undefined>('version')
  const attempt = await trx('job_attempts')
    .where({ job_id: job.id })
    .orderBy('id', 'desc')
    .first<{ ms: number | null } | undefined>('ms')
  const input = analysedSeries(JSON.parse(job.payload) as Payload | null)
  const series =
    input === undefined
      ? undefined
      : await trx('series')
          .where({ study_id: job.studyId, series_instance_uid: input })
          .first<{ header: string } | undefined>('header')
  const header = JSON.parse(job.studyHeader) as DicomJson
  const members = JSON.parse(job.members) as Record<string, unknown[]>
  return {
    job_id: job.id,
    study_instance_uid: job.studyInstanceUID,
    revision: job.revision,
    route: job.route,
    pipeline,
    digest,
    version: known?.version ?? null,
    shadow: job.shadow,
    outcome: job.state === 'done' ? 'done' : job.refused === 1 ? 'refused' : 'failed',
    duration_ms: attempt?.ms ?? null,
    at: job.finishedAt ?? '',
    patient_key: patientKey(header),
    ...examinationFacts(header, series ? (JSON.parse(series.header) as DicomJson) : null),
    images: (input !== undefined && members[input]?.length) || null,
  }
}

/** The first input that is of the study itself. */
function analysedSeries(payload: Payload | null): string | undefined {
  const { inputs = {}, earlier = {} } = payload ?? {}
  return Object.entries(inputs).find(([name]) => !(name in earlier))?.[1]
}

async function recordValues(trx: Knex, jobId: string, runId: number): Promise<void> {
  const found: { name: string; code: string; site: string | null; unit: string; value: number }[] = await trx(
    'findings',
  )
    .where({ job_id: jobId })
    .orderBy('id')
    .select('name', 'code', 'site', 'unit', 'value')
  const columns = ['run_id', 'name', 'code', 'site', 'unit', 'value']
  const rows = found.map(({ name, code, site, unit, value }) => [runId, name, code, site ?? '', unit, value])
  for (let start = 0; start < rows.length; start += 500)
    await insertRows(trx, { table: 'insight_values', columns, rows: rows.slice(start, start + 500) })
}

/**
 * Marks which inferences of a study are of its newest revision, or stand in it: others do not count. What is counted of a study that is
 * deleted stays as it was, until the study comes again.
 */
export async function markCurrentRuns(trx: Knex, studyInstanceUID: string): Promise<void> {
  const study = await trx('studies')
    .where({ study_instance_uid: studyInstanceUID })
    .first<{ id: number } | undefined>('id')
  if (!study) return
  const newest = trx('jobs')
    .join('revisions', 'revisions.id', 'jobs.revision_id')
    .join('studies', 'studies.id', 'jobs.study_id')
    .where({ 'jobs.study_id': study.id, 'jobs.kind': 'infer' })
    .whereRaw(isOfNewest)
    .select('jobs.id')
  const ids = new Set<string>(await newest.pluck('jobs.id'))
  const rows: { id: number; job_id: string; current: number }[] = await trx('insight_runs')
    .where({ study_instance_uid: studyInstanceUID })
    .select('id', 'job_id', 'current')
  for (const current of [0, 1]) {
    const changed = rows.filter((row) => row.current !== current && (ids.has(row.job_id) ? 1 : 0) === current)
    if (changed.length > 0)
      await trx('insight_runs')
        .whereIn(
          'id',
          changed.map(({ id }) => id),
        )
        .update({ current })
  }
}
