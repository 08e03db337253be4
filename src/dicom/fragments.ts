import type { DicomJson } from './dicom-json.ts'
import { tagOf } from './dictionary.ts'
import { itemTag, sequenceDelimitationTag, undefinedLength } from './element-header.ts'
import { DicomError } from './error.ts'
import type { ByteRange, ReadRange } from './frames.ts'
import { TS } from './transfer-syntax.ts'

/** The items of encapsulated pixel data (PS3.5 A.4). */
export interface FragmentSequence {
  /** Offset of the first byte after the Basic Offset Table: what all offset tables count from. */
  base: number
  /** Values of the Basic Offset Table; empty where it is empty. */
  offsets: number[]
  /** The fragments' values. */
  fragments: ByteRange[]
}

/** Header bytes are read this many at a time, so that small fragments cost no read each. */
const readAhead = 4096

/**
 * Walks the items of encapsulated pixel data without reading fragments.
 * @param at offset of the value of the pixel data element
 * @param limit where the file ends
 * @throws {DicomError} `truncated`, `unreadable`
 */
export async function walkFragments(read: ReadRange, at: number, limit: number): Promise<FragmentSequence> {
  let window: Buffer = Buffer.alloc(0)
  let windowStart = 0
  const headerAt = async (position: number) => {
    if (position < windowStart || position + 8 > windowStart + window.length) {
      window = await read({ offset: position, length: readAhead })
      windowStart = position
    }
    if (window.length - (position - windowStart) < 8)
      throw new DicomError('truncated', 'the file ends inside the fragments of its pixel data')
    const header = window.subarray(position - windowStart, position - windowStart + 8)
    return { tag: header.readUInt16LE(0) * 0x10000 + header.readUInt16LE(2), length: header.readUInt32LE(4) }
  }
  const items: ByteRange[] = []
  // A file may end without the delimiter after its last fragment: its frames are whole all the same.
  for (let position = at; position !== limit || items.length === 0; ) {
    const { tag, length } = await headerAt(position)
    if (tag === sequenceDelimitationTag) break
    if (tag !== itemTag || length === undefinedLength)
      throw new DicomError('unreadable', `item ${items.length} of the pixel data is no fragment`)
    if (position + 8 + length > limit)
      throw new DicomError('truncated', `fragment ${items.length} announces ${length} bytes, the file ends inside it`)
    items.push({ offset: position + 8, length })
    position += 8 + length
  }
  const [table, ...fragments] = items
  if (!table) return { base: at, offsets: [], fragments: [] }
  const bytes = await read(table)
  const offsets: number[] = []
  for (let entry = 0; entry + 4 <= bytes.length; entry += 4) offsets.push(bytes.readUInt32LE(entry))
  return { base: table.offset + table.length, offsets, fragments }
}

/** The Extended Offset Table and its lengths (PS3.3 C.7.6.3.1.8), or null. */
export async function readExtendedOffsets(
  elements: DicomJson,
  read: ReadRange,
): Promise<{ offsets: number[]; lengths: number[] } | null> {
  const offsets = await readUnsigned64(elements, 'ExtendedOffsetTable', read)
  const lengths = await readUnsigned64(elements, 'ExtendedOffsetTableLengths', read)
  return offsets && lengths && offsets.length === lengths.length && offsets.length > 0 ? { offsets, lengths } : null
}

async function readUnsigned64(elements: DicomJson, keyword: string, read: ReadRange): Promise<number[] | null> {
  const element = elements[tagOf(keyword) ?? '']
  let bytes: Buffer
  const place = /^#(\d+),(\d+)$/.exec(element?.BulkDataURI ?? '')
  if (place) bytes = await read({ offset: Number(place[1]), length: Number(place[2]) })
  else if (element?.InlineBinary) bytes = Buffer.from(element.InlineBinary, 'base64')
  else return null
  const values: number[] = []
  for (let at = 0; at + 8 <= bytes.length; at += 8) values.push(Number(bytes.readBigUInt64LE(at)))
  return values
}

/** MPEG-2, MPEG-4 and HEVC, with their fragmentable variants: one stream for all frames. */
const video = /^1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?$/

