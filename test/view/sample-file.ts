import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { transferSyntax } from '../../src/dicom/transfer-syntax.ts'

/** An element by tag, VR and value; a list of buffers is encapsulated pixel data, fragment by fragment (PS3.5 A.4). */
export type SampleElement = readonly [tag: string, vr: string, value: string | number | Buffer | readonly Buffer[]]

const long = new Set(['OB', 'OW', 'OF', 'OD', 'SQ', 'UN', 'UT'])

/** A Part 10 file written by hand, so that tests do not depend on the code that they test. */
export function sampleFile(
  elements: readonly SampleElement[],
  options: { transferSyntaxUID?: string; sopInstanceUID?: string; sopClassUID?: string } = {},
): Buffer {
  const transferSyntaxUID = options.transferSyntaxUID ?? '1.2.840.10008.1.2.1'
  const syntax = transferSyntax(transferSyntaxUID)
  const sorted = [...elements].sort(([a], [b]) => (a < b ? -1 : 1))
  const valueOf = (tag: string) => String(sorted.find(([t]) => t === tag)?.[2] ?? '1.2.3')
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: options.sopClassUID ?? valueOf('00080016'),
    mediaStorageSOPInstanceUID: options.sopInstanceUID ?? valueOf('00080018'),
    transferSyntaxUID,
  })
  const dataSet = Buffer.concat(sorted.map((element) => encode(element, syntax.littleEndian)))
  return Buffer.concat([meta, syntax.deflated ? deflateRawSync(dataSet) : dataSet])
}

/** Writes a sample file into a folder and returns its path. */
export function writeSample(folder: string, name: string, bytes: Buffer): string {
  const file = path.join(folder, name)
  writeFileSync(file, bytes)
  return file
}

export interface SampleOptions {
  study?: string
  series?: string
  instance: string
  modality?: string
  number?: number
  more?: readonly SampleElement[]
}

/** The elements that every sample instance has. */
export function identity({
  study = '1.2.3',
  series = '1.2.3.1',
  instance,
  modality = 'OT',
  number = 1,
  more = [],
}: SampleOptions) {
  const own = new Set(more.map(([tag]) => tag))
  const base: SampleElement[] = [
    ['00080005', 'CS', 'ISO_IR 100'],
    ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.7'],
    ['00080018', 'UI', instance],
    ['00080020', 'DA', '20240131'],
    ['00080030', 'TM', '101500'],
    ['00080050', 'SH', `ACC-${study}`],
    ['00080060', 'CS', modality],
    ['00080090', 'PN', 'House^Gregory'],
    ['00081030', 'LO', 'Chest 100% native'],
    ['0008103E', 'LO', 'A series'],
    ['00100010', 'PN', 'M\xfcller^J\xfcrgen'],
    ['00100020', 'LO', `P-${study}`],
    ['00100030', 'DA', '19700102'],
    ['00100040', 'CS', 'M'],
    ['0020000D', 'UI', study],
    ['0020000E', 'UI', series],
    ['00200010', 'SH', 'S1'],
    ['00200011', 'IS', '7'],
    ['00200013', 'IS', String(number)],
  ]
  return [...base.filter(([tag]) => !own.has(tag)), ...more]
}

/** Image pixel attributes. */
export function pixels(rows: number, columns: number, bitsAllocated: number, frames: number): SampleElement[] {
  return [
    ['00280002', 'US', 1],
    ['00280004', 'CS', 'MONOCHROME2'],
    ['00280008', 'IS', String(frames)],
    ['00280010', 'US', rows],
    ['00280011', 'US', columns],
    ['00280100', 'US', bitsAllocated],
    ['00280101', 'US', bitsAllocated],
    ['00280102', 'US', bitsAllocated - 1],
    ['00280103', 'US', 0],
  ]
}

function encode([tag, vr, value]: SampleElement, littleEndian: boolean): Buffer {
  const head = Buffer.alloc(long.has(vr) ? 12 : 8)
  write16(head, Number.parseInt(tag.slice(0, 4), 16), 0, littleEndian)
  write16(head, Number.parseInt(tag.slice(4), 16), 2, littleEndian)
  head.write(vr, 4, 'latin1')
  if (Array.isArray(value)) {
    head.writeUInt32LE(0xffffffff, 8)
    const items = [Buffer.alloc(0), ...(value as Buffer[])].map((fragment) =>
      Buffer.concat([item(0xe000, fragment.length), fragment]),
    )
    return Buffer.concat([head, ...items, item(0xe0dd, 0)])
  }
  const bytes = valueBytes(vr, value as string | number | Buffer, littleEndian)
  if (long.has(vr)) {
    if (littleEndian) head.writeUInt32LE(bytes.length, 8)
    else head.writeUInt32BE(bytes.length, 8)
  } else write16(head, bytes.length, 6, littleEndian)
  return Buffer.concat([head, bytes])
}

function item(element: number, length: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(0xfffe, 0)
  head.writeUInt16LE(element, 2)
  head.writeUInt32LE(length, 4)
  return head
}

function valueBytes(vr: string, value: string | number | Buffer, littleEndian: boolean): Buffer {
  if (Buffer.isBuffer(value)) return value
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(2)
    write16(bytes, value, 0, littleEndian)
    return bytes
  }
  const bytes = Buffer.from(value, 'latin1')
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(vr === 'UI' ? [0] : [0x20])])
}

function write16(bytes: Buffer, value: number, offset: number, littleEndian: boolean): void {
  if (littleEndian) bytes.writeUInt16LE(value, offset)
  else bytes.writeUInt16BE(value, offset)
}
