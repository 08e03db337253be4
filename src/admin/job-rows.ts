import type { Knex } from 'knex'
import { reasonOf } from '../jobs/failure-groups.ts'
import type { JobKind, JobState } from '../jobs/job.ts'
import { type JobFilter, whereJobs } from '../jobs/job-list.ts'
import { held, type Pause, pauseOf, pauseSentence, pausesOf } from '../jobs/pauses.ts'
import { type Counted, countUpTo } from '../store/count-up-to.ts'

/** A job, with what people know it by. */
export interface ListedJob {
  id: string
  kind: JobKind
  state: JobState
  studyInstanceUID: string
  patientName: string | null
  studyDescription: string | null
  route: string | null
  pipeline: string | null
  pipelineName: string | null
  pipelineVersion: string | null
  destination: string | null
  refused: boolean
  cancelled: boolean
  error: string | null
  attempts: number
  priority: number
  shadow: boolean
  /** The pause that keeps it back, in words. */
  held: string | null
  createdAt: string
  runAfter: string
  startedAt: string | null
  finishedAt: string | null
}

/** Failures that are looked at for a reason. */
const mostByReason = 20_000

/**
 * One page of jobs: the newest first; those that wait in the order in which they will run, those that run by their start.
 * @param filter.reason of a group of failures: then `total` counts among the newest 20,000 failures
 */
export async function listJobs(
  database: Knex,
  { limit, offset, reason, ...filter }: JobFilter & { reason?: string | undefined; limit: number; offset: number },
): Promise<Counted & { jobs: ListedJob[] }> {
  if (reason !== undefined) {
    const ids = await jobsWithReason(database, { ...filter, reason })
    const jobs = await withNames(database, ids.slice(offset, offset + limit))
    return { total: ids.length, totalIsExact: ids.length < mostByReason, jobs }
  }
  const matching = database('jobs')
  whereJobs(matching, database, filter)
  const ids: string[] = await matching.clone().orderBy(orderOf(filter.state)).limit(limit).offset(offset).pluck('id')
  return { ...(await countUpTo(database, matching)), jobs: await withNames(database, ids) }
}

function orderOf(state: JobState | undefined): { column: string; order?: 'asc' | 'desc' }[] {
  if (state === 'queued')
    return [
      { column: 'kind', order: 'desc' },
      { column: 'priority', order: 'desc' },
      { column: 'run_after' },
      { column: 'id' },
    ]
  if (state === 'running') return [{ column: 'started_at' }, { column: 'id' }]
  return [
    { column: 'created_at', order: 'desc' },
    { column: 'id', order: 'desc' },
  ]
}

/** Ids of failed jobs of one reason, the newest first. */
export async function jobsWithReason(
  database: Knex,
  { reason, ...filter }: JobFilter & { reason: string },
): Promise<string[]> {
  const failed = database('jobs')
  whereJobs(failed, database, { ...filter, state: 'failed' })
  const rows: { id: string; error: string | null }[] = await failed
    .orderBy(orderOf('failed'))
    .limit(mostByReason)
    .select('id', 'error')
  return rows.filter(({ error }) => reasonOf(error ?? '') === reason).map(({ id }) => id)
}

type ListedRow = Omit<ListedJob, 'refused' | 'cancelled' | 'shadow' | 'held' | 'pipelineName' | 'pipelineVersion'> & {
  refused: number
  cancelled: number
  shadow: number
}

async function withNames(database: Knex, ids: readonly string[]): Promise<ListedJob[]> {
  if (ids.length === 0) return []
  const rows: ListedRow[] = await database('jobs')
    .join('studies', 'studies.id', 'jobs.study_id')
    .whereIn('jobs.id', ids)
    .select({
      id: 'jobs.id',
      kind: 'jobs.kind',
      state: 'jobs.state',
      studyInstanceUID: 'studies.study_instance_uid',
      patientName: 'studies.patient_name',
      studyDescription: 'studies.study_description',
      route: 'jobs.route',
      pipeline: 'jobs.pipeline',
      destination: 'jobs.destination',
      refused: 'jobs.refused',
      cancelled: 'jobs.cancelled',
      error: 'jobs.error',
      attempts: 'jobs.attempts',
      priority: 'jobs.priority',
      shadow: 'jobs.shadow',
      createdAt: 'jobs.created_at',
      runAfter: 'jobs.run_after',
      startedAt: 'jobs.started_at',
      finishedAt: 'jobs.finished_at',
    })
  const digests = [...new Set(rows.flatMap(({ pipeline }) => pipeline?.split('@')[1] ?? []))]
  const versions: { digest: string; version: string }[] = await database('pipelines')
    .whereIn('digest', digests)
    .select('digest', 'version')
  const pauses = await pausesOf(database)
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => {
    const row = byId.get(id)
    return row ? [listed(row, versions, pauses)] : []
  })
}

function listed(
  row: ListedRow,
  versions: readonly { digest: string; version: string }[],
  pauses: readonly Pause[],
): ListedJob {
  const [pipelineName = null, digest] = row.pipeline?.split('@') ?? []
  const by = row.state === 'queued' ? pauseOf(row, pauses) : null
  return {
    ...row,
    refused: row.refused === 1,
    cancelled: row.cancelled === 1,
    shadow: row.shadow === 1,
    pipelineName,
    pipelineVersion: versions.find((known) => known.digest === digest)?.version ?? null,
    held: by === null ? null : pauseSentence(by),
  }
}

/** How many jobs wait that pauses keep back. */
export async function countHeld(database: Knex, pauses: readonly Pause[]): Promise<number> {
  if (pauses.length === 0) return 0
  const waiting = database('jobs')
    .where({ state: 'queued' })
    .andWhere((jobs) => held(jobs, pauses))
  return (await countUpTo(database, waiting)).total
}

/** How many jobs of a kind are in a state, as far as counting takes no time. */
export async function countIn(database: Knex, kind: JobKind, state: JobState): Promise<number> {
  return (await countUpTo(database, database('jobs').where({ kind, state }))).total
}
