import { textOf } from '../dicom/dataset.ts'
import { vrOf } from '../dicom/dictionary.ts'
import { isExplicitVR, longVRs, tagKey } from '../dicom/element-header.ts'
import { DicomError } from '../dicom/error.ts'
import { readHead } from '../dicom/head.ts'
import { type FileMeta, maximumFileMetaLength, parseFileMeta } from '../dicom/part10.ts'
import { TS } from '../dicom/transfer-syntax.ts'

/** What a file is, as far as its first bytes tell. */
export interface RecognisedFile {
  /** As the file gives it, or as it has to be made where the file has none. UIDs may be empty where the file gives them so. */
  meta: FileMeta
  /** Offset in the file of the data set's first byte. */
  dataSetOffset: number
  /**
   * `whole`: preamble, prefix and meta information are there; `no-preamble`: meta information without what stands before it (PS3.10 7.1);
   * `data-set`: no meta information, or none that names a transfer syntax: the data set's own first elements told it.
   */
  form: 'whole' | 'no-preamble' | 'data-set'
}

/** Bytes of a file's beginning from which a data set without meta information is recognised. */
const recognitionLength = 64 * 1024
/** What stands before the meta information of a file that has it all (PS3.10 7.1). */
export const emptyPreamble: Buffer = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])

/**
 * Recognises a DICOM file, whole or without its preamble or meta information, as some applications write them. A data set without
 * meta information has to begin with an element of group 0008 and to name its SOP class and instance; its encoding is seen from that first
 * element, so that the same bytes are always taken for the same.
 * @param bytes the file's beginning
 * @param isAll true when the file ends with them
 * @returns null where more bytes have to be seen
 * @throws {DicomError} `not-part10` for something else, `truncated` for a file that ends in its meta information
 */
export function recogniseFile(bytes: Buffer, isAll: boolean): RecognisedFile | null {
  if (hasPrefix(bytes)) return recogniseAt(bytes, isAll, { start: 132, form: 'whole' })
  if (bytes.length < 132 && !isAll) return null
  if (beginsWithGroup2(bytes, 0)) return recogniseAt(bytes, isAll, { start: 0, form: 'no-preamble' })
  return dataSetAt(bytes, isAll, 0)
}

/** True for bytes that are DICOM, or were meant to be: what is broken in them is worth looking at. */
export function looksLikeDicom(bytes: Buffer): boolean {
  return hasPrefix(bytes) || beginsWithGroup2(bytes, 0) || encodingAt(bytes, 0) !== null
}

function hasPrefix(bytes: Buffer): boolean {
  return bytes.length >= 132 && bytes.toString('latin1', 128, 132) === 'DICM'
}

/** Meta information is always in explicit VR little endian (PS3.10 7.1). */
function beginsWithGroup2(bytes: Buffer, at: number): boolean {
  return bytes.length >= at + 8 && bytes.readUInt16LE(at) === 0x0002 && isExplicitVR(bytes, at + 4)
}

function recogniseAt(
  bytes: Buffer,
  isAll: boolean,
  { start, form }: { start: 0 | 132; form: 'whole' | 'no-preamble' },
): RecognisedFile | null {
  // Without any meta information the data set begins at once.
  if (bytes.length >= start + 8 && !beginsWithGroup2(bytes, start)) return dataSetAt(bytes, isAll, start)
  const shift = emptyPreamble.length - start
  try {
    const parsed = parseFileMeta(shift === 0 ? bytes : Buffer.concat([emptyPreamble, bytes]))
    const dataSetOffset = parsed.dataSetOffset - shift
    // The data set may begin with the next byte, or the meta information may go on there.
    if (dataSetOffset >= bytes.length && !isAll) return null
    return { meta: metaOf(parsed), dataSetOffset, form }
  } catch (error) {
    if (!(error instanceof DicomError)) throw error
    if (error.code === 'truncated' && !isAll && bytes.length < maximumFileMetaLength + recognitionLength) return null
    const end = error.code === 'not-part10' ? endOfGroup2(bytes, start) : null
    if (end === null) throw error
    return dataSetAt(bytes, isAll, end)
  }
}

function metaOf(parsed: ReturnType<typeof parseFileMeta>): FileMeta {
  const { mediaStorageSOPClassUID, mediaStorageSOPInstanceUID, transferSyntaxUID } = parsed
  return { mediaStorageSOPClassUID, mediaStorageSOPInstanceUID, transferSyntaxUID }
}

/** Where meta information ends that names no transfer syntax; null where that cannot be told. */
function endOfGroup2(bytes: Buffer, start: number): number | null {
  let at = start
  while (beginsWithGroup2(bytes, at)) {
    const long = longVRs.has(bytes.toString('latin1', at + 4, at + 6))
    if (long && at + 12 > bytes.length) return null
    at += long ? 12 + bytes.readUInt32LE(at + 8) : 8 + bytes.readUInt16LE(at + 6)
  }
  return at > start && at + 8 <= bytes.length ? at : null
}

function dataSetAt(bytes: Buffer, isAll: boolean, at: number): RecognisedFile | null {
  const transferSyntaxUID = encodingAt(bytes, at)
  if (transferSyntaxUID === null)
    throw new DicomError(
      'not-part10',
      'not a DICOM file: neither DICM at offset 128 (PS3.10 7.1) nor a data set that begins with group 0008',
    )
  if (bytes.length < at + recognitionLength && !isAll) return null
  const { elements, ended } = readHead(bytes.subarray(at), { transferSyntaxUID, only: identifyingTags })
  const mediaStorageSOPClassUID = textOf(elements, 'SOPClassUID')
  const mediaStorageSOPInstanceUID = textOf(elements, 'SOPInstanceUID')
  if (ended === 'malformed' || !isUIDText(mediaStorageSOPClassUID) || !isUIDText(mediaStorageSOPInstanceUID))
    throw new DicomError(
      'not-part10',
      'no file meta information, and the data set does not name its SOP class and instance where it is read as what it seems to be',
    )
  return {
    meta: { mediaStorageSOPClassUID, mediaStorageSOPInstanceUID, transferSyntaxUID },
    dataSetOffset: at,
    form: 'data-set',
  }
}

/** SOP Class UID and SOP Instance UID. */
const identifyingTags: ReadonlySet<number> = new Set([0x00080016, 0x00080018])

function isUIDText(text: string | null): text is string {
  return text !== null && /^\d+(\.\d+)+$/.test(text) && text.length <= 64
}

/** The encoding of a data set by its first element, which has to be of group 0008 (PS3.5 7.1); null for something else. */
function encodingAt(bytes: Buffer, at: number): string | null {
  if (bytes.length < at + 8) return null
  if (bytes.readUInt16LE(at) === 0x0008) {
    const tag = 0x00080000 + bytes.readUInt16LE(at + 2)
    if (hasOwnVR(bytes, at, tag)) return TS.explicitVRLittleEndian
    // In implicit VR the length follows: a first element is short.
    return bytes.readUInt32LE(at + 4) <= 0xffff ? TS.implicitVRLittleEndian : null
  }
  if (bytes.readUInt16BE(at) === 0x0008)
    return hasOwnVR(bytes, at, 0x00080000 + bytes.readUInt16BE(at + 2)) ? TS.explicitVRBigEndian : null
  return null
}

function hasOwnVR(bytes: Buffer, at: number, tag: number): boolean {
  return bytes.toString('latin1', at + 4, at + 6) === vrOf(tagKey(tag))
}
