import { open, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'
import { messageOf } from '../errors.ts'
import { numberOf, textOf } from './dataset.ts'
import type { DicomJson } from './dicom-json.ts'
import { DicomError } from './error.ts'
import { groupFragments, readExtendedOffsets, walkFragments } from './fragments.ts'
import { type PixelDataPlace, readElements, startOf } from './head.ts'
import type { InstanceFile } from './instance-file.ts'
import { transferSyntax } from './transfer-syntax.ts'

/** A run of bytes: in the file, or in the inflated data set of a deflated file. */
export interface ByteRange {
  offset: number
  length: number
}

/** Reads bytes of a file, or of its inflated data set. */
export type ReadRange = (range: ByteRange, into?: Buffer) => Promise<Buffer>

/** Bytes that a deflated data set is inflated to at most. */
const maximumInflated = 1024 * 1024 * 1024
/** Bytes of one frame that are read at most. */
const maximumFrame = 2 * 1024 * 1024 * 1024

/**
 * Finds the frames of an instance, each as the ranges that make it up: one range for native pixel data, the fragments for encapsulated.
 * Native frames of one bit a pixel are not aligned to bytes (PS3.5 8.1.1): the whole value is one range of one "frame". The frames of a
 * video are inseparable, and are one "frame" too. A deflated file is inflated into memory, at most 1 GiB, and kept in `file.inflated`.
 * @throws {DicomError} `no-pixel-data`; `truncated` when the value holds fewer frames than announced; `unreadable` when fragments cannot
 * be told apart
 */
export async function locateFrames(file: InstanceFile): Promise<ByteRange[][]> {
  const place = await placeOf(file)
  if (!place) throw new DicomError('no-pixel-data', 'the instance has no pixel data')
  if (place.length !== null) return nativeFrames(file.elements, place, limitOf(file))
  return await withBytes(file, async (read) => {
    const frames = numberOf(file.elements, 'NumberOfFrames')
    const extended = await readExtendedOffsets(file.elements, read)
    const sequence = await walkFragments(read, place.offset, limitOf(file))
    return await groupFragments(sequence, { read, frames, extended, transferSyntaxUID: file.transferSyntaxUID })
  })
}

/**
 * Reads one frame: the bytes of its ranges, one after the other.
 * @param into memory for a frame that is one range of as many bytes; a frame of a deflated file is in memory as it is
 * @throws {DicomError} `truncated` when the file ends before
 */
export async function readFrame(file: InstanceFile, ranges: ByteRange[], into?: Buffer): Promise<Uint8Array> {
  const total = ranges.reduce((sum, range) => sum + range.length, 0)
  if (total > maximumFrame)
    throw new DicomError('unreadable', `a frame of ${total} bytes is beyond the limit of ${maximumFrame}`)
  return await withBytes(file, async (read) => {
    const parts: Buffer[] = []
    for (const range of ranges) {
      const bytes = await read(range, ranges.length === 1 ? into : undefined)
      if (bytes.length < range.length)
        throw new DicomError('truncated', `a frame of ${total} bytes is expected, the file ends inside it`)
      parts.push(bytes)
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, total)
  })
}

function limitOf(file: InstanceFile): number {
  return file.inflated ? file.inflated.length : file.size
}

/** The place of the pixel data in the file, or in the inflated data set. */
async function placeOf(file: InstanceFile): Promise<PixelDataPlace | null> {
  const syntax = transferSyntax(file.transferSyntaxUID)
  if (!syntax.deflated) return file.pixelData
  file.inflated ??= await inflateWhole(file)
  return readElements(file.inflated, startOf(file.inflated, syntax), 0).head.pixelData
}

async function inflateWhole(file: InstanceFile): Promise<Uint8Array> {
  const bytes = await readFile(file.path)
  try {
    return await promisify(inflateRaw)(bytes.subarray(file.dataSetOffset), { maxOutputLength: maximumInflated })
  } catch (error) {
    throw new DicomError('unreadable', `deflated data set: ${messageOf(error)}`, { cause: error })
  }
}

async function withBytes<Result>(file: InstanceFile, use: (read: ReadRange) => Promise<Result>): Promise<Result> {
  const { inflated } = file
  if (inflated) {
    const bytes = Buffer.from(inflated.buffer, inflated.byteOffset, inflated.byteLength)
    return await use(async ({ offset, length }) => bytes.subarray(offset, offset + length))
  }
  const handle = await open(file.path, 'r')
  try {
    return await use(async ({ offset, length }, into) => {
      const held = Math.max(0, Math.min(length, file.size - offset))
      const buffer = into?.length === held ? into : Buffer.allocUnsafe(held)
      let filled = 0
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return buffer.subarray(0, filled)
    })
  } finally {
    await handle.close()
  }
}

/** Frames of native pixel data lie one after the other (PS3.5 8.1.1, PS3.3 C.7.6.3). */
function nativeFrames(elements: DicomJson, place: PixelDataPlace, limit: number): ByteRange[][] {
  const held = Math.max(0, Math.min(place.length ?? 0, limit - place.offset))
  const bits = bitsPerFrame(elements, place)
  if (numberOf(elements, 'BitsAllocated') === 1 || bits % 8 !== 0) return [[{ offset: place.offset, length: held }]]
  const length = bits / 8
  const count = Math.max(1, numberOf(elements, 'NumberOfFrames') ?? 1)
  if (length === 0) throw new DicomError('unreadable', 'rows, columns and bits allocated do not make a frame')
  if (count * length > held)
    throw new DicomError(
      'truncated',
      `${count} frames of ${length} bytes are announced, the pixel data holds ${held} bytes`,
    )
  return Array.from({ length: count }, (_, frame) => [{ offset: place.offset + frame * length, length }])
}

function bitsPerFrame(elements: DicomJson, place: PixelDataPlace): number {
  const number = (keyword: string) => numberOf(elements, keyword) ?? 0
  const fixed = place.tag === '7FE00008' ? 32 : place.tag === '7FE00009' ? 64 : undefined
  const bits = fixed ?? number('BitsAllocated')
  // Chrominance at half the horizontal resolution: two samples a pixel on average (PS3.3 C.7.6.3.1.2).
  const photometric = textOf(elements, 'PhotometricInterpretation')
  const halved = photometric === 'YBR_FULL_422' || photometric === 'YBR_PARTIAL_422'
  const samples = halved ? 2 : (numberOf(elements, 'SamplesPerPixel') ?? 1)
  return number('Rows') * number('Columns') * samples * bits
}
