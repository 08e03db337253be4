import type { InstanceFile } from '../../dicom/instance-file.ts'
import { InferError } from '../error.ts'
import type { ColourReader } from './colour.ts'
import { bytesOf, lookupTable } from './transformation.ts'

interface Table {
  /** Stored value of the first entry. */
  first: number
  entries: Uint16Array
  bits: number
}

/**
 * How stored values become red, green and blue by the palette's tables (PS3.3 C.7.9).
 * @throws {InferError} `unsupported-pixels` where a table is incomplete
 */
export async function paletteReader(file: InstanceFile): Promise<ColourReader> {
  const tables = await Promise.all([1, 2, 3].map((n) => tableOf(file, n)))
  return (stored) => {
    const rgb = new Uint8Array(stored.length * 3)
    for (const [channel, { first, entries, bits }] of tables.entries()) {
      // Tables of 16 bits whose entries never go beyond 8 are written by mistake, and often.
      const shift = bits > 8 && entries.some((entry) => entry > 255) ? 8 : 0
      const last = entries.length - 1
      for (let i = 0; i < stored.length; i++) {
        const entry = entries[Math.min(last, Math.max(0, (stored[i] as number) - first))] as number
        rgb[i * 3 + channel] = entry >> shift
      }
    }
    return rgb
  }
}

/** @param n 1 red, 2 green, 3 blue */
async function tableOf(file: InstanceFile, n: number): Promise<Table> {
  const { elements } = file
  const descriptor = elements[`0028110${n}`]
  const segmented = elements[`0028122${n}`]
  if (!segmented) return await lookupTable(file, descriptor, elements[`0028120${n}`])
  const [count = 0, first = 0, bits = 16] = (descriptor?.Value ?? []).map(Number)
  const bytes = await bytesOf(file, segmented)
  const words = segmented.Value
    ? Uint16Array.from(segmented.Value.map(Number))
    : Uint16Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readUInt16LE(i * 2))
  return { first, bits, entries: unfolded(words, count === 0 ? 65536 : count) }
}

const incomplete = (): InferError => new InferError('unsupported-pixels', 'a segmented palette of the image is damaged')

/** The entries of a segmented table (PS3.3 C.7.9.2): values as they are, straight lines, and segments that are used again. */
function unfolded(words: Uint16Array, count: number): Uint16Array {
  const entries = new Uint16Array(count)
  let filled = 0
  const put = (value: number): void => {
    if (filled >= count) throw incomplete()
    entries[filled++] = value
  }
  /** Reads segments from a word on; gives the word after them. */
  const read = (from: number, segments: number, nested: boolean): number => {
    let at = from
    for (let n = 0; n < segments && at < words.length && (nested || filled < count); n++) {
      const [code, length] = [words[at], words[at + 1]]
      if (code === undefined || length === undefined) throw incomplete()
      at += 2
      if (code === 0) {
        if (at + length > words.length) throw incomplete()
        for (let i = 0; i < length; i++) put(words[at + i] as number)
        at += length
      } else if (code === 1) {
        const [start, end] = [entries[filled - 1], words[at++]]
        if (start === undefined || end === undefined) throw incomplete()
        for (let i = 1; i <= length; i++) put(Math.round(start + ((end - start) * i) / length))
      } else if (code === 2 && !nested) {
        const offset = (words[at] ?? 0) + 65536 * (words[at + 1] ?? 0)
        read(offset / 2, length, true)
        at += 2
      } else throw incomplete()
    }
    return at
  }
  read(0, Number.POSITIVE_INFINITY, false)
  if (filled < count) throw incomplete()
  return entries
}
