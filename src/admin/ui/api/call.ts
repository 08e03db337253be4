import { Problem } from './problem.ts'
import type { Operations } from './schema.ts'

/** Every operation of the API: `GET /studies`. */
export type Operation = keyof Operations
export type Reading = Extract<Operation, `GET ${string}`>

type Part<O extends Operation, K extends string> = Operations[O] extends Record<K, infer Value> ? Value : never
export type PathOf<O extends Operation> = Part<O, 'path'>
export type QueryOf<O extends Operation> = Part<O, 'query'>
export type BodyOf<O extends Operation> = Part<O, 'body'>
export type AnswerOf<O extends Operation> = 'answer' extends keyof Operations[O] ? Part<O, 'answer'> : null

type None = Record<never, never>
/** A part may be left out where everything in it may. */
type Given<K extends string, T> = [T] extends [never] ? None : None extends T ? { [P in K]?: T } : { [P in K]: T }

/** What an operation is called with: `path`, `query` and `body` as the API declares them. */
export type InputOf<O extends Operation> = Given<'path', PathOf<O>> &
  Given<'query', QueryOf<O>> &
  Given<'body', BodyOf<O>>

export interface Extras {
  signal?: AbortSignal
  /** The same key for a repeated attempt of the same act: the node does it once. */
  idempotencyKey?: string
  /** ETag of what is edited, as `callWithTag` gave it. */
  ifMatch?: string
}

type Loose = { path?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown }

/** The address of an operation, for links and pictures. */
export function addressOf<O extends Operation>(operation: O, input?: InputOf<O>): string {
  const { path = {}, query = {} } = (input ?? {}) as Loose
  const template = operation.slice(operation.indexOf(' ') + 1)
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])))
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) asked.append(name, String(one))
  }
  return asked.size > 0 ? `/api${filled}?${asked}` : `/api${filled}`
}

/** Who wants to know that nobody is logged in any more. */
const strangers = new Set<() => void>()
export function onUnauthorized(listener: () => void): () => void {
  strangers.add(listener)
  return () => strangers.delete(listener)
}

/**
 * Calls an operation of the API: `await call('GET /studies', { query: { search: 'chest' } })`.
 * @throws Problem with the node's own sentence
 */
export async function call<O extends Operation>(
  operation: O,
  input?: InputOf<O>,
  extras?: Extras,
): Promise<AnswerOf<O>> {
  return (await callWithTag(operation, input, extras)).answer
}

/** As `call`, with the ETag of the answer: an edit sends it back as `ifMatch`. */
export async function callWithTag<O extends Operation>(
  operation: O,
  input?: InputOf<O>,
  { signal, idempotencyKey, ifMatch }: Extras = {},
): Promise<{ answer: AnswerOf<O>; etag: string | null }> {
  const method = operation.slice(0, operation.indexOf(' '))
  const { body } = (input ?? {}) as Loose
  const headers = new Headers({ accept: 'application/json' })
  if (body !== undefined) headers.set('content-type', 'application/json')
  if (method !== 'GET') headers.set('idempotency-key', idempotencyKey ?? newKey())
  if (ifMatch !== undefined) headers.set('if-match', ifMatch)
  const response = await fetch(addressOf(operation, input), {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, 'no-answer', 'The node does not answer. It may be restarting.')
  })
  if (!response.ok) throw await problemOf(response, operation)
  const text = await response.text()
  const isJson = (response.headers.get('content-type') ?? '').includes('json')
  const answer = text === '' ? null : isJson ? (JSON.parse(text) as unknown) : text
  return { answer: answer as AnswerOf<O>, etag: response.headers.get('etag') }
}

/** A key for one act of somebody; `crypto.randomUUID` is absent where the page is served without TLS. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function problemOf(response: Response, operation: Operation): Promise<Problem> {
  const told = (await response.json().catch(() => null)) as { code?: string; detail?: string } | null
  const code = told?.code ?? `http-${response.status}`
  const isLogin = operation === 'POST /session' || operation === 'GET /session'
  if (!isLogin && (response.status === 401 || code === 'password-change-needed'))
    for (const listener of strangers) listener()
  return new Problem(response.status, code, told?.detail ?? `The node answered with HTTP ${response.status}.`)
}
