import type { Request, Response } from 'express'
import { Router } from 'express'
import { z } from 'zod'
import { RequestError } from '../dicomweb/request-error.ts'
import { HilumError } from '../errors.ts'
import { ApiError } from './api-error.ts'
import { uid } from './api-schemas.ts'
import type { Audit } from './audit.ts'
import { identityOf, requirePermission } from './auth.ts'
import { entityTag, isUnchanged } from './entity-tag.ts'
import type { Idempotency, KeptAnswer } from './idempotency.ts'
import { idempotencyKeyOf } from './idempotency.ts'
import type { Need } from './permissions.ts'
import { operations } from './permissions.ts'
import { refuse } from './refusal.ts'
import type { Sighting } from './sightings.ts'

/** What a handler gets: the validated parts of the request, and the request and answer themselves for cookies and streams. */
export interface EndpointInput<P, Q, B> {
  params: P
  query: Q
  body: B
  actor: string
  /** Says what the audit names as the subject, where the path does not. */
  about(subject: string): void
  req: Request
  res: Response
}

/** One operation of the API: its validation, its documentation and its handler in one place. */
export interface Endpoint {
  method: 'get' | 'post' | 'put' | 'delete'
  /** As OpenAPI writes it, below /api: `/jobs/{id}/retry`. */
  path: string
  summary: string
  params: z.ZodObject
  query: z.ZodObject
  body: z.ZodType | null
  /** null: the handler writes the answer itself. */
  answer: z.ZodType | null
  /** Media type of an answer that is not JSON. */
  answerType: string
  status: number
  /** Recorded in the audit, with the outcome, where it is set. */
  action: string | null
  /** Recorded in the audit as something that was seen: gathered, where the same person sees more of the same within minutes. */
  sight: string | null
  /** What the audit names as the subject, where the path does not. */
  subject: ((input: { body: unknown }) => string) | null
  /** True: it changes what somebody else may have changed, and asks for `If-Match`. The handler checks it with `requireMatch`. */
  edits: boolean
  /** Media type of a body that is not JSON: the handler reads it from the request, as it comes. */
  bodyType: string | null
  /** An answer, for the description. */
  example: unknown
  handle: (input: EndpointInput<unknown, unknown, unknown>) => Promise<unknown>
}

interface EndpointSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType> {
  method: Endpoint['method']
  path: string
  summary: string
  params?: P
  query?: Q
  body?: B
  answer?: A
  answerType?: string
  status?: number
  action?: string
  sight?: string
  subject?: (input: { body: z.output<B> }) => string
  edits?: boolean
  bodyType?: string
  example?: z.input<A>
  handle(
    input: EndpointInput<z.output<P>, z.output<Q>, z.output<B>>,
  ): Promise<z.input<A> | undefined> | z.input<A> | undefined
}

/** Declares an operation; the types of the handler's input and answer come from the schemas. */
export function endpoint<
  P extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Q extends z.ZodObject = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodUndefined,
>(spec: EndpointSpec<P, Q, B, A>): Endpoint {
  return {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    params: spec.params ?? z.strictObject({}),
    query: spec.query ?? z.strictObject({}),
    body: spec.body ?? null,
    answer: spec.answer ?? null,
    answerType: spec.answerType ?? 'application/json',
    status: spec.status ?? (spec.answer || spec.answerType ? 200 : 204),
    action: spec.action ?? null,
    sight: spec.sight ?? null,
    subject: (spec.subject as Endpoint['subject'] | undefined) ?? null,
    edits: spec.edits ?? false,
    bodyType: spec.bodyType ?? null,
    example: spec.example,
    handle: async (input) => spec.handle(input as EndpointInput<z.output<P>, z.output<Q>, z.output<B>>),
  }
}

export { ApiError }

/** An operation as the table of permissions names it: `POST /jobs/{id}/retry`. */
export function operationOf(one: Pick<Endpoint, 'method' | 'path'>): string {
  return `${one.method.toUpperCase()} ${one.path}`
}

/**
 * A router with every operation, each behind its permission and its validation.
 * @param table what each operation needs
 * @param idempotency keeps the answers of actions by their Idempotency-Key; null: the header is not looked at
 * @throws Error where an operation has no row in the table, or stands there twice, or a row has no operation
 */
