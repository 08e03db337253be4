import { z } from 'zod'
import { JobError } from '../jobs/error.ts'
import { refusing } from './api-error.ts'
import { jobRow, jobState, listTotal, page, uid } from './api-schemas.ts'
import { bulkOutcome, failureGroup, pause, queueState } from './api-schemas-node.ts'
import type { Endpoint } from './endpoint.ts'
import { endpoint } from './endpoint.ts'

const kind = z.enum(['infer', 'deliver'])
const filterShape = {
  kind: kind.optional(),
  route: z.string().max(200).optional(),
  pipeline: z.string().max(200).optional().describe('name for all of its versions, or name@sha256:…'),
  destination: z.string().max(100).optional(),
  studyInstanceUID: uid.optional(),
  reason: z.string().max(2000).optional().describe('of a group of failures, as GET /queue/failures gives it'),
}
const jobQuery = z.strictObject({ ...page.shape, state: jobState.optional(), ...filterShape })
const idParams = z.strictObject({ id: z.string().max(64) })
const priority = z.enum(['urgent', 'normal', 'low'])
const reason = z.string().trim().min(1).max(500)

/** Which jobs are meant; what is left out is no condition. */
export type JobSelection = z.output<z.ZodObject<typeof filterShape>>
type JobRow = z.input<typeof jobRow>
type Bulk = z.input<typeof bulkOutcome>
type Pause = z.input<typeof pause>

/** The queue; refusals are JobErrors. */
export interface JobsDeps {
  queue: {
    state(): Promise<z.input<typeof queueState>>
    list(query: z.output<typeof jobQuery>): Promise<{ total: number; totalIsExact: boolean; jobs: JobRow[] }>
    failures(filter: { kind?: 'infer' | 'deliver' | undefined }): Promise<{
      groups: z.input<typeof failureGroup>[]
      looked: number
      complete: boolean
    }>
    retry(id: string, by: string): Promise<void>
    cancel(id: string, by: string): Promise<'failed' | 'running'>
    prioritise(id: string, priority: 'urgent' | 'normal' | 'low', by: string): Promise<void>
    retryAll(selection: JobSelection & { refused: boolean; cancelled: boolean }, by: string): Promise<Bulk>
    cancelAll(selection: JobSelection, by: string): Promise<Bulk>
    pauses(): Promise<Pause[]>
    pause(what: { scope: Pause['scope']; name: string; reason: string }, by: string): Promise<Pause>
    resume(id: number, by: string): Promise<Pause>
  }
}

/** Jobs: inference and delivery. */
export function jobEndpoints({ queue }: JobsDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/jobs',
      summary: 'Jobs, the newest first; those that wait or run in the order in which they run',
      query: jobQuery,
      answer: z.object({ ...listTotal, jobs: z.array(jobRow) }),
      handle: ({ query }) => queue.list(query),
    }),
    endpoint({
      method: 'post',
      path: '/jobs/{id}/retry',
      summary: 'Queue a failed job again',
      params: idParams,
      answer: z.object({ id: z.string(), state: z.literal('queued') }),
      status: 202,
      action: 'job-retry',
      handle: async ({ params, actor }) => {
        await explained(queue.retry(params.id, actor))
        return { id: params.id, state: 'queued' as const }
      },
    }),
    endpoint({
      method: 'post',
      path: '/jobs/{id}/cancel',
      summary: 'End a job that waits or runs; a running one ends within seconds',
      params: idParams,
      answer: z.object({ id: z.string(), state: z.enum(['failed', 'running']) }),
      status: 202,
      action: 'job-cancel',
      handle: async ({ params, actor }) => ({
        id: params.id,
        state: await explained(queue.cancel(params.id, actor)),
      }),
    }),
    endpoint({
      method: 'post',
      path: '/jobs/{id}/priority',
      summary: 'Put a waiting job before or behind others',
      params: idParams,
      body: z.strictObject({ priority }),
      answer: z.object({ id: z.string(), priority }),
      action: 'job-priority',
      handle: async ({ params, body, actor }) => {
        await explained(queue.prioritise(params.id, body.priority, actor))
        return { id: params.id, priority: body.priority }
      },
    }),
    ...queueEndpoints(queue),
    ...pauseEndpoints(queue),
  ]
}

function queueEndpoints(queue: JobsDeps['queue']): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/queue',
      summary: 'How many jobs wait, run and have failed, and what is paused',
      answer: queueState,
      handle: () => queue.state(),
    }),
    endpoint({
      method: 'get',
      path: '/queue/failures',
      summary: 'Failures grouped by their reasons, the most frequent first',
      query: z.strictObject({ kind: kind.optional() }),
      answer: z.object({
        groups: z.array(failureGroup),
        looked: z.number().describe('how many failures were looked at, the newest'),
        complete: z.boolean().describe('true: there are no more'),
      }),
      handle: ({ query }) => queue.failures(query),
    }),
    endpoint({
      method: 'post',
      path: '/queue/retry',
      summary: 'Queue failed jobs again: those that match, or all',
      body: z.strictObject({
        ...filterShape,
        refused: z.boolean().default(false).describe('also those whose input is outside the declared limits'),
        cancelled: z.boolean().default(false).describe('also those that somebody ended'),
      }),
      answer: bulkOutcome,
      status: 202,
      action: 'queue-retry',
      handle: ({ body, actor }) => queue.retryAll(body, actor),
    }),
    endpoint({
      method: 'post',
      path: '/queue/cancel',
      summary: 'End waiting jobs: those that match, or all; running ones go on',
      body: z.strictObject(filterShape),
      answer: bulkOutcome,
      status: 202,
      action: 'queue-cancel',
      handle: ({ body, actor }) => queue.cancelAll(body, actor),
    }),
  ]
}

const wholeScope = z
  .discriminatedUnion('scope', [
    z.strictObject({ scope: z.literal('all'), reason }),
    z.strictObject({ scope: z.literal('kind'), name: kind, reason }),
    z.strictObject({ scope: z.literal('pipeline'), name: z.string().min(1).max(100).describe('its name'), reason }),
    z.strictObject({ scope: z.literal('destination'), name: z.string().min(1).max(100), reason }),
  ])
  .describe('what is paused, and why')

function pauseEndpoints(queue: JobsDeps['queue']): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/queue/pauses',
      summary: 'What is paused, by whom and why',
      answer: z.object({ pauses: z.array(pause) }),
      handle: async () => ({ pauses: await queue.pauses() }),
    }),
    endpoint({
      method: 'post',
      path: '/queue/pauses',
      summary:
        'Pause all jobs, a kind, a pipeline or a destination: nothing is lost, what runs ends, nothing more is begun',
      body: wholeScope,
      answer: pause,
      status: 201,
      action: 'queue-pause',
      subject: ({ body }) => ('name' in body ? `${body.scope} ${body.name}` : body.scope),
      handle: ({ body, actor }) =>
        explained(
          queue.pause({ scope: body.scope, name: 'name' in body ? body.name : '', reason: body.reason }, actor),
        ),
    }),
    endpoint({
      method: 'delete',
      path: '/queue/pauses/{id}',
      summary: 'Resume what was paused',
      params: z.strictObject({ id: z.coerce.number().int().min(1).max(2_147_483_647) }),
      action: 'queue-resume',
      handle: async ({ params, actor, about }) => {
        const { scope, name } = await explained(queue.resume(params.id, actor))
        about(`${scope} ${name}`.trim())
        return undefined
      },
    }),
  ]
}

/** @throws ApiError in place of what says why it cannot be done */
const explained = refusing(JobError, (code) => (code === 'job-unknown' || code === 'pause-unknown' ? 404 : 409))
