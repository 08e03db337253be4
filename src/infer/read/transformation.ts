import { open } from 'node:fs/promises'
import { itemsOf, numberOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson, DicomJsonElement } from '../../dicom/dicom-json.ts'
import type { InstanceFile } from '../../dicom/instance-file.ts'
import { transferSyntax } from '../../dicom/transfer-syntax.ts'
import { InferError, refusal } from '../error.ts'
import type { Frame } from './frame.ts'

/** How stored values become the values that the pipeline is told. */
export type Transformation =
  | { kind: 'linear'; slope: number; intercept: number }
  /** Stored value `first` is the first entry; those beyond the ends have the value of the end (PS3.3 C.11.1.1.1). */
  | { kind: 'table'; first: number; entries: Float32Array }

const asStored: Transformation = { kind: 'linear', slope: 1, intercept: 0 }

/**
 * The transformation of a frame's stored values (PS3.3 C.11.1, C.7.6.16.2.9).
 * @throws {InferError} `refused` where Hounsfield units are asked for and the values are none
 */
export async function transformationOf(
  frame: Frame,
  values: 'modality' | 'hounsfield' | 'stored',
): Promise<Transformation> {
  if (values === 'stored') return asStored
  const { elements } = frame.file
  const transformation = frame.group('PixelValueTransformationSequence')
  const slope = numberOf(transformation, 'RescaleSlope')
  const intercept = numberOf(transformation, 'RescaleIntercept')
  const table = itemsOf(elements, 'ModalityLUTSequence')[0]
  if (values === 'hounsfield') {
    if (table)
      throw refusal('the pixel values are given by a Modality LUT, a linear rescale to Hounsfield units is expected')
    checkHounsfield(slope, intercept, textOf(transformation, 'RescaleType'))
  }
  if (table) return await tableOf(frame.file, table)
  if (slope === null || slope === 0) return asStored
  return { kind: 'linear', slope, intercept: intercept ?? 0 }
}

function checkHounsfield(slope: number | null, intercept: number | null, type: string | null): void {
  if (slope === null || intercept === null || slope === 0)
    throw refusal('a slice has no Rescale Slope and Rescale Intercept: its values are no Hounsfield units')
  // US is "unspecified"; many scanners write it, or nothing, for Hounsfield units (PS3.3 C.11.1.1.2).
  if (type !== null && type !== 'HU' && type !== 'US')
    throw refusal(`the pixel values are rescaled to ${type.slice(0, 16)}, HU is expected`)
}

async function tableOf(file: InstanceFile, item: DicomJson): Promise<Transformation> {
  const table = await lookupTable(file, item['00283002'], item['00283006'])
  return { kind: 'table', first: table.first, entries: Float32Array.from(table.entries) }
}

/** The entries of a look-up table (PS3.3 C.11.1.1), and the stored value of the first. */
export async function lookupTable(
  file: InstanceFile,
  descriptor: DicomJsonElement | undefined,
  data: DicomJsonElement | undefined,
): Promise<{ first: number; entries: Uint16Array; bits: number }> {
  const [count, first, bits] = (descriptor?.Value ?? []).map(Number)
  if (count === undefined || first === undefined || bits === undefined || !data)
    throw new InferError('unsupported-pixels', 'a look-up table of the image is incomplete')
  // 0 stands for 65536, which 16 bits cannot hold.
  const length = count === 0 ? 65536 : count
  const signed = numberOf(file.elements, 'PixelRepresentation') === 1
  const start = signed && first > 32767 ? first - 65536 : first
  if (data.Value) return { first: start, bits, entries: Uint16Array.from(data.Value.map(Number)).subarray(0, length) }
  const bytes = await bytesOf(file, data)
  if (bits <= 8 && bytes.length < length * 2)
    return { first: start, bits, entries: Uint16Array.from(bytes.subarray(0, length)) }
  if (bytes.length < length * 2)
    throw new InferError(
      'unsupported-pixels',
      `a look-up table of the image has ${bytes.length / 2} entries, ${length} are announced`,
    )
  const entries = new Uint16Array(length)
  for (let i = 0; i < length; i++) entries[i] = bytes.readUInt16LE(i * 2)
  return { first: start, bits, entries }
}

/** The bytes of a binary value, little endian: it stands in the header, or, if long, in the file. */
export async function bytesOf(file: InstanceFile, element: DicomJsonElement): Promise<Buffer> {
  if (element.InlineBinary !== undefined) return Buffer.from(element.InlineBinary, 'base64')
  const place = /^#(\d+),(\d+)$/.exec(element.BulkDataURI ?? '')
  if (!place) return Buffer.alloc(0)
  const [offset, length] = [Number(place[1]), Number(place[2])]
  const bytes = file.inflated
    ? Buffer.from(file.inflated.subarray(offset, offset + length))
    : await bytesInFile(file.path, offset, length)
  const { littleEndian } = transferSyntax(file.transferSyntaxUID)
  return littleEndian || element.vr === 'OB' || bytes.length % 2 === 1 ? bytes : bytes.swap16()
}

async function bytesInFile(path: string, offset: number, length: number): Promise<Buffer> {
  const handle = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(length)
    const { bytesRead } = await handle.read(buffer, 0, length, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
