import type { Knex } from 'knex'
import type { Job, JobKind, JobRow, JobState } from './job.ts'
import { jobOf } from './job.ts'

export interface JobFilter {
  state?: JobState
  kind?: JobKind
  studyId?: number
  revisionId?: number
}

/** One job, or null. */
export async function findJob(database: Knex, id: string): Promise<Job | null> {
  const row = await database('jobs').where({ id }).first<JobRow | undefined>('*')
  return row === undefined ? null : jobOf(row)
}

/** Jobs, the newest first. */
export async function listJobs(
  database: Knex,
  filter: JobFilter,
  page: { limit: number; offset: number },
): Promise<{ total: number; jobs: Job[] }> {
  const matching = database('jobs')
  if (filter.state !== undefined) matching.where({ state: filter.state })
  if (filter.kind !== undefined) matching.where({ kind: filter.kind })
  if (filter.studyId !== undefined) matching.where({ study_id: filter.studyId })
  if (filter.revisionId !== undefined) matching.where({ revision_id: filter.revisionId })
  const counted = await matching.clone().count<{ n: number }[]>('* as n')
  const rows = await matching
    .clone()
    .select<JobRow[]>('*')
    .orderBy([{ column: 'created_at', order: 'desc' }, 'id'])
    .limit(page.limit)
    .offset(page.offset)
  return { total: counted[0]?.n ?? 0, jobs: rows.map(jobOf) }
}

/** How many jobs there are by kind and state, for metrics. */
export async function countJobs(database: Knex): Promise<{ kind: JobKind; state: JobState; jobs: number }[]> {
  return await database('jobs')
    .groupBy('kind', 'state')
    .select<{ kind: JobKind; state: JobState; jobs: number }[]>('kind', 'state', database.raw('count(*) as jobs'))
}
