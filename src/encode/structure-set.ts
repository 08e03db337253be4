import { type Code, codeItem } from '../dicom/codes.ts'
import { textOf } from '../dicom/dataset.ts'
import { add, scale, type Vector } from '../dicom/geometry.ts'
import { SOP } from '../dicom/sop-class.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import { decimalString } from '../dicom/value-encoder.ts'
import { caution, nameAndVersion } from './caution.ts'
import { codingSchemes } from './coding-schemes.ts'
import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, OutputName, SegmentMasks, SourceSlice } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { keyhole } from './keyhole.ts'
import { maskContours, type Polygon } from './mask-contours.ts'
import { copied, type NaturalDataSet } from './patient-study.ts'
import { isVolumetric, planesOf } from './planes.ts'
import { imageReference, sourceInstances } from './references.ts'
import { encodeObject, momentOf } from './result-object.ts'

export interface StructureSetOptions {
  output?: OutputName | undefined
  /** RT ROI Interpreted Type (PS3.3 C.8.8.8.1) by segment id; ORGAN when left out. */
  interpretedTypes?: Readonly<
    Record<string, 'ORGAN' | 'PTV' | 'CTV' | 'GTV' | 'EXTERNAL' | 'AVOIDANCE' | 'MARKER' | ''>
  >
  /** How far a contour may be moved to save points, pixels (see `maskContours`). */
  tolerance?: number
}

/**
 * A structure set (RT Structure Set Storage, PS3.3 A.19) of the input's segments: an ROI a segment with its contours on the source's
 * slices, half-way between the pixels inside and outside; one contour a part, its holes joined to its border by channels without width,
 * which every reader understands. The contours of the whole set are in memory at once.
 * @throws {EncodeError} `nothing-to-encode` without segments or slices; `no-geometry` where the source has no positions or no frame of
 * reference; `wrong-size` when a mask does not fit the grid
 */
export function encodeStructureSet(input: EncodingInput, options: StructureSetOptions = {}): EncodedObject {
  const { source, segments } = input
  if (segments.length === 0 || source.slices.length === 0)
    throw new EncodeError('nothing-to-encode', 'a structure set needs a segment and a source image')
  if (!isVolumetric(planesOf(source)) || !source.pixelSpacing || !textOf(source.header, 'FrameOfReferenceUID'))
    throw new EncodeError('no-geometry', 'a structure set needs images with positions and a frame of reference')
  const kind = {
    role: 'structure-set',
    output: options.output,
    sopClassUID: SOP.rtStructureSet,
    modality: 'RTSTRUCT',
    description: 'structure set',
    // Explicit VRs hold 64 KiB of contour data, about 2400 points; implicit ones hold any number (PS3.5 7.1.3).
    transferSyntaxUID: TS.implicitVRLittleEndian,
  } as const
  return encodeObject(input, kind, setAttributes(input, options))
}

function setAttributes(input: EncodingInput, options: StructureSetOptions): NaturalDataSet {
  const { source, segments, algorithm } = input
  const moment = momentOf(input)
  const frameOfReferenceUID = textOf(source.header, 'FrameOfReferenceUID') ?? ''
  return {
    ...codingSchemes(segments.flatMap(({ definition: d }) => [d.category, d.type, ...d.modifiers])),
    OperatorsName: '',
    FrameOfReferenceUID: frameOfReferenceUID,
    PositionReferenceIndicator: copied(source.header, 'PositionReferenceIndicator') ?? '',
    StructureSetLabel: 'AI_RESULT',
    StructureSetName: nameAndVersion(algorithm),
    StructureSetDescription: `${caution(algorithm)}: ${algorithm.title}`.slice(0, 1024),
    StructureSetDate: moment.date,
    StructureSetTime: moment.time,
    ApprovalStatus: 'UNAPPROVED',
    ReferencedFrameOfReferenceSequence: [referencedFrameOfReference(input, frameOfReferenceUID)],
    StructureSetROISequence: segments.map(({ number, definition }) => ({
      ROINumber: number,
      ReferencedFrameOfReferenceUID: frameOfReferenceUID,
      ROIName: definition.label.slice(0, 64),
      ROIGenerationAlgorithm: 'AUTOMATIC',
      ROIGenerationDescription: nameAndVersion(algorithm),
    })),
    ROIContourSequence: segments.map((segment) => contoursOf(input, segment, options)),
    RTROIObservationsSequence: segments.map(({ id, number, definition }) => ({
      ObservationNumber: number,
      ReferencedROINumber: number,
      ROIObservationLabel: definition.label.slice(0, 16),
      RTROIIdentificationCodeSequence: [identification(definition.type, definition.modifiers)],
      RTROIInterpretedType: options.interpretedTypes?.[id] ?? 'ORGAN',
      ROIInterpreter: '',
    })),
  }
}

