import { isPixelDataTag, longVRs, undefinedLength } from './element-header.ts'

/** Where elements of the outermost data set lie. */
export interface FoundElements {
  /** By the position of the tag that was asked for: the offset of the value, and its bytes; -1 where the element is absent. */
  offsets: number[]
  lengths: number[]
  /** The first of the pixel data elements: offset, and bytes or null for encapsulated ones. Null where the bytes end without one. */
  pixelData: { offset: number; length: number | null } | null
}

/** Sequences within sequences beyond this are left to a reader that knows what to do about them. */
const maximumDepth = 16

const code = (vr: string): number => (vr.charCodeAt(0) << 8) | vr.charCodeAt(1)
const shortVRs: ReadonlySet<number> = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' ').map(code),
)
const longVRCodes: ReadonlySet<number> = new Set([...longVRs].map(code))
const sq = code('SQ')

/**
 * Finds elements in a little endian data set without reading any other: a small part of what reading all of them costs. It looks at
 * regular data sets only (PS3.5 7.1): where anything is unusual or broken, it finds nothing, and `readHead` has to judge.
 * @param tags in ascending order, as numbers
 * @returns null where the data set is not regular, or goes on beyond the bytes before its pixel data
 */
export function findElements(bytes: Uint8Array, tags: readonly number[], explicitVR: boolean): FoundElements | null {
  const offsets = tags.map(() => -1)
  const lengths = tags.map(() => 0)
  let next = 0
  let before = 0x0002ffff
  for (let at = 0; at < bytes.length; ) {
    const tag = tagAt(bytes, at)
    if (tag <= before || at + 8 > bytes.length) return null
    before = tag
    const size = explicitVR ? headerSize(bytes, at) : 8
    if (size === 0) return null
    const length = explicitVR ? lengthAt(bytes, at, size) : uint32At(bytes, at + 4)
    const value = at + size
    if (isPixelDataTag(tag))
      return { offsets, lengths, pixelData: { offset: value, length: length === undefinedLength ? null : length } }
    at = length === undefinedLength ? sequenceEnd(bytes, at, explicitVR) : value + length
    if (at < 0 || at > bytes.length) return null
    while (next < tags.length && (tags[next] as number) < tag) next++
    if (tags[next] !== tag) continue
    offsets[next] = value
    lengths[next] = length
  }
  return { offsets, lengths, pixelData: null }
}

function tagAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) * 0x10000 +
    ((bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8))
  )
}

/** Bytes of an element's header; 0 where it names no VR, or is not whole. */
function headerSize(bytes: Uint8Array, at: number): number {
  const vr = ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number)
  if (shortVRs.has(vr)) return 8
  return longVRCodes.has(vr) && at + 12 <= bytes.length ? 12 : 0
}

function lengthAt(bytes: Uint8Array, at: number, size: number): number {
  return size === 8 ? (bytes[at + 6] as number) | ((bytes[at + 7] as number) << 8) : uint32At(bytes, at + 8)
}

function uint32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
  return low + ((bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8)) * 0x10000
}

/** The offset behind a sequence of undefined length (PS3.5 7.5.2); -1 where it cannot be told. */
function sequenceEnd(bytes: Uint8Array, element: number, explicitVR: boolean, depth = 0): number {
  const vr = ((bytes[element + 4] as number) << 8) | (bytes[element + 5] as number)
  if ((explicitVR && vr !== sq) || depth > maximumDepth) return -1
  for (let at = element + (explicitVR ? 12 : 8); at + 8 <= bytes.length; ) {
    const tag = tagAt(bytes, at)
    const length = uint32At(bytes, at + 4)
    if (tag === 0xfffee0dd) return length === 0 ? at + 8 : -1
    if (tag !== 0xfffee000) return -1
    at = length === undefinedLength ? itemEnd(bytes, at + 8, explicitVR, depth) : at + 8 + length
    if (at < 0) return -1
  }
  return -1
}

function itemEnd(bytes: Uint8Array, first: number, explicitVR: boolean, depth: number): number {
  for (let at = first; at + 8 <= bytes.length; ) {
    if (tagAt(bytes, at) === 0xfffee00d) return uint32At(bytes, at + 4) === 0 ? at + 8 : -1
    const size = explicitVR ? headerSize(bytes, at) : 8
    if (size === 0) return -1
    const length = explicitVR ? lengthAt(bytes, at, size) : uint32At(bytes, at + 4)
    at = length === undefinedLength ? sequenceEnd(bytes, at, explicitVR, depth + 1) : at + size + length
    if (at < 0) return -1
  }
  return -1
}
