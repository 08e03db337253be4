import { type Code, codeItem } from '../dicom/codes.ts'
import { SOP } from '../dicom/sop-class.ts'
import { caution, cautions } from './caution.ts'
import type { EncodedObject } from './encoded.ts'
import type { OutputName, ResultContext } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { layoutOf, type Overlay, overlayPicture, type PictureFrame } from './overlay-picture.ts'
import type { NaturalDataSet } from './patient-study.ts'
import type { Picture } from './picture.ts'
import { imageReference } from './references.ts'
import { bodyPart, encodeObject, lossyImageCompression, momentOf, pixelDataHeader } from './result-object.ts'

const sourceImage: Code = { value: '121322', scheme: 'DCM', meaning: 'Source image for image processing operation' }

export interface ColourCapture extends Overlay {
  output?: OutputName | undefined
  /** Words for the Series Description; `overlay` when left out. */
  description?: string
  /** Indices of the slices to show; all when left out. */
  slices?: readonly number[]
  /** Further lines of the legend, in ASCII, without patient data. */
  notes?: readonly string[]
}

/**
 * Colour pictures of slices with segments or a heat map blended over them, a legend, and the burnt-in words that it is an unverified AI
 * result: Multi-frame True Color Secondary Capture (PS3.3 A.8.5), or Secondary Capture (A.8.1) for one slice. Pictures are drawn one
 * at a time while the chunks are read. They have no pixel spacing: nothing is to be measured on them.
 * @throws {EncodeError} `nothing-to-encode` without slices; `wrong-size` when values do not fit the grid; `too-large`
 */
export function encodeColourCapture(context: ResultContext, capture: ColourCapture): EncodedObject {
  const { source } = context
  const slices = capture.slices ?? source.slices.map((_, index) => index)
  if (slices.length === 0 || slices.some((index) => !source.slices[index]))
    throw new EncodeError('nothing-to-encode', 'a secondary capture needs a slice of the source')
  const layout = layoutOf(pictureFrame(context, capture, slices[0] ?? 0), capture)
  const length = slices.length * layout.width * layout.height * 3
  const single = slices.length === 1
  return encodeObject(
    context,
    {
      role: 'capture',
      output: capture.output,
      sopClassUID: single ? SOP.secondaryCaptureImage : SOP.multiFrameTrueColorSecondaryCaptureImage,
      modality: 'OT',
      description: capture.description ?? 'overlay',
    },
    captureAttributes(context, { slices, single, width: layout.width, height: layout.height }),
    pixelData(pixelDataHeader(length + (length % 2), 'PixelData', 'OB'), drawn(context, capture, slices)),
  )
}

/** The picture of one slice, as the capture shows it: for documents. */
export function capturePicture(context: ResultContext, capture: ColourCapture, sliceIndex: number): Picture {
  const frame = pictureFrame(context, capture, sliceIndex)
  const pixels = frame.rows * frame.columns
  for (const values of [capture.greyOf(sliceIndex), capture.heatMap?.valuesOf(sliceIndex)])
    if (values && values.length !== pixels)
      throw new EncodeError('wrong-size', `slice ${sliceIndex}: ${values.length} values, ${pixels} are expected`)
  return overlayPicture(capture, sliceIndex, { frame, layout: layoutOf(frame, capture) })
}

function pictureFrame({ source, algorithm }: ResultContext, capture: ColourCapture, sliceIndex: number): PictureFrame {
  const [height = 1, width = 1] = source.pixelSpacing ?? []
  const aspect = height / width
  return {
    rows: source.rows,
    columns: source.columns,
    aspect: aspect > 0 && Number.isFinite(aspect) ? aspect : 1,
    headings: cautions(algorithm),
    notes: [
      `${algorithm.title} ${algorithm.version}`,
      `Image ${sliceIndex + 1} of ${source.slices.length}`,
      ...(capture.notes ?? []),
    ],
  }
}

function* drawn(context: ResultContext, capture: ColourCapture, slices: readonly number[]): Generator<Uint8Array> {
  for (const sliceIndex of slices) yield capturePicture(context, capture, sliceIndex).rgb
}

function* pixelData(header: Buffer, frames: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield header
  let length = 0
  for (const frame of frames) {
    length += frame.length
    yield frame
  }
  if (length % 2 === 1) yield Uint8Array.of(0)
}

function captureAttributes(
  context: ResultContext,
  { slices, single, width, height }: { slices: readonly number[]; single: boolean; width: number; height: number },
): NaturalDataSet {
  const { source, algorithm } = context
  const moment = momentOf(context)
  const attributes: NaturalDataSet = {
    ...bodyPart(context),
    ConversionType: 'WSD',
    ImageType: ['DERIVED', 'SECONDARY'],
    ContentDate: moment.date,
    ContentTime: moment.time,
    DerivationDescription: `overlay of the results of ${algorithm.name} ${algorithm.version}`,
    SourceImageSequence: slices
      .flatMap((index) => source.slices[index] ?? [])
      .map((slice) => ({
        ...imageReference(slice),
        PurposeOfReferenceCodeSequence: [codeItem(sourceImage)],
        SpatialLocationsPreserved: 'NO',
      })),
    ImageComments: caution(algorithm),
    PatientOrientation: '',
    BurnedInAnnotation: 'YES',
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    Rows: height,
    Columns: width,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    ...lossyImageCompression(context),
  }
  if (!single)
    Object.assign(attributes, {
      NumberOfFrames: slices.length,
      FrameIncrementPointer: '00182001',
      PageNumberVector: slices.map((_, index) => index + 1),
    })
  return attributes
}
