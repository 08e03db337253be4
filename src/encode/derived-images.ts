import { type Code, codeItem } from '../dicom/codes.ts'
import { numberOf, textOf } from '../dicom/dataset.ts'
import { SOP } from '../dicom/sop-class.ts'
import { decimalString } from '../dicom/value-encoder.ts'
import { caution } from './caution.ts'
import { codingSchemes } from './coding-schemes.ts'
import { attributesOfSource, type ImageKind, imageKind } from './derived-attributes.ts'
import type { EncodedObject } from './encoded.ts'
import type { ImagePlanes, OutputName, ResultContext, SourceSlice } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { copied, type NaturalDataSet } from './patient-study.ts'
import { planesOf } from './planes.ts'
import { imageReference } from './references.ts'
import {
  bodyPart,
  encodeObject,
  frameOfReference,
  lossyImageCompression,
  momentOf,
  pixelDataHeader,
} from './result-object.ts'

const sourceImage: Code = { value: '121322', scheme: 'DCM', meaning: 'Source image for image processing operation' }

export interface DerivedSeries {
  output?: OutputName | undefined
  /** How the images were made (CID 7203): 113087 Smoothing, 113085 Spatial resampling, … */
  derivations: readonly Code[]
  /** Words for the Series Description and Derivation Description: `denoised`. */
  description: string
  /** Left out: the images lie on the source's own planes. */
  planes?: ImagePlanes
  /** Source images of a plane; left out: the slice on the same place, or the whole series for planes of their own. */
  sourcesOf?: (plane: number) => readonly SourceSlice[]
  /**
   * Stored values to real-world ones. Left out: the source's own, for images in the source's units. `fit`: what holds all values of the
   * series as finely as 16 bits can, for values in other units and of any size.
   */
  rescale?: { slope: number; intercept: number } | 'fit'
  /** Real-world values (HU, …), `rows` x `columns`. May be called twice for a plane, and may give the same array again with other contents. */
  valuesOf: (plane: number) => Float32Array | Int16Array
}

/**
 * A series of single-frame images that were computed of the source's: denoised, super-resolved, synthesised. CT, MR and PET stay what they
 * are, everything else becomes Secondary Capture. 16 bits, the source's sign and rescale kept if not asked otherwise; where values of an
 * image do not fit, its slope grows until they do. Not a number becomes the smallest stored value.
 *
 * Images are made one after the other: each must be written before the next is asked for.
 * @throws {EncodeError} `nothing-to-encode` without planes; `wrong-size` when values do not fit the planes
 */
export function* encodeDerivedImages(context: ResultContext, series: DerivedSeries): Generator<EncodedObject> {
  const { source } = context
  const planes = series.planes ?? planesOf(source)
  if (planes.positions.length === 0) throw new EncodeError('nothing-to-encode', 'a derived series needs an image')
  const kind = imageKind(source.header, source.slices[0]?.sopClassUID ?? '')
  const storage = storageOf(context, series, { planes, kind })
  const shared = { ...sharedAttributes(context, series, { planes, kind }), ...windowOf(context, storage) }
  for (let plane = 0; plane < planes.positions.length; plane++) {
    const stored = storedValues(valuesOf(series, planes, plane), storage)
    yield encodeObject(
      context,
      {
        role: 'derived',
        output: series.output,
        instance: plane + 1,
        sopClassUID: kind.sopClassUID,
        modality: kind.modality,
        description: series.description,
      },
      {
        ...shared,
        ...planeAttributes(context, series, { planes, plane }),
        ...rescaleAttributes(context, series, stored),
      },
      [pixelDataHeader(stored.bytes.length, 'PixelData', 'OW'), stored.bytes],
    )
  }
}

function valuesOf(series: DerivedSeries, { rows, columns }: ImagePlanes, plane: number): Float32Array | Int16Array {
  const values = series.valuesOf(plane)
  if (values.length !== rows * columns)
    throw new EncodeError('wrong-size', `plane ${plane}: ${values.length} values, ${rows * columns} are expected`)
  return values
}

function sharedAttributes(
  context: ResultContext,
  series: DerivedSeries,
  { planes, kind }: { planes: ImagePlanes; kind: ImageKind },
): NaturalDataSet {
  const { algorithm, source } = context
  const moment = momentOf(context)
  const attributes: NaturalDataSet = {
    ...codingSchemes(series.derivations),
    ...attributesOfSource(source.header, kind),
    ...bodyPart(context),
    ...frameOfReference(context),
    ContentDate: moment.date,
    ContentTime: moment.time,
    DerivationDescription: `${series.description} by ${algorithm.name} ${algorithm.version}`,
    DerivationCodeSequence: series.derivations.map(codeItem),
    ImageComments: caution(algorithm),
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: planes.rows,
    Columns: planes.columns,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    ...lossyImageCompression(context),
  }
  if (planes.pixelSpacing) attributes.PixelSpacing = planes.pixelSpacing.map((value) => decimalString(value))
  if (planes.imageOrientationPatient)
    attributes.ImageOrientationPatient = planes.imageOrientationPatient.map((value) => decimalString(value))
  if (planes.sliceThickness) attributes.SliceThickness = decimalString(planes.sliceThickness)
  if (planes.sliceSpacing && kind.sopClassUID === SOP.mrImage)
    attributes.SpacingBetweenSlices = decimalString(planes.sliceSpacing)
  if (kind.sopClassUID === SOP.petImage) attributes.NumberOfSlices = planes.positions.length
  if (attributes.PatientPosition === undefined && planes.imageOrientationPatient) attributes.PatientPosition = ''
  // Type 2C where the place does not say it (PS3.3 C.7.6.1.1.1).
  if (!planes.imageOrientationPatient) attributes.PatientOrientation ??= ''
  return attributes
}

