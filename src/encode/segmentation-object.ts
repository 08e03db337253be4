import { type Code, codeItem } from '../dicom/codes.ts'
import { SOP } from '../dicom/sop-class.ts'
import { nameAndVersion } from './caution.ts'
import { codingSchemes } from './coding-schemes.ts'
import { cielab } from './colour.ts'
import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, OutputName, SegmentMasks } from './encoding-input.ts'
import { algorithmIdentification } from './equipment.ts'
import { dimensions, perFrameFunctionalGroups, sharedFunctionalGroups } from './functional-groups.ts'
import { dimensionOrganizationUID, type Role, segmentTracking } from './identity.ts'
import { copied, type NaturalDataSet } from './patient-study.ts'
import { isVolumetric, planesOf } from './planes.ts'
import { referencedSeries } from './references.ts'
import { encodeObject, frameOfReference, lossyImageCompression, momentOf } from './result-object.ts'

const segmentationCode: Code = { value: '113076', scheme: 'DCM', meaning: 'Segmentation' }

/** What distinguishes BINARY, FRACTIONAL and LABELMAP segmentations (PS3.3 C.8.20.2). */
export interface SegmentationParts {
  role: Role
  output?: OutputName | undefined
  type: 'BINARY' | 'FRACTIONAL' | 'LABELMAP'
  description: string
  contentLabel: string
  bitsAllocated: 1 | 8
  /** Frames in order: each of a segment, or of all (null). */
  frames: readonly { sliceIndex: number; segmentNumber: number | null }[]
  /** Attributes of the type. */
  attributes?: NaturalDataSet
  /** Items of Segment Sequence behind those of the segments. */
  furtherSegments?: readonly NaturalDataSet[]
  transferSyntaxUID?: string
  /** Pixel Data with its header. */
  pixels: Iterable<Uint8Array>
}

/** A segmentation on the source's own grid (PS3.3 A.51), whatever its type. */
export function encodeSegmentationObject(input: EncodingInput, parts: SegmentationParts): EncodedObject {
  const sopClassUID = parts.type === 'LABELMAP' ? SOP.labelMapSegmentation : SOP.segmentation
  const kind = {
    role: parts.role,
    output: parts.output,
    sopClassUID,
    modality: 'SEG',
    description: parts.description,
    ...(parts.transferSyntaxUID ? { transferSyntaxUID: parts.transferSyntaxUID } : {}),
  }
  return encodeObject(input, kind, segmentationAttributes(input, parts), parts.pixels)
}

/** Everything but Pixel Data and what all results have. */
function segmentationAttributes(input: EncodingInput, parts: SegmentationParts): NaturalDataSet {
  const { source, algorithm } = input
  const moment = momentOf(input)
  const planes = planesOf(source)
  const organizationUID = dimensionOrganizationUID(input, parts)
  return {
    ...codingSchemes(input.segments.flatMap(({ definition: d }) => [d.category, d.type, ...d.modifiers])),
    ...frameOfReference(input),
    // Type 2C where the place does not say it (PS3.3 C.7.6.1.1.1).
    ...(isVolumetric(planes) ? {} : { PatientOrientation: copied(source.header, 'PatientOrientation') ?? '' }),
    ImageType: ['DERIVED', 'PRIMARY'],
    ContentDate: moment.date,
    ContentTime: moment.time,
    ContentLabel: parts.contentLabel,
    ContentDescription: nameAndVersion(algorithm),
    ContentCreatorName: '',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: source.rows,
    Columns: source.columns,
    BitsAllocated: parts.bitsAllocated,
    BitsStored: parts.bitsAllocated,
    HighBit: parts.bitsAllocated - 1,
    PixelRepresentation: 0,
    ...lossyImageCompression(input),
    SegmentationType: parts.type,
    ...parts.attributes,
    SegmentSequence: [
      ...input.segments.map((segment) => segmentItem(input, segment)),
      ...(parts.furtherSegments ?? []),
    ],
    NumberOfFrames: parts.frames.length,
    ...dimensions(planes, { organizationUID, segments: parts.type !== 'LABELMAP' }),
    SharedFunctionalGroupsSequence: [sharedFunctionalGroups(planes)],
    PerFrameFunctionalGroupsSequence: perFrameFunctionalGroups(
      { planes, derivation: segmentationCode, spatialLocationsPreserved: 'YES' },
      parts.frames.map(({ sliceIndex, segmentNumber }) => ({
        plane: sliceIndex,
        segmentNumber,
        sources: source.slices.slice(sliceIndex, sliceIndex + 1),
      })),
    ),
    ReferencedSeriesSequence: referencedSeries(source, source.slices),
  }
}

function segmentItem(input: EncodingInput, segment: SegmentMasks): NaturalDataSet {
  const { number, definition } = segment
  const tracking = segmentTracking(input, segment)
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
