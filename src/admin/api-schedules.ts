import { z } from 'zod'
import { HilumError } from '../errors.ts'
import { refusing } from './api-error.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import { entityTag, requireMatch } from './entity-tag.ts'

const at = z.string().describe('ISO 8601, UTC')
const outcome = z
  .enum(['done', 'failed', 'interrupted', 'missed'])
  .describe('interrupted: the node ended meanwhile; missed: the node was down when it was due')

const run = z
  .object({
    id: z.number(),
    by: z.string().describe('schedule, or who asked for it'),
    startedAt: at,
    finishedAt: at.nullable(),
    outcome: outcome.nullable().describe('null: it runs'),
    sentence: z.string().nullable().describe('what came of it'),
  })
  .meta({ id: 'ScheduleRun' })
export type ScheduleRun = z.input<typeof run>

const settings = z.strictObject({
  cron: z
    .string()
    .max(200)
    .nullable()
    .default(null)
    .describe('five or six fields, as in 30 2 * * *; null: as the node comes'),
  timeZone: z.string().max(64).nullable().default(null).describe('of the IANA list; null: that of the machine'),
  enabled: z.boolean().nullable().default(null).describe('null: as the node comes'),
})
export type ScheduleSettings = z.output<typeof settings>

const shownShape = {
  name: z.string(),
  title: z.string(),
  description: z.string(),
  settings: settings.describe('what somebody has set; null where nobody has'),
  defaults: z
    .object({ cron: z.string(), enabled: z.boolean() })
    .describe('as the node comes, or its configuration says'),
  cron: z.string().describe('in force'),
  timeZone: z.string().describe('in force'),
  enabled: z.boolean().describe('in force'),
  unavailable: z.string().nullable().describe('why it cannot run at all, such as a setting that is missing'),
  author: z.string().nullable(),
  updatedAt: at.nullable(),
}
const schedule = z
  .object({
    ...shownShape,
    running: z.boolean(),
    nextRun: at.nullable(),
    lastRun: z
      .object({
        startedAt: at,
        finishedAt: at.nullable(),
        seconds: z.number().nullable(),
        outcome: outcome.nullable(),
        sentence: z.string().nullable(),
      })
      .nullable(),
    etag: z.string().describe('for If-Match'),
  })
  .meta({ id: 'Schedule' })
export type WholeSchedule = Omit<z.input<typeof schedule>, 'etag'>

/**
 * Why a schedule cannot be changed or run.
 * - `schedule-unknown`: 404
 * - `bad-schedule`: 400
 * - `schedule-running`, `schedule-unavailable`: 409
 */
export class ScheduleError extends HilumError<
  'schedule-unknown' | 'bad-schedule' | 'schedule-running' | 'schedule-unavailable'
> {}

/** What runs by schedule; refusals are ScheduleErrors. */
export interface SchedulesDeps {
  schedules: {
    list(): Promise<WholeSchedule[]>
    change(name: string, given: ScheduleSettings, by: string): Promise<WholeSchedule>
    /** Begins a run, and answers before it has ended. */
    runNow(name: string, by: string): Promise<ScheduleRun>
    runs(name: string, page: { before?: number | undefined; limit: number }): Promise<ScheduleRun[]>
  }
}

const nameParams = z.strictObject({ name: z.string().max(100) })

/** What runs by schedule. */
export function scheduleEndpoints({ schedules }: SchedulesDeps): Endpoint[] {
  const find = async (name: string): Promise<WholeSchedule> => {
    const found = (await schedules.list()).find((one) => one.name === name)
    if (!found) throw new ApiError(404, 'schedule-unknown', 'There is no schedule of that name.')
    return found
  }
  return [
    endpoint({
      method: 'get',
      path: '/schedules',
      summary: 'What runs by schedule, with the last and the next run of each',
      answer: z.object({ schedules: z.array(schedule) }),
      handle: async () => ({ schedules: (await schedules.list()).map(tagged) }),
    }),
    endpoint({
      method: 'get',
      path: '/schedules/{name}',
      summary: 'One schedule; its field etag is what If-Match wants',
      params: nameParams,
      answer: schedule,
      handle: async ({ params: { name } }) => tagged(await find(name)),
    }),
    endpoint({
      method: 'put',
      path: '/schedules/{name}',
      summary: 'Change when something runs, and whether',
      params: nameParams,
      body: settings,
      answer: schedule,
      action: 'schedule-change',
      edits: true,
      handle: async ({ params: { name }, body, actor, req }) => {
        requireMatch(req, shownOf(await find(name)))
        return tagged(await explained(schedules.change(name, body, actor)))
      },
    }),
    endpoint({
      method: 'post',
      path: '/schedules/{name}/run',
      summary: 'Run it now, beside its schedule; the answer comes when the run has begun',
      params: nameParams,
      answer: run,
      status: 202,
      action: 'schedule-run',
      handle: ({ params: { name }, actor }) => explained(schedules.runNow(name, actor)),
    }),
    endpoint({
      method: 'get',
      path: '/schedules/{name}/runs',
      summary: 'Its runs, the newest first',
      params: nameParams,
      query: z.strictObject({
        before: z.coerce.number().int().optional().describe('the id of the last run of the page before'),
        limit: z.coerce.number().int().min(1).max(200).default(50),
      }),
      answer: z.object({ runs: z.array(run) }),
      handle: async ({ params: { name }, query }) => {
        await find(name)
        return { runs: await schedules.runs(name, query) }
      },
    }),
  ]
}

function shownOf(whole: WholeSchedule) {
  const { running: _, nextRun: _next, lastRun: _last, ...rest } = whole
  return rest
}

function tagged(whole: WholeSchedule): z.input<typeof schedule> {
  return { ...whole, etag: entityTag(shownOf(whole)) }
}

/** @throws ApiError in place of what says why it cannot be done */
const explained = refusing(
  ScheduleError,
  (code) => ({ 'schedule-unknown': 404, 'bad-schedule': 400 })[code as string] ?? 409,
)
