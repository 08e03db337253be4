import { STATUS_CODES } from 'node:http'
import type { ErrorRequestHandler, Response } from 'express'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { RequestErrorCode } from './request-error.ts'

/** RFC 9457 problem details. `code` is Hilum's own error code, stable for programs. */
export interface Problem {
  type: 'about:blank'
  title: string
  status: number
  detail: string
  code: string
  [extension: string]: unknown
}

/** Codes of other modules that say something about the request, and not about a fault of the server. */
type OtherCode = 'object-missing' | 'no-pixel-data' | 'out-of-space'

/** HTTP status of each code that a request can cause, or that tells what a stored object lacks; all else is the server's fault. */
export const httpStatusOfCode: Readonly<Record<RequestErrorCode | OtherCode, number>> = {
  'bad-uid': 400,
  'bad-parameter': 400,
  'unknown-parameter': 400,
  'bad-frame-list': 400,
  'malformed-multipart': 400,
  'not-found': 404,
  'no-such-frame': 404,
  'not-offered': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  'unsupported-media-type': 415,
  'too-large': 413,
  'length-required': 411,
  'timed-out': 408,
  'object-missing': 404,
  'no-pixel-data': 404,
  'out-of-space': 507,
}

/**
 * Translates anything thrown by a handler into a problem document. Errors that Hilum did not raise on purpose tell nothing
 * about themselves to the caller: their messages may hold paths or patient data.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof HilumError) {
    const status = httpStatusOfCode[error.code as RequestErrorCode]
    if (status !== undefined) return { ...error.detail, ...problem(status, error.code, error.message) }
  }
  const code = errnoOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return problem(507, 'out-of-space', 'The disk is full: nothing more can be stored now.')
  }
  const status = clientStatusOf(error)
  if (status !== null) return problem(status, 'bad-request', STATUS_CODES[status] ?? 'The request cannot be read.')
  return problem(500, 'internal-error', 'The server failed while it answered this request; its log has the reason.')
}

function problem(status: number, code: string, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code }
}

/** Sends a problem document, unless the answer has begun: then the connection is cut, so that nobody takes it for whole. */
export function sendProblem(response: Response, document: Problem): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const name of ['ETag', 'Content-Length', 'Content-Encoding', 'Cache-Control']) response.removeHeader(name)
  response.status(document.status).type('application/problem+json').send(JSON.stringify(document))
}

/** Express's last handler: one place where errors become HTTP. Only faults of the server are logged as errors. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const document = problemOf(error)
    const context = { method: request.method, status: document.status, code: document.code }
    if (isAborted(error)) log.debug('request aborted by the client', context)
    else if (document.status >= 500) log.error('request failed', { ...context, reason: messageOf(error) })
    else log.debug('request refused', context)
    sendProblem(response, document)
  }
}

/** Whether an error says only that the other side has gone. */
export function isAborted(error: unknown): boolean {
  const code = errnoOf(error)
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE' || code === 'ABORT_ERR'
}

function errnoOf(error: unknown): string | null {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : null
}

/** Express and its parsers mark what the client did wrong with a `status` in the 400s (a malformed percent sign in the URL, …). */
function clientStatusOf(error: unknown): number | null {
  const status = error instanceof Error ? (error as Error & { status?: unknown }).status : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null
}
