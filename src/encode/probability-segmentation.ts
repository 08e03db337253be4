import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, OutputName } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { pixelDataHeader } from './result-object.ts'
import { encodeSegmentationObject } from './segmentation-object.ts'

/** Probability 1 as it is stored (Maximum Fractional Value). */
const maximum = 255

export interface ProbabilityOptions {
  /**
   * Probabilities of a segment on a slice, 0 to 1, `rows` x `columns`; null where all are 0. May be called more than once for a slice,
   * and may give the same array again with other contents.
   */
  probabilityOf: (segmentId: string, sliceIndex: number) => Float32Array | null
  output?: OutputName | undefined
}

/**
 * A FRACTIONAL segmentation of the type PROBABILITY (PS3.3 C.8.20.2.3): one frame a segment and slice, one byte a pixel, 255 for
 * certain. Frames in which everything rounds to 0 are left out. Frames are made one at a time while the chunks are read.
 *
 * Some viewers (OHIF 3.13 among them) refuse fractional segmentations: send a BINARY one as well.
 * @throws {EncodeError} `nothing-to-encode` without segments or slices; `wrong-size` when an array does not fit the grid; `too-large`
 */
export function encodeProbabilitySegmentation(
  input: EncodingInput,
  { probabilityOf, output }: ProbabilityOptions,
): EncodedObject {
  const { rows, columns, slices } = input.source
  const pixels = rows * columns
  const [first] = input.segments
  if (!first || slices.length === 0)
    throw new EncodeError('nothing-to-encode', 'a segmentation needs a segment and a source image')
  const places: Place[] = []
  for (const { id, number } of input.segments)
    for (let sliceIndex = 0; sliceIndex < slices.length; sliceIndex++) {
      const values = probabilityOf(id, sliceIndex)
      if (!values) continue
      if (values.length !== pixels)
        throw new EncodeError(
          'wrong-size',
          `segment ${id}, slice ${sliceIndex}: ${values.length} values, ${pixels} are expected`,
        )
      if (values.some((value) => stored(value) > 0)) places.push({ id, segmentNumber: number, sliceIndex })
    }
  if (places.length === 0)
    places.push({ id: first.id, segmentNumber: first.number, sliceIndex: Math.floor(slices.length / 2) })
  const length = places.length * pixels
  return encodeSegmentationObject(input, {
    role: 'probability',
    output,
    type: 'FRACTIONAL',
    description: 'probability',
    contentLabel: 'PROBABILITY',
    bitsAllocated: 8,
    frames: places,
    attributes: { SegmentationFractionalType: 'PROBABILITY', MaximumFractionalValue: maximum },
    pixels: pixelData(pixelDataHeader(length + (length % 2), 'PixelData', 'OB'), places, { probabilityOf, pixels }),
  })
}

interface Place {
  id: string
  segmentNumber: number
  sliceIndex: number
}

/** Not a number is no probability: it is stored as 0. */
function stored(probability: number): number {
  return probability > 0 ? Math.round(Math.min(1, probability) * maximum) : 0
}

function* pixelData(
  header: Buffer,
  places: readonly Place[],
  { probabilityOf, pixels }: { probabilityOf: ProbabilityOptions['probabilityOf']; pixels: number },
): Generator<Uint8Array> {
  yield header
  for (const { id, sliceIndex } of places) {
    const values = probabilityOf(id, sliceIndex)
    const frame = new Uint8Array(pixels)
    if (values) for (let i = 0; i < pixels; i++) frame[i] = stored(values[i] as number)
    yield frame
  }
  if ((places.length * pixels) % 2 === 1) yield Uint8Array.of(0)
}
