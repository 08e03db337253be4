import type { Knex } from 'knex'
import { z } from 'zod'
import { JobError } from '../jobs/error.ts'
import { countUpTo } from '../store/count-up-to.ts'
import { jobRow, jobState, listTotal, page, uid } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

export interface JobsDeps {
  knex: Knex
  /**
   * Queues a failed job again, on somebody's word.
   * @throws JobError
   */
  retryJob(id: string, by: string): Promise<unknown>
}

const jobQuery = z.strictObject({
  ...page.shape,
  state: jobState.optional(),
  kind: z.enum(['infer', 'deliver']).optional(),
  studyInstanceUID: uid.optional(),
})

/** Jobs: inference and delivery. */
export function jobEndpoints({ knex, retryJob }: JobsDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/jobs',
      summary: 'Jobs, the newest first',
      role: 'viewer',
      query: jobQuery,
      answer: z.object({ ...listTotal, jobs: z.array(jobRow) }),
      handle: ({ query }) => listJobs(knex, query),
    }),
    endpoint({
      method: 'post',
      path: '/jobs/{id}/retry',
      summary: 'Queue a failed job again',
      role: 'operator',
      params: z.strictObject({ id: z.string().max(64) }),
      answer: z.object({ id: z.string(), state: z.literal('queued') }),
      status: 202,
      action: 'job-retry',
      handle: async ({ params, actor }) => {
        await retryJob(params.id, actor).catch((error: unknown) => {
          if (!(error instanceof JobError)) throw error
          throw new ApiError(error.code === 'job-unknown' ? 404 : 409, error.code, `${error.message}.`)
        })
        return { id: params.id, state: 'queued' as const }
      },
    }),
  ]
}

interface Row {
  id: string
  kind: string
  state: z.output<typeof jobState>
  study_instance_uid: string
  route: string | null
  pipeline: string | null
  destination: string | null
  refused: number
  error: string | null
  attempts: number
  priority: number
  shadow: number
  created_at: string
  run_after: string
  finished_at: string | null
}

async function listJobs(knex: Knex, query: z.output<typeof jobQuery>) {
  const matching = knex('jobs')
  if (query.state) matching.where('jobs.state', query.state)
  if (query.kind) matching.where('jobs.kind', query.kind)
  if (query.studyInstanceUID) {
    const study = knex('studies').select('id').where({ study_instance_uid: query.studyInstanceUID })
    matching.where('jobs.study_id', study)
  }
  const rows = (await matching
    .clone()
    .join('studies', 'studies.id', 'jobs.study_id')
    .select('jobs.*', 'studies.study_instance_uid')
    .orderBy([
      { column: 'jobs.created_at', order: 'desc' },
      { column: 'jobs.id', order: 'desc' },
    ])
    .limit(query.limit)
    .offset(query.offset)) as Row[]
  return { ...(await countUpTo(knex, matching)), jobs: rows.map(toJob) }
}

function toJob(row: Row): z.input<typeof jobRow> {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    studyInstanceUID: row.study_instance_uid,
    route: row.route,
    pipeline: row.pipeline,
    destination: row.destination,
    refused: row.refused === 1,
    error: row.error,
    attempts: row.attempts,
    priority: row.priority,
    shadow: row.shadow === 1,
    createdAt: row.created_at,
    runAfter: row.run_after,
    finishedAt: row.finished_at,
  }
}
