import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createInflateRaw } from 'node:zlib'
import { DicomError } from './error.ts'

/** Bytes that are read in one direction only: of a file, or of a data set while it is inflated. */
export interface ForwardReader {
  /** Offset of the next byte. */
  readonly position: number
  /** The next bytes without passing them; fewer than asked for only where the end is near. Valid until the next call. */
  peek(length: number): Buffer | Promise<Buffer>
  /** Passes over bytes; returns how many there were. */
  skip(length: number): number | Promise<number>
}

/** The bytes that one read from the disk fetches at least, in a walk that only looks at headers. */
const smallestRead = 4096

/** Reads a file by position; what is skipped is never read. */
export class FileReader implements ForwardReader {
  readonly #handle: FileHandle
  readonly #size: number
  readonly #atOnce: number
  #position: number
  #window: Buffer<ArrayBuffer> = Buffer.alloc(0)
  #windowStart = 0

  /**
   * @param size bytes of the file, so that the end is known without reading it
   * @param options.atOnce bytes that one read from the disk fetches at least
   */
  constructor(handle: FileHandle, size: number, options: { position?: number; atOnce?: number } = {}) {
    this.#handle = handle
    this.#size = size
    this.#position = options.position ?? 0
    this.#atOnce = options.atOnce ?? smallestRead
  }

  get position(): number {
    return this.#position
  }

  peek(length: number): Buffer | Promise<Buffer> {
    const from = this.#position - this.#windowStart
    if (from >= 0 && from + length <= this.#window.length) return this.#window.subarray(from, from + length)
    return this.#fill(length)
  }

  async #fill(length: number): Promise<Buffer> {
    const wanted = Math.min(Math.max(length, this.#atOnce), Math.max(0, this.#size - this.#position))
    const buffer = Buffer.allocUnsafe(wanted)
    let filled = 0
    while (filled < wanted) {
      const { bytesRead } = await this.#handle.read(buffer, filled, wanted - filled, this.#position + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    this.#window = buffer.subarray(0, filled)
    this.#windowStart = this.#position
    return this.#window.subarray(0, length)
  }

  skip(length: number): number {
    const skipped = Math.min(length, Math.max(0, this.#size - this.#position))
    this.#position += skipped
    return skipped
  }
}

/** Bytes that a stream may give at most: a deflated file of a few megabytes could otherwise keep a reader busy for minutes. */
const maximumStreamed = 2 * 1024 ** 3
/** Bytes that are inflated at a time. */
const inflatedChunk = 64 * 1024

/** Reads a stream; what is skipped is forgotten at once. */
export class StreamReader implements ForwardReader {
  readonly #chunks: AsyncIterator<Buffer>
  #buffered: Buffer = Buffer.alloc(0)
  #position = 0
  #received = 0
  #ended = false

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  get position(): number {
    return this.#position
  }

  peek(length: number): Buffer | Promise<Buffer> {
    return this.#buffered.length >= length || this.#ended ? this.#buffered.subarray(0, length) : this.#gather(length)
  }

  async #gather(length: number): Promise<Buffer> {
    const parts = [this.#buffered]
    let gathered = this.#buffered.length
    while (gathered < length) {
      const chunk = await this.#next()
      if (!chunk) break
      parts.push(chunk)
      gathered += chunk.length
    }
    this.#buffered = Buffer.concat(parts, gathered)
    return this.#buffered.subarray(0, length)
  }

  async #next(): Promise<Buffer | null> {
    if (this.#ended) return null
    const { value, done } = await this.#chunks.next()
    if (done) {
      this.#ended = true
      return null
    }
    this.#received += value.length
    if (this.#received > maximumStreamed)
      throw new DicomError('unreadable', `the data set inflates to more than ${maximumStreamed} bytes`)
    return value
  }

  skip(length: number): number | Promise<number> {
    if (length > this.#buffered.length) return this.#pass(length)
    this.#buffered = this.#buffered.subarray(length)
    this.#position += length
    return length
  }

  async #pass(length: number): Promise<number> {
    let passed = this.#buffered.length
    this.#buffered = Buffer.alloc(0)
    while (passed < length) {
      const chunk = await this.#next()
      if (!chunk) break
      const used = Math.min(chunk.length, length - passed)
      this.#buffered = chunk.subarray(used)
      passed += used
    }
    this.#position += passed
    return passed
  }
}

/** The inflated data set of a file as a stream (PS3.5 A.5); destroy it when it is not read to its end. */
export function inflateFrom(path: string, dataSetOffset: number): Readable {
  const source = createReadStream(path, { start: dataSetOffset })
  const inflate = createInflateRaw({ chunkSize: inflatedChunk })
  source.on('error', (error) => inflate.destroy(error))
  inflate.on('close', () => source.destroy())
  return source.pipe(inflate)
}
