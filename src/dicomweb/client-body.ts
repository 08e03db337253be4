import { DicomwebClientError } from './client-error.ts'
import { boundaryOf, readMultipart } from './multipart.ts'
import { RequestError } from './request-error.ts'

/**
 * Reads a body whole, up to a limit.
 * @param limit bytes; a longer body is an error, and is not read on
 */
export async function limitedBody(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit)
      throw new DicomwebClientError(
        'unreadable-answer',
        `the answer is longer than ${limit} bytes, which was not expected`,
      )
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * The text of an answer that explains a failure, short enough for a log or a timeline: JSON `title`/`detail`/`Message` where there is one.
 * HTML pages say nothing worth keeping.
 */
export function explanationIn(text: string): string {
  const trimmed = text.trim()
  if (trimmed.startsWith('<') || trimmed === '') return ''
  try {
    const parsed: unknown = JSON.parse(trimmed)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return ''
    const found = ['detail', 'Details', 'title', 'Message', 'message', 'error'].map(
      (key) => (parsed as Record<string, unknown>)[key],
    )
    return shorten(found.find((value): value is string => typeof value === 'string' && value !== '') ?? '')
  } catch {
    return shorten(trimmed)
  }
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}

/**
 * The first body part of a `multipart/related` answer, or the whole of a single-part one, streamed.
 * @param contentType of the answer; its `boundary` parameter is needed where it is multipart
 * @throws DicomwebClientError `unreadable-answer` from the iteration, where the multipart structure is broken or cut short
 */
export async function* firstPart(body: AsyncIterable<Uint8Array>, contentType: string): AsyncGenerator<Uint8Array> {
  if (!/^\s*multipart\/related\b/i.test(contentType)) {
    yield* body
    return
  }
  let parts = 0
  try {
    for await (const part of readMultipart(body, boundaryOf(contentType))) {
      // Reading on to the end, where nothing more should come, lets the connection be used again.
      if (++parts > 1) return
      yield* part.body
    }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    throw new DicomwebClientError('unreadable-answer', `the answer cannot be read: ${error.message}`, {
      retry: 'transient',
      cause: error,
    })
  }
  if (parts === 0)
    throw new DicomwebClientError('unreadable-answer', 'the multipart answer holds no part', { retry: 'transient' })
}
