import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { Agent, errors, request } from 'undici'
import { InferError } from '../error.ts'
import type { Endpoint } from './open-inference-protocol.ts'

export interface HttpAnswer {
  headers: IncomingHttpHeaders
  body: Buffer
}

interface Call {
  method: 'GET' | 'POST'
  headers?: Record<string, string>
  length?: number
  body?: Readable
}

/** Statuses of a server that may serve the same request later. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504])

/** What a connection that was closed ends with, at its beginning or in the middle of an answer. */
const closedEarly: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** Characters of a server's own words that are passed on. */
const longestReason = 200

/** Requests to one inference server: each with a deadline, within the limit of bytes, with its headers. Redirects are not followed. */
export class HttpConnection {
  /** For errors; addresses may carry what is nobody's business. */
  readonly name: string
  readonly #endpoint: Endpoint
  readonly #agent: Agent

  constructor(endpoint: Endpoint) {
    const { tls } = endpoint.server
    this.name = `inference server ${endpoint.server.name}`
    this.#endpoint = endpoint
    const secure = { ca: tls?.ca, cert: tls?.certificate, key: tls?.key }
    const given = Object.fromEntries(Object.entries(secure).filter(([, value]) => value !== undefined))
    this.#agent = new Agent({
      connect: given,
      connections: 1,
      headersTimeout: endpoint.deadline,
      bodyTimeout: endpoint.deadline,
      maxResponseSize: endpoint.maximumBytes,
    })
  }

  get(path: string): Promise<HttpAnswer> {
    return this.#call(path, { method: 'GET' })
  }

  /** @throws {InferError} `model-failed` also when the request is larger than the limit */
  async post(
    path: string,
    call: { headers: Record<string, string>; length: number; body: Readable },
  ): Promise<HttpAnswer> {
    const { maximumBytes } = this.#endpoint
    if (call.length > maximumBytes) {
      call.body.destroy()
      throw new InferError('model-failed', `the request has ${call.length} bytes, at most ${maximumBytes} are sent`)
    }
    return this.#call(path, { method: 'POST', ...call })
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #call(path: string, call: Call): Promise<HttpAnswer> {
    const { server, deadline, signal } = this.#endpoint
    const url = new URL(path, server.url.endsWith('/') ? server.url : `${server.url}/`)
    const timeout = AbortSignal.timeout(deadline)
    const length = call.length === undefined ? {} : { 'content-length': String(call.length) }
    try {
      const answer = await request(url, {
        method: call.method,
        headers: { ...server.headers, ...call.headers, ...length },
        body: call.body ?? null,
        dispatcher: this.#agent,
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      })
      const body = Buffer.from(await answer.body.arrayBuffer())
      if (answer.statusCode !== 200) throw this.#refused(call.method, url, answer.statusCode, body)
      return { headers: answer.headers, body }
    } catch (error) {
      throw this.#failure(error, timeout)
    }
  }

  #refused(method: string, url: URL, status: number, body: Buffer): InferError {
    const what = `${this.name} answers ${status} to ${method} ${url.pathname}${reasonIn(body)}`
    return passing.has(status)
      ? new InferError('model-unreachable', what, { retry: 'transient' })
      : new InferError('model-failed', what)
  }

  #failure(error: unknown, timeout: AbortSignal): unknown {
    if (error instanceof InferError) return error
    const { deadline, maximumBytes, signal } = this.#endpoint
    if (signal?.aborted) return error
    if (timeout.aborted || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError)
      return new InferError('model-deadline', `${this.name} did not answer within ${deadline / 1000} s`, {
        retry: 'transient',
      })
    if (error instanceof errors.ResponseExceededMaxSizeError)
      return new InferError('model-failed', `the answer of ${this.name} has more than ${maximumBytes} bytes`)
    const { code = 'unknown error' } = error as { code?: string }
    const reason = closedEarly.has(code) ? `it closed the connection before it had answered (${code})` : code
    return new InferError('model-unreachable', `${this.name} cannot be reached: ${reason}`, { retry: 'transient' })
  }
}

/** What the server says is wrong, in printable characters; it was sent nothing but tensors. */
function reasonIn(body: Buffer): string {
  try {
    const { error } = JSON.parse(body.toString('utf8')) as { error?: unknown }
    if (typeof error === 'string') return `: ${error.replace(/[^\x20-\x7e]+/g, ' ').slice(0, longestReason)}`
  } catch {}
  return ''
}
