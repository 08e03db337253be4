import { constants, inflateRawSync } from 'node:zlib'
import { messageOf } from '../errors.ts'
import { defaultCharacterSet } from './charset.ts'
import type { DicomJson } from './dicom-json.ts'
import {
  type ElementHeader,
  type HeaderSyntax,
  implicitVR,
  isExplicitVR,
  isPixelDataTag,
  itemDelimitationTag,
  sequenceDelimitationTag,
  tagKey,
  undefinedLength,
} from './element-header.ts'
import { ElementReader, isSkippable, ReadStop, type Scope } from './element-reader.ts'
import { DicomError } from './error.ts'
import { transferSyntax } from './transfer-syntax.ts'

export type PixelDataTag = '7FE00010' | '7FE00008' | '7FE00009'

export interface PixelDataPlace {
  tag: PixelDataTag
  vr: string
  /** Of the value's first byte. */
  offset: number
  /** Bytes; null for an undefined length (encapsulated, PS3.5 A.4). */
  length: number | null
}

/** A data set without its pixel data, as far as the bytes went. */
export interface Head {
  elements: DicomJson
  /** `pixel-data`: everything before the pixel data was read; `end`: the bytes end with the last element. */
  ended: 'pixel-data' | 'end' | 'truncated' | 'malformed'
  /** Why it is truncated or malformed, or which part was read over; without patient data. */
  reason: string | null
  pixelData: PixelDataPlace | null
  /** The last tag, as a number, whose element was begun; 0 where none was. All before it were read. */
  reached: number
}

/** Where a reader stands between two elements of the outermost data set, so that it can go on with other bytes. */
export interface HeadProgress {
  head: Head
  scope: Scope
  /** Offset in the bytes of the first element that was not read; beyond them when a long binary value was passed over. */
  next: number
  /** Bytes from `next` that the next element needs, as far as that is known; 0 where it is not. */
  needed: number
}

/**
 * Bytes that deflated input is inflated to at most for the sake of its head, at once and while everybody else waits: a few bytes
 * inflate to a thousand times as many. What goes beyond is read from the file, piece by piece.
 */
const maximumInflatedHead = 1024 * 1024
/** Bytes of deflated input that are tried first: they inflate to no more than the maximum. */
const firstDeflated = 1000

/**
 * Reads a data set (without file meta information) up to its pixel data, into the DICOM JSON Model (PS3.18 F.2). It never throws: what
 * is broken or cut off is said in `ended` and `reason`. Elements of group 0 and group lengths are left out, pixel data as well.
 * @param options.baseOffset the offset of `dataSet` in its file; places (`pixelData`, `BulkDataURI`) are given in `dataSet` plus this.
 * In deflated data sets places are offsets in the inflated bytes, and the base is not added.
 * @param options.only tags as numbers: the values of other elements of defined length are passed over, which is much cheaper
 */
export function readHead(
  dataSet: Uint8Array,
  options: { transferSyntaxUID: string; baseOffset?: number; only?: ReadonlySet<number> },
): Head {
  const syntax = transferSyntax(options.transferSyntaxUID)
  if (!syntax.deflated)
    return readElements(
      dataSet,
      { ...startOf(dataSet, syntax), ...(options.only && { only: options.only }) },
      options.baseOffset ?? 0,
    ).head
  try {
    return readDeflatedHead(dataSet)
  } catch (error) {
    // zlib's errors speak of the compressed bytes only
    return {
      elements: {},
      ended: 'malformed',
      reason: `deflated data set: ${messageOf(error)}`,
      pixelData: null,
      reached: 0,
    }
  }
}

/** Inflates more and more of the input until the head is whole, so that large pixel data is not inflated for nothing. */
function readDeflatedHead(dataSet: Uint8Array): Head {
  let head: Head | null = null
  for (let length = Math.min(firstDeflated, dataSet.length); ; length = Math.min(length * 4, dataSet.length)) {
    const inflated = inflateStart(dataSet.subarray(0, length))
    if (inflated === null) {
      const reason = `the data set inflates to more than ${maximumInflatedHead} bytes before its pixel data`
      return { ...(head ?? nothingRead), ended: 'truncated', reason }
    }
    head = readElements(inflated, startOf(inflated, { explicitVR: true, littleEndian: true }), 0).head
    const isAll = length === dataSet.length
    if (isAll || (head.ended !== 'truncated' && head.ended !== 'end')) return head
  }
}

const nothingRead: Head = { elements: {}, ended: 'truncated', reason: null, pixelData: null, reached: 0 }