function planeAttributes(
  { source }: ResultContext,
  series: DerivedSeries,
  { planes, plane }: { planes: ImagePlanes; plane: number },
): NaturalDataSet {
  const own = series.planes ? source.slices : source.slices.slice(plane, plane + 1)
  const attributes: NaturalDataSet = {
    SourceImageSequence: (series.sourcesOf?.(plane) ?? own).map((slice) => ({
      ...imageReference(slice),
      PurposeOfReferenceCodeSequence: [codeItem(sourceImage)],
      SpatialLocationsPreserved: series.planes ? 'NO' : 'YES',
    })),
    ImageIndex: textOf(source.header, 'Modality') === 'PT' ? plane + 1 : undefined,
  }
  const position = planes.positions[plane]
  if (position) attributes.ImagePositionPatient = position.map((value) => decimalString(value))
  return attributes
}

interface Storage {
  slope: number
  intercept: number
  signed: boolean
  /** The class has a rescale of its own; else it is written only where it is not the identity. */
  rescaled: boolean
  /** Lowest and highest value of the series, where they had to be known. */
  extremes: readonly [number, number] | null
}

function storageOf(
  { source: { header } }: ResultContext,
  series: DerivedSeries,
  { planes, kind }: { planes: ImagePlanes; kind: ImageKind },
): Storage {
  const rescaled = kind.sopClassUID === SOP.ctImage || kind.sopClassUID === SOP.petImage
  if (series.rescale === 'fit') {
    const extremes = extremesOf(series, planes)
    return { ...fitted(extremes, kind), rescaled, extremes }
  }
  const slope = series.rescale?.slope ?? numberOf(header, 'RescaleSlope')
  const signed = numberOf(header, 'PixelRepresentation') === 1
  return {
    slope: slope || 1,
    intercept: series.rescale?.intercept ?? numberOf(header, 'RescaleIntercept') ?? 0,
    // Without a rescale CT values below 0 have to be stored as they are.
    signed: signed || (kind.sopClassUID === SOP.ctImage && slope === null),
    rescaled,
    extremes: null,
  }
}

/** The finest steps that hold a range of values. PET has no intercept (PS3.3 C.8.9.4). */
function fitted(
  [low, high]: readonly [number, number],
  { sopClassUID }: ImageKind,
): Pick<Storage, 'slope' | 'intercept' | 'signed'> {
  if (sopClassUID !== SOP.petImage)
    return { slope: roundedUp((high - low) / 65535) || 1, intercept: low, signed: false }
  const signed = low < 0
  return { slope: roundedUp(Math.max(-low, high) / (signed ? 32767 : 65535)) || 1, intercept: 0, signed }
}

function extremesOf(series: DerivedSeries, planes: ImagePlanes): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let plane = 0; plane < planes.positions.length; plane++) {
    const values = valuesOf(series, planes, plane)
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number
      if (!Number.isFinite(value)) continue
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  return low <= high ? [low, high] : [0, 0]
}

/** A slope of few digits, so that readers who read it as text compute with the same one; never smaller, so that all values fit. */
function roundedUp(slope: number): number {
  const rounded = Number(slope.toPrecision(6))
  return rounded >= slope ? rounded : Number((slope * 1.00001).toPrecision(6))
}

/** How images are first shown: as the source where values are in its units, else from the lowest to the highest value. */
function windowOf({ source: { header } }: ResultContext, { extremes }: Storage): NaturalDataSet {
  if (!extremes) {
    const center = copied(header, 'WindowCenter')
    const width = copied(header, 'WindowWidth')
    return center === null || width === null ? {} : { WindowCenter: center, WindowWidth: width }
  }
  const [low, high] = extremes
  const width = Math.max(high - low, 1)
  return { WindowCenter: decimalString((low + high) / 2), WindowWidth: decimalString(width) }
}

interface StoredImage extends Storage {
  /** Little endian, as this machine is. */
  bytes: Uint8Array
}

function storedValues(values: Float32Array | Int16Array, storage: Storage): StoredImage {
  const { intercept, signed } = storage
  const low = signed ? -32768 : 0
  const high = signed ? 32767 : 65535
  let slope = storage.slope
  let largest = 0
  for (let i = 0; i < values.length; i++) {
    const stored = ((values[i] as number) - intercept) / slope
    if (stored > largest && stored !== Number.POSITIVE_INFINITY) largest = stored
    else if (signed && -stored > largest && stored !== Number.NEGATIVE_INFINITY) largest = -stored
  }
  if (largest > high + 0.5) slope *= largest / high
  const words = signed ? new Int16Array(values.length) : new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const stored = Math.round(((values[i] as number) - intercept) / slope)
    words[i] = stored >= low ? Math.min(high, stored) : low
  }
  return { ...storage, slope, bytes: new Uint8Array(words.buffer) }
}

function rescaleAttributes(
  { source: { header } }: ResultContext,
  series: DerivedSeries,
  { slope, intercept, signed, rescaled }: StoredImage,
): NaturalDataSet {
  const attributes: NaturalDataSet = { PixelRepresentation: signed ? 1 : 0 }
  if (rescaled || slope !== 1 || intercept !== 0) {
    attributes.RescaleSlope = decimalString(slope)
    attributes.RescaleIntercept = decimalString(intercept)
    const isHounsfield = textOf(header, 'Modality') === 'CT'
    attributes.RescaleType =
      series.rescale === undefined ? (textOf(header, 'RescaleType') ?? (isHounsfield ? 'HU' : 'US')) : 'US'
  }
  return attributes
}
