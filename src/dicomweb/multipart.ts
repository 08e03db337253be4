import { randomUUID } from 'node:crypto'
import { parseMediaType } from './media-type.ts'
import { RequestError } from './request-error.ts'

/** One part of a multipart body. The body is read once, in order, before the next part is asked for. */
export interface MultipartPart {
  /** Header names in lower case. */
  headers: ReadonlyMap<string, string>
  body: AsyncGenerator<Buffer, void, void>
}

export interface MultipartLimits {
  /** Bytes of one part's header block. */
  headerBytes: number
  /** Bytes before the first delimiter and after the last. */
  preambleBytes: number
}

const defaultLimits: MultipartLimits = { headerBytes: 16 * 1024, preambleBytes: 64 * 1024 }
const maximumPadding = 128
const CRLF = Buffer.from('\r\n')
const endOfHeaders = Buffer.from('\r\n\r\n')

/**
 * The boundary parameter of a multipart Content-Type (RFC 2046 5.1.1). The RFC allows 70 characters; Orthanc sends 73.
 * @throws RequestError 'malformed-multipart' when there is none, or it is not 1 to 200 characters of the allowed set
 */
export function boundaryOf(contentType: string): string {
  const boundary = parseMediaType(contentType)?.parameters.get('boundary')
  if (boundary === undefined) throw malformed('the Content-Type has no boundary parameter')
  if (!/^[0-9A-Za-z'()+_,\-./:=? ]{0,199}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary)) {
    throw malformed('the boundary is not 1 to 200 characters of those that RFC 2046 allows')
  }
  return boundary
}

/**
 * Reads a multipart body as it arrives (RFC 2046 5.1): no more than one chunk of the source and one delimiter is held.
 * A body that the caller leaves unread is skipped.
 * @throws RequestError 'malformed-multipart' from the iteration, or from a part's body
 */
export async function* readMultipart(
  source: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: MultipartLimits = defaultLimits,
): AsyncGenerator<MultipartPart, void, void> {
  const reader = new MultipartReader(source, boundary, limits)
  try {
    let skipped = 0
    for await (const chunk of reader.untilDelimiter()) {
      skipped += chunk.length
      if (skipped > limits.preambleBytes) throw malformed('no delimiter line with the announced boundary was found')
    }
    while (!reader.closed) {
      const headers = await reader.headers()
      const body = reader.body()
      yield { headers, body }
      for await (const _ of body) {
        // what the caller did not read
      }
      if (!reader.atDelimiter) {
        for await (const _ of reader.untilDelimiter()) {
          // what a caller left behind who gave the body up
        }
      }
    }
    await reader.skipEpilogue()
  } finally {
    await reader.release()
  }
}

class MultipartReader {
  /** The closing delimiter was read. */
  closed = false
  /** The stream stands behind a delimiter line. */
  atDelimiter = false
  readonly #source: AsyncIterator<Uint8Array>
  readonly #delimiter: Buffer
  readonly #limits: MultipartLimits
  #buffer: Buffer
  #ended = false

  constructor(source: AsyncIterable<Uint8Array>, boundary: string, limits: MultipartLimits) {
    this.#source = source[Symbol.asyncIterator]()
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
    this.#limits = limits
    // A delimiter line begins with CRLF; the first one may open the body without.
    this.#buffer = CRLF
  }

  async release(): Promise<void> {
    if (!this.#ended) await this.#source.return?.()
  }

  /** Everything up to the next delimiter line, which is consumed. */
  async *untilDelimiter(): AsyncGenerator<Buffer, void, void> {
    this.atDelimiter = false
    for (;;) {
      const found = this.#buffer.indexOf(this.#delimiter)
      if (found < 0) {
        const safe = this.#buffer.length - (this.#delimiter.length - 1)
        if (safe > 0) yield this.#take(safe)
      } else {
        if (found > 0) yield this.#take(found)
        const line = await this.#delimiterLine()
        if (line > 0) {
          this.#take(line)
          this.atDelimiter = true
          return
        }
        yield this.#take(CRLF.length)
        continue
      }
      await this.#fill('the body ended before the closing delimiter')
    }
  }

  /** Length of the delimiter line at the start of the buffer; 0 when these bytes are content that only looks like one. */
  async #delimiterLine(): Promise<number> {
    let at = this.#delimiter.length
    for (;;) {
      while (this.#buffer.length < at + 2) await this.#fill('the body ended within a delimiter line')
      const first = this.#buffer[at]
      const second = this.#buffer[at + 1]
      if (at === this.#delimiter.length && first === 0x2d && second === 0x2d) {
        this.closed = true
        return at + 2
      }
      if (first === 0x0d && second === 0x0a) return at + 2
      if ((first !== 0x20 && first !== 0x09) || at > this.#delimiter.length + maximumPadding) return 0
      at++
    }
  }

  /** The part's header block. Its last CRLF stays in the buffer: it may belong to the delimiter of a part without a body. */
  async headers(): Promise<ReadonlyMap<string, string>> {
    while (this.#buffer.length < 2) await this.#fill("the body ended within a part's headers")
    if (this.#buffer.subarray(0, 2).equals(CRLF)) return new Map()
    for (;;) {
      const end = this.#buffer.indexOf(endOfHeaders)
      if (end > this.#limits.headerBytes || (end < 0 && this.#buffer.length > this.#limits.headerBytes + 4)) {
        throw malformed(`a part's headers are longer than ${this.#limits.headerBytes} bytes`)
      }
      if (end >= 0) return parseHeaders(this.#take(end + CRLF.length).toString('latin1'))
      await this.#fill("the body ended within a part's headers")
    }
  }

  async *body(): AsyncGenerator<Buffer, void, void> {
    let headersEnd: number = CRLF.length
    for await (const chunk of this.untilDelimiter()) {
      const content = chunk.subarray(Math.min(headersEnd, chunk.length))
      headersEnd -= chunk.length - content.length
      if (content.length > 0) yield content
    }
  }

  async skipEpilogue(): Promise<void> {
    let skipped = this.#buffer.length
    while (!this.#ended) {
      const { value, done } = await this.#source.next()
      if (done) this.#ended = true
      else skipped += value.length
      if (skipped > this.#limits.preambleBytes) throw malformed('there is too much behind the closing delimiter')
    }
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    return taken
  }

  async #fill(otherwise: string): Promise<void> {
    if (this.#ended) throw malformed(otherwise)
    const { value, done } = await this.#source.next()
    if (done) {
      this.#ended = true
      throw malformed(otherwise)
    }
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
  }
}

function parseHeaders(block: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of block.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    if (line === '') continue
    const colon = line.indexOf(':')
    if (colon < 1) throw malformed("a line of a part's headers has no name")
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}

function malformed(reason: string): RequestError {
  return new RequestError('malformed-multipart', `The multipart body is malformed: ${reason}.`)
}

/** One part to be written: its length is known before its bytes are read. */
export interface OutgoingPart {
  headers: Readonly<Record<string, string>>
  length: number
  bytes(): AsyncIterable<Uint8Array>
}

/** A multipart/related body whose Content-Length is known (RFC 2387, PS3.18 8.6.1.2). */
export interface OutgoingMultipart {
  contentType: string
  length: number
  bytes(): AsyncGenerator<Uint8Array, void, void>
}

/**
 * Lays parts out as multipart/related; nothing is read until `bytes()` is iterated.
 * @param type the media type of the root part, for the Content-Type's `type` parameter
 */
export function writeMultipart(type: string, parts: readonly OutgoingPart[]): OutgoingMultipart {
  const boundary = `hilum-${randomUUID()}`
  const heads = parts.map((part, index) => {
    const lines = Object.entries(part.headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return Buffer.from(`${index === 0 ? '' : '\r\n'}--${boundary}\r\n${lines.join('')}\r\n`, 'latin1')
  })
  const close = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1')
  const length = parts.reduce((sum, part, i) => sum + part.length + (heads[i]?.length ?? 0), close.length)
  async function* bytes() {
    for (const [index, part] of parts.entries()) {
      // The first bytes are read before the part is announced: what fails at once still gets a proper error answer.
      const content = part.bytes()[Symbol.asyncIterator]()
      try {
        let next = await content.next()
        yield heads[index] as Buffer
        for (; !next.done; next = await content.next()) yield next.value
      } finally {
        await content.return?.()
      }
    }
    yield close
  }
  return { contentType: `multipart/related; type="${type}"; boundary=${boundary}`, length, bytes }
}
