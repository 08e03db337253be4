import { parseMediaType } from '../dicomweb/media-type.ts'
import { IncomingError, type IncomingFolder } from '../store/incoming.ts'
import { BulkDataError, nativeLength, type PixelKind, pixelKindOf } from './stow-frames.ts'
import { Spool } from './stow-spool.ts'
import { IntakeError } from './take-in.ts'

/** A part of the request that holds a value, or a frame of it. */
export interface BulkChunk {
  offset: number
  length: number
  /** From 1, where the part's Content-Location names it. */
  frame: number | null
  pixels: PixelKind | null
}

/** What metadata says of the pixel data that it refers to. */
export interface ExpectedPixels {
  /** Transfer syntaxes that the metadata names. */
  transferSyntaxes: readonly string[]
  image: Parameters<typeof nativeLength>[0]
}

/** A value that lies beside the metadata. */
export interface BulkDatum {
  /** null: it is no pixel data, and its bytes are the value's. */
  expected: ExpectedPixels | null
  chunks: BulkChunk[]
  /** Why it cannot be used. */
  failure: Error | null
  isComplete: boolean
}

/**
 * The bulk data of a request (PS3.18 10.5.1.2): looked up by the Content-Location that the metadata names as BulkDataURI, and put aside in one file
 * until all that a data set refers to has come.
 */
export class BulkData {
  readonly #incoming: Pick<IncomingFolder, 'beginRaw'>
  readonly #maximumBytes: number
  readonly #base: string
  readonly #data = new Map<string, BulkDatum>()
  #spool: Spool | null = null
  /** Chunks in the spool that are still needed. */
  #needed = 0

  /** @param base URL that relative locations are resolved against */
  constructor(options: { incoming: Pick<IncomingFolder, 'beginRaw'>; maximumBytes: number; base: string }) {
    this.#incoming = options.incoming
    this.#maximumBytes = options.maximumBytes
    this.#base = options.base
  }

  /** A value that will come. Where two data sets refer to the same one, it is the same object. */
  expect(location: string, expected: ExpectedPixels | null): BulkDatum {
    const key = this.#keyOf(location)
    const known = this.#data.get(key)
    if (known) return known
    const datum: BulkDatum = { expected, chunks: [], failure: null, isComplete: false }
    this.#data.set(key, datum)
    return datum
  }

  /** Nobody needs the value any more: its place may be used again. */
  release(location: string): void {
    const key = this.#keyOf(location)
    const datum = this.#data.get(key)
    if (!datum) return
    this.#data.delete(key)
    this.#needed -= datum.chunks.length
  }

  /** Ends the file that values lie in, once none of them is needed, so that it does not grow with the request. */
  async tidy(): Promise<void> {
    if (this.#needed > 0 || this.#spool === null) return
    const spool = this.#spool
    this.#spool = null
    await spool.dispose()
  }

  /**
   * Takes a part in.
   * @returns the value that it belongs to, or null where no data set that waits refers to it
   * @throws what the part's body throws; what is wrong with the part itself is the value's failure
   */
  async take(part: {
    location: string | null
    contentType: string
    body: AsyncIterable<Buffer>
  }): Promise<BulkDatum | null> {
    const found = part.location === null ? null : this.#find(part.location)
    if (found === null || found.datum.isComplete) return null
    const { datum, frame } = found
    try {
      await this.#takeChunk(datum, frame, part)
    } catch (error) {
      const isDatums = error instanceof BulkDataError || error instanceof IntakeError
      if (!isDatums && !(error instanceof IncomingError && error.code === 'out-of-space')) throw error
      datum.failure = error
    }
    datum.isComplete = datum.failure !== null || isComplete(datum)
    return datum
  }

  read(offset: number, length: number): Promise<Buffer> {
    return this.#open().read(offset, length)
  }

  stream(offset: number, length: number): AsyncIterable<Buffer> {
    return this.#open().stream(offset, length)
  }

  async dispose(): Promise<void> {
    await this.#spool?.dispose()
    this.#spool = null
  }

  async #takeChunk(
    datum: BulkDatum,
    frame: number | null,
    { contentType, body }: { contentType: string; body: AsyncIterable<Buffer> },
  ): Promise<void> {
    const type = parseMediaType(contentType)
    const declared = type?.parameters.get('transfer-syntax') ?? null
    const pixels = datum.expected
      ? pixelKindOf(type?.type ?? '', { declared, fromMetadata: datum.expected.transferSyntaxes })
      : null
    const spool = this.#open()
    const offset = spool.size
    const before = datum.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    for await (const chunk of body) {
      if (before + spool.size - offset + chunk.length > this.#maximumBytes)
        throw new IntakeError('part-too-large', `bulk data is larger than ${this.#maximumBytes} bytes`)
      spool.append(chunk)
    }
    if (spool.size === offset) throw new BulkDataError('bulk-data-wrong', 'a part of bulk data is empty')
    datum.chunks.push({ offset, length: spool.size - offset, frame, pixels })
    this.#needed++
  }

  #open(): Spool {
    this.#spool ??= new Spool(this.#incoming)
    return this.#spool
  }

  /** Frames come under the value's own location, or under `/frames/N` below it. */
  #find(location: string): { datum: BulkDatum; frame: number | null } | null {
    const key = this.#keyOf(location)
    const whole = this.#data.get(key)
    if (whole) return { datum: whole, frame: null }
    const [, base = '', number] = /^(.*)\/frames\/(\d{1,9})$/.exec(key) ?? []
    const framed = this.#data.get(base)
    return framed ? { datum: framed, frame: Number(number) } : null
  }

  #keyOf(location: string): string {
    try {
      return new URL(location, this.#base).href
    } catch {
      return location
    }
  }
}

function isComplete({ expected, chunks }: BulkDatum): boolean {
  const [first] = chunks
  if (first === undefined) return false
  if (expected === null) return true
  if (first.pixels?.kind === 'frame') return chunks.length >= expected.image.frames
  const length = nativeLength(expected.image)
  return length === null || chunks.reduce((sum, chunk) => sum + chunk.length, 0) >= length
}
