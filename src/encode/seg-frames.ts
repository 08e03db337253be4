import type { SegmentMasks } from './encoding-input.ts'
import { EncodeError } from './error.ts'

/** A frame of a BINARY segmentation: one segment on one slice. */
export interface SegFrame {
  segment: SegmentMasks
  sliceIndex: number
}

/**
 * Which frames a segmentation has: those that are not empty, by segment and then by slice. A segmentation must have a frame: where all
 * is empty, it is one without a voxel, of the first segment on the middle slice.
 * @throws {EncodeError} `nothing-to-encode` without segments or slices; `wrong-size` when a mask is not `pixels` long
 */
export function planFrames(segments: readonly SegmentMasks[], sliceCount: number, pixels: number): SegFrame[] {
  const [first] = segments
  if (!first || sliceCount === 0)
    throw new EncodeError('nothing-to-encode', 'a segmentation needs a segment and a source image')
  const frames: SegFrame[] = []
  for (const segment of segments)
    for (let sliceIndex = 0; sliceIndex < sliceCount; sliceIndex++) {
      const mask = segment.maskOf(sliceIndex)
      if (!mask) continue
      if (mask.length !== pixels)
        throw new EncodeError(
          'wrong-size',
          `segment ${segment.id}, slice ${sliceIndex}: ${mask.length} values, ${pixels} are expected`,
        )
      if (holdsAnything(mask)) frames.push({ segment, sliceIndex })
    }
  return frames.length > 0 ? frames : [{ segment: first, sliceIndex: Math.floor(sliceCount / 2) }]
}

function holdsAnything(mask: Uint8Array): boolean {
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) return true
  return false
}

/** Bytes of the Pixel Data of so many frames: one bit a pixel, frames not aligned, the end padded to an even length (PS3.5 8.1.1, 8.2). */
export function packedLength(frameCount: number, pixels: number): number {
  const bytes = Math.ceil((frameCount * pixels) / 8)
  return bytes + (bytes % 2)
}

/**
 * Packs frames bit after bit, the first pixel into the lowest bit (PS3.5 8.1.1). A frame begins where the one before ended, in the
 * middle of a byte if need be. Each mask is asked for when its turn comes and is not kept.
 * @param masks a mask per frame, non-zero inside; null is an empty frame
 * @param pixels length of every mask
 */
export function* packFrames(masks: Iterable<Uint8Array | null>, pixels: number): Generator<Uint8Array> {
  let written = 0
  let carry = 0
  let carried = 0
  for (const mask of masks) {
    const bits = carried + pixels
    const bytes = new Uint8Array(Math.ceil(bits / 8))
    bytes[0] = carry
    if (mask) setBits(bytes, mask, carried)
    const whole = bits >> 3
    carried = bits & 7
    carry = carried > 0 ? (bytes[whole] ?? 0) : 0
    written += whole
    if (whole > 0) yield bytes.subarray(0, whole)
  }
  if (carried > 0) {
    written++
    yield Uint8Array.of(carry)
  }
  if (written % 2 === 1) yield Uint8Array.of(0)
}

function setBits(bytes: Uint8Array, mask: Uint8Array, offset: number): void {
  // Masks are empty over long stretches: whole bytes are assembled at once, and zero is left as it is.
  const lead = offset === 0 ? 0 : Math.min(8 - offset, mask.length)
  for (let i = 0; i < lead; i++) if (mask[i]) bytes[0] = (bytes[0] ?? 0) | (1 << (offset + i))
  let at = offset === 0 ? 0 : 1
  let i = lead
  for (; i + 8 <= mask.length; i += 8, at++) {
    let byte = 0
    for (let bit = 0; bit < 8; bit++) if (mask[i + bit]) byte |= 1 << bit
    bytes[at] = byte
  }
  for (let bit = 0; i < mask.length; i++, bit++) if (mask[i]) bytes[at] = (bytes[at] ?? 0) | (1 << bit)
}
