import { DicomError } from './error.ts'

const textVRs: ReadonlySet<string> = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT'])
const stringVRs: ReadonlySet<string> = new Set(['AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'TM', 'UI', 'UR'])

/** Bytes of a word, for binary VRs that byte order touches. */
const wordLength: Record<string, number> = { OW: 2, OF: 4, OL: 4, OD: 8, OV: 8 }

export function isTextVR(vr: string): boolean {
  return textVRs.has(vr)
}

/**
 * The bytes of a value field, padded to an even length (PS3.5 6.2).
 * @param values all values of the element
 * @param where keyword or tag, for the error
 * @throws {DicomError} `invalid-value` when a value is not of the kind that the VR holds
 */
export function encodeValues(vr: string, values: readonly unknown[], where: string, littleEndian: boolean): Buffer {
  if (textVRs.has(vr)) {
    const text = values.map((value) => (vr === 'PN' ? nameText(value, where) : plainText(value, where))).join('\\')
    return padded(Buffer.from(text, 'utf8'), 0x20)
  }
  if (stringVRs.has(vr)) {
    const text = values.map((value) => stringValue(vr, value, where)).join('\\')
    return padded(Buffer.from(ascii(text), 'latin1'), vr === 'UI' ? 0 : 0x20)
  }
  const number = numberEncoders[vr]
  if (number) return Buffer.concat(values.map((value) => number(value, where, littleEndian)))
  return binaryValue(vr, values, where, littleEndian)
}

function padded(bytes: Buffer, pad: number): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([pad])])
}

/** VRs outside of Specific Character Set hold the default repertoire only (PS3.5 6.1.2.2). */
function ascii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, '?')
}

function wrong(where: string, expected: string): DicomError {
  return new DicomError('invalid-value', `${where}: ${expected} is expected`)
}

function plainText(value: unknown, where: string): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  throw wrong(where, 'text')
}

/** A name as `alphabetic=ideographic=phonetic`, or an object with those groups (PS3.18 F.2.2). */
function nameText(value: unknown, where: string): string {
  if (typeof value !== 'object' || value === null) return plainText(value, where)
  const groups = value as Record<string, unknown>
  return ['Alphabetic', 'Ideographic', 'Phonetic']
    .map((group) => plainText(groups[group], where))
    .join('=')
    .replace(/=+$/, '')
}

function stringValue(vr: string, value: unknown, where: string): string {
  if (typeof value === 'number') {
    if (vr === 'DS') return decimalString(value, where)
    if (vr === 'IS' && !Number.isSafeInteger(value)) throw wrong(where, 'an integer')
  }
  return plainText(value, where)
}

/**
 * A number in at most 16 characters (PS3.5 6.2, VR DS), with as many digits as fit.
 * @throws {DicomError} `invalid-value` when it is not finite
 */
export function decimalString(value: number, where = 'decimal string'): string {
  if (!Number.isFinite(value)) throw wrong(where, 'a finite number')
  const shortest = String(value)
  if (shortest.length <= 16) return shortest
  for (let digits = 16; digits > 0; digits--) {
    const rounded = Number(value.toPrecision(digits))
    if (!Number.isFinite(rounded)) continue // rounded up beyond the largest number
    // The shortest writing of the number that has these digits: no trailing zeros, no longer notation than needed.
    const text = String(rounded)
    if (text.length <= 16) return text
    const exponential = value.toExponential(digits - 1)
    if (exponential.length <= 16) return exponential
  }
  throw wrong(where, 'a number that fits 16 characters')
}

type NumberEncoder = (value: unknown, where: string, littleEndian: boolean) => Buffer

/** Bytes that a callback fills in the byte order that it is given. */
function filled(size: number, fill: (view: DataView) => void): Buffer {
  const view = new DataView(new ArrayBuffer(size))
  fill(view)
  return Buffer.from(view.buffer)
}

