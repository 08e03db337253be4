import type { Knex } from 'knex'
import type { TimelineJob, TimelineResult } from './timeline-types.ts'

type JobColumns = Omit<TimelineJob, 'refused' | 'shadow' | 'attempts'> & { refused: number; shadow: number }
type Attempt = TimelineJob['attempts'][number]
type Delivery = TimelineResult['deliveries'][number]

/** A study's jobs with their attempts: the newest revision's first, in the order in which they were queued. */
export async function jobsOf(database: Knex, studyId: number): Promise<TimelineJob[]> {
  const jobs = await database('jobs')
    .join('revisions', 'revisions.id', 'jobs.revision_id')
    .where('jobs.study_id', studyId)
    .orderBy([{ column: 'revisions.number', order: 'desc' }, 'jobs.created_at', 'jobs.id'])
    .select<JobColumns[]>({
      id: 'jobs.id',
      kind: 'jobs.kind',
      pipeline: 'jobs.pipeline',
      destination: 'jobs.destination',
      route: 'jobs.route',
      state: 'jobs.state',
      refused: 'jobs.refused',
      shadow: 'jobs.shadow',
      error: 'jobs.error',
      revision: 'revisions.number',
      createdAt: 'jobs.created_at',
      runAfter: 'jobs.run_after',
      startedAt: 'jobs.started_at',
      finishedAt: 'jobs.finished_at',
      interruptions: 'jobs.interruptions',
    })
  const attempts = await database('job_attempts')
    .join('jobs', 'jobs.id', 'job_attempts.job_id')
    .where('jobs.study_id', studyId)
    .orderBy('job_attempts.id')
    .select<(Attempt & { jobId: string })[]>({
      jobId: 'job_attempts.job_id',
      at: 'job_attempts.at',
      ms: 'job_attempts.ms',
      provider: 'job_attempts.provider',
      error: 'job_attempts.error',
      log: 'job_attempts.log',
    })
  return jobs.map((job) => ({
    ...job,
    refused: job.refused === 1,
    shadow: job.shadow === 1,
    attempts: attempts.filter(({ jobId }) => jobId === job.id).map(({ jobId: _, ...attempt }) => attempt),
  }))
}

/** A study's results with their deliveries, the newest revision's first. */
export async function deliveriesOf(database: Knex, studyId: number): Promise<TimelineResult[]> {
  const results = await database('results')
    .join('revisions', 'revisions.id', 'results.revision_id')
    .join('jobs', 'jobs.id', 'results.job_id')
    .where('results.study_id', studyId)
    .orderBy([{ column: 'revisions.number', order: 'desc' }, 'results.id'])
    .select<
      (Omit<TimelineResult, 'deliveries' | 'shadow' | 'urgent'> & { id: number; shadow: number; urgent: number })[]
    >({
      id: 'results.id',
      sopInstanceUID: 'results.sop_instance_uid',
      sopClassUID: 'results.sop_class_uid',
      seriesInstanceUID: 'results.series_instance_uid',
      modality: 'results.modality',
      role: 'results.role',
      pipeline: 'results.pipeline',
      supersedes: 'results.supersedes',
      revision: 'revisions.number',
      shadow: 'jobs.shadow',
      urgent: 'results.urgent',
    })
  const deliveries = await database('deliveries')
    .join('results', 'results.id', 'deliveries.result_id')
    .where('results.study_id', studyId)
    .orderBy('deliveries.id')
    .select<(Delivery & { resultId: number })[]>({
      resultId: 'deliveries.result_id',
      destination: 'deliveries.destination',
      state: 'deliveries.state',
      proof: 'deliveries.proof',
      error: 'deliveries.error',
      at: 'deliveries.updated_at',
    })
  return results.map(({ id, shadow, urgent, ...result }) => ({
    ...result,
    shadow: shadow === 1,
    urgent: urgent === 1,
    deliveries: deliveries.filter(({ resultId }) => resultId === id).map(({ resultId: _, ...delivery }) => delivery),
  }))
}
