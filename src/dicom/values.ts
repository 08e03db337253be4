import type { CharacterSet } from './charset.ts'
import type { DicomJsonElement } from './dicom-json.ts'

/** Binary values up to this many bytes stand inline; longer ones are referred to by their place. */
export const inlineLimit = 1024

/** VRs whose values are bytes: InlineBinary or BulkDataURI in the DICOM JSON Model (PS3.18 F.2.7). */
export function isBinaryVR(vr: string): boolean {
  return vr === 'OB' || vr === 'OW' || vr === 'UN' || vr === 'OF' || vr === 'OD' || vr === 'OL' || vr === 'OV'
}

/** Bytes of one value of the VRs whose values have a fixed length (PS3.5 table 6.2-1). */
const fixedLength: Record<string, number> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, SV: 8, UV: 8, AT: 4 }

/** Bytes of a word, for VRs that byte order touches. */
const wordLength: Record<string, number> = { OW: 2, OF: 4, OL: 4, OD: 8, OV: 8 }

export interface ValueContext {
  littleEndian: boolean
  charset: CharacterSet
}

/** The value field of an element: `offset` and `length` in `bytes`. */
export interface ValueField {
  bytes: Buffer
  offset: number
  length: number
}

/** The element in the DICOM JSON Model (PS3.18 F.2), for every VR that is neither SQ nor binary. */
export function valueElement(vr: string, field: ValueField, context: ValueContext): DicomJsonElement {
  if (field.length === 0) return { vr }
  const size = fixedLength[vr]
  const values =
    size === undefined ? textValues(vr, field, context) : numberValues(vr, size, field, context.littleEndian)
  return values.length === 0 ? { vr } : { vr, Value: values }
}

/**
 * The element of a binary value: inline when short, else `#offset,length`.
 * @param absolute the offset that the reference names
 */
export function binaryElement(
  vr: string,
  field: ValueField,
  options: { littleEndian: boolean; absolute: number },
): DicomJsonElement {
  if (field.length === 0) return { vr }
  if (field.length > inlineLimit) return { vr, BulkDataURI: `#${options.absolute},${field.length}` }
  const end = field.offset + field.length
  const word = wordLength[vr]
  if (options.littleEndian || word === undefined || field.length % word !== 0)
    return { vr, InlineBinary: field.bytes.toString('base64', field.offset, end) }
  // Inline binary is always little endian (PS3.18 F.2.7).
  const swapped = Buffer.from(field.bytes.subarray(field.offset, end))
  for (let at = 0; at < swapped.length; at += word) swapped.subarray(at, at + word).reverse()
  return { vr, InlineBinary: swapped.toString('base64') }
}

function numberValues(vr: string, size: number, field: ValueField, littleEndian: boolean): unknown[] {
  const { bytes, offset, length } = field
  const values: unknown[] = []
  const read = littleEndian ? readLittle : readBig
  // A length that is no multiple of the value's own leaves a remainder that means nothing.
  for (let at = offset; at + size <= offset + length; at += size) values.push(read(vr, bytes, at))
  return values
}

function readLittle(vr: string, bytes: Buffer, at: number): unknown {
  switch (vr) {
    case 'US':
      return bytes.readUInt16LE(at)
    case 'SS':
      return bytes.readInt16LE(at)
    case 'UL':
      return bytes.readUInt32LE(at)
    case 'SL':
      return bytes.readInt32LE(at)
    case 'FL':
      return real(bytes.readFloatLE(at))
    case 'FD':
      return real(bytes.readDoubleLE(at))
    case 'SV':
      return big(bytes.readBigInt64LE(at))
    case 'UV':
      return big(bytes.readBigUInt64LE(at))
    default:
      return attributeTag(bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2))
  }
}

