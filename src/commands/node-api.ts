import type { Config } from '../config.ts'
import { HilumError } from '../errors.ts'

/** Where a command reaches the API of a running node. */
export interface NodeApi {
  /** Without a slash at its end. */
  url: string
  token: string
}

/** The node could not be asked, or refused what it was asked. */
export class NodeApiError extends HilumError<'node-unreachable' | 'node-refused'> {}

/**
 * The node of the configuration, unless the command line names another.
 * @returns null where there is no token to ask it with
 */
export function nodeApiOf(
  config: Config,
  options: { url?: string | undefined; token?: string | undefined },
): NodeApi | null {
  const token = options.token ?? config.admin.token
  if (token === '') return null
  const { host, port } = config.http
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  const url = options.url ?? `http://${name.includes(':') ? `[${name}]` : name}:${port}`
  return { url: url.replace(/\/+$/, ''), token }
}

/**
 * The node that a command asks, where there is no other way to do what it does.
 * @throws {NodeApiError} `node-refused` without a token
 */
export function neededApi(
  config: Config,
  options: { url?: string | undefined; token?: string | undefined },
  what: string,
): NodeApi {
  const api = nodeApiOf(config, options)
  if (!api) throw new NodeApiError('node-refused', `${what}: a token is needed (--token, or HILUM_ADMIN_TOKEN)`)
  return api
}

/**
 * Asks the node.
 * @param where path below `/api`
 * @throws {NodeApiError} `node-unreachable`, or `node-refused` with what the node says
 */
export async function askNode(
  { url, token }: NodeApi,
  where: string,
  request: {
    method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
    body?: unknown
    /** A body that is no JSON. */
    bytes?: ReadableStream
    headers?: Record<string, string>
    signal?: AbortSignal
  } = {},
): Promise<Response> {
  const { method = 'GET', body, bytes, headers, signal } = request
  const init = {
    method,
    ...(signal && { signal }),
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // A stream needs `duplex`, which the types of fetch do not know yet.
    ...(bytes === undefined ? {} : { body: bytes, duplex: 'half' as const }),
  }
  let response: Response
  try {
    response = await fetch(`${url}/api${where}`, init)
  } catch (cause) {
    throw new NodeApiError('node-unreachable', `no node answers at ${url}: is it running?`, { cause })
  }
  if (response.ok) return response
  const problem = (await response.json().catch(() => null)) as { detail?: unknown; code?: unknown } | null
  const detail = typeof problem?.detail === 'string' ? problem.detail : `${url} answered HTTP ${response.status}`
  throw new NodeApiError('node-refused', detail, { detail: { status: response.status, code: problem?.code } })
}
