import { createHmac } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import { Agent, request } from 'undici'
import { messageOf } from '../errors.ts'
import { type Address, addressesOf } from './addresses.ts'
import { SendError, type WebhookTarget } from './target.ts'

/** Of an answer that is remembered, characters. */
const longestAnswer = 200
/** What says that the request itself is wrong: it would be just as wrong again. */
const permanent: readonly number[] = [400, 405, 406, 410, 411, 413, 414, 415, 422]

export interface Posted {
  /** Stays the same when a message is sent again, so that the receiver can tell. */
  id: string
  event: string
  json: string
}

/**
 * The signature of a body: HMAC-SHA256 over the time, a full stop and the body, hexadecimal.
 * @param timestamp seconds since 1970, as in the header `Hilum-Timestamp`
 */
export function signatureOf(secret: string, timestamp: number, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`, 'utf8').digest('hex')
}

/**
 * POSTs a message to a webhook, signed where the target has a secret. The address is looked at before, and no other is connected to;
 * redirections are not followed.
 * @returns what the other side said
 * @throws SendError
 */
export async function postWebhook(
  target: WebhookTarget,
  { id, event, json }: Posted,
  { allowLocal, now }: { allowLocal: boolean; now: Date },
): Promise<string> {
  const addresses = await addressesOf(new URL(target.url).hostname, { allowLocal })
  const { secret, timeoutMs, ca, rejectUnauthorized } = target
  const agent = new Agent({
    connect: { timeout: timeoutMs, rejectUnauthorized, ...(ca !== null && { ca }), lookup: onlyThese(addresses) },
    pipelining: 0,
  })
  const timestamp = Math.floor(now.getTime() / 1000)
  try {
    const { statusCode, body } = await request(target.url, {
      method: 'POST',
      dispatcher: agent,
      headers: {
        ...target.headers,
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Hilum',
        'hilum-event': event,
        'hilum-delivery': id,
        'hilum-timestamp': String(timestamp),
        ...(secret !== null && { 'hilum-signature': `v1=${signatureOf(secret, timestamp, json)}` }),
      },
      body: json,
      signal: AbortSignal.timeout(timeoutMs),
    })
    const said = await beginningOf(body)
    if (statusCode >= 200 && statusCode < 300) return `HTTP ${statusCode}`
    throw new SendError('message', `HTTP ${statusCode}${said === '' ? '' : `: ${said}`}`, {
      permanent: permanent.includes(statusCode),
    })
  } catch (error) {
    throw error instanceof SendError ? error : refusedBy(error, timeoutMs)
  } finally {
    await agent.destroy()
  }
}

function onlyThese(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    const first = addresses[0]
    if (options.all) callback(null, [...addresses])
    else callback(null, first?.address ?? '', first?.family ?? 4)
  }
}

/** The peer's own words, without what does not belong in a line. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  let read = Buffer.alloc(0)
  for await (const chunk of body) {
    read = Buffer.concat([read, chunk])
    if (read.length >= longestAnswer) break
  }
  return read
    .toString('utf8')
    .slice(0, longestAnswer)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
}

function refusedBy(error: unknown, timeoutMs: number): SendError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (error instanceof Error && error.name === 'TimeoutError')
    return new SendError('message', `no answer within ${timeoutMs / 1000} s`, { cause: error })
  const stage = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)
    ? 'tls'
    : /^(ECONN|EHOST|ENET|EPIPE|UND_ERR_CONNECT|ETIMEDOUT)/.test(code)
      ? 'connection'
      : 'message'
  return new SendError(stage, messageOf(error) || code, { cause: error })
}
