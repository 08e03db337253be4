import type { EncodingInput, SegmentMasks } from './encoding-input.ts'
import { EncodeError } from './error.ts'

/** Frames of segments that do not overlap. */
export interface LabelFrames {
  /** Slices that hold anything, in order; the middle one where none does. */
  slices: number[]
  /** By segment and then by slice, as BINARY segmentations have them. */
  bySegment: { segmentNumber: number; sliceIndex: number }[]
}

/** Slices of labels, and what is expected of them. */
export interface LabelSlices {
  segments: readonly SegmentMasks[]
  labelsOf: (sliceIndex: number) => Uint8Array | null
  sliceCount: number
  /** Length of a slice's array. */
  pixels: number
}

/**
 * Which slices hold which segments.
 * @throws {EncodeError} `nothing-to-encode` without segments or slices; `wrong-size` when a slice is not `pixels` long;
 * `unknown-label` when it holds a number that no segment has
 */
export function planLabelFrames({ segments, labelsOf, sliceCount, pixels }: LabelSlices): LabelFrames {
  const [first] = segments
  if (!first || sliceCount === 0)
    throw new EncodeError('nothing-to-encode', 'a segmentation needs a segment and a source image')
  const numbers = segments.map(({ number }) => number)
  const found = new Map(numbers.map((number) => [number, [] as number[]]))
  const slices: number[] = []
  for (let sliceIndex = 0; sliceIndex < sliceCount; sliceIndex++) {
    const labels = labelsOf(sliceIndex)
    if (!labels) continue
    if (labels.length !== pixels)
      throw new EncodeError('wrong-size', `slice ${sliceIndex}: ${labels.length} labels, ${pixels} are expected`)
    const present = presentLabels(labels)
    if (present.length > 0) slices.push(sliceIndex)
    for (const label of present) {
      const own = found.get(label)
      if (!own)
        throw new EncodeError('unknown-label', `slice ${sliceIndex}: label ${label}, no segment has this number`)
      own.push(sliceIndex)
    }
  }
  const middle = Math.floor(sliceCount / 2)
  if (slices.length === 0) return { slices: [middle], bySegment: [{ segmentNumber: first.number, sliceIndex: middle }] }
  return {
    slices,
    bySegment: numbers.flatMap((segmentNumber) =>
      (found.get(segmentNumber) ?? []).map((sliceIndex) => ({ segmentNumber, sliceIndex })),
    ),
  }
}

/** Values other than 0 that occur, ascending. */
function presentLabels(labels: Uint8Array): number[] {
  const seen = new Uint8Array(256)
  // Four at a time: most of them are alike.
  const words = labels.byteOffset % 4 === 0 ? new Uint32Array(labels.buffer, labels.byteOffset, labels.length >> 2) : []
  let previous = 0
  for (let w = 0; w < words.length; w++) {
    const word = words[w] as number
    if (word === previous) continue
    previous = word
    for (let i = w * 4; i < w * 4 + 4; i++) seen[labels[i] as number] = 1
  }
  for (let i = words.length * 4; i < labels.length; i++) seen[labels[i] as number] = 1
  const present: number[] = []
  for (let label = 1; label < 256; label++) if (seen[label]) present.push(label)
  return present
}

/**
 * A function that gives the labels of a slice: the input's own, or its segments' masks put into one array that is used again.
 * @throws {EncodeError} (from the function) `overlapping-segments` where two segments claim a pixel, because a label map cannot say so;
 * `wrong-size` when a mask does not fit the grid
 */
export function labelSlices(input: EncodingInput): (sliceIndex: number) => Uint8Array | null {
  if (input.labelsOf) return input.labelsOf
  const pixels = input.source.rows * input.source.columns
  const labels = new Uint8Array(pixels)
  return (sliceIndex) => {
    labels.fill(0)
    let anything = false
    for (const segment of input.segments) {
      const mask = segment.maskOf(sliceIndex)
      if (!mask) continue
      if (mask.length !== pixels)
        throw new EncodeError(
          'wrong-size',
          `segment ${segment.id}, slice ${sliceIndex}: ${mask.length} values, ${pixels} are expected`,
        )
      anything = true
      for (let i = 0; i < pixels; i++) {
        if (!mask[i]) continue
        if (labels[i])
          throw new EncodeError(
            'overlapping-segments',
            `slice ${sliceIndex}: segments ${labels[i]} and ${segment.number} overlap, a label map cannot hold both`,
          )
        labels[i] = segment.number
      }
    }
    return anything ? labels : null
  }
}