export function endpointRouter(
  endpoints: readonly Endpoint[],
  audit: Audit,
  table: Readonly<Record<string, Need>> = operations,
  idempotency: Idempotency | null = null,
): Router {
  const router = Router()
  const rows = new Map(Object.entries(table))
  for (const one of endpoints) {
    const operation = operationOf(one)
    const need = rows.get(operation)
    if (need === undefined) throw new Error(`${operation} has no row in the table of permissions, or is declared twice`)
    rows.delete(operation)
    const path = one.path.replace(/\{(\w+)\}/g, ':$1')
    router[one.method](path, requirePermission(need), (req, res) => answer(one, { audit, idempotency }, req, res))
  }
  if (rows.size > 0)
    throw new Error(`the table of permissions names what is no operation: ${[...rows.keys()].join(', ')}`)
  return router
}

interface Keepers {
  audit: Audit
  idempotency: Idempotency | null
}

async function answer(one: Endpoint, keepers: Keepers, req: Request, res: Response): Promise<void> {
  const identity = identityOf(req)
  const key = one.method === 'post' && identity ? idempotencyKeyOf(req) : undefined
  const act = () => perform(one, keepers.audit, req, res)
  try {
    if (key === undefined || keepers.idempotency === null || identity === null) return send(one, await act(), req, res)
    const operation = `${req.method} ${req.originalUrl}`
    // The body of a stream is not held: its length and type tell two apart.
    const body: unknown =
      one.bodyType === null ? req.body : [req.headers['content-type'], req.headers['content-length']]
    const kept = await keepers.idempotency.once({ actor: identity.actor, operation, key, body }, act)
    if (kept.replayed) res.setHeader('Idempotency-Replayed', 'true')
    send(one, kept, req, res)
  } catch (error) {
    if (error instanceof ApiError) refuse(res, error.status, error.code, error.message)
    else throw error
  }
}

/** Validates a request, does what it asks, and records both in the audit. */
async function perform(one: Endpoint, audit: Audit, req: Request, res: Response): Promise<KeptAnswer> {
  const actor = identityOf(req)?.actor ?? 'anonymous'
  let body: unknown
  let told: string | undefined
  const study = studyOf(req)
  // What is deleted can be asked for its patient no more.
  const patient = one.method === 'delete' && study !== undefined ? await audit.patientOf(study) : {}
  const record = async (outcome: 'success' | 'failure', error?: unknown) => {
    if (one.action === null) return
    const named = Object.values(req.params).join('/') || (body === undefined ? undefined : one.subject?.({ body }))
    const subject = told ?? named
    const reason = error === undefined ? undefined : error instanceof HilumError ? error.code : 'internal-error'
    const detail = {
      ...patient,
      ...(req.ip !== undefined && { address: req.ip }),
      ...(reason !== undefined && { reason }),
    }
    await audit.record({ actor, action: one.action, subject, outcome, detail, studyInstanceUID: study })
  }
  try {
    const params = parse(one.params, req.params, 'path')
    const query = parse(one.query, req.query, 'query')
    if (one.body !== null) body = parse(one.body, req.body, 'body')
    const about = (subject: string) => {
      told = subject
    }
    const result = await one.handle({ params, query, body, actor, about, req, res })
    await record('success')
    if (one.sight !== null) await audit.saw(sightingOf(one.sight, actor, req))
    return { status: one.status, body: one.answer === null ? undefined : result }
  } catch (error) {
    await record('failure', error)
    throw error
  }
}

function studyOf(req: Request): string | undefined {
  const { studyInstanceUID } = req.params
  return typeof studyInstanceUID === 'string' && uid.safeParse(studyInstanceUID).success ? studyInstanceUID : undefined
}

/** What somebody saw: the study of the path, or what the query asks for. */
function sightingOf(action: string, actor: string, req: Request): Sighting {
  const studyInstanceUID = studyOf(req)
  const query = studyInstanceUID === undefined ? req.originalUrl.split('?')[1] : undefined
  return { actor, action, address: req.ip, studyInstanceUID, ...(query !== undefined && { detail: { query } }) }
}

/** What a GET answers has its entity tag, so that who has it already need not get it again (304). */
function send(one: Endpoint, { status, body }: KeptAnswer, req: Request, res: Response): void {
  if (res.headersSent || res.writableEnded) return
  res.setHeader('Cache-Control', 'no-store')
  if (one.answer === null) {
    res.status(status).end()
    return
  }
  if (one.method === 'get') {
    const etag = entityTag(body)
    res.setHeader('ETag', etag)
    if (isUnchanged(req, etag)) {
      res.status(304).end()
      return
    }
  }
  res.status(status).json(body)
}

function parse(schema: z.ZodType, value: unknown, where: 'path' | 'query' | 'body'): unknown {
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || where}: ${issue.message}`)
  throw new RequestError('bad-parameter', `The ${where} is not as expected: ${problems.join('; ')}.`)
}
