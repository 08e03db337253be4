import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import dcmjsCodecs from 'dcmjs-codecs'
import { encodeDataSet } from '../dicom/data-set-writer.ts'
import { encodeFileMeta } from '../dicom/part10.ts'
import { SOP } from '../dicom/sop-class.ts'
import { TS, transferSyntax } from '../dicom/transfer-syntax.ts'
import { deriveUID } from '../dicom/uid.ts'
import type { ChestPhantom } from './phantom.ts'

const { Context, NativeCodecs } = dcmjsCodecs

export type PhantomOrientation = 'axial' | 'coronal' | 'sagittal'

export interface WritePhantomOptions {
  orientation?: PhantomOrientation
  /** Files and instance numbers run against the position. */
  reversed?: boolean
  /** Default explicit VR little endian. */
  transferSyntaxUID?: string
  /** Other identities make other UIDs: of study, series and instances. */
  identity?: string
  /** Elements that differ, by keyword; `undefined` leaves one out. */
  elements?: Record<string, unknown>
  /** Indices of slices that are not written. */
  without?: readonly number[]
}

/** Images of one orientation: how many, how large, where, and their pixels in Hounsfield units. */
interface Series {
  count: number
  rows: number
  columns: number
  pixelSpacing: [number, number]
  thickness: number
  orientation: number[]
  positionOf(index: number): number[]
  pixelsOf(index: number): Int16Array
}

/** Stored values begin here; as scanners do, values are unsigned with 12 bits. */
const intercept = -1024

/**
 * Writes a chest phantom as a series of CT Image instances, one file each.
 * @returns the paths of the files, in order of their instance numbers
 */
export async function writePhantom(
  folder: string,
  phantom: ChestPhantom,
  options: WritePhantomOptions = {},
): Promise<string[]> {
  const series = seriesOf(phantom, options.orientation ?? 'axial')
  const syntax = options.transferSyntaxUID ?? TS.explicitVRLittleEndian
  if (transferSyntax(syntax).encapsulated && !NativeCodecs.isInitialized()) await NativeCodecs.initializeAsync()
  await mkdir(folder, { recursive: true })
  const order = Array.from({ length: series.count }, (_, index) => index).filter((i) => !options.without?.includes(i))
  if (options.reversed) order.reverse()
  const files: string[] = []
  for (const [n, index] of order.entries()) {
    const file = path.join(folder, `${String(n + 1).padStart(4, '0')}.dcm`)
    await writeFile(file, instanceBytes(series, index, { number: n + 1, syntax, options }))
    files.push(file)
  }
  return files
}

function seriesOf(phantom: ChestPhantom, orientation: PhantomOrientation): Series {
  const { slices: nz, rows: ny, columns: nx, spacing } = phantom
  const [sx, sy, sz] = [spacing.column, spacing.row, spacing.slice]
  const origin = [((nx - 1) / -2) * sx, ((ny - 1) / -2) * sy, ((nz - 1) / -2) * sz] as const
  if (orientation === 'axial')
    return {
      count: nz,
      rows: ny,
      columns: nx,
      pixelSpacing: [sy, sx],
      thickness: sz,
      orientation: [1, 0, 0, 0, 1, 0],
      positionOf: (z) => [origin[0], origin[1], origin[2] + z * sz],
      pixelsOf: (z) => phantom.slice(z),
    }
  const volume = wholeVolume(phantom)
  const top = origin[2] + (nz - 1) * sz
  // Rows run from head to feet, as such images are read.
  if (orientation === 'coronal')
    return {
      count: ny,
      rows: nz,
      columns: nx,
      pixelSpacing: [sz, sx],
      thickness: sy,
      orientation: [1, 0, 0, 0, 0, -1],
      positionOf: (y) => [origin[0], origin[1] + y * sy, top],
      pixelsOf: (y) =>
        reslice(volume, { rows: nz, columns: nx, start: (nz - 1) * nx * ny + y * nx, row: -nx * ny, column: 1 }),
    }
  return {
    count: nx,
    rows: nz,
    columns: ny,
    pixelSpacing: [sz, sy],
    thickness: sx,
    orientation: [0, 1, 0, 0, 0, -1],
    positionOf: (x) => [origin[0] + x * sx, origin[1], top],
    pixelsOf: (x) =>
      reslice(volume, { rows: nz, columns: ny, start: (nz - 1) * nx * ny + x, row: -nx * ny, column: nx }),
  }
}

function wholeVolume(phantom: ChestPhantom): Int16Array {
  const plane = phantom.rows * phantom.columns
  const volume = new Int16Array(plane * phantom.slices)
  for (let z = 0; z < phantom.slices; z++) volume.set(phantom.slice(z), z * plane)
  return volume
}

function reslice(
  volume: Int16Array,
  plan: { rows: number; columns: number; start: number; row: number; column: number },
): Int16Array {
  const values = new Int16Array(plan.rows * plan.columns)
  for (let row = 0, i = 0; row < plan.rows; row++)
    for (let column = 0; column < plan.columns; column++, i++)
      values[i] = volume[plan.start + row * plan.row + column * plan.column] as number
  return values
}