interface Grouping {
  read: ReadRange
  /** Number of Frames, null where the attribute is absent. */
  frames: number | null
  extended: { offsets: number[]; lengths: number[] } | null
  transferSyntaxUID: string
}

/**
 * Puts fragments together to frames: by an offset table where it fits the fragments, else by their number, else by the code stream
 * headers with which frames begin.
 */
export async function groupFragments(sequence: FragmentSequence, options: Grouping): Promise<ByteRange[][]> {
  const fragments = sequence.fragments.filter((fragment) => fragment.length > 0)
  const frames = options.frames ?? (sequence.offsets.length || 1)
  if (fragments.length === 0) throw new DicomError('no-pixel-data', 'the pixel data has no fragments')
  if (video.test(options.transferSyntaxUID)) return [fragments]
  const { extended } = options
  const table =
    extended && extended.offsets.length === frames
      ? byExtendedOffsets(sequence, extended)
      : sequence.offsets.length === frames
        ? byOffsets(sequence.offsets, { base: sequence.base, fragments })
        : null
  if (table) return table
  if (fragments.length === frames) return fragments.map((fragment) => [fragment])
  if (frames === 1) return [fragments]
  return await byCodeStreams(fragments, frames, options)
}

/** With extended offsets each frame is one fragment, and its exact length is known (PS3.3 C.7.6.3.1.8). */
function byExtendedOffsets(
  { base, fragments }: FragmentSequence,
  { offsets, lengths }: { offsets: number[]; lengths: number[] },
): ByteRange[][] | null {
  const byOffset = new Map(fragments.map((fragment) => [fragment.offset - 8 - base, fragment]))
  const frames: ByteRange[][] = []
  for (const [index, offset] of offsets.entries()) {
    const fragment = byOffset.get(offset)
    const length = lengths[index] ?? 0
    if (!fragment || length > fragment.length) return null
    frames.push([{ offset: fragment.offset, length }])
  }
  return frames
}

/** Offsets count from the first fragment's item tag, and each must be that of a fragment; null where the table does not fit. */
function byOffsets(
  offsets: number[],
  { base, fragments }: { base: number; fragments: ByteRange[] },
): ByteRange[][] | null {
  const starts = new Map(offsets.map((offset, frame) => [offset, frame]))
  if (
    starts.size !== offsets.length ||
    offsets.some((offset, frame) => frame > 0 && offset <= (offsets[frame - 1] ?? 0))
  )
    return null
  const frames: ByteRange[][] = []
  for (const fragment of fragments) {
    const frame = starts.get(fragment.offset - 8 - base)
    if (frame !== undefined) {
      if (frame !== frames.length) return null
      frames.push([])
    }
    const current = frames.at(-1)
    if (!current) return null
    current.push(fragment)
  }
  return frames.length === offsets.length ? frames : null
}

async function byCodeStreams(fragments: ByteRange[], count: number, options: Grouping): Promise<ByteRange[][]> {
  const frames: ByteRange[][] = []
  for (const fragment of fragments) {
    const first = await options.read({ offset: fragment.offset, length: Math.min(64, fragment.length) })
    if (beginsCodeStream(first, options.transferSyntaxUID)) frames.push([])
    const current = frames.at(-1)
    if (!current) break
    current.push(fragment)
  }
  if (frames.length === count) return frames
  throw new DicomError(
    'unreadable',
    `${fragments.length} fragments hold ${frames.length} code streams, ${count} frames are announced, and no offset table tells them apart`,
  )
}

/** The first bytes of a compressed frame: RLE header, JPEG SOI, JPEG 2000 SOC, JPEG XL signatures. */
function beginsCodeStream(first: Buffer, transferSyntaxUID: string): boolean {
  if (transferSyntaxUID === TS.rle) {
    // PS3.5 G.5: number of segments, then offsets of which the first is always 64
    if (first.length < 64) return false
    const segments = first.readUInt32LE(0)
    return segments >= 1 && segments <= 15 && first.readUInt32LE(4) === 64
  }
  const start = first.toString('hex', 0, 12)
  if (start.startsWith('ffd8ff') || start.startsWith('ff4fff51') || start.startsWith('ff0a')) return true
  return start.startsWith('0000000c6a502020') || start.startsWith('0000000c4a584c20')
}
