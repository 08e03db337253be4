import type { SegmentMasks } from './encoding-input.ts'
import { EncodeError } from './error.ts'

/** A frame of a BINARY segmentation: one segment on one slice. */
export interface SegFrame {
  segment: SegmentMasks
  sliceIndex: number
  /** The mask as its runs; null where they would take more memory than its bits: it is then asked for again. */
  runs: MaskRuns | null
}

/** Runs of the pixels inside, one after the other: the index of the first, and that after the last. */
export type MaskRuns = Uint32Array

/**
 * Which frames a segmentation has: those that are not empty, by segment and then by slice, with their masks as runs. A segmentation must
 * have a frame: where all is empty, it is one without a voxel, of the first segment on the middle slice.
 * @throws {EncodeError} `nothing-to-encode` without segments or slices; `wrong-size` when a mask is not `pixels` long
 */
export function planFrames(segments: readonly SegmentMasks[], sliceCount: number, pixels: number): SegFrame[] {
  const [first] = segments
  if (!first || sliceCount === 0)
    throw new EncodeError('nothing-to-encode', 'a segmentation needs a segment and a source image')
  const frames: SegFrame[] = []
  const memory = new Uint8Array(pixels)
  const found = new Uint32Array(Math.max(2, pixels >> 5))
  for (const segment of segments)
    for (let sliceIndex = 0; sliceIndex < sliceCount; sliceIndex++) {
      const mask = segment.maskOf(sliceIndex, memory)
      if (!mask) continue
      if (mask.length !== pixels)
        throw new EncodeError(
          'wrong-size',
          `segment ${segment.id}, slice ${sliceIndex}: ${mask.length} values, ${pixels} are expected`,
        )
      const length = findRuns(mask, found)
      if (length > 0) frames.push({ segment, sliceIndex, runs: length > found.length ? null : found.slice(0, length) })
    }
  const middle = Math.floor(sliceCount / 2)
  return frames.length > 0 ? frames : [{ segment: first, sliceIndex: middle, runs: new Uint32Array(0) }]
}

/** Puts the runs of a mask into an array; returns how many numbers they are, or more than the array holds. */
function findRuns(mask: Uint8Array, into: Uint32Array): number {
  const words = wordsFrom(mask, 0)
  let length = 0
  for (let i = nextPixel(mask, words, { from: 0, inside: false }); i < mask.length; ) {
    const end = nextPixel(mask, words, { from: i, inside: true })
    if (length + 2 > into.length) return into.length + 1
    into[length++] = i
    into[length++] = end
    i = nextPixel(mask, words, { from: end, inside: false })
  }
  return length
}

/** Index, from one on, of the next pixel that is no longer inside, or outside: four at a time where they are alike. */
function nextPixel(
  mask: Uint8Array,
  words: Uint32Array | null,
  { from, inside }: { from: number; inside: boolean },
): number {
  let i = from
  while (i < mask.length && (i & 3) !== 0 && (mask[i] !== 0) === inside) i++
  if (words && (i & 3) === 0 && i < mask.length) {
    const word = inside ? (mask[i] as number) * 0x01010101 : 0
    let w = i >> 2
    if (word !== 0 || !inside) while (w < words.length && words[w] === word) w++
    i = w * 4
  }
  while (i < mask.length && (mask[i] !== 0) === inside) i++
  return i
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
 * @param masks a mask per frame, non-zero inside, or its runs; null is an empty frame
 * @param pixels of every mask
 */
export function packFrames(masks: Iterable<Uint8Array | MaskRuns | null>, pixels: number): Generator<Uint8Array> {
  return pack(masks, pixels, (bytes, mask, offset) => {
    if (mask instanceof Uint8Array) setBits(bytes, mask, offset)
    else if (mask) setRuns(bytes, mask, offset)
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

function setRuns(bytes: Uint8Array, runs: MaskRuns, offset: number): void {
  for (let run = 0; run < runs.length; run += 2) {
    const start = offset + (runs[run] as number)
    const last = offset + (runs[run + 1] as number) - 1
    const [first, end] = [start >> 3, last >> 3]
    // The bits from the first on, and those up to the last.
    const [head, tail] = [(0xff << (start & 7)) & 0xff, 0xff >> (7 - (last & 7))]
    if (first === end) {
      bytes[first] = (bytes[first] ?? 0) | (head & tail)
      continue
    }
    bytes[first] = (bytes[first] ?? 0) | head
    bytes.fill(0xff, first + 1, end)
    bytes[end] = (bytes[end] ?? 0) | tail
  }
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
