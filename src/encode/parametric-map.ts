import { type Code, codeItem } from '../dicom/codes.ts'
import { textOf } from '../dicom/dataset.ts'
import { SOP } from '../dicom/sop-class.ts'
import { decimalString } from '../dicom/value-encoder.ts'
import { nameAndVersion } from './caution.ts'
import { codingSchemes } from './coding-schemes.ts'
import type { EncodedObject } from './encoded.ts'
import type { ImagePlanes, OutputName, ResultContext, SourceSlice } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { dimensions, perFrameFunctionalGroups, sharedFunctionalGroups } from './functional-groups.ts'
import { dimensionOrganizationUID, type ResultName } from './identity.ts'
import type { NaturalDataSet } from './patient-study.ts'
import { isVolumetric, planesOf } from './planes.ts'
import { referencedSeries } from './references.ts'
import {
  bodyPart,
  encodeObject,
  frameOfReference,
  lossyImageCompression,
  momentOf,
  pixelDataHeader,
} from './result-object.ts'

const quantityName: Code = { value: '246205007', scheme: 'SCT', meaning: 'Quantity' }

export interface ParametricMap {
  output?: OutputName | undefined
  /** What a value means (CID 7180, 4033 and others). */
  quantity: Code
  /** UCUM. */
  unit: Code
  /** How the map was made of its source images (CID 7203). */
  derivation: Code
  /** Words for the Series Description; the meaning of the quantity when left out. */
  description?: string
  /** Values from black to white when it is first shown; lowest and highest value when left out. */
  range?: readonly [number, number]
  /** For what the values may be used; RESEARCH when left out. */
  contentQualification?: 'PRODUCT' | 'RESEARCH' | 'SERVICE'
  /** Left out: the map lies on the source's own planes. */
  planes?: ImagePlanes
  /** Source images of a plane; left out: the slice on the same place, or the whole series for planes of their own. */
  sourcesOf?: (plane: number) => readonly SourceSlice[]
  /**
   * Real-world values, `rows` x `columns`. Called twice for a plane; may give the same array again with other contents. What is not
   * finite is written as 0: viewers cannot show it.
   */
  valuesOf: (plane: number) => Float32Array
}

/**
 * A parametric map (PS3.3 A.75) with 32-bit float pixels: the stored values are the real-world ones (slope 1, intercept 0).
 * Frames are made one at a time while the chunks are read.
 * @throws {EncodeError} `nothing-to-encode` without planes; `no-geometry` where planes have no place, because the object needs one;
 * `wrong-size` when values do not fit the planes; `too-large`
 */
export function encodeParametricMap(context: ResultContext, map: ParametricMap): EncodedObject {
  const planes = map.planes ?? planesOf(context.source)
  if (planes.positions.length === 0) throw new EncodeError('nothing-to-encode', 'a parametric map needs a plane')
  if (!isVolumetric(planes) || !planes.pixelSpacing)
    throw new EncodeError(
      'no-geometry',
      'a parametric map needs planes with a place, an orientation and a pixel spacing',
    )
  const name: ResultName = { role: 'parametric-map', output: map.output }
  const kind = {
    ...name,
    sopClassUID: SOP.parametricMap,
    modality: textOf(context.source.header, 'Modality') ?? 'OT',
    description: map.description ?? map.quantity.meaning,
  }
  const pixels = planes.rows * planes.columns
  const length = planes.positions.length * pixels * 4
  const header = pixelDataHeader(length, 'FloatPixelData', 'OF')
  const attributes = mapAttributes(context, map, { planes, name, extremes: extremesOf(map, planes) })
  return encodeObject(context, kind, attributes, floatPixels(header, map, planes.positions.length))
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0)