/** Input that ends early is taken; null where it inflates to more than a head may be. */
function inflateStart(deflated: Uint8Array): Buffer | null {
  try {
    return inflateRawSync(deflated, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maximumInflatedHead })
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return null
    throw error
  }
}

/**
 * The scope at the start of a data set. Some files say implicit VR and are explicit, or the other way: the first element tells.
 * @param dataSet the first bytes of it, at least six
 */
export function startOf(dataSet: Uint8Array, syntax: HeaderSyntax): Scope {
  const scope: Scope = {
    syntax: { explicitVR: syntax.explicitVR, littleEndian: syntax.littleEndian },
    charset: defaultCharacterSet,
    signed: false,
  }
  if (dataSet.length < 8) return scope
  const found = isExplicitVR(dataSet, 4)
  if (!syntax.explicitVR && found && syntax.littleEndian) {
    // In implicit VR these bytes are the low half of a length: a VR there means at least 16,705 bytes, too long for a first element.
    const tag =
      ((dataSet[0] as number) | ((dataSet[1] as number) << 8)) * 0x10000 +
      ((dataSet[2] as number) | ((dataSet[3] as number) << 8))
    const vr = String.fromCharCode(dataSet[4] as number, dataSet[5] as number)
    if (vr === implicitVR(tag, false) || vr === 'UL') scope.syntax.explicitVR = true
  } else if (syntax.explicitVR && !found && syntax.littleEndian) {
    const length = Buffer.from(dataSet.buffer, dataSet.byteOffset, 8).readUInt32LE(4)
    if (length <= 0xffff) scope.syntax.explicitVR = false
  }
  return scope
}

/**
 * Reads elements until the pixel data or the end of the bytes.
 * @param scope what the elements depend on; it is changed by Specific Character Set and Pixel Representation
 * @param into where to put the elements, for a reader that goes on
 */
export function readElements(bytes: Uint8Array, scope: Scope, baseOffset: number, into: DicomJson = {}): HeadProgress {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const reader = new ElementReader(buffer, baseOffset)
  const header: ElementHeader = { tag: 0, vr: '', explicit: null, size: 0, length: 0 }
  const head: Head = { elements: into, ended: 'end', reason: null, pixelData: null, reached: 0 }
  let at = 0
  let needed = 0
  try {
    while (at < buffer.length) {
      if (!reader.header(at, scope, buffer.length, header))
        throw new ReadStop('truncated', 'the bytes end inside an element', 12)
      head.reached = header.tag
      const value = at + header.size
      if (isPixelDataTag(header.tag)) {
        head.ended = 'pixel-data'
        head.pixelData = {
          tag: tagKey(header.tag) as PixelDataTag,
          vr: header.vr,
          offset: value + baseOffset,
          length: header.length === undefinedLength ? null : header.length,
        }
        break
      }
      at = topLevelElement(reader, header, { at, scope, into })
    }
    if (at > buffer.length) {
      head.ended = 'truncated'
      head.reason = `element ${tagKey(header.tag)} announces ${header.length} bytes, which go beyond the end`
    }
  } catch (error) {
    if (!(error instanceof ReadStop)) throw error
    head.ended = error.kind
    head.reason = error.message
    needed = error.needed
  }
  head.reason ??= reader.note
  return { head, scope, next: at, needed }
}

function topLevelElement(
  reader: ElementReader,
  header: ElementHeader,
  place: { at: number; scope: Scope; into: DicomJson },
): number {
  const { at, scope, into } = place
  const value = at + header.size
  // A delimiter that nothing opened: the rest can still be read.
  if (header.tag === itemDelimitationTag || header.tag === sequenceDelimitationTag) return value
  // Group 0 belongs to commands (PS3.7); zeros after the last element look like it as well.
  const bound = reader.bytes.length
  if (header.tag < 0x00010000 && value + header.length <= bound) return value + header.length
  if (scope.only?.has(header.tag) === false && header.length !== undefinedLength && value + header.length <= bound)
    return value + header.length
  if (value + header.length > bound && isSkippable(header)) {
    into[tagKey(header.tag)] = { vr: header.vr, BulkDataURI: `#${reader.baseOffset + value},${header.length}` }
    return value + header.length
  }
  return reader.element(value, header, { into, scope, bound, depth: 0 })
}

/** The error for a head that could not be read to its pixel data or end. */
export function headError(head: Head): DicomError {
  return new DicomError(
    head.ended === 'truncated' ? 'truncated' : 'unreadable',
    head.reason ?? 'the data set cannot be read',
  )
}