function integer(bytes: 2 | 4, signed: boolean): NumberEncoder {
  const low = signed ? -(2 ** (bytes * 8 - 1)) : 0
  const high = signed ? 2 ** (bytes * 8 - 1) - 1 : 2 ** (bytes * 8) - 1
  return (value, where, littleEndian) => {
    const number = toNumber(value)
    if (!Number.isInteger(number) || number < low || number > high)
      throw wrong(where, `an integer from ${low} to ${high}`)
    // Setting keeps the low bits, so that negative numbers come out as two's complement.
    return filled(bytes, (view) => {
      if (bytes === 2) view.setUint16(0, number, littleEndian)
      else view.setUint32(0, number, littleEndian)
    })
  }
}

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
}

function real(bytes: 4 | 8): NumberEncoder {
  return (value, where, littleEndian) => {
    const number = toNumber(value)
    if (Number.isNaN(number) && value !== 'NaN' && typeof value !== 'number') throw wrong(where, 'a number')
    return filled(bytes, (view) => {
      if (bytes === 4) view.setFloat32(0, number, littleEndian)
      else view.setFloat64(0, number, littleEndian)
    })
  }
}

function big(signed: boolean): NumberEncoder {
  const low = signed ? -(2n ** 63n) : 0n
  const high = signed ? 2n ** 63n - 1n : 2n ** 64n - 1n
  return (value, where, littleEndian) => {
    const whole =
      typeof value === 'bigint' || Number.isInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value))
    const number = whole ? BigInt(value as string | number | bigint) : null
    if (number === null || number < low || number > high) throw wrong(where, `an integer from ${low} to ${high}`)
    return filled(8, (view) => view.setBigUint64(0, BigInt.asUintN(64, number), littleEndian))
  }
}

/** An attribute tag: eight hex digits, or a number. */
const attributeTag: NumberEncoder = (value, where, littleEndian) => {
  const tag = typeof value === 'string' && /^[0-9A-Fa-f]{8}$/.test(value) ? Number.parseInt(value, 16) : value
  if (typeof tag !== 'number' || !Number.isInteger(tag) || tag < 0 || tag > 0xffffffff) throw wrong(where, 'a tag')
  const buffer = Buffer.allocUnsafe(4)
  if (littleEndian) {
    buffer.writeUInt16LE(Math.floor(tag / 0x10000), 0)
    buffer.writeUInt16LE(tag % 0x10000, 2)
  } else buffer.writeUInt32BE(tag, 0)
  return buffer
}

const numberEncoders: Record<string, NumberEncoder> = {
  US: integer(2, false),
  SS: integer(2, true),
  UL: integer(4, false),
  SL: integer(4, true),
  FL: real(4),
  FD: real(8),
  SV: big(true),
  UV: big(false),
  AT: attributeTag,
}

/** Binary values: bytes, typed arrays (in the byte order of this machine, little endian), base64 under `InlineBinary`, or numbers. */
function binaryValue(vr: string, values: readonly unknown[], where: string, littleEndian: boolean): Buffer {
  const parts = values.map((value) => {
    if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    if (value instanceof ArrayBuffer) return Buffer.from(value)
    if (
      typeof value === 'object' &&
      value !== null &&
      'InlineBinary' in value &&
      typeof value.InlineBinary === 'string'
    )
      return Buffer.from(value.InlineBinary, 'base64')
    if (typeof value === 'number') return wordOf(vr, value, where)
    throw wrong(where, 'bytes')
  })
  const bytes = padded(Buffer.concat(parts), 0)
  const word = wordLength[vr]
  if (littleEndian || word === undefined || bytes.length % word !== 0) return bytes
  for (let at = 0; at < bytes.length; at += word) bytes.subarray(at, at + word).reverse()
  return bytes
}

const wordEncoders: Record<string, NumberEncoder> = {
  OW: integer(2, false),
  OL: integer(4, false),
  OF: real(4),
  OD: real(8),
  OV: big(false),
}

function wordOf(vr: string, value: number, where: string): Buffer {
  const encode = wordEncoders[vr]
  if (encode) return encode(value, where, true)
  if (!Number.isInteger(value) || value < 0 || value > 255) throw wrong(where, 'a byte')
  return Buffer.from([value])
}

/** Whether text needs more than the default character repertoire. */
export function isBeyondASCII(text: string): boolean {
  return /[^\0-\x7f]/.test(text)
}
