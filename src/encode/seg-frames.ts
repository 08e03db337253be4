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

/** A frame of one label's pixels, out of an array of labels; null is an empty frame. */
export interface PackedFrame {
  labels: Uint8Array | null
  label: number
}

/**
 * Packs frames bit after bit, the first pixel into the lowest bit (PS3.5 8.1.1). A frame begins where the one before ended, in the
 * middle of a byte if need be. Each mask is asked for when its turn comes and is not kept.
 * @param masks a mask per frame, non-zero inside; null is an empty frame
 * @param pixels length of every mask
 */
export function packFrames(masks: Iterable<Uint8Array | null>, pixels: number): Generator<Uint8Array> {
  return pack(masks, pixels, (bytes, mask, offset) => {
    if (mask) setBits(bytes, mask, offset)
  })
}

/** As `packFrames`, from labels: a pixel is inside where it has the frame's label. */
export function packLabels(frames: Iterable<PackedFrame>, pixels: number): Generator<Uint8Array> {
  return pack(frames, pixels, (bytes, { labels, label }, offset) => {
    if (labels) setLabelBits(bytes, labels, { label, offset })
  })
}

function* pack<Frame>(
  frames: Iterable<Frame>,
  pixels: number,
  set: (bytes: Uint8Array, frame: Frame, offset: number) => void,
): Generator<Uint8Array> {
  let written = 0
  let carry = 0
  let carried = 0
  for (const frame of frames) {
    const bits = carried + pixels
    const bytes = new Uint8Array(Math.ceil(bits / 8))
    bytes[0] = carry
    set(bytes, frame, carried)
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

/** Pixels up to the first whole byte. */
function leadOf(offset: number, pixels: number): number {
  return offset === 0 ? 0 : Math.min(8 - offset, pixels)
}

function setBits(bytes: Uint8Array, mask: Uint8Array, offset: number): void {
  // Masks are empty over long stretches: whole bytes are assembled at once, and zero is left as it is.
  const lead = leadOf(offset, mask.length)
  for (let i = 0; i < lead; i++) if (mask[i]) bytes[0] = (bytes[0] ?? 0) | (1 << (offset + i))
  let at = offset === 0 ? 0 : 1
  let i = lead
  const words = wordsFrom(mask, lead)
  for (; i + 8 <= mask.length; i += 8, at++) {
    if (words && (words[(i - lead) >> 2] as number) === 0 && (words[((i - lead) >> 2) + 1] as number) === 0) continue
    let byte = 0
    for (let bit = 0; bit < 8; bit++) if (mask[i + bit]) byte |= 1 << bit
    bytes[at] = byte
  }
  for (let bit = 0; i < mask.length; i++, bit++) if (mask[i]) bytes[at] = (bytes[at] ?? 0) | (1 << bit)
}

function setLabelBits(
  bytes: Uint8Array,
  labels: Uint8Array,
  { label, offset }: { label: number; offset: number },
): void {
  const lead = leadOf(offset, labels.length)
  for (let i = 0; i < lead; i++) if (labels[i] === label) bytes[0] = (bytes[0] ?? 0) | (1 << (offset + i))
  let at = offset === 0 ? 0 : 1
  let i = lead
  const words = wordsFrom(labels, lead)
  const all = (label * 0x01010101) >>> 0
  for (; i + 8 <= labels.length; i += 8, at++) {
    if (words) {
      const first = words[(i - lead) >> 2] as number
      const equal = first === (words[((i - lead) >> 2) + 1] as number)
      if (equal && first === 0) continue
      if (equal && first === all) {
        bytes[at] = 0xff
        continue
      }
    }
    let byte = 0
    for (let bit = 0; bit < 8; bit++) if (labels[i + bit] === label) byte |= 1 << bit
    bytes[at] = byte
  }
  for (let bit = 0; i < labels.length; i++, bit++) if (labels[i] === label) bytes[at] = (bytes[at] ?? 0) | (1 << bit)
}

/** The same bytes four at a time, from an index on; null where they are not aligned. */
function wordsFrom(bytes: Uint8Array, start: number): Uint32Array | null {
  const offset = bytes.byteOffset + start
  return offset % 4 === 0 ? new Uint32Array(bytes.buffer, offset, (bytes.length - start) >> 2) : null
}
