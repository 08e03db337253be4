import { codeItem } from '../dicom/codes.ts'
import { encodeDataSet } from '../dicom/data-set-writer.ts'
import { textOf } from '../dicom/dataset.ts'
import { encodeFileMeta } from '../dicom/part10.ts'
import { SOP } from '../dicom/sop-class.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import { codingSchemes } from './coding-schemes.ts'
import { cielab } from './colour.ts'
import { dicomMoment } from './date-time.ts'
import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, SegmentMasks } from './encoding-input.ts'
import { algorithmIdentification, equipment } from './equipment.ts'
import { EncodeError } from './error.ts'
import { dimensions, perFrameFunctionalGroups, sharedFunctionalGroups } from './functional-groups.ts'
import { dimensionOrganizationUID, resultIdentity, trackingIdentity } from './identity.ts'
import { copied, type NaturalDataSet, patientAndStudy, timezoneOf } from './patient-study.ts'
import { sourceInstances } from './references.ts'
import { packedLength, packFrames, planFrames, type SegFrame } from './seg-frames.ts'

/**
 * A BINARY segmentation (PS3.3 A.51) on the source's own grid. Empty frames are left out; frames are packed one at a time while the
 * chunks are read, so that no more than a frame is in memory.
 * @throws {EncodeError} `nothing-to-encode` without segments; `wrong-size` when a mask does not fit the grid; `too-large`
 */
export function encodeSegmentation(input: EncodingInput): EncodedObject {
  const { rows, columns } = input.source
  const pixels = rows * columns
  const frames = planFrames(input.segments, input.source.slices.length, pixels)
  const length = packedLength(frames.length, pixels)
  // An element of defined length holds fewer than 2^32 - 1 bytes (PS3.5 7.1.1).
  if (length > 0xfffffffe) throw new EncodeError('too-large', `${frames.length} frames need ${length} bytes`)
  const identity = resultIdentity(input, 'segmentation')
  const dataSet = encodeDataSet(segmentationDataSet(input, frames), TS.explicitVRLittleEndian)
  return {
    role: 'segmentation',
    sopClassUID: SOP.segmentation,
    sopInstanceUID: identity.sopInstanceUID,
    seriesInstanceUID: identity.seriesInstanceUID,
    modality: 'SEG',
    chunks: segmentationChunks({ sopInstanceUID: identity.sopInstanceUID, dataSet, frames, pixels, length }),
  }
}

interface Parts {
  sopInstanceUID: string
  dataSet: Buffer
  frames: readonly SegFrame[]
  pixels: number
  length: number
}

function* segmentationChunks({ sopInstanceUID, dataSet, frames, pixels, length }: Parts): Generator<Uint8Array> {
  yield encodeFileMeta({
    mediaStorageSOPClassUID: SOP.segmentation,
    mediaStorageSOPInstanceUID: sopInstanceUID,
    transferSyntaxUID: TS.explicitVRLittleEndian,
  })
  yield dataSet
  yield pixelDataHeader(length)
  yield* packFrames(masksOf(frames), pixels)
}

function* masksOf(frames: readonly SegFrame[]): Generator<Uint8Array | null> {
  for (const { segment, sliceIndex } of frames) yield segment.maskOf(sliceIndex)
}

/** (7FE0,0010), OB, in explicit VR little endian (PS3.5 7.1.2). It is the last element of the data set. */
function pixelDataHeader(length: number): Buffer {
  const header = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0, 0, 0, 0])
  header.writeUInt32LE(length, 8)
  return header
}

