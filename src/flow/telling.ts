import type { Knex } from 'knex'
import { type Urgent, urgentOf } from '../infer/urgent.ts'
import type { JobQueueOptions } from '../jobs/queue.ts'
import type { EventDetail, ToldFinding } from '../notify/events.ts'
import { raise } from '../notify/raise.ts'
import type { InferPayload } from './route-revision.ts'

/** Before all that is urgent by its route. */
const criticalPriority = 20

type AtEnd = NonNullable<JobQueueOptions['atEnd']>

interface EndedJob {
  id: string
  kind: 'infer' | 'deliver'
  study_id: number
  route: string | null
  pipeline: string | null
  destination: string | null
  state: string
  refused: number
  cancelled: number
  shadow: number
  error: string | null
  attempts: number
  payload: string
  study_instance_uid: string
}

/** Several things to do in the transaction in which a job ends. */
export function allAtEnd(...acts: AtEnd[]): AtEnd {
  return async (trx, jobId, kind) => {
    for (const act of acts) await act(trx, jobId, kind)
  }
}

/** For the queue: marks what is critical, and tells of what has ended, in the transaction in which it ends. */
export const tellingAtEnd: AtEnd = async (trx, jobId) => {
  const job = await trx('jobs')
    .join('studies', 'studies.id', 'jobs.study_id')
    .where({ 'jobs.id': jobId })
    .first<EndedJob | undefined>('jobs.*', 'studies.study_instance_uid')
  if (!job || job.cancelled === 1 || job.shadow === 1) return
  const at = new Date().toISOString()
  const where = { at, studyId: job.study_id }
  if (job.state === 'failed') {
    // What a pipeline declines is no failure of anything.
    if (job.refused === 1) return
    const what = job.kind === 'infer' ? 'an inference' : `a delivery to ${job.destination ?? '?'}`
    const detail = { ...detailOf(job), sentence: `${what} has failed`, reason: job.error ?? '' }
    await raise(trx, { event: 'failed', detail, ...where })
  } else if (job.kind === 'deliver') {
    const sentence = `results are delivered to ${job.destination ?? '?'}`
    await raise(trx, { event: 'delivered', detail: { ...detailOf(job), sentence }, ...where })
  } else await tellFindings(trx, job, where)
}

async function tellFindings(trx: Knex, job: EndedJob, where: { at: string; studyId: number }): Promise<void> {
  const findings = await trx('findings')
    .where({ job_id: job.id })
    .orderBy('id')
    .select<ToldFinding[]>('name', 'value', 'unit', 'site')
  const urgent = urgentOf(findings, (JSON.parse(job.payload) as InferPayload | null)?.urgent ?? [])
  await trx('results')
    .where({ job_id: job.id })
    .update({ urgent: urgent ? 1 : 0 })
  const told = { ...detailOf(job), findings: findings.slice(0, 100) }
  if (urgent) {
    await markUrgent(trx, job, urgent, where.at)
    await raise(trx, { event: 'critical', urgent: true, detail: { ...told, sentence: urgent.sentence }, ...where })
  }
  if (findings.length === 0) return
  const sentence = `${job.pipeline?.split('@')[0] ?? 'a pipeline'} has measured ${findings.length} values`
  await raise(trx, { event: 'finding', detail: { ...told, sentence }, ...where })
}

/** Its deliveries go before all others, and the study's timeline says why. */
async function markUrgent(trx: Knex, job: EndedJob, { category, sentence }: Urgent, at: string): Promise<void> {
  const results = trx('results').where({ job_id: job.id }).select('id')
  await trx('jobs')
    .whereIn('id', trx('deliveries').whereIn('result_id', results).select('job_id'))
    .andWhere({ state: 'queued' })
    .andWhere('priority', '<', criticalPriority)
    .update({ priority: criticalPriority })
  await trx('study_events').insert({
    study_id: job.study_id,
    at,
    kind: 'critical',
    sentence,
    detail: JSON.stringify({ job: job.id, route: job.route, category }),
  })
}

function detailOf(job: EndedJob): Omit<EventDetail, 'sentence'> {
  return {
    studyInstanceUID: job.study_instance_uid,
    ...(job.route !== null && { route: job.route }),
    ...(job.pipeline !== null && { pipeline: job.pipeline.split('@')[0] ?? job.pipeline }),
    ...(job.destination !== null && { destination: job.destination }),
  }
}
