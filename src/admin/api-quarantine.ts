import { createReadStream } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { HilumError } from '../errors.ts'
import { listQuarantined, quarantineStates } from '../store/quarantine-list.ts'
import { page, quarantined } from './api-schemas.ts'
import type { Audit } from './audit.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

export interface QuarantineDeps {
  knex: Knex
  audit: Audit
  /** Where the quarantined bytes lie. */
  quarantineFolder: string
  /** What may be done about an object; refusals are HilumErrors with the codes of `refusals`. */
  quarantine: {
    reingest(
      id: number,
      options: { by: string; accept: boolean },
    ): Promise<{ studyInstanceUID: string; seriesInstanceUID: string; sopInstanceUID: string }>
    discard(id: number, options: { by: string }): Promise<void>
  }
}

/** HTTP status of each reason why an act is refused. */
const refusals: Readonly<Record<string, number>> = {
  'not-found': 404,
  'not-in-quarantine': 409,
  busy: 409,
  'bytes-gone': 410,
  'not-acceptable-reason': 409,
  'still-refused': 409,
  'out-of-space': 507,
}

const params = z.strictObject({ id: z.coerce.number().int().min(1).max(2_147_483_647) })
const ids = z.array(params.shape.id).min(1).max(1000).describe('ids of quarantined objects')
const accept = z
  .boolean()
  .default(false)
  .describe('accept UIDs that differ from those of the C-STORE command, as the data set has them')

const listQuery = z.strictObject({
  ...page.shape,
  state: z
    .enum([...quarantineStates, 'all'])
    .default('quarantined')
    .describe('quarantined: its bytes are there; reingested; discarded; or all'),
  code: z.string().max(64).optional(),
  via: z.enum(['c-store', 'stow-rs', 'folder', 'recovery']).optional(),
  sender: z.string().max(255).optional().describe('AE title, or CALLINGAE@address'),
  sopInstanceUID: z.string().max(64).optional(),
  from: z.iso.datetime().optional().describe('quarantined at this time or later'),
  to: z.iso.datetime().optional().describe('quarantined before this time'),
})

const stored = z.object({ studyInstanceUID: z.string(), seriesInstanceUID: z.string(), sopInstanceUID: z.string() })
const acts = z.object({
  done: z.number(),
  results: z.array(
    z.object({
      id: z.number(),
      ok: z.boolean(),
      code: z.string().nullable().describe('why not, for programs'),
      sentence: z.string().nullable().describe('why not, for people'),
    }),
  ),
})

/** What could not be kept as an instance: to be looked at, taken in again or discarded. */
export function quarantineEndpoints(deps: QuarantineDeps): Endpoint[] {
  return [...readingEndpoints(deps), ...actingEndpoints(deps), ...bulkEndpoints(deps)]
}

function readingEndpoints({ knex, quarantineFolder }: QuarantineDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/quarantine',
      summary: 'What could not be kept as an instance, and why, the newest first',
      query: listQuery,
      answer: z.object({ total: z.number(), objects: z.array(quarantined) }),
      handle: async ({ query: { state, from, to, ...query } }) => {
        // Times are compared as text, which all have milliseconds.
        const at = (time: string | undefined) => (time === undefined ? undefined : new Date(time).toISOString())
        const filter = { ...query, ...(state === 'all' ? {} : { state }), from: at(from), to: at(to) }
        const { total, objects } = await listQuarantined(knex, filter)
        // Where the bytes lie is the node's own matter: they are asked for by id.
        return { total, objects: objects.map(({ file: _, ...shown }) => shown) }
      },
    }),
    endpoint({
      method: 'get',
      path: '/quarantine/{id}/file',
      summary: 'The bytes of a quarantined object, as they came',
      // The bytes may name a patient, and may be anything: not for everybody who may look.
      params,
      answerType: 'application/octet-stream',
      action: 'quarantine-download',
      handle: async ({ params: { id }, res }) => {
        const row = await knex('quarantine').where({ id }).first<{ file: string } | undefined>('file')
        if (!row) throw new ApiError(404, 'not-found', 'There is no such object in quarantine.')
        // The name comes from the database; a name with a path in it would still not leave the folder.
        await sendFile(res, path.join(quarantineFolder, path.basename(row.file)), `quarantine-${id}.dcm`)
        return undefined
      },
    }),
  ]
}

function actingEndpoints({ quarantine }: QuarantineDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/quarantine/{id}/reingest',
      summary: 'Take an object in again, through the checks of an arrival; 409 with the reason where they refuse it',
      params,
      body: z.strictObject({ accept }),
      answer: stored,
      action: 'quarantine-reingest',
      handle: ({ params: { id }, body, actor }) =>
        quarantine.reingest(id, { by: actor, accept: body.accept }).catch(refused),
    }),
    endpoint({
      method: 'post',
      path: '/quarantine/{id}/discard',
      summary: 'Delete the bytes of an object for good; its entry stays, as discarded',
      params,
      answer: z.object({ id: z.number(), state: z.literal('discarded') }),
      action: 'quarantine-discard',
      handle: async ({ params: { id }, actor }) => {
        await quarantine.discard(id, { by: actor }).catch(refused)
        return { id, state: 'discarded' as const }
      },
    }),
  ]
}

function bulkEndpoints(deps: QuarantineDeps): Endpoint[] {
  const { quarantine } = deps
  return [
    endpoint({
      method: 'post',
      path: '/quarantine/reingest',
      summary: 'Take several objects in again; what became of each',
      body: z.strictObject({ ids, accept }),
      answer: acts,
      handle: ({ body, actor }) =>
        actOnEach(deps, { ids: body.ids, actor, action: 'quarantine-reingest' }, (id) =>
          quarantine.reingest(id, { by: actor, accept: body.accept }),
        ),
    }),
    endpoint({
      method: 'post',
      path: '/quarantine/discard',
      summary: 'Delete the bytes of several objects for good; what became of each',
      body: z.strictObject({ ids }),
      answer: acts,
      handle: ({ body, actor }) =>
        actOnEach(deps, { ids: body.ids, actor, action: 'quarantine-discard' }, (id) =>
          quarantine.discard(id, { by: actor }),
        ),
    }),
  ]
}

/** One after the other; each is recorded, as if it had been asked for alone. */
async function actOnEach(
  { audit }: QuarantineDeps,
  { ids: all, actor, action }: { ids: readonly number[]; actor: string; action: string },
  act: (id: number) => Promise<unknown>,
): Promise<z.input<typeof acts>> {
  const results: z.input<typeof acts>['results'] = []
  for (const id of new Set(all)) {
    const failure = await act(id).then(
      () => null,
      (error: unknown) => error,
    )
    await audit.record({ actor, action, subject: String(id), outcome: failure === null ? 'success' : 'failure' })
    if (failure === null) results.push({ id, ok: true, code: null, sentence: null })
    else if (failure instanceof HilumError && refusals[failure.code] !== undefined)
      results.push({ id, ok: false, code: failure.code, sentence: failure.message })
    else throw failure
  }
  return { done: results.filter(({ ok }) => ok).length, results }
}

/** @throws ApiError for what the caller has to know */
function refused(error: unknown): never {
  const status = error instanceof HilumError ? refusals[error.code] : undefined
  if (!(error instanceof HilumError) || status === undefined) throw error
  throw new ApiError(status, error.code, `${error.message}.`)
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