/** Everything but Pixel Data. */
function segmentationDataSet(input: EncodingInput, frames: readonly SegFrame[]): NaturalDataSet {
  const { source, algorithm } = input
  const { header } = source
  const identity = resultIdentity(input, 'segmentation')
  const moment = dicomMoment(input.at, timezoneOf(header))
  return {
    ...patientAndStudy(header, input.studyInstanceUID),
    ...codingSchemes(input.segments.flatMap(({ definition: d }) => [d.category, d.type, ...d.modifiers])),
    ...equipment(algorithm, moment),
    SOPClassUID: SOP.segmentation,
    SOPInstanceUID: identity.sopInstanceUID,
    InstanceCreationDate: moment.date,
    InstanceCreationTime: moment.time,
    Modality: 'SEG',
    SeriesInstanceUID: identity.seriesInstanceUID,
    SeriesNumber: identity.seriesNumber,
    SeriesDescription: `${algorithm.title.slice(0, 46)}: segmentation`,
    SeriesDate: moment.date,
    SeriesTime: moment.time,
    InstanceNumber: 1,
    ...frameOfReference(input),
    ImageType: ['DERIVED', 'PRIMARY'],
    ContentDate: moment.date,
    ContentTime: moment.time,
    ContentLabel: 'SEGMENTATION',
    ContentDescription: `${algorithm.name} ${algorithm.version}`.slice(0, 64),
    ContentCreatorName: '',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: source.rows,
    Columns: source.columns,
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    ...lossyImageCompression(input),
    SegmentationType: 'BINARY',
    SegmentSequence: input.segments.map((segment) => segmentItem(input, segment)),
    NumberOfFrames: frames.length,
    ...dimensions(source, dimensionOrganizationUID(input)),
    SharedFunctionalGroupsSequence: [sharedFunctionalGroups(source)],
    PerFrameFunctionalGroupsSequence: perFrameFunctionalGroups(source, frames),
    ReferencedSeriesSequence: [
      {
        SeriesInstanceUID: source.seriesInstanceUID,
        ReferencedInstanceSequence: sourceInstances(source).map(({ sopClassUID, sopInstanceUID }) => ({
          ReferencedSOPClassUID: sopClassUID,
          ReferencedSOPInstanceUID: sopInstanceUID,
        })),
      },
    ],
  }
}

/** Without a frame of reference in the source the module is left out: derivation images tie the frames to the source (PS3.3 A.51.3). */
function frameOfReference({ source }: EncodingInput): NaturalDataSet {
  const uid = textOf(source.header, 'FrameOfReferenceUID')
  if (uid === null) return {}
  return {
    FrameOfReferenceUID: uid,
    PositionReferenceIndicator: copied(source.header, 'PositionReferenceIndicator') ?? '',
  }
}

/** What is derived from lossy images is lossy (PS3.3 C.7.6.1.1.5). */
function lossyImageCompression({ source: { header } }: EncodingInput): NaturalDataSet {
  if (textOf(header, 'LossyImageCompression') !== '01') return { LossyImageCompression: '00' }
  const lossy: NaturalDataSet = { LossyImageCompression: '01' }
  for (const keyword of ['LossyImageCompressionRatio', 'LossyImageCompressionMethod']) {
    const value = copied(header, keyword)
    if (value !== null) lossy[keyword] = value
  }
  return lossy
}

function segmentItem(input: EncodingInput, { id, number, definition }: SegmentMasks): NaturalDataSet {
  const tracking = trackingIdentity(input, id, definition.label)
  const type: NaturalDataSet = codeItem(definition.type)
  if (definition.modifiers.length > 0)
    type.SegmentedPropertyTypeModifierCodeSequence = definition.modifiers.map(codeItem)
  return {
    SegmentNumber: number,
    SegmentLabel: definition.label.slice(0, 64),
    SegmentAlgorithmType: 'AUTOMATIC',
    SegmentAlgorithmName: input.algorithm.name.slice(0, 64),
    SegmentationAlgorithmIdentificationSequence: [algorithmIdentification(input.algorithm)],
    SegmentedPropertyCategoryCodeSequence: [codeItem(definition.category)],
    SegmentedPropertyTypeCodeSequence: [type],
    RecommendedDisplayCIELabValue: cielab(definition.colour),
    TrackingID: tracking.id,
    TrackingUID: tracking.uid,
  }
}
