import { writeFileSync } from 'node:fs'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { TS, transferSyntax } from '../../src/dicom/transfer-syntax.ts'
import { deriveUID } from '../../src/dicom/uid.ts'

/** A data set as `encodeDataSet` takes it: keywords to values. */
export type Natural = Record<string, unknown>

/**
 * The data set of a small CT slice, without pixel data: 16 x 16 pixels of 16 bits, 1 mm apart, axial. UIDs are derived from StudyID,
 * SeriesNumber and InstanceNumber, so that the same arguments name the same instance.
 * @param attributes keywords and values that replace or complete the default ones; `undefined` takes one away
 */
export function ctSlice(attributes: Natural = {}): Natural {
  const studyID = textOr(attributes.StudyID, 'study-1')
  const seriesNumber = textOr(attributes.SeriesNumber, '1')
  const instanceNumber = Number(attributes.InstanceNumber ?? 1)
  const studyInstanceUID = deriveUID('test', studyID)
  return {
    SOPClassUID: SOP.ctImage,
    SOPInstanceUID: deriveUID('test', studyID, seriesNumber, String(instanceNumber)),
    StudyInstanceUID: studyInstanceUID,
    SeriesInstanceUID: deriveUID('test', studyID, seriesNumber),
    FrameOfReferenceUID: deriveUID('test', studyID, 'frame of reference'),
    ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
    StudyDate: '20240131',
    SeriesDate: '20240131',
    AcquisitionDate: '20240131',
    ContentDate: '20240131',
    StudyTime: '101500',
    ContentTime: '101501',
    AccessionNumber: 'A1',
    Modality: 'CT',
    Manufacturer: 'Hilum',
    ManufacturerModelName: 'Test Scanner',
    DeviceSerialNumber: '1',
    SoftwareVersions: '1',
    ReferringPhysicianName: 'Doctor^Referring',
    StudyDescription: 'CT of the chest',
    SeriesDescription: 'axial 1 mm',
    PatientName: 'Test^Patient',
    PatientID: 'P1',
    PatientBirthDate: '19700101',
    PatientSex: 'O',
    PatientAge: '054Y',
    BodyPartExamined: 'CHEST',
    SliceThickness: '1',
    KVP: '120',
    PatientPosition: 'HFS',
    ConvolutionKernel: 'B30f',
    StudyID: 'study-1',
    SeriesNumber: 1,
    AcquisitionNumber: 1,
    InstanceNumber: instanceNumber,
    ImagePositionPatient: [-8, -8, instanceNumber],
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    PositionReferenceIndicator: '',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: 16,
    Columns: 16,
    PixelSpacing: [1, 1],
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    RescaleIntercept: '-1024',
    RescaleSlope: '1',
    RescaleType: 'HU',
    WindowCenter: '40',
    WindowWidth: '400',
    ...attributes,
  }
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise
}

export interface WriteOptions {
  /** Default: explicit VR little endian. */
  transferSyntaxUID?: string
  /** Native bytes (little endian), or the frames of an encapsulated one (one fragment each). Default: a ramp; `null`: no pixel data. */
  pixelData?: Uint8Array | Uint8Array[] | null
  sourceApplicationEntityTitle?: string
}

/** Writes a valid DICOM file (PS3.10) and returns its bytes. */
export function writePart10(path: string, natural: Natural, options: WriteOptions = {}): Buffer {
  const bytes = part10Bytes(natural, options)
  writeFileSync(path, bytes)
  return bytes
}

/** The bytes of a valid DICOM file (PS3.10): `SOPClassUID` and `SOPInstanceUID` of the data set go into its meta information. */
export function part10Bytes(natural: Natural, options: WriteOptions = {}): Buffer {
  const transferSyntaxUID = options.transferSyntaxUID ?? TS.explicitVRLittleEndian
  const pixelData = options.pixelData === undefined ? ramp(natural) : options.pixelData
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: String(natural.SOPClassUID),
    mediaStorageSOPInstanceUID: String(natural.SOPInstanceUID),
    transferSyntaxUID,
    ...(options.sourceApplicationEntityTitle && { sourceApplicationEntityTitle: options.sourceApplicationEntityTitle }),
  })
  if (pixelData instanceof Uint8Array)
    return Buffer.concat([meta, encodeDataSet({ ...natural, PixelData: pixelData }, transferSyntaxUID)])
  const dataSet = encodeDataSet(natural, transferSyntaxUID)
  return Buffer.concat(pixelData ? [meta, dataSet, encapsulated(pixelData, transferSyntaxUID)] : [meta, dataSet])
}

/** Native pixels that rise by one, for as many frames as the data set announces. */
function ramp(natural: Natural): Uint8Array | null {
  const { Rows: rows, Columns: columns, BitsAllocated: bits } = natural
  if (typeof rows !== 'number' || typeof columns !== 'number' || typeof bits !== 'number') return null
  const samples = rows * columns * Number(natural.SamplesPerPixel ?? 1) * Number(natural.NumberOfFrames ?? 1)
  if (bits === 1) return new Uint8Array(Math.ceil(samples / 8)).fill(0b01010101)
  if (bits === 8) return Uint8Array.from({ length: samples }, (_, pixel) => pixel % 256)
  return new Uint8Array(Int16Array.from({ length: samples }, (_, pixel) => pixel % 2000).buffer)
}

/** Pixel Data as a sequence of fragments with an empty Basic Offset Table (PS3.5 A.4). */
export function encapsulated(frames: Uint8Array[], transferSyntaxUID: string): Buffer {
  if (!transferSyntax(transferSyntaxUID).encapsulated)
    throw new Error(`${transferSyntaxUID} is no encapsulated transfer syntax`)
  const parts = [Buffer.from('e07f10004f420000ffffffff', 'hex'), Buffer.from('feff00e000000000', 'hex')]
  for (const frame of frames) {
    const padding = frame.length % 2
    const header = Buffer.from('feff00e000000000', 'hex')
    header.writeUInt32LE(frame.length + padding, 4)
    parts.push(header, Buffer.from(frame), Buffer.alloc(padding))
  }
  return Buffer.concat([...parts, Buffer.from('feffdde000000000', 'hex')])
}
