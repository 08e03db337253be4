import { TS, transferSyntax } from '../dicom/transfer-syntax.ts'
import { HilumError } from '../errors.ts'

/**
 * What can be wrong with bulk data.
 * - `bulk-data-missing`: the metadata refers to what the request does not hold
 * - `bulk-data-wrong`: it is not what the metadata or its media type says
 * - `bulk-data-unsupported`: a media type or transfer syntax that is not taken
 */
export type BulkDataErrorCode = 'bulk-data-missing' | 'bulk-data-wrong' | 'bulk-data-unsupported'

export class BulkDataError extends HilumError<BulkDataErrorCode> {}

/**
 * Media types of compressed frames with their transfer syntaxes, the default one first (PS3.18 table 8.7.3-5).
 */
export const frameTypes: Readonly<Record<string, readonly string[]>> = {
  'image/jpeg': [TS.jpegLossless, TS.jpegBaseline, TS.jpegExtended, TS.jpegLosslessProcess14],
  'image/dicom-rle': [TS.rle],
  'image/jls': [TS.jpegLSLossless, TS.jpegLSNearLossless],
  'image/jp2': [TS.jpeg2000Lossless, TS.jpeg2000],
  'image/jpx': [TS.jpeg2000MultiComponentLossless, TS.jpeg2000MultiComponent],
  'image/jphc': [TS.htj2kLossless, TS.htj2kLosslessRPCL, TS.htj2k],
}

const nativeSyntaxes: ReadonlySet<string> = new Set([TS.implicitVRLittleEndian, TS.explicitVRLittleEndian])
const frameSyntaxes: ReadonlySet<string> = new Set(Object.values(frameTypes).flat())

/** How a part of pixel data is written: as it is, or as a fragment of one of these transfer syntaxes, the most likely one first. */
export type PixelKind = { kind: 'native' } | { kind: 'frame'; syntaxes: readonly string[] }

/**
 * What a part of pixel data is, by its Content-Type.
 * @param declared transfer syntax that the part's media type names; null where it names none
 * @param fromMetadata what the metadata names
 * @throws {BulkDataError} `bulk-data-unsupported`, `bulk-data-wrong`
 */
export function pixelKindOf(
  mediaType: string,
  { declared, fromMetadata }: { declared: string | null; fromMetadata: readonly string[] },
): PixelKind {
  if (mediaType === 'application/octet-stream') {
    if (declared === null || nativeSyntaxes.has(declared)) return { kind: 'native' }
    if (frameSyntaxes.has(declared)) return { kind: 'frame', syntaxes: [declared] }
    throw unsupported(`pixel data in ${transferSyntax(declared).name}`)
  }
  const possible = frameTypes[mediaType]
  if (!possible) throw unsupported(`pixel data as ${mediaType}`)
  if (declared !== null) {
    if (possible.includes(declared)) return { kind: 'frame', syntaxes: [declared] }
    throw unsupported(`${mediaType} with transfer syntax ${declared}`)
  }
  const named = fromMetadata.find((uid) => possible.includes(uid))
  return { kind: 'frame', syntaxes: named === undefined ? possible : [named] }
}

function unsupported(what: string): BulkDataError {
  return new BulkDataError('bulk-data-unsupported', `${what} is not taken`)
}

/** Bytes of a frame's beginning in which its headers are looked for. */
export const frameHeadLength = 256 * 1024

/** A stream in one of these transfer syntaxes may be labelled with the other: a lossy process allows what is not lossy. */
const labelledAs: Readonly<Record<string, readonly string[]>> = {
  [TS.jpegExtended]: [TS.jpegBaseline],
  [TS.jpegLosslessProcess14]: [TS.jpegLossless],
  [TS.jpegLSNearLossless]: [TS.jpegLSLossless],
  [TS.jpeg2000]: [TS.jpeg2000Lossless],
}

/**
 * The transfer syntax of a compressed frame: what was said, where the frame's own headers do not speak against it; what they say, where
 * nothing was said.
 * @param syntaxes possible ones, the most likely first
 * @param head the frame's first bytes
 * @throws {BulkDataError} `bulk-data-wrong` where the frame is something else
 */
export function frameSyntax(syntaxes: readonly string[], head: Buffer): string {
  const [likely = ''] = syntaxes
  const found = syntaxOfFrame(head, likely)
  const fits = syntaxes.find((uid) => uid === found || (found === 'any' && uid === likely))
  const lenient = fits ?? syntaxes.find((uid) => found !== null && labelledAs[uid]?.includes(found))
  if (lenient !== undefined) return lenient
  throw new BulkDataError('bulk-data-wrong', `a frame is not encoded as ${transferSyntax(likely).name}`)
}

