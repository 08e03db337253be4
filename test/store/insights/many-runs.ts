import type { Knex } from 'knex'
import { JobQueue } from '../../../src/jobs/queue.ts'
import type { PatientKey } from '../../../src/store/insights/patient-key.ts'
import { recordRun } from '../../../src/store/insights/record.ts'

export const patientKey: PatientKey = (study) => {
  const id = study['00100020']?.Value?.[0]
  return typeof id === 'string' ? `key of ${id}` : null
}

/** Numbers between 0 and 1, the same in every run (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export const digest = `sha256:${'ab'.repeat(32)}`
export const volume = { name: 'Volume', code: 'SCT:1', site: 'SCT:2', unit: 'mL' }
const begun = Date.parse('2026-03-02T08:00:00.000Z')

export interface Run {
  study: number
  /** Hours after the first. */
  hour: number
  revision?: number
  patient?: string | null
  sex?: string
  age?: string
  station?: string
  studyDate?: string
  outcome?: 'done' | 'refused' | 'failed' | 'cancelled'
  shadow?: boolean
  volumes?: number[]
  sliceThickness?: number
}

/** Inferences as the queue ends them, counted as they end. */
export async function runAll(database: Knex, runs: readonly Run[]): Promise<void> {
  let now = new Date(begun)
  const queue = new JobQueue({
    database,
    now: () => now,
    atEnd: (trx, jobId) => recordRun(trx, jobId, patientKey),
  })
  await database('pipelines')
    .insert({ name: 'lung', version: '1.0.0', digest, manifest: '{}', first_seen_at: now.toISOString() })
    .onConflict('digest')
    .ignore()
  for (const run of runs) {
    now = new Date(begun + run.hour * 3_600_000)
    await queueRun(database, queue, run)
    now = new Date(now.getTime() + 1500)
    const job = await queue.claim('infer')
    if (!job) throw new Error('no job is queued')
    const { outcome = 'done', volumes = [] } = run
    const findings = volumes.map((value) => ({
      ...volume,
      value,
      job_id: job.id,
      study_id: job.studyId,
      revision_id: job.revisionId,
      pipeline: job.pipeline,
    }))
    const commit = async (trx: Knex) => {
      if (findings.length > 0) await trx('findings').insert(findings)
    }
    if (outcome === 'done') await queue.end(job, { kind: 'done', commit })
    else if (outcome === 'cancelled') await queue.end(job, queue.cancelled(job, 'somebody'))
    else await queue.end(job, { kind: outcome, reason: 'for a test' })
  }
}

async function queueRun(database: Knex, queue: JobQueue, run: Run): Promise<void> {
  const { study, revision = 1, patient = `P${study}`, sex = 'F', age = '050Y', station = 'CT1' } = run
  const uid = `1.2.3.${study}`
  const at = '2026-03-02T08:00:00.000Z'
  const element = (vr: string, value: unknown) => ({ vr, Value: [value] })
  const date = element('DA', run.studyDate ?? '20260302')
  const header = {
    '00080020': date,
    '00080030': element('TM', '0930'),
    ...(patient !== null && { '00100020': element('LO', patient) }),
    '00100040': element('CS', sex),
    '00101010': element('AS', age),
  }
  const series = {
    '00080031': element('TM', `${String(8 + (study % 9)).padStart(2, '0')}1500.25`),
    '00080060': element('CS', 'CT'),
    '00080070': element('LO', 'Acme '),
    '00081090': element('LO', 'Scan 9'),
    '00081010': element('SH', station),
    '00180015': element('CS', 'Chest'),
    '00180050': element('DS', run.sliceThickness ?? 1.25),
    '00180060': element('DS', 120),
    '00280030': { vr: 'DS', Value: [0.7, 0.7] },
  }
  await database('studies')
    .insert({
      study_instance_uid: uid,
      header: JSON.stringify(header),
      state: 'complete',
      revision,
      last_instance_at: at,
      created_at: at,
      updated_at: at,
    })
    .onConflict('study_instance_uid')
    .merge(['revision'])
  const { id: studyId } = await database('studies').where({ study_instance_uid: uid }).first('id')
  await database('series')
    .insert({
      study_id: studyId,
      series_instance_uid: `${uid}.1`,
      modality: 'CT',
      origin: 'source',
      header: JSON.stringify(series),
      created_at: at,
    })
    .onConflict(['study_id', 'series_instance_uid'])
    .ignore()
  await database('revisions')
    .insert({
      study_id: studyId,
      number: revision,
      completed_at: at,
      reason: 'for a test',
      instances: 2,
      members: JSON.stringify({ [`${uid}.1`]: ['a', 'b'] }),
      routed: 1,
    })
    .onConflict(['study_id', 'number'])
    .ignore()
  const { id: revisionId } = await database('revisions').where({ study_id: studyId, number: revision }).first('id')
  const route = run.shadow ? 'try' : 'live'
  await queue.enqueue({
    id: `${uid}-${revision}-${route}`,
    kind: 'infer',
    studyId,
    revisionId,
    route,
    pipeline: `lung@${digest}`,
    destination: null,
    priority: 0,
    shadow: run.shadow ?? false,
    payload: { inputs: { ct: `${uid}.1` }, destinations: [] },
  })
}
