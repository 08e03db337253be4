import { type Code, codeItem } from '../dicom/codes.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import { cielab } from './colour.ts'
import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, OutputName } from './encoding-input.ts'
import { labelSlices, planLabelFrames } from './label-frames.ts'
import type { NaturalDataSet } from './patient-study.ts'
import { pixelDataHeader } from './result-object.ts'
import { encodeRLE, rleBound } from './run-length.ts'
import { encodeSegmentationObject } from './segmentation-object.ts'

const spatialConcept: Code = { value: '309825002', scheme: 'SCT', meaning: 'Spatial and Relational Concept' }
const background: Code = { value: '125040', scheme: 'DCM', meaning: 'Background' }

export interface LabelMapOptions {
  /** `rle` (default): RLE Lossless, a few percent of the size; `none`: explicit VR little endian. */
  compression?: 'rle' | 'none'
  output?: OutputName | undefined
}

/**
 * A LABELMAP segmentation (Label Map Segmentation Storage, PS3.3 A.51): one frame a slice with the segments' numbers, 0 for the
 * background, slices without any segment left out. Frames are made one at a time while the chunks are read.
 * @throws {EncodeError} `nothing-to-encode` without segments; `wrong-size`; `overlapping-segments`; `unknown-label`; `too-large`
 */
export function encodeLabelMap(input: EncodingInput, options: LabelMapOptions = {}): EncodedObject {
  const { rows, columns, slices } = input.source
  const pixels = rows * columns
  const labelsOf = labelSlices(input)
  const planned = planLabelFrames({ segments: input.segments, labelsOf, sliceCount: slices.length, pixels }).slices
  const compressed = (options.compression ?? 'rle') === 'rle'
  const frames = framesOf(labelsOf, planned, pixels)
  return encodeSegmentationObject(input, {
    role: 'label-map',
    output: options.output,
    type: 'LABELMAP',
    description: 'label map',
    contentLabel: 'LABEL_MAP',
    bitsAllocated: 8,
    frames: planned.map((sliceIndex) => ({ sliceIndex, segmentNumber: null })),
    attributes: { SegmentsOverlap: 'NO', PixelPaddingValue: 0 },
    furtherSegments: [backgroundItem()],
    ...(compressed ? { transferSyntaxUID: TS.rle } : {}),
    pixels: compressed
      ? encapsulated(frames, { rows, columns })
      : native(frames, pixelDataHeader(even(planned.length * pixels), 'PixelData', 'OB')),
  })
}

const even = (length: number): number => length + (length % 2)

/** Described last: viewers take the first item for the first segment. */
function backgroundItem(): NaturalDataSet {
  return {
    SegmentNumber: 0,
    SegmentLabel: 'Background',
    SegmentAlgorithmType: 'MANUAL',
    SegmentedPropertyCategoryCodeSequence: [codeItem(spatialConcept)],
    SegmentedPropertyTypeCodeSequence: [codeItem(background)],
    RecommendedDisplayCIELabValue: cielab([0, 0, 0]),
  }
}

function* framesOf(
  labelsOf: (sliceIndex: number) => Uint8Array | null,
  slices: readonly number[],
  pixels: number,
): Generator<Uint8Array> {
  for (const sliceIndex of slices) yield labelsOf(sliceIndex) ?? new Uint8Array(pixels)
}

function* native(frames: Iterable<Uint8Array>, header: Buffer): Generator<Uint8Array> {
  yield header
  let length = 0
  for (const frame of frames) {
    length += frame.length
    // The array of labels may be used again for the next slice.
    yield frame.slice()
  }
  if (length % 2 === 1) yield Uint8Array.of(0)
}

/** Fragments with an empty offset table (PS3.5 A.4): offsets are known only when all frames are made. */
function* encapsulated(
  frames: Iterable<Uint8Array>,
  { rows, columns }: { rows: number; columns: number },
): Generator<Uint8Array> {
  yield Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff])
  yield itemHeader(0xe000, 0)
  const scratch = new Uint8Array(rleBound(rows, columns))
  for (const frame of frames) {
    const fragment = encodeRLE(frame, { rows, columns, scratch })
    yield itemHeader(0xe000, fragment.length)
    yield fragment
  }
  yield itemHeader(0xe0dd, 0)
}

function itemHeader(element: number, length: number): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16LE(0xfffe, 0)
  header.writeUInt16LE(element, 2)
  header.writeUInt32LE(length, 4)
  return header
}
