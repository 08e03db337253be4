import { z } from 'zod'
import type { Endpoint } from './endpoint.ts'
import { endpoint } from './endpoint.ts'

const counts = { asked: z.number().describe('studies that it decided on'), matched: z.number() }
const activity = z
  .object({
    route: z.string(),
    ...counts,
    days: z.array(z.object({ date: z.string().describe('UTC'), ...counts })).describe('the oldest first'),
  })
  .meta({ id: 'RouteActivity' })

export interface RouteActivityDeps {
  routeActivity(days: number): Promise<z.input<typeof activity>[]>
}

/** What routes matched in the last days. Has to stand before the routes, whose names would else be taken for it. */
export function routeActivityEndpoints({ routeActivity }: RouteActivityDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/routes/activity',
      summary: 'How many studies each route was asked about and matched in the last days, by day',
      query: z.strictObject({ days: z.coerce.number().int().min(1).max(90).default(14) }),
      answer: z.object({ routes: z.array(activity) }),
      handle: async ({ query }) => ({ routes: await routeActivity(query.days) }),
    }),
  ]
}
