import { randomBytes } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import type { ReceivedInstance } from '../../src/receive/received.ts'

const ctImage = '1.2.840.10008.5.1.4.1.1.2'
const explicitLittleEndian = '1.2.840.10008.1.2.1'

/** What distinguishes one small instance from another. UIDs are of the form 1.2.3.<study>.<series>.<instance>. */
export interface SmallInstance {
  study: number
  series: number
  instance: number
  /** Anything; other content is other bytes of data set. */
  content?: string
  patientName?: string
  association?: string
  at?: string
  /** Writes other file meta information before the same data set. */
  sourceAETitle?: string
}

export function studyUID(study: number): string {
  return `1.2.3.${study}`
}
export function seriesUID(study: number, series: number): string {
  return `1.2.3.${study}.${series}`
}
/** SOP Instance UIDs do not depend on study and series, so that an instance can move. */
export function instanceUID(instance: number): string {
  return `1.2.9.${instance}`
}

/** A whole Part 10 file. */
export function smallFile(small: SmallInstance): Buffer {
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: ctImage,
    mediaStorageSOPInstanceUID: instanceUID(small.instance),
    transferSyntaxUID: explicitLittleEndian,
    ...(small.sourceAETitle ? { sourceApplicationEntityTitle: small.sourceAETitle } : {}),
  })
  return Buffer.concat([meta, dataSet(small)])
}

/** Writes a whole Part 10 file into the incoming folder, as the receiver does, and gives what the receiver says of it. */
export function receiveSmall(
  incoming: string,
  small: SmallInstance,
  options: { header?: boolean } = {},
): ReceivedInstance {
  const file = `${randomBytes(12).toString('hex')}.dcm`
  const sopInstanceUID = instanceUID(small.instance)
  writeFileSync(path.join(incoming, file), smallFile(small))
  return {
    file,
    association: small.association ?? 'association-1',
    via: 'c-store',
    sender: { callingAETitle: 'CT1', calledAETitle: 'HILUM', address: '10.0.0.5' },
    at: small.at ?? '2026-11-21T12:00:00.000Z',
    size: statSync(path.join(incoming, file)).size,
    transferSyntaxUID: explicitLittleEndian,
    sopClassUID: ctImage,
    sopInstanceUID,
    studyInstanceUID: studyUID(small.study),
    seriesInstanceUID: seriesUID(small.study, small.series),
    instanceNumber: small.instance,
    rows: 2,
    columns: 2,
    bitsAllocated: 16,
    numberOfFrames: null,
    ...(options.header === false ? {} : { header: header(small) }),
  }
}

const patientName = 'Phantom^Small'

function header(small: SmallInstance): DicomJson {
  const element = (vr: string, value: unknown) => ({ vr, Value: [value] })
  return {
    '00080016': element('UI', ctImage),
    '00080018': element('UI', instanceUID(small.instance)),
    '00080020': element('DA', '20261121'),
    '00080060': element('CS', 'CT'),
    '00100010': element('PN', { Alphabetic: small.patientName ?? patientName }),
    '00100020': element('LO', `P${small.study}`),
    '0020000D': element('UI', studyUID(small.study)),
    '0020000E': element('UI', seriesUID(small.study, small.series)),
    '00200011': element('IS', small.series),
  }
}

function dataSet(small: SmallInstance): Buffer {
  return Buffer.concat([
    text('0008', '0016', 'UI', ctImage),
    text('0008', '0018', 'UI', instanceUID(small.instance)),
    text('0008', '0020', 'DA', '20261121'),
    text('0008', '0060', 'CS', 'CT'),
    text('0010', '0010', 'PN', small.patientName ?? patientName),
    text('0010', '0020', 'LO', `P${small.study}`),
    text('0010', '4000', 'LT', small.content ?? 'content'),
    text('0020', '000D', 'UI', studyUID(small.study)),
    text('0020', '000E', 'UI', seriesUID(small.study, small.series)),
    text('0020', '0011', 'IS', String(small.series)),
    text('0020', '0013', 'IS', String(small.instance)),
    uint16('0028', '0010', 2),
    uint16('0028', '0011', 2),
    uint16('0028', '0100', 16),
    pixels(),
  ])
}

function tag(group: string, element: string): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16LE(Number.parseInt(group, 16), 0)
  bytes.writeUInt16LE(Number.parseInt(element, 16), 2)
  return bytes
}

function text(group: string, element: string, vr: string, value: string): Buffer {
  const padded = value.length % 2 === 0 ? value : value + (vr === 'UI' ? '\0' : ' ')
  const length = Buffer.alloc(2)
  length.writeUInt16LE(padded.length)
  return Buffer.concat([tag(group, element), Buffer.from(vr), length, Buffer.from(padded, 'latin1')])
}

function uint16(group: string, element: string, value: number): Buffer {
  return Buffer.concat([tag(group, element), Buffer.from('US'), Buffer.from([2, 0, value & 255, value >> 8])])
}

/** Pixel Data of 2 x 2 x 16 bits, explicit VR (PS3.5 7.1.2). */
function pixels(): Buffer {
  return Buffer.concat([
    tag('7FE0', '0010'),
    Buffer.from('OW\0\0'),
    Buffer.from([8, 0, 0, 0]),
    Buffer.from([1, 0, 2, 0, 3, 0, 4, 0]),
  ])
}
