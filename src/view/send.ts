import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { jsonType } from '../dicomweb/service-request.ts'

/** A body whose length is known before it is read. */
export interface Body {
  contentType: string
  length: number
  bytes(): AsyncIterable<Uint8Array>
}

/**
 * Streams a body with back-pressure. What fails before the first byte becomes a proper error answer; what fails later cuts the
 * connection. When the client goes, the source is closed.
 */
export async function sendBody(request: Request, response: Response, body: Body): Promise<void> {
  if (request.method === 'HEAD') {
    response
      .status(200)
      .set({ 'Content-Type': body.contentType, 'Content-Length': String(body.length) })
      .end()
    return
  }
  const source = body.bytes()[Symbol.asyncIterator]()
  const first = await source.next()
  response.status(200).set({ 'Content-Type': body.contentType, 'Content-Length': String(body.length) })
  await sendRest(response, first, source)
}

/** Streams a JSON array, one element at a time, without holding the others. */
export async function sendJsonArray(
  request: Request,
  response: Response,
  elements: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  const type = jsonType(request)
  async function* text() {
    let separator = '['
    for await (const element of elements) {
      yield Buffer.from(separator + element)
      separator = ',\n'
    }
    yield Buffer.from(separator === '[' ? '[]' : ']')
  }
  const source = text()
  const first = await source.next()
  response.status(200).set('Content-Type', type)
  if (request.method === 'HEAD') {
    await source.return()
    response.end()
  } else await sendRest(response, first, source)
}

/**
 * Gives the object's validator and tells whether the client holds it already. An object may be replaced by a newer one under the
 * same UID, so that caches have to ask each time; the answer is short.
 * @param parts what the bytes depend on
 */
export function isUnchanged(request: Request, response: Response, ...parts: string[]): boolean {
  const digest = createHash('sha256').update(parts.join('\0')).digest('base64url').slice(0, 27)
  response.set({ ETag: `"${digest}"`, 'Cache-Control': 'private, no-cache', Vary: 'Accept' })
  if (!request.fresh) return false
  response.status(304).end()
  return true
}

async function sendRest(
  response: Response,
  first: IteratorResult<Uint8Array, unknown>,
  source: AsyncIterator<Uint8Array>,
): Promise<void> {
  async function* all() {
    for (let next = first; !next.done; next = await source.next()) yield next.value
  }
  try {
    await pipeline(Readable.from(all(), { objectMode: false, highWaterMark: 1 }), response)
  } finally {
    // However it ended, and even when it never began: descriptors are closed.
    await source.return?.()
  }
}
