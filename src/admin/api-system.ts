import { createReadStream } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { listQuarantined } from '../store/quarantine-list.ts'
import { listRefusedCallers } from '../store/refused-callers.ts'
import { page, quarantined, refusedCaller, route, uid } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

const remote = z.object({ aeTitle: z.string(), host: z.string().nullable() })
const echo = z.object({
  destination: z.string(),
  url: z.string(),
  ok: z.boolean(),
  ms: z.number(),
  sentence: z.string(),
})

export interface SystemDeps {
  knex: Knex
  /** Where the quarantined bytes lie. */
  quarantineFolder: string
  /** Evaluates every route on a study without acting on it; null where no such study is known. */
  testRoutes(studyInstanceUID: string): Promise<unknown[] | null>
  /** The pipelines that can be run, with their declared limits. */
  listPipelines(): Promise<unknown[]>
  destinations: {
    list(): { name: string; kind: string; url: string }[]
    test(name: string): Promise<z.input<typeof echo> | null>
  }
  /** The callers that the configuration names, and what becomes of others. */
  remotes: { unknownCallers: string; configured: z.input<typeof remote>[] }
}

/** Routes, pipelines, destinations, callers and the quarantine. */
export function systemEndpoints(deps: SystemDeps): Endpoint[] {
  return [
    ...routeEndpoints(deps),
    ...destinationEndpoints(deps),
    ...remoteEndpoints(deps),
    ...quarantineEndpoints(deps),
  ]
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

function remoteEndpoints({ knex, remotes }: SystemDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/remotes',
      summary: 'The callers that may send, and those that were refused',
      role: 'viewer',
      answer: z.object({ unknownCallers: z.string(), configured: z.array(remote), refused: z.array(refusedCaller) }),
      handle: async () => {
        const callers = await listRefusedCallers(knex)
        return {
          ...remotes,
          refused: callers.map(({ id: _, ...caller }) => caller),
        }
      },
    }),
  ]
}

function quarantineEndpoints({ knex, quarantineFolder }: SystemDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/quarantine',
      summary: 'What could not be kept as an instance, and why, the newest first',
      role: 'viewer',
      query: page,
      answer: z.object({ total: z.number(), objects: z.array(quarantined) }),
      handle: async ({ query }) => {
        const { total, objects } = await listQuarantined(knex, query)
        // Where the bytes lie is the node's own matter: they are asked for by id.
        return { total, objects: objects.map(({ file: _, ...shown }) => shown) }
      },
    }),
    endpoint({
      method: 'get',
      path: '/quarantine/{id}/file',
      summary: 'The bytes of a quarantined object, as they came',
      // The bytes may name a patient, and may be anything: not for everybody who may look.
      role: 'operator',
      params: z.strictObject({ id: z.coerce.number().int() }),
      answerType: 'application/octet-stream',
      action: 'quarantine-download',
      handle: async ({ params, res }) => {
        const row = await knex('quarantine').where({ id: params.id }).first<{ file: string } | undefined>('file')
        if (!row) throw new ApiError(404, 'not-found', 'There is no such object in quarantine.')
        // The name comes from the database; a name with a path in it would still not leave the folder.
        await sendFile(res, path.join(quarantineFolder, path.basename(row.file)), `quarantine-${params.id}.dcm`)
        return undefined
      },
    }),
  ]
}

async function sendFile(res: Response, file: string, name: string): Promise<void> {
  const stream = createReadStream(file)
  await new Promise<void>((resolve, reject) => stream.once('open', () => resolve()).once('error', reject)).catch(
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
        throw new ApiError(410, 'gone', 'The bytes are no longer in the quarantine folder.')
      throw error
    },
  )
  res.setHeader('Content-Type', 'application/octet-stream')
  res.setHeader('Content-Disposition', `attachment; filename="${name}"`)
  res.setHeader('Cache-Control', 'no-store')
  await pipeline(stream, res)
}