function identification(type: Code, modifiers: readonly Code[]): NaturalDataSet {
  const item: NaturalDataSet = codeItem(type)
  if (modifiers.length > 0) item.SegmentedPropertyTypeModifierCodeSequence = modifiers.map(codeItem)
  return item
}

function referencedFrameOfReference({ source, studyInstanceUID }: EncodingInput, uid: string): NaturalDataSet {
  return {
    FrameOfReferenceUID: uid,
    RTReferencedStudySequence: [
      {
        // The retired Detached Study Management class: the standard still asks for it here (PS3.3 C.8.8.5).
        ReferencedSOPClassUID: '1.2.840.10008.3.1.2.3.1',
        ReferencedSOPInstanceUID: studyInstanceUID,
        RTReferencedSeriesSequence: [
          {
            SeriesInstanceUID: source.seriesInstanceUID,
            ContourImageSequence: sourceInstances(source).map(({ sopClassUID, sopInstanceUID }) => ({
              ReferencedSOPClassUID: sopClassUID,
              ReferencedSOPInstanceUID: sopInstanceUID,
            })),
          },
        ],
      },
    ],
  }
}

/** An item of ROI Contour Sequence (PS3.3 C.8.8.6); an ROI that is empty has no Contour Sequence. */
function contoursOf(input: EncodingInput, segment: SegmentMasks, options: StructureSetOptions): NaturalDataSet {
  const { rows, columns, slices } = input.source
  const contours: NaturalDataSet[] = []
  const tolerance = options.tolerance === undefined ? {} : { tolerance: options.tolerance }
  slices.forEach((slice, index) => {
    const mask = segment.maskOf(index)
    if (!mask) return
    if (mask.length !== rows * columns)
      throw new EncodeError(
        'wrong-size',
        `segment ${segment.id}, slice ${index}: ${mask.length} values, ${rows * columns} are expected`,
      )
    for (const part of maskContours(mask, { rows, columns, ...tolerance }))
      contours.push(contourItem(keyhole(part), { slice, input, number: contours.length + 1 }))
  })
  const item: NaturalDataSet = {
    ROIDisplayColor: [...segment.definition.colour],
    ReferencedROINumber: segment.number,
  }
  return contours.length > 0 ? { ...item, ContourSequence: contours } : item
}

/** Of a coordinate in mm: a tenth of a micrometre is enough, and the text stays short. */
const decimals = 4

function contourItem(
  polygon: Polygon,
  { slice, input, number }: { slice: SourceSlice; input: EncodingInput; number: number },
): NaturalDataSet {
  const { imageOrientationPatient: o, pixelSpacing } = input.source
  const [rowSpacing = 1, columnSpacing = 1] = pixelSpacing ?? []
  const right = scale((o ?? []).slice(0, 3) as unknown as Vector, columnSpacing)
  const down = scale((o ?? []).slice(3, 6) as unknown as Vector, rowSpacing)
  const origin = slice.imagePositionPatient as unknown as Vector
  const data: string[] = []
  for (let i = 0; i < polygon.length; i += 2) {
    const place = add(origin, add(scale(right, polygon[i] as number), scale(down, polygon[i + 1] as number)))
    for (const value of place) data.push(decimalString(Number(value.toFixed(decimals))))
  }
  return {
    ContourNumber: number,
    ContourImageSequence: [imageReference(slice)],
    ContourGeometricType: 'CLOSED_PLANAR',
    NumberOfContourPoints: polygon.length / 2,
    // One string: as many values as a set of large segments has would fill the memory one by one.
    ContourData: data.join('\\'),
  }
}
