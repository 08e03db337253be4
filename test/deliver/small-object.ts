import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Deliverable } from '../../src/deliver/destination.ts'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'

const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7'

/** One explicit VR little endian element with a short length field. */
function element(group: number, number: number, vr: string, value: string | Buffer): Buffer {
  const padding = vr === 'UI' ? '\0' : ' '
  const text = typeof value === 'string' ? Buffer.from(value.length % 2 ? value + padding : value, 'latin1') : value
  const long = vr === 'OB' || vr === 'OW'
  const head = Buffer.alloc(long ? 12 : 8)
  head.writeUInt16LE(group, 0)
  head.writeUInt16LE(number, 2)
  head.write(vr, 4, 'latin1')
  if (long) head.writeUInt32LE(text.length, 8)
  else head.writeUInt16LE(text.length, 6)
  return Buffer.concat([head, text])
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

export interface SmallObjectOptions {
  /** Last component of the SOP Instance UID. */
  number: number
  pixels?: Buffer
  patientName?: string
}

const root = '2.25.31415926535'

/** Writes a secondary capture of 16 x 16 pixels. */
export function writeSmallObject(
  folder: string,
  { number, pixels = Buffer.alloc(256, number), patientName = 'TEST^OBJECT' }: SmallObjectOptions,
): Deliverable {
  const sopInstanceUID = `${root}.3.${number}`
  const studyInstanceUID = `${root}.1`
  const seriesInstanceUID = `${root}.2`
  const dataSet = Buffer.concat([
    element(0x0008, 0x0016, 'UI', secondaryCapture),
    element(0x0008, 0x0018, 'UI', sopInstanceUID),
    element(0x0008, 0x0020, 'DA', '20260102'),
    element(0x0008, 0x0030, 'TM', '101112'),
    element(0x0008, 0x0050, 'SH', 'ACC1'),
    element(0x0008, 0x0060, 'CS', 'OT'),
    element(0x0008, 0x0064, 'CS', 'WSD'),
    element(0x0010, 0x0010, 'PN', patientName),
    element(0x0010, 0x0020, 'LO', 'ID1'),
    element(0x0020, 0x000d, 'UI', studyInstanceUID),
    element(0x0020, 0x000e, 'UI', seriesInstanceUID),
    element(0x0020, 0x0010, 'SH', '1'),
    element(0x0020, 0x0011, 'IS', '1'),
    element(0x0020, 0x0013, 'IS', String(number)),
    element(0x0028, 0x0002, 'US', short(1)),
    element(0x0028, 0x0004, 'CS', 'MONOCHROME2'),
    element(0x0028, 0x0010, 'US', short(16)),
    element(0x0028, 0x0011, 'US', short(16)),
    element(0x0028, 0x0100, 'US', short(8)),
    element(0x0028, 0x0101, 'US', short(8)),
    element(0x0028, 0x0102, 'US', short(7)),
    element(0x0028, 0x0103, 'US', short(0)),
    element(0x7fe0, 0x0010, 'OB', pixels),
  ])
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: secondaryCapture,
    mediaStorageSOPInstanceUID: sopInstanceUID,
    transferSyntaxUID: TS.explicitVRLittleEndian,
  })
  const file = path.join(folder, `${number}.dcm`)
  writeFileSync(file, Buffer.concat([meta, dataSet]))
  return { sopInstanceUID, seriesInstanceUID, studyInstanceUID, path: file }
}
