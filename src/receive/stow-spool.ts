import { type FileHandle, open } from 'node:fs/promises'
import { DicomError } from '../dicom/error.ts'
import type { IncomingFile, IncomingFolder } from '../store/incoming.ts'

const readLength = 256 * 1024

/**
 * Bytes of a request that have to wait for others, in an unfinished file of the incoming folder: after a crash it is deleted like any
 * other.
 */
export class Spool {
  readonly #file: IncomingFile
  #handle: FileHandle | null = null

  /** @throws {IncomingError} */
  constructor(incoming: Pick<IncomingFolder, 'beginRaw'>) {
    this.#file = incoming.beginRaw()
  }

  get size(): number {
    return this.#file.size
  }

  /** @throws {IncomingError} */
  append(chunk: Buffer): void {
    this.#file.write(chunk)
  }

  /** @throws {DicomError} `truncated` where the spool does not hold so much */
  async read(offset: number, length: number): Promise<Buffer> {
    this.#handle ??= await open(this.#file.path, 'r')
    const bytes = Buffer.allocUnsafe(length)
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, offset + done)
      if (bytesRead === 0) throw new DicomError('truncated', 'what was put aside is not whole')
      done += bytesRead
    }
    return bytes
  }

  /** The bytes of a range, piece by piece. */
  async *stream(offset: number, length: number): AsyncGenerator<Buffer, void, void> {
    for (let done = 0; done < length; ) {
      const piece = await this.read(offset + done, Math.min(readLength, length - done))
      done += piece.length
      yield piece
    }
  }

  async dispose(): Promise<void> {
    this.#file.discard()
    await this.#handle?.close()
    this.#handle = null
  }
}
