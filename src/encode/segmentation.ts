import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, OutputName } from './encoding-input.ts'
import { planLabelFrames } from './label-frames.ts'
import { pixelDataHeader } from './result-object.ts'
import { type MaskRuns, type PackedFrame, packedLength, packFrames, packLabels, planFrames } from './seg-frames.ts'
import { encodeSegmentationObject } from './segmentation-object.ts'

/**
 * A BINARY segmentation (PS3.3 A.51) on the source's own grid. Empty frames are left out; frames are packed one at a time while the
 * chunks are read, so that no more than a frame, and the runs of masks, is in memory.
 * @throws {EncodeError} `nothing-to-encode` without segments; `wrong-size` when a mask does not fit the grid; `too-large`
 */
export function encodeSegmentation(input: EncodingInput, output?: OutputName): EncodedObject {
  const { rows, columns, slices } = input.source
  const pixels = rows * columns
  const { labelsOf } = input
  const frames: readonly FramePlace[] = labelsOf
    ? planLabelFrames({ segments: input.segments, labelsOf, sliceCount: slices.length, pixels }).bySegment
    : planFrames(input.segments, slices.length, pixels).map(({ segment, sliceIndex, runs }) => ({
        segmentNumber: segment.number,
        sliceIndex,
        runs,
      }))
  const header = pixelDataHeader(packedLength(frames.length, pixels), 'PixelData', 'OB')
  return encodeSegmentationObject(input, {
    role: 'segmentation',
    output,
    type: 'BINARY',
    description: 'segmentation',
    contentLabel: 'SEGMENTATION',
    bitsAllocated: 1,
    frames,
    pixels: pixelData(header, input, frames),
  })
}

interface FramePlace {
  segmentNumber: number
  sliceIndex: number
  runs?: MaskRuns | null
}

function* pixelData(header: Buffer, input: EncodingInput, frames: readonly FramePlace[]): Generator<Uint8Array> {
  yield header
  const pixels = input.source.rows * input.source.columns
  if (input.labelsOf) yield* packLabels(labelled(frames, input.labelsOf), pixels)
  else yield* packFrames(masks(frames, input), pixels)
}

function* labelled(
  frames: readonly FramePlace[],
  labelsOf: (sliceIndex: number) => Uint8Array | null,
): Generator<PackedFrame> {
  for (const { segmentNumber, sliceIndex } of frames) yield { labels: labelsOf(sliceIndex), label: segmentNumber }
}

function* masks(frames: readonly FramePlace[], { segments }: EncodingInput): Generator<Uint8Array | MaskRuns | null> {
  const byNumber = new Map(segments.map((segment) => [segment.number, segment]))
  for (const { segmentNumber, sliceIndex, runs } of frames)
    yield runs ?? byNumber.get(segmentNumber)?.maskOf(sliceIndex) ?? null
}