/** The transfer syntax that a frame's headers tell; `any` where they tell the family only, null where they are of none. */
function syntaxOfFrame(head: Buffer, likely: string): string | null {
  if (likely === TS.rle) return isRLE(head) ? TS.rle : null
  if (head.length >= 4 && head.readUInt32BE(0) === 0xff4fff51) return jpeg2000Syntax(head, likely)
  if (head.length >= 2 && head.readUInt16BE(0) === 0xffd8) return jpegSyntax(head)
  return null
}

/** PS3.5 G.5: up to fifteen segments, the first one behind the header. */
function isRLE(head: Buffer): boolean {
  if (head.length < 64) return false
  const segments = head.readUInt32LE(0)
  return segments >= 1 && segments <= 15 && head.readUInt32LE(4) === 64
}

/** By the transformation of the COD marker segment (ITU-T T.800 A.6.1): reversible or not. */
function jpeg2000Syntax(head: Buffer, likely: string): string | null {
  const isPart1 = likely === TS.jpeg2000Lossless || likely === TS.jpeg2000
  for (let at = 2; at + 4 <= head.length; at += 2 + head.readUInt16BE(at + 2)) {
    const marker = head.readUInt16BE(at)
    if (marker === 0xff90) break
    if (marker === 0xff52 && at + 14 <= head.length && isPart1)
      return head[at + 13] === 1 ? TS.jpeg2000Lossless : TS.jpeg2000
  }
  return frameTypes['image/jpeg']?.includes(likely) || frameTypes['image/jls']?.includes(likely) ? null : 'any'
}

/** By the frame header and the scan header (ITU-T T.81 B.2.2, B.2.3; T.87 C.2). */
function jpegSyntax(head: Buffer): string | null {
  let frame = 0
  for (let at = 2; at + 4 <= head.length; ) {
    const marker = head.readUInt16BE(at)
    if (marker === 0xffff) {
      at++ // fill bytes
      continue
    }
    if (marker < 0xffc0) return null
    if ([0xffc0, 0xffc1, 0xffc2, 0xffc3, 0xfff7].includes(marker)) frame = marker
    if (marker === 0xffda) return jpegScan(head, at, frame)
    at += 2 + head.readUInt16BE(at + 2)
  }
  return 'any'
}

function jpegScan(head: Buffer, at: number, frame: number): string | null {
  const parameter = head[at + 5 + 2 * (head[at + 4] ?? 0)]
  switch (frame) {
    case 0xffc0:
      return TS.jpegBaseline
    case 0xffc1:
      return TS.jpegExtended
    case 0xffc3:
      return parameter === 1 ? TS.jpegLossless : TS.jpegLosslessProcess14
    case 0xfff7:
      return parameter === 0 ? TS.jpegLSLossless : TS.jpegLSNearLossless
    default:
      return null
  }
}

/** Bytes that uncompressed pixel data has; null where the data set does not tell. */
export function nativeLength(image: {
  rows: number | null
  columns: number | null
  samplesPerPixel: number | null
  bitsAllocated: number | null
  frames: number
  photometricInterpretation: string | null
}): number | null {
  const { rows, columns, bitsAllocated, frames } = image
  if (!rows || !columns || !bitsAllocated) return null
  // Chrominance is sampled at every second pixel (PS3.3 C.7.6.3.1.2).
  const samples = image.photometricInterpretation?.endsWith('_422') ? 2 : (image.samplesPerPixel ?? 1)
  return Math.ceil((rows * columns * samples * bitsAllocated * frames) / 8)
}

/**
 * Where the codestream lies in a JPEG 2000 file: Pixel Data holds it without the boxes around it (PS3.5 8.2.4).
 * @param read gives bytes of the frame
 * @returns the whole frame where it is no such file
 */
export async function codestreamOf(
  length: number,
  read: (offset: number, length: number) => Promise<Buffer>,
): Promise<{ offset: number; length: number }> {
  const whole = { offset: 0, length }
  if (length < 12 || (await read(0, 12)).toString('latin1', 4, 8) !== 'jP  ') return whole
  for (let at = 0; at + 8 <= length; ) {
    const header = await read(at, Math.min(16, length - at))
    const short = header.readUInt32BE(0)
    const isLong = short === 1 && header.length === 16
    const box = short === 0 ? length - at : isLong ? Number(header.readBigUInt64BE(8)) : short
    const size = isLong ? 16 : 8
    if (box < size || at + box > length) break
    if (header.toString('latin1', 4, 8) === 'jp2c') return { offset: at + size, length: box - size }
    at += box
  }
  throw new BulkDataError('bulk-data-wrong', 'a JPEG 2000 file holds no codestream')
}
