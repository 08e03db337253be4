import type { Knex } from 'knex'
import { z } from 'zod'
import { route, uid } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

const echo = z.object({
  destination: z.string(),
  url: z.string(),
  ok: z.boolean(),
  ms: z.number(),
  sentence: z.string(),
})

export interface SystemDeps {
  knex: Knex
  /** Evaluates every route on a study without acting on it; null where no such study is known. */
  testRoutes(studyInstanceUID: string): Promise<unknown[] | null>
  /** The pipelines that can be run, with their declared limits. */
  listPipelines(): Promise<unknown[]>
  destinations: {
    list(): { name: string; kind: string; url: string }[]
    test(name: string): Promise<z.input<typeof echo> | null>
  }
}

/** Routes, pipelines and destinations. */
export function systemEndpoints(deps: SystemDeps): Endpoint[] {
  return [...routeEndpoints(deps), ...destinationEndpoints(deps)]
}

function routeEndpoints({ knex, testRoutes, listPipelines }: SystemDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/routes',
      summary: 'The routes in force, in their order',
      role: 'viewer',
      answer: z.object({ routes: z.array(route) }),
      handle: async () => {
        const rows = await knex('routes').where({ active: 1 }).orderBy('position')
        return {
          routes: rows.map((row) => ({
            name: row.name,
            version: row.version,
            active: true,
            definition: JSON.parse(row.definition) as unknown,
            author: row.author,
            createdAt: row.created_at,
          })),
        }
      },
    }),
    endpoint({
      method: 'post',
      path: '/routes/test',
      summary: 'What every route would decide on a study, and why; nothing is run',
      role: 'operator',
      body: z.strictObject({ studyInstanceUID: uid }),
      answer: z.object({ decisions: z.array(z.unknown()) }),
      handle: async ({ body }) => {
        const decisions = await testRoutes(body.studyInstanceUID)
        if (!decisions) throw new ApiError(404, 'not-found', 'No such study is known here.')
        return { decisions }
      },
    }),
    endpoint({
      method: 'post',
      path: '/routes/replay',
      summary: 'Replay a draft route over past studies (not in this version)',
      role: 'operator',
      handle: () => {
        throw new ApiError(
          501,
          'not-implemented',
          'This version does not replay routes; POST /api/routes/test takes one study.',
        )
      },
    }),
    endpoint({
      method: 'get',
      path: '/pipelines',
      summary: 'The pipelines that can be run',
      role: 'viewer',
      answer: z.object({ pipelines: z.array(z.unknown()) }),
      handle: async () => ({ pipelines: await listPipelines() }),
    }),
  ]
}

function destinationEndpoints({ destinations }: SystemDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/destinations',
      summary: 'Where results can go',
      role: 'viewer',
      answer: z.object({ destinations: z.array(z.object({ name: z.string(), kind: z.string(), url: z.string() })) }),
      handle: () => ({ destinations: destinations.list() }),
    }),
    endpoint({
      method: 'post',
      path: '/destinations/{name}/echo',
      summary: 'Ask a destination whether it answers; the sentence says what is wrong where it does not',
      role: 'operator',
      params: z.strictObject({ name: z.string().max(100) }),
      answer: echo,
      handle: async ({ params }) => {
        const answer = await destinations.test(params.name)
        if (!answer) throw new ApiError(404, 'not-found', 'There is no destination of that name.')
        return answer
      },
    }),
  ]
}
