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
  const elements = [
    explicit(0x0001, 'OB', Buffer.from([0, 1])),
    uid(0x0002, meta.mediaStorageSOPClassUID),
    uid(0x0003, meta.mediaStorageSOPInstanceUID),
    uid(0x0010, meta.transferSyntaxUID),
    uid(0x0012, implementationClassUID),
    explicit(0x0013, 'SH', padded(implementationVersionName, 0x20)),
  ]
  if (meta.sourceApplicationEntityTitle)
    elements.push(explicit(0x0016, 'AE', padded(meta.sourceApplicationEntityTitle, 0x20)))
  const body = Buffer.concat(elements)
  const groupLength = Buffer.alloc(4)
  groupLength.writeUInt32LE(body.length)
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), explicit(0x0000, 'UL', groupLength), body])
}

function uid(element: number, value: string): Buffer {
  return explicit(element, 'UI', padded(value, 0))
}

function padded(text: string, pad: number): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([pad])])
}

function explicit(element: number, vr: string, value: Buffer): Buffer {
  const long = vr === 'OB'
  const header = Buffer.alloc(long ? 12 : 8)
  header.writeUInt16LE(0x0002, 0)
  header.writeUInt16LE(element, 2)
  header.write(vr, 4, 'latin1')
  if (long) header.writeUInt32LE(value.length, 8)
  else header.writeUInt16LE(value.length, 6)
  return Buffer.concat([header, value])
}

const longVRs: ReadonlySet<string> = new Set([
  'OB',
  'OW',
  'OF',
  'OD',
  'OL',
  'OV',
  'SQ',
  'UN',
  'UC',
  'UR',
  'UT',
  'SV',
  'UV',
])

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