function readBig(vr: string, bytes: Buffer, at: number): unknown {
  switch (vr) {
    case 'US':
      return bytes.readUInt16BE(at)
    case 'SS':
      return bytes.readInt16BE(at)
    case 'UL':
      return bytes.readUInt32BE(at)
    case 'SL':
      return bytes.readInt32BE(at)
    case 'FL':
      return real(bytes.readFloatBE(at))
    case 'FD':
      return real(bytes.readDoubleBE(at))
    case 'SV':
      return big(bytes.readBigInt64BE(at))
    case 'UV':
      return big(bytes.readBigUInt64BE(at))
    default:
      return attributeTag(bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2))
  }
}

/** JSON has no numbers for these three; a string keeps them apart. */
function real(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** Integers that a JSON number cannot hold exactly are strings (PS3.18 F.2.3). */
function big(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function attributeTag(group: number, element: number): string {
  return (group * 0x10000 + element).toString(16).toUpperCase().padStart(8, '0')
}

function textValues(vr: string, field: ValueField, context: ValueContext): unknown[] {
  const { bytes, offset } = field
  const end = contentEnd(field)
  if (end === offset) return []
  switch (vr) {
    case 'LO':
    case 'SH':
    case 'UC':
      return split(context.charset.decode(bytes.subarray(offset, end), 'values'), trimEnd)
    case 'PN':
      return split(context.charset.decode(bytes.subarray(offset, end), 'name'), personName)
    case 'LT':
    case 'ST':
    case 'UT':
      return [trimEnd(context.charset.decode(bytes.subarray(offset, end), 'text'))]
    case 'UR':
      return [bytes.toString('latin1', offset, end)]
    case 'DS':
      return split(bytes.toString('latin1', offset, end), decimal)
    case 'IS':
      return split(bytes.toString('latin1', offset, end), integer)
    case 'DA':
    case 'TM':
    case 'DT':
      return split(bytes.toString('latin1', offset, end), trimEnd)
    default:
      return split(bytes.toString('latin1', offset, end), trimBoth)
  }
}

/** Where a text ends without its padding: spaces, or NULs, which some writers pad every VR with. */
function contentEnd({ bytes, offset, length }: ValueField): number {
  let end = offset + length
  while (end > offset && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end--
  return end
}

/** Values between backslashes; an empty one is null, so that positions stay (PS3.18 F.2.5). */
function split(text: string, read: (value: string) => unknown): unknown[] {
  if (!text.includes('\\')) {
    const found = read(text)
    return found === '' ? [] : [found]
  }
  return text.split('\\').map((value) => {
    const found = read(value)
    return found === '' ? null : found
  })
}

function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && (text.charCodeAt(end - 1) === 0x20 || text.charCodeAt(end - 1) === 0)) end--
  return end === text.length ? text : text.slice(0, end)
}

function trimBoth(text: string): string {
  let start = 0
  while (text.charCodeAt(start) === 0x20) start++
  return trimEnd(start === 0 ? text : text.slice(start))
}

const decimalPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** A decimal string as a number where it is one; other text is kept as it stands. */
function decimal(text: string): number | string {
  const trimmed = trimBoth(text)
  if (!decimalPattern.test(trimmed)) return trimmed
  const number = Number(trimmed)
  return Number.isFinite(number) ? number : trimmed
}

/** An integer string as a number; text that is no integer, or beyond what a number holds exactly, is kept. */
function integer(text: string): number | string {
  const number = decimal(text)
  return typeof number === 'number' && !Number.isSafeInteger(number) ? trimBoth(text) : number
}

const groupNames = ['Alphabetic', 'Ideographic', 'Phonetic'] as const

/** Component groups of a person name (PS3.5 6.2.1.2, PS3.18 F.2.2); groups that are empty are left out. */
function personName(text: string): Record<string, string> | string {
  const name: Record<string, string> = {}
  let any = false
  const groups = text.split('=')
  for (const [index, group] of groupNames.entries()) {
    const content = trimEnd(groups[index] ?? '')
    if (content === '') continue
    name[group] = content
    any = true
  }
  return any ? name : ''
}