function instanceBytes(
  series: Series,
  index: number,
  { number, syntax, options }: { number: number; syntax: string; options: WritePhantomOptions },
): Buffer {
  const identity = options.identity ?? 'chest phantom'
  const orientation = options.orientation ?? 'axial'
  const uids = {
    study: deriveUID('phantom', identity, 'study'),
    series: deriveUID('phantom', identity, orientation, syntax, 'series'),
    instance: deriveUID('phantom', identity, orientation, syntax, String(index)),
    frameOfReference: deriveUID('phantom', identity, 'frame of reference'),
  }
  const stored = storedValues(series.pixelsOf(index))
  const natural = { ...elementsOf(series, index, { number, uids, orientation }), ...options.elements }
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: SOP.ctImage,
    mediaStorageSOPInstanceUID: uids.instance,
    transferSyntaxUID: syntax,
  })
  if (!transferSyntax(syntax).encapsulated)
    return Buffer.concat([meta, encodeDataSet({ ...natural, PixelData: stored }, syntax)])
  return Buffer.concat([meta, encodeDataSet(natural, syntax), encapsulate(encodePixels(stored, series, syntax))])
}

function storedValues(densities: Int16Array): Uint16Array<ArrayBuffer> {
  const stored = new Uint16Array(densities.length)
  for (let i = 0; i < densities.length; i++)
    stored[i] = Math.min(4095, Math.max(0, (densities[i] as number) - intercept))
  return stored
}

/** Decimal strings have at most 16 characters (PS3.5 6.2). */
function decimal(value: number): string {
  return String(Number(value.toFixed(6))).slice(0, 16)
}

function elementsOf(
  series: Series,
  index: number,
  of: {
    number: number
    uids: Record<'study' | 'series' | 'instance' | 'frameOfReference', string>
    orientation: string
  },
): Record<string, unknown> {
  const { uids } = of
  return {
    ImageType: ['ORIGINAL', 'PRIMARY', of.orientation.toUpperCase()],
    SOPClassUID: SOP.ctImage,
    SOPInstanceUID: uids.instance,
    StudyDate: '20250102',
    SeriesDate: '20250102',
    AcquisitionDate: '20250102',
    ContentDate: '20250102',
    StudyTime: '101500',
    SeriesTime: '101600',
    AcquisitionTime: '101600',
    ContentTime: '101700',
    AccessionNumber: 'PHANTOM1',
    Modality: 'CT',
    Manufacturer: 'Hilum',
    ReferringPhysicianName: '',
    StudyDescription: 'Chest phantom',
    SeriesDescription: `Chest phantom ${of.orientation}`,
    ManufacturerModelName: 'Chest phantom',
    PatientName: 'Phantom^Chest',
    PatientID: 'PHANTOM-CHEST',
    PatientBirthDate: '',
    PatientSex: 'O',
    BodyPartExamined: 'CHEST',
    SliceThickness: decimal(series.thickness),
    KVP: '120',
    ConvolutionKernel: 'NONE',
    PatientPosition: 'HFS',
    StudyInstanceUID: uids.study,
    SeriesInstanceUID: uids.series,
    StudyID: '1',
    SeriesNumber: '2',
    AcquisitionNumber: '1',
    InstanceNumber: String(of.number),
    ImagePositionPatient: series.positionOf(index).map(decimal),
    ImageOrientationPatient: series.orientation.map(String),
    FrameOfReferenceUID: uids.frameOfReference,
    PositionReferenceIndicator: '',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: series.rows,
    Columns: series.columns,
    PixelSpacing: series.pixelSpacing.map(decimal),
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    WindowCenter: '-500',
    WindowWidth: '1500',
    RescaleIntercept: String(intercept),
    RescaleSlope: '1',
    RescaleType: 'HU',
  }
}

function encodePixels(stored: Uint16Array<ArrayBuffer>, { rows, columns }: Series, syntax: string): Uint8Array {
  const context = new Context({
    width: columns,
    height: rows,
    bitsAllocated: 16,
    bitsStored: 12,
    samplesPerPixel: 1,
    pixelRepresentation: 0,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    decodedBuffer: new Uint8Array(stored.buffer),
  })
  const encoders: Record<string, () => { getEncodedBuffer(): Uint8Array | undefined }> = {
    [TS.rle]: () => NativeCodecs.encodeRle(context),
    [TS.jpegLossless]: () => NativeCodecs.encodeJpeg(context, { lossy: false, predictor: 1, pointTransform: 0 }),
    [TS.jpegLSLossless]: () => NativeCodecs.encodeJpegLs(context, { lossy: false }),
    [TS.jpeg2000Lossless]: () => NativeCodecs.encodeJpeg2000(context, { lossy: false }),
    [TS.htj2kLossless]: () => NativeCodecs.encodeHtJpeg2000(context, { lossy: false }),
    [TS.htj2kLosslessRPCL]: () => NativeCodecs.encodeHtJpeg2000(context, { lossy: false, progressionOrder: 2 }),
  }
  const encoded = encoders[syntax]?.().getEncodedBuffer()
  if (!encoded) throw new Error(`a phantom cannot be written in ${transferSyntax(syntax).name}`)
  // The codecs reuse their memory.
  return encoded.slice()
}

/** Pixel Data of one frame in one fragment, with an empty Basic Offset Table (PS3.5 A.4). */
function encapsulate(frame: Uint8Array): Buffer {
  const even = frame.length + (frame.length % 2)
  const head = Buffer.alloc(28)
  head.writeUInt32LE(0x00107fe0, 0)
  head.write('OB', 4, 'latin1')
  head.writeUInt32LE(0xffffffff, 8)
  head.writeUInt32LE(0xe000fffe, 12)
  head.writeUInt32LE(0xe000fffe, 20)
  head.writeUInt32LE(even, 24)
  const tail = Buffer.alloc(even - frame.length + 8)
  tail.writeUInt32LE(0xe0ddfffe, even - frame.length)
  return Buffer.concat([head, frame, tail])
}