function extremesOf({ valuesOf }: ParametricMap, planes: ImagePlanes): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  const pixels = planes.rows * planes.columns
  for (let plane = 0; plane < planes.positions.length; plane++) {
    const values = valuesOf(plane)
    if (values.length !== pixels)
      throw new EncodeError('wrong-size', `plane ${plane}: ${values.length} values, ${pixels} are expected`)
    for (let i = 0; i < pixels; i++) {
      const value = finite(values[i] as number)
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  return [low, high]
}

interface MapParts {
  planes: ImagePlanes
  name: ResultName
  extremes: [number, number]
}

function mapAttributes(context: ResultContext, map: ParametricMap, parts: MapParts): NaturalDataSet {
  const { source, algorithm } = context
  const { planes, name } = parts
  const moment = momentOf(context)
  const organizationUID = dimensionOrganizationUID(context, name)
  const imageType = ['DERIVED', 'PRIMARY', 'VOLUME', 'QUANTITY']
  return {
    ...codingSchemes([map.quantity, map.derivation]),
    ...bodyPart(context),
    ...frameOfReference(context),
    ImageType: imageType,
    ContentDate: moment.date,
    ContentTime: moment.time,
    ContentLabel: 'PARAMETRIC_MAP',
    ContentDescription: nameAndVersion(algorithm),
    ContentCreatorName: '',
    ContentQualification: map.contentQualification ?? 'RESEARCH',
    BurnedInAnnotation: 'NO',
    RecognizableVisualFeatures: 'NO',
    PresentationLUTShape: 'IDENTITY',
    AcquisitionContextSequence: [],
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: planes.rows,
    Columns: planes.columns,
    BitsAllocated: 32,
    ...lossyImageCompression(context),
    NumberOfFrames: planes.positions.length,
    ...dimensions(planes, { organizationUID, segments: false }),
    SharedFunctionalGroupsSequence: [
      {
        ...sharedFunctionalGroups(planes),
        ...valueGroups(map, parts.extremes),
        ParametricMapFrameTypeSequence: [{ FrameType: imageType }],
      },
    ],
    PerFrameFunctionalGroupsSequence: perFrameFunctionalGroups(
      { planes, derivation: map.derivation, spatialLocationsPreserved: map.planes ? 'NO' : 'YES' },
      planes.positions.map((_, plane) => ({ plane, segmentNumber: null, sources: sourcesOf(context, map, plane) })),
    ),
    ReferencedSeriesSequence: referencedSeries(
      source,
      planes.positions.flatMap((_, i) => sourcesOf(context, map, i)),
    ),
  }
}

function sourcesOf({ source }: ResultContext, map: ParametricMap, plane: number): readonly SourceSlice[] {
  if (map.sourcesOf) return map.sourcesOf(plane)
  return map.planes ? source.slices : source.slices.slice(plane, plane + 1)
}

/** How values are meant and shown: Real World Value Mapping, Frame VOI LUT and identity (PS3.3 C.7.6.16.2.11, .10 and .9). */
function valueGroups({ quantity, unit, range }: ParametricMap, extremes: [number, number]): NaturalDataSet {
  const [low, high] = range ?? extremes
  const width = high > low ? high - low : 1
  return {
    RealWorldValueMappingSequence: [
      {
        LUTExplanation: quantity.meaning.slice(0, 64),
        LUTLabel: quantity.value.slice(0, 16),
        MeasurementUnitsCodeSequence: [codeItem(unit)],
        QuantityDefinitionSequence: [
          {
            ValueType: 'CODE',
            ConceptNameCodeSequence: [codeItem(quantityName)],
            ConceptCodeSequence: [codeItem(quantity)],
          },
        ],
        DoubleFloatRealWorldValueFirstValueMapped: extremes[0],
        DoubleFloatRealWorldValueLastValueMapped: extremes[1],
        RealWorldValueSlope: 1,
        RealWorldValueIntercept: 0,
      },
    ],
    FrameVOILUTSequence: [{ WindowCenter: decimalString(low + width / 2), WindowWidth: decimalString(width) }],
    PixelValueTransformationSequence: [{ RescaleIntercept: '0', RescaleSlope: '1', RescaleType: 'US' }],
  }
}

function* floatPixels(header: Buffer, { valuesOf }: ParametricMap, planes: number): Generator<Uint8Array> {
  yield header
  for (let plane = 0; plane < planes; plane++) {
    // A copy, in little endian as this machine is.
    const frame = Float32Array.from(valuesOf(plane))
    for (let i = 0; i < frame.length; i++) if (!Number.isFinite(frame[i])) frame[i] = 0
    yield new Uint8Array(frame.buffer)
  }
}
