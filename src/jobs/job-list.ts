import type { Knex } from 'knex'
import type { Job, JobKind, JobRow, JobState } from './job.ts'
import { jobOf } from './job.ts'
import { wherePipeline } from './pauses.ts'

/** Which jobs are meant; what is left out is no condition. */
export interface JobFilter {
  state?: JobState | undefined
  kind?: JobKind | undefined
  studyInstanceUID?: string | undefined
  route?: string | undefined
  /** `name` for every version, or `name@sha256:…`. */
  pipeline?: string | undefined
  destination?: string | undefined
}

/** One job, or null. */
export async function findJob(database: Knex, id: string): Promise<Job | null> {
  const row = await database('jobs').where({ id }).first<JobRow | undefined>('*')
  return row === undefined ? null : jobOf(row)
}

/** Adds the conditions of a filter to rows of `jobs`. */
export function whereJobs(jobs: Knex.QueryBuilder, database: Knex, filter: JobFilter): void {
  const { state, kind, studyInstanceUID, route, pipeline, destination } = filter
  if (state !== undefined) jobs.where('jobs.state', state)
  if (kind !== undefined) jobs.where('jobs.kind', kind)
  if (route !== undefined) jobs.where('jobs.route', route)
  if (pipeline !== undefined) jobs.where((named) => wherePipeline(named, pipeline))
  if (destination !== undefined) jobs.where('jobs.destination', destination)
  if (studyInstanceUID !== undefined)
    jobs.where('jobs.study_id', database('studies').select('id').where({ study_instance_uid: studyInstanceUID }))
}

/** How many jobs there are by kind and state, for metrics. */
export async function countJobs(database: Knex): Promise<{ kind: JobKind; state: JobState; jobs: number }[]> {
  return await database('jobs')
    .groupBy('kind', 'state')
    .select<{ kind: JobKind; state: JobState; jobs: number }[]>('kind', 'state', database.raw('count(*) as jobs'))
}
