import type { Readable } from 'node:stream'
import { z } from 'zod'
import { uid } from './api-schemas.ts'
import {
  calendar,
  calendarInForce,
  routeDraftDefinition,
  routeReplay,
  routeTest,
  vocabulary,
} from './api-schemas-routes.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import { requireMatch } from './entity-tag.ts'
import { explained } from './route-refusal.ts'

const name = z.string().min(1).max(64)
const version = z.coerce.number().int().min(1)
/** What is tried instead of what is in force. */
const triedShape = {
  definition: routeDraftDefinition.optional().describe('tried instead of the route of its name that is in force'),
  route: name.optional().describe('its draft is tried, or the version that is named'),
  version: version.optional(),
}
const replayId = z.strictObject({ id: z.uuid() })

export interface TriedRoute {
  definition?: z.output<typeof routeDraftDefinition> | undefined
  route?: string | undefined
  version?: number | undefined
}

/** Refusals are RouteErrors, and DicomErrors for files. */
export interface RouteTrialsDeps {
  routeTrials: {
    test(
      studyInstanceUID: string,
      options: { tried: TriedRoute; explain: readonly string[] | null },
    ): Promise<z.input<typeof routeTest>>
    testFile(
      stream: Readable,
      options: { tried: TriedRoute; explain: readonly string[] | null },
    ): Promise<z.input<typeof routeTest>>
    replay(tried: TriedRoute, days: number, actor: string): Promise<z.input<typeof routeReplay>>
    replayed(id: string): z.input<typeof routeReplay> | null
    cancelReplay(id: string): Promise<z.input<typeof routeReplay> | null>
    vocabulary(query: {
      search: string
      level?: 'study' | 'series' | undefined
      limit: number
    }): Promise<z.input<typeof vocabulary>>
    calendar(): Promise<z.input<typeof calendarInForce>>
    setCalendar(changed: z.output<typeof calendar>, actor: string): Promise<void>
    offPeak(at: Date): Promise<{ opens: Date | null; closes: Date | null }>
  }
}

/** Tests and replays of routes, the words for conditions, and the off-peak calendar. */
export function routeTrialEndpoints({ routeTrials }: RouteTrialsDeps): Endpoint[] {
  return [...testEndpoints(routeTrials), ...replayEndpoints(routeTrials), ...calendarEndpoints(routeTrials)]
}

function testEndpoints(trials: RouteTrialsDeps['routeTrials']): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/routes/test',
      summary: 'What every route would decide on a study, explained condition by condition; nothing is run',
      body: z.strictObject({
        studyInstanceUID: uid,
        ...triedShape,
        explain: z
          .array(name)
          .max(100)
          .optional()
          .describe('routes to be explained; left out: the one that is tried, or else the first 50'),
      }),
      answer: routeTest,
      action: 'route-test',
      subject: ({ body }) => body.studyInstanceUID,
      handle: ({ body }) => {
        const { studyInstanceUID, explain, ...tried } = body
        return explained(trials.test(studyInstanceUID, { tried, explain: explain ?? null }))
      },
    }),
    endpoint({
      method: 'post',
      path: '/routes/test/file',
      summary: 'The same for a DICOM file, as a study of that one instance: its header is read, and nothing is stored',
      query: z.strictObject({ route: triedShape.route, version: triedShape.version, explain: name.optional() }),
      bodyType: 'application/dicom',
      answer: routeTest,
      handle: ({ query, req }) => {
        const { explain, ...tried } = query
        return explained(trials.testFile(req, { tried, explain: explain === undefined ? null : [explain] }))
      },
    }),
    endpoint({
      method: 'get',
      path: '/routes/vocabulary',
      summary:
        'The fields that conditions may speak of, with the values of past traffic; the usual and the seen ones first',
      query: z.strictObject({
        search: z.string().max(64).default('').describe('part of the keyword'),
        level: z.enum(['study', 'series']).optional(),
        limit: z.coerce.number().int().min(1).max(1000).default(200),
      }),
      answer: vocabulary,
      handle: ({ query }) => trials.vocabulary(query),
    }),
  ]
}

function replayEndpoints(trials: RouteTrialsDeps['routeTrials']): Endpoint[] {
  const known = <T>(replay: T | null): T => {
    if (replay === null) throw new ApiError(404, 'replay-unknown', 'There is no such replay; it may be too long ago.')
    return replay
  }
  return [
    endpoint({
      method: 'post',
      path: '/routes/replay',
      summary: 'Begin to replay a route over the studies of the last days; nothing is run',
      body: z.strictObject({ days: z.number().int().min(1).max(3650), ...triedShape }),
      answer: routeReplay,
      status: 202,
      action: 'route-replay',
      subject: ({ body }) => body.definition?.name ?? body.route ?? '',
      handle: ({ body, actor }) => {
        const { days, ...tried } = body
        return explained(trials.replay(tried, days, actor))
      },
    }),
    endpoint({
      method: 'get',
      path: '/routes/replay/{id}',
      summary: 'How far a replay is, and what came of it',
      params: replayId,
      answer: routeReplay,
      handle: ({ params }) => known(trials.replayed(params.id)),
    }),
    endpoint({
      method: 'delete',
      path: '/routes/replay/{id}',
      summary: 'End a replay that runs',
      params: replayId,
      answer: routeReplay,
      handle: async ({ params }) => known(await trials.cancelReplay(params.id)),
    }),
  ]
}

function calendarEndpoints(trials: RouteTrialsDeps['routeTrials']): Endpoint[] {
  const at = z.string().describe('ISO 8601, UTC')
  return [
    endpoint({
      method: 'get',
      path: '/routes/calendar',
      summary: 'When jobs of off-peak routes may begin',
      answer: calendarInForce,
      handle: () => trials.calendar(),
    }),
    endpoint({
      method: 'put',
      path: '/routes/calendar',
      summary: 'Change it; jobs that wait get the new times',
      body: calendar,
      answer: calendarInForce,
      edits: true,
      action: 'route-calendar',
      subject: () => 'calendar',
      handle: async ({ body, req, actor }) => {
        requireMatch(req, await trials.calendar())
        await explained(trials.setCalendar(body, actor))
        return await trials.calendar()
      },
    }),
    endpoint({
      method: 'get',
      path: '/routes/calendar/next',
      summary: 'Whether a window is open now, until when, and when the next one opens',
      answer: z.object({
        open: z.boolean(),
        opens: at.nullable().describe('now where one is open; null: none within a year'),
        closes: at.nullable().describe('of the window that is open'),
      }),
      handle: async () => {
        const { opens, closes } = await trials.offPeak(new Date())
        return { open: closes !== null, opens: opens?.toISOString() ?? null, closes: closes?.toISOString() ?? null }
      },
    }),
  ]
}
