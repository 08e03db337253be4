import type { Request, Response } from 'express'
import { Router } from 'express'
import { z } from 'zod'
import { RequestError } from '../dicomweb/request-error.ts'
import { HilumError } from '../errors.ts'
import type { Role } from './accounts.ts'
import type { Audit } from './audit.ts'
import { identityOf, requireRole } from './auth.ts'
import { refuse } from './refusal.ts'

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
  /** The least role; null where nobody need be logged in. */
  role: Role | null
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
  /** What the audit names as the subject, where the path does not. */
  subject: ((input: { body: unknown }) => string) | null
  handle: (input: EndpointInput<unknown, unknown, unknown>) => Promise<unknown>
}

interface EndpointSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType> {
  method: Endpoint['method']
  path: string
  summary: string
  role: Role | null
  params?: P
  query?: Q
  body?: B
  answer?: A
  answerType?: string
  status?: number
  action?: string
  subject?: (input: { body: z.output<B> }) => string
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
    role: spec.role,
    params: spec.params ?? z.strictObject({}),
    query: spec.query ?? z.strictObject({}),
    body: spec.body ?? null,
    answer: spec.answer ?? null,
    answerType: spec.answerType ?? 'application/json',
    status: spec.status ?? (spec.answer || spec.answerType ? 200 : 204),
    action: spec.action ?? null,
    subject: (spec.subject as Endpoint['subject'] | undefined) ?? null,
    handle: async (input) => spec.handle(input as EndpointInput<z.output<P>, z.output<Q>, z.output<B>>),
  }
}

/** A refusal whose status the caller of the API has to know. */
export class ApiError extends HilumError {
  readonly status: number

  constructor(status: number, code: string, message: string) {
    super(code, message)
    this.status = status
  }
}

/** A router with every operation, each behind its role and its validation. */
export function endpointRouter(endpoints: readonly Endpoint[], audit: Audit): Router {
  const router = Router()
  for (const one of endpoints) {
    const path = one.path.replace(/\{(\w+)\}/g, ':$1')
    const guards = one.role === null ? [] : [requireRole(one.role)]
    router[one.method](path, ...guards, (req, res) => answer(one, audit, req, res))
  }
  return router
}

async function answer(one: Endpoint, audit: Audit, req: Request, res: Response): Promise<void> {
  const actor = identityOf(req)?.actor ?? 'anonymous'
  let body: unknown
  let told: string | undefined
  const record = async (outcome: 'success' | 'failure') => {
    if (one.action === null) return
    const named = Object.values(req.params).join('/') || (body === undefined ? undefined : one.subject?.({ body }))
    const subject = told ?? named
    await audit.record({ actor, action: one.action, subject, outcome })
  }
  try {
    const params = parse(one.params, req.params, 'path')
    const query = parse(one.query, req.query, 'query')
    if (one.body !== null) body = parse(one.body, req.body, 'body')
    const result = await one.handle({
      params,
      query,
      body,
      actor,
      about: (subject) => {
        told = subject
      },
      req,
      res,
    })
    await record('success')
    if (res.headersSent) return
    res.setHeader('Cache-Control', 'no-store')
    if (one.answer === null) res.status(one.status).end()
    else res.status(one.status).json(result)
  } catch (error) {
    await record('failure')
    if (error instanceof ApiError) refuse(res, error.status, error.code, error.message)
    else throw error
  }
}

function parse(schema: z.ZodType, value: unknown, where: 'path' | 'query' | 'body'): unknown {
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || where}: ${issue.message}`)
  throw new RequestError('bad-parameter', `The ${where} is not as expected: ${problems.join('; ')}.`)
}
