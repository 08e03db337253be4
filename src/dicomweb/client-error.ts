import type { RetryClass } from '../errors.ts'
import { HilumError } from '../errors.ts'

export type DicomwebClientErrorCode =
  | 'unreachable'
  | 'connection-lost'
  | 'timeout'
  | 'tls'
  | 'refused'
  | 'unavailable'
  | 'redirected'
  | 'unreadable-answer'

/** A DICOMweb server did not do what was asked of it. The message names the operation, the answer and the expectation. */
export class DicomwebClientError extends HilumError<DicomwebClientErrorCode> {}

/** Nothing of the request has left this machine: the server cannot have acted on it. */
const beforeSending = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
const timeouts = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT', 'ABORT_ERR', 'TimeoutError'])

/**
 * The retry class of an HTTP status that is not a success.
 * 500 is ambiguous: the server may have stored something before it failed. A redirect is permanent: following it would hand the
 * credentials and the objects to an address that nobody configured.
 */
export function classOfStatus(status: number): RetryClass {
  if (status === 408 || status === 425 || status === 429 || status === 507) return 'transient'
  if (status >= 502 && status <= 504) return 'transient'
  if (status === 500) return 'ambiguous'
  return 'permanent'
}

/**
 * The error for an answer whose status is not a success.
 * @param operation what was asked, such as `STOW-RS`
 */
export function errorOfStatus(operation: string, status: number, text: string): DicomwebClientError {
  const retry = classOfStatus(status)
  const code = status >= 300 && status < 400 ? 'redirected' : retry === 'permanent' ? 'refused' : 'unavailable'
  const why = explanations[status] ?? (code === 'redirected' ? 'the configured address is not the final one' : null)
  const said = text === '' ? '' : `; the server says: ${text}`
  return new DicomwebClientError(
    code,
    `${operation} was answered with HTTP ${status}${why ? ` (${why})` : ''}${said}`,
    {
      retry,
      detail: { status },
    },
  )
}

const explanations: Record<number, string> = {
  400: 'the server could not read the request',
  401: 'the credentials are missing or wrong',
  403: 'the credentials do not allow this',
  404: 'there is no such address: is the DICOMweb root right?',
  405: 'the address does not take this method: is the DICOMweb root right?',
  408: 'the server waited too long for the request',
  409: 'the server stored none of the objects',
  413: 'the request is larger than the server takes',
  415: 'the server does not take this kind of object',
  429: 'too many requests',
  500: 'the server failed inside',
  502: 'the proxy could not reach the server',
  503: 'the server is not available now',
  504: 'the proxy did not get an answer in time',
  507: 'the server has no space left',
}

/** The connection ended, or what came over it was no HTTP, with the request on its way. */
const onTheWay = /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_.*|HPE_.*)$/

/**
 * The error for a request that got no whole answer.
 * @param error what undici or node threw
 * @throws the error itself where it is neither the network's nor the server's doing: a mistake of ours, a file that cannot be read
 */
export function errorOfTransport(operation: string, error: unknown): DicomwebClientError {
  if (error instanceof DicomwebClientError) return error
  const code = codeOf(error)
  const options = { cause: error, detail: { code } }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || beforeSending.has(code))
    return new DicomwebClientError('unreachable', `${operation}: the server could not be reached (${code})`, {
      ...options,
      retry: 'transient',
    })
  if (/^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH)/.test(code))
    return new DicomwebClientError('tls', `${operation}: no trusted TLS connection (${code})`, options)
  if (timeouts.has(code))
    return new DicomwebClientError('timeout', `${operation}: no whole answer within the time allowed (${code})`, {
      ...options,
      retry: 'ambiguous',
    })
  if (!onTheWay.test(code)) throw error
  return new DicomwebClientError(
    'connection-lost',
    `${operation}: the connection broke before a whole answer (${code})`,
    {
      ...options,
      retry: 'ambiguous',
    },
  )
}

/** The system's or undici's code of an error, looked for through its causes (and the parts of an AggregateError). */
function codeOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 4) return ''

  const own = 'code' in error ? error.code : undefined
  if (typeof own === 'string' && own !== 'UND_ERR_ABORTED') return own
  if (error.name === 'TimeoutError') return error.name
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0], depth + 1)
  if (error.cause !== undefined) return codeOf(error.cause, depth + 1)
  return error.name
}
