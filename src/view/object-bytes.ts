import { type FileHandle, open } from 'node:fs/promises'
import type { ByteRange } from '../dicom/instance-file.ts'
import { RequestError } from '../dicomweb/request-error.ts'

const chunkBytes = 256 * 1024

/**
 * Opens a stored object's file.
 * @throws RequestError 'not-found' where the index names an object that is not there (it was deleted meanwhile)
 */
export async function openObject(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new RequestError('not-found', 'The object is no longer here.', { cause: error })
  }
}

/** Reads one range of a file, a chunk at a time. */
export async function* readRange(file: FileHandle, { offset, length }: ByteRange): AsyncGenerator<Buffer, void, void> {
  let position = offset
  const end = offset + length
  while (position < end) {
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, end - position))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
    if (bytesRead === 0) throw new Error(`the object's file ends at ${position}, expected ${end} bytes`)
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
}

/** Reads several ranges, one behind the other. */
export async function* readRanges(file: FileHandle, ranges: readonly ByteRange[]): AsyncGenerator<Buffer, void, void> {
  for (const range of ranges) yield* readRange(file, range)
}

/** Reads a whole file whose path is found when its turn comes; it is open only while it is read. */
export async function* readObject(path: () => Promise<string>, length: number): AsyncGenerator<Buffer, void, void> {
  const file = await openObject(await path())
  try {
    yield* readRange(file, { offset: 0, length })
  } finally {
    await file.close()
  }
}

/**
 * Reverses the bytes of every word (PS3.5 7.3): stored big endian, given little endian.
 * @param wordBytes 1, 2, 4 or 8; words may lie across chunks
 */
export async function* swapBytes(source: AsyncIterable<Buffer>, wordBytes: number): AsyncGenerator<Buffer, void, void> {
  if (wordBytes === 1) {
    yield* source
    return
  }
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole = bytes.length - (bytes.length % wordBytes)
    rest = Buffer.from(bytes.subarray(whole))
    const words = Buffer.from(bytes.subarray(0, whole))
    if (wordBytes === 2) words.swap16()
    else if (wordBytes === 4) words.swap32()
    else words.swap64()
    if (words.length > 0) yield words
  }
  if (rest.length > 0) yield rest
}

/**
 * Takes `bits` bits out of a packed value, least significant bit first (PS3.5 8.1.1), so that they begin at a byte.
 * @param skip bits of the first byte that belong to the frame before, 0 to 7
 */
export async function* takeBits(
  source: AsyncIterable<Buffer>,
  { skip, bits }: { skip: number; bits: number },
): AsyncGenerator<Buffer, void, void> {
  let left = Math.ceil(bits / 8)
  let held: number | null = null
  for await (const chunk of source) {
    const out = Buffer.alloc(chunk.length + 1)
    let written = 0
    for (const byte of chunk) {
      if (left === 0) break
      if (skip > 0 && held === null) {
        held = byte
        continue
      }
      out[written++] = skip === 0 ? byte : ((held ?? 0) >> skip) | ((byte << (8 - skip)) & 0xff)
      held = byte
      left--
    }
    if (left === 0 && written > 0) clearTail(out, written, bits)
    if (written > 0) yield out.subarray(0, written)
  }
  if (left === 1 && held !== null) {
    const last = Buffer.from([held >> skip])
    clearTail(last, 1, bits)
    yield last
  }
}

function clearTail(bytes: Buffer, written: number, bits: number): void {
  const used = bits % 8
  if (used !== 0) bytes[written - 1] = (bytes[written - 1] ?? 0) & ((1 << used) - 1)
}
