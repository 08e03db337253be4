import { longVRs } from './element-header.ts'
import { DicomError } from './error.ts'
import type { ForwardReader } from './forward-reader.ts'
import { implementationClassUID, implementationVersionName } from './uid.ts'

export interface FileMeta {
  mediaStorageSOPClassUID: string
  mediaStorageSOPInstanceUID: string
  transferSyntaxUID: string
  /** The AE title of the application that sent or wrote the data set (PS3.10 table 7.1-1). */
  sourceApplicationEntityTitle?: string
}

/**
 * Preamble, prefix and file meta information (PS3.10 7.1), always in explicit VR little endian, in tag order.
 * Text that is no ASCII would not be readable by anybody; UIDs are padded with NUL, other text with spaces (PS3.5 6.2).
 */
export function encodeFileMeta(meta: FileMeta): Buffer {
  const { before, after } = surroundings(meta)
  const instance = text(0x0003, 'UI', meta.mediaStorageSOPInstanceUID)
  const bytes = Buffer.allocUnsafe(before.length + instance.length + after.length)
  before.copy(bytes)
  bytes.write(instance, before.length, 'latin1')
  after.copy(bytes, before.length + instance.length)
  bytes.writeUInt32LE(bytes.length - firstElement, firstElement - 4)
  return bytes
}

/** What goes before and after the SOP Instance UID: the same for all instances of a sender and a SOP class. */
interface Surroundings {
  before: Buffer
  after: Buffer
}

const known = new Map<string, Surroundings>()
const maximumKnown = 64

function surroundings(meta: FileMeta): Surroundings {
  const { mediaStorageSOPClassUID, transferSyntaxUID, sourceApplicationEntityTitle = '' } = meta
  const key = `${mediaStorageSOPClassUID} ${transferSyntaxUID} ${sourceApplicationEntityTitle}`
  const found = known.get(key)
  if (found) return found
  const before = Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    Buffer.from(`\x02\0\0\0UL\x04\0\0\0\0\0`, 'latin1'),
    Buffer.from(`\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01`, 'latin1'),
    Buffer.from(text(0x0002, 'UI', mediaStorageSOPClassUID), 'latin1'),
  ])
  const after = Buffer.from(
    text(0x0010, 'UI', transferSyntaxUID) +
      text(0x0012, 'UI', implementationClassUID) +
      text(0x0013, 'SH', implementationVersionName) +
      (sourceApplicationEntityTitle && text(0x0016, 'AE', sourceApplicationEntityTitle)),
    'latin1',
  )
  if (known.size >= maximumKnown) known.clear()
  known.set(key, { before, after })
  return { before, after }
}

/** Behind preamble, prefix and the group length, which counts from there. */
const firstElement = 128 + 4 + 12

/** An element of group 0002 with a text of less than 64 KiB, as Latin-1. */
function text(element: number, vr: 'UI' | 'SH' | 'AE', value: string): string {
  const padded = value.length % 2 === 0 ? value : value + (vr === 'UI' ? '\0' : ' ')
  const length = String.fromCharCode(padded.length & 0xff, padded.length >> 8)
  return `\x02\0${String.fromCharCode(element)}\0${vr}${length}${padded}`
}

/** File meta information beyond this is nobody's: the private information of (0002,0102) stays far below. */
export const maximumFileMetaLength = 1024 * 1024

/**
 * Reads the file meta information (PS3.10 7.1). Where it ends is found by walking it, because group lengths are often wrong.
 * @param bytes the beginning of a file; more of it may be needed, then the error's code is `truncated`
 * @returns UIDs (empty where the file has none) and the offset of the data set's first byte
 * @throws {DicomError} `not-part10` when it is no DICOM file or names no transfer syntax; `truncated` when `bytes` ends inside group 0002
 */
export function parseFileMeta(bytes: Uint8Array): {
  transferSyntaxUID: string
  mediaStorageSOPClassUID: string
  mediaStorageSOPInstanceUID: string
  dataSetOffset: number
} {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length < 132 || buffer.toString('latin1', 128, 132) !== 'DICM')
    throw new DicomError('not-part10', 'not a DICOM file: DICM is expected at offset 128 (PS3.10 7.1)')
  const uids = new Map<number, string>()
  let offset = 132
  while (offset + 8 <= buffer.length && buffer.readUInt16LE(offset) === 0x0002) {
    const element = buffer.readUInt16LE(offset + 2)
    const long = longVRs.has(buffer.toString('latin1', offset + 4, offset + 6))
    if (long && offset + 12 > buffer.length) break
    const start = offset + (long ? 12 : 8)
    const length = long ? buffer.readUInt32LE(offset + 8) : buffer.readUInt16LE(offset + 6)
    if (length > maximumFileMetaLength)
      throw new DicomError('not-part10', `file meta information announces an element of ${length} bytes`)
    if (start + length > buffer.length) break
    if (element === 0x0002 || element === 0x0003 || element === 0x0010)
      uids.set(
        element,
        buffer
          .toString('latin1', start, start + length)
          .replace(/[\0 ]+$/, '')
          .trim(),
      )
    offset = start + length
  }
  if (offset + 2 > buffer.length || buffer.readUInt16LE(offset) === 0x0002) {
    // A file may end after its meta information, with an empty data set; a beginning of a file may not.
    if (offset !== buffer.length)
      throw new DicomError('truncated', 'the bytes end inside the file meta information', { detail: { offset } })
  }
  const transferSyntaxUID = uids.get(0x0010) ?? ''
  if (transferSyntaxUID === '')
    throw new DicomError('not-part10', 'the file meta information names no transfer syntax (0002,0010)')
  return {
    transferSyntaxUID,
    mediaStorageSOPClassUID: uids.get(0x0002) ?? '',
    mediaStorageSOPInstanceUID: uids.get(0x0003) ?? '',
    dataSetOffset: offset,
  }
}

/** The first read of a file; its meta information nearly always fits, and the head of most instances as well. */
export const firstWindow = 64 * 1024

/**
 * Reads the file meta information at the start of a file; the reader stays where it is.
 * @throws {DicomError} as `parseFileMeta`
 */
export async function readFileMeta(reader: ForwardReader): Promise<ReturnType<typeof parseFileMeta>> {
  const first = await reader.peek(firstWindow)
  try {
    return parseFileMeta(first)
  } catch (error) {
    const more = error instanceof DicomError && error.code === 'truncated' && first.length === firstWindow
    if (!more) throw error
    return parseFileMeta(await reader.peek(maximumFileMetaLength + firstWindow))
  }
}
