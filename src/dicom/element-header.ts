import { isSignDependent, standardElements, vrOf } from './dictionary.ts'

/** A length of FFFFFFFFH: the end is marked by a delimiter (PS3.5 7.1.1). */
export const undefinedLength = 0xffffffff

/** Tags as numbers, group in the upper half. */
export const itemTag = 0xfffee000
export const itemDelimitationTag = 0xfffee00d
export const sequenceDelimitationTag = 0xfffee0dd

export function isPixelDataTag(tag: number): boolean {
  return tag === 0x7fe00010 || tag === 0x7fe00008 || tag === 0x7fe00009
}

/** VRs whose length field has 32 bits in explicit VR (PS3.5 table 7.1-1). */
export const longVRs: ReadonlySet<string> = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '))

/** VRs by their two bytes, with the size of the element's length field (PS3.5 7.1.2). */
const explicitVRs = new Map<number, { vr: string; long: boolean }>(
  [
    ...[
      'AE',
      'AS',
      'AT',
      'CS',
      'DA',
      'DS',
      'DT',
      'FD',
      'FL',
      'IS',
      'LO',
      'LT',
      'PN',
      'SH',
      'SL',
      'SS',
      'ST',
      'TM',
      'UI',
      'UL',
      'US',
    ].map((vr) => ({ vr, long: false })),
    ...[...longVRs].map((vr) => ({ vr, long: true })),
  ].map((entry) => [(entry.vr.charCodeAt(0) << 8) | entry.vr.charCodeAt(1), entry]),
)

/** True where two bytes are a VR of the standard. */
export function isExplicitVR(bytes: Uint8Array, at: number): boolean {
  return explicitVRs.has(((bytes[at] as number) << 8) | (bytes[at + 1] as number))
}

/** True where a VR has a length of 32 bits in explicit VR, false where it has one of 16; undefined where it is none. */
export function hasLongLength(vr: string): boolean | undefined {
  return explicitVRs.get((vr.charCodeAt(0) << 8) | vr.charCodeAt(1))?.long
}

/** Tag, VR, and where the value lies; one object is reused by a reader, so that nothing is allocated for an element. */
export interface ElementHeader {
  tag: number
  vr: string
  /** The VR that the bytes name; null in implicit VR. */
  explicit: string | null
  /** Bytes of the header. */
  size: number
  length: number
}

interface KnownElement {
  key: string
  vr: string
  signDependent: boolean
}

let known: Map<number, KnownElement> | undefined

function knownElements(): Map<number, KnownElement> {
  if (known) return known
  known = new Map()
  for (const { tag, vr } of standardElements())
    known.set(Number.parseInt(tag, 16), { key: tag, vr, signDependent: isSignDependent(tag) })
  return known
}

/** A tag as eight upper-case hex digits. */
export function tagKey(tag: number): string {
  return knownElements().get(tag)?.key ?? tag.toString(16).toUpperCase().padStart(8, '0')
}

/** The VR of a tag in implicit VR; `signed` decides where the dictionary says "US or SS". */
export function implicitVR(tag: number, signed: boolean): string {
  const found = knownElements().get(tag)
  if (!found) return vrOf(tagKey(tag))
  return found.signDependent && signed ? 'SS' : found.vr
}

export interface HeaderSyntax {
  explicitVR: boolean
  littleEndian: boolean
}

export interface HeaderOptions extends HeaderSyntax {
  end: number
  signed: boolean
  rest?: number
}

/**
 * Reads the header of an element (PS3.5 7.1.2, 7.1.3).
 * @param options.end where the bytes at hand end
 * @param options.rest bytes from `at` to the end of the data set, where more is known to follow than is at hand
 * @returns false when the header is not whole
 */
export function readElementHeader(bytes: Buffer, at: number, options: HeaderOptions, header: ElementHeader): boolean {
  const { end, littleEndian } = options
  if (at + 8 > end) return false
  const group = littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  const element = littleEndian ? bytes.readUInt16LE(at + 2) : bytes.readUInt16BE(at + 2)
  header.tag = group * 0x10000 + element
  header.size = 8
  if (!options.explicitVR || group === 0xfffe) return readImplicit(bytes, at, options, header)
  const found = explicitVRs.get(((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number))
  if (found) {
    header.vr = found.vr
    header.explicit = found.vr
    if (!found.long) {
      header.length = littleEndian ? bytes.readUInt16LE(at + 6) : bytes.readUInt16BE(at + 6)
      return true
    }
    if (at + 12 > end) return false
    header.size = 12
    header.length = littleEndian ? bytes.readUInt32LE(at + 8) : bytes.readUInt32BE(at + 8)
    return true
  }
  return readUnknownVR(bytes, at, options, header)
}

function readImplicit(
  bytes: Buffer,
  at: number,
  options: HeaderSyntax & { signed: boolean },
  header: ElementHeader,
): boolean {
  header.explicit = null
  header.vr = header.tag >= 0xfffe0000 ? 'UN' : implicitVR(header.tag, options.signed)
  header.length = options.littleEndian ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4)
  return true
}

/**
 * An element of an explicit VR data set whose VR is none. Two capital letters are a VR of the future, which has a length of 32 bits
 * (PS3.5 7.1.2); some writers leave out the VR (implicit VR within explicit); others write a nonsense VR with a length of 16 bits.
 */
function readUnknownVR(bytes: Buffer, at: number, options: HeaderOptions, header: ElementHeader): boolean {
  const { end, littleEndian } = options
  const capital = (byte: number | undefined) => byte !== undefined && byte >= 0x41 && byte <= 0x5a
  const rest = options.rest ?? end - at
  if (capital(bytes[at + 4]) && capital(bytes[at + 5])) {
    header.vr = 'UN'
    header.explicit = 'UN'
    if (at + 12 <= end && bytes[at + 6] === 0 && bytes[at + 7] === 0) {
      const long = littleEndian ? bytes.readUInt32LE(at + 8) : bytes.readUInt32BE(at + 8)
      if (long <= rest - 12) {
        header.size = 12
        header.length = long
        return true
      }
    }
  } else {
    const length = littleEndian ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4)
    if (length <= rest - 8 || length === undefinedLength) return readImplicit(bytes, at, options, header)
    header.explicit = null
    header.vr = implicitVR(header.tag, options.signed)
  }
  header.length = littleEndian ? bytes.readUInt16LE(at + 6) : bytes.readUInt16BE(at + 6)
  return true
}
