import { itemsOf, numberOf, textOf } from '../dicom/dataset.ts'
import { locateFrames, readFrame } from '../dicom/instance-file.ts'
import { decodeFrame, frameFormat, loadCodecs } from '../infer/read/decode.ts'
import { type Frame, framesOf, readHeader } from '../infer/read/frame.ts'

/** How much two segmentations agree about a segment. */
export interface SegmentOverlap {
  label: string
  /** Voxels of the first, the second, and of both. */
  a: number
  b: number
  both: number
  /** 2·both/(a+b); 1 where neither has a voxel. */
  dice: number
}

/** Two segmentations, segment by segment; `otherGrid` says why they cannot be compared voxel by voxel. */
export type SegmentationComparison = { segments: SegmentOverlap[]; otherGrid: null } | { otherGrid: string }

/**
 * Compares the segments of two segmentation objects (binary, fractional above zero, or label map) that lie on one grid. Segments belong
 * together by label and property type; one that only the first or the second has counts with no voxel in the other.
 */
export async function compareSegmentations(pathA: string, pathB: string): Promise<SegmentationComparison> {
  const [a, b] = [await openMasks(pathA), await openMasks(pathB)]
  if (a.grid !== b.grid) return { otherGrid: `${a.grid} and ${b.grid}` }
  const counts = new Map<string, SegmentOverlap>()
  for (const [key, label] of [...a.segments.values(), ...b.segments.values()])
    counts.set(key, { label, a: 0, b: 0, both: 0, dice: 1 })
  for (const place of new Set([...a.framesAt.keys(), ...b.framesAt.keys()])) {
    const [atA, atB] = [await masksAt(a, place), await masksAt(b, place)]
    for (const [key, count] of counts) addPlane(count, atA(key), atB(key))
  }
  for (const count of counts.values()) count.dice = count.a + count.b === 0 ? 1 : (2 * count.both) / (count.a + count.b)
  return { segments: [...counts.values()], otherGrid: null }
}

/** A plane of one segment: pixels that equal `value`, or, for null, that are not 0. */
interface PlaneMask {
  pixels: ArrayLike<number>
  value: number | null
}

function addPlane(count: SegmentOverlap, a: PlaneMask | null, b: PlaneMask | null): void {
  const length = a?.pixels.length ?? b?.pixels.length ?? 0
  let [ofA, ofB, both] = [0, 0, 0]
  for (let i = 0; i < length; i++) {
    const [inA, inB] = [isSet(a, i), isSet(b, i)]
    if (inA) ofA++
    if (inB) ofB++
    if (inA && inB) both++
  }
  count.a += ofA
  count.b += ofB
  count.both += both
}

function isSet(mask: PlaneMask | null, i: number): boolean {
  if (mask === null) return false
  return mask.value === null ? mask.pixels[i] !== 0 : mask.pixels[i] === mask.value
}

interface Masks {
  /** Size, spacing and orientation as text: equal for segmentations that can be laid over each other. */
  grid: string
  /** By number: what a segment is recognised by, and its label. */
  segments: Map<number, [key: string, label: string]>
  /** Frames by their place. */
  framesAt: Map<string, { index: number; segment: number | null }[]>
  read(index: number): Promise<ArrayLike<number>>
}

async function openMasks(path: string): Promise<Masks> {
  const file = await readHeader(path)
  const { elements } = file
  const frames = framesOf(file)
  const isLabelMap = textOf(elements, 'SegmentationType') === 'LABELMAP'
  const framesAt: Masks['framesAt'] = new Map()
  for (const [index, frame] of frames.entries()) {
    const segment = isLabelMap
      ? null
      : numberOf(frame.group('SegmentIdentificationSequence'), 'ReferencedSegmentNumber')
    const place = placeOf(frame)
    framesAt.set(place, [...(framesAt.get(place) ?? []), { index, segment }])
  }
  const segments: Masks['segments'] = new Map()
  for (const item of itemsOf(elements, 'SegmentSequence')) {
    const number = numberOf(item, 'SegmentNumber') ?? 0
    if (number === 0) continue
    const label = textOf(item, 'SegmentLabel') ?? `Segment ${number}`
    const type = itemsOf(item, 'SegmentedPropertyTypeCodeSequence')[0] ?? {}
    segments.set(number, [`${textOf(type, 'CodingSchemeDesignator')}:${textOf(type, 'CodeValue')} ${label}`, label])
  }
  return { grid: gridText(frames), segments, framesAt, read: await reader(file, frames) }
}

/** Where a frame lies; for images without a position, which image it is drawn on. */
function placeOf(frame: Frame): string {
  if (frame.imagePositionPatient !== null) return frame.imagePositionPatient.map((v) => v.toFixed(2)).join(' ')
  const source = itemsOf(frame.group('DerivationImageSequence'), 'SourceImageSequence')[0] ?? {}
  return `${textOf(source, 'ReferencedSOPInstanceUID')} ${numberOf(source, 'ReferencedFrameNumber') ?? 1}`
}

function gridText(frames: readonly Frame[]): string {
  const [first] = frames
  if (!first) return 'no frames'
  const spacing = first.pixelSpacing?.map((v) => v.toFixed(4)).join(' x ') ?? 'unknown'
  const orientation = first.imageOrientationPatient?.map((v) => (Math.round(v * 1e3) / 1e3 + 0).toString()).join(' ')
  return `${first.columns} x ${first.rows} pixels of ${spacing} mm${orientation ? ` along ${orientation}` : ''}`
}

async function reader(
  file: Awaited<ReturnType<typeof readHeader>>,
  frames: readonly Frame[],
): Promise<(index: number) => Promise<ArrayLike<number>>> {
  const plane = (frames[0]?.rows ?? 0) * (frames[0]?.columns ?? 0)
  const located = await locateFrames(file)
  if (numberOf(file.elements, 'BitsAllocated') === 1) {
    // Frames of one bit a pixel follow one another without regard to bytes (PS3.5 8.1.1).
    const packed = await readFrame(file, located[0] ?? [])
    return async (index) => unpacked(packed, index * plane, plane)
  }
  await loadCodecs()
  const format = frameFormat(file.elements, { transferSyntaxUID: file.transferSyntaxUID, pixelDataTag: '7FE00010' })
  return async (index) => decodeFrame(await readFrame(file, located[index] ?? []), format)
}

function unpacked(packed: Uint8Array, from: number, count: number): Uint8Array {
  const mask = new Uint8Array(count)
  for (let i = 0; i < count; i++) mask[i] = ((packed[(from + i) >> 3] ?? 0) >> ((from + i) & 7)) & 1
  return mask
}

/** The masks at a place, by what their segments are recognised by. */
async function masksAt(masks: Masks, place: string): Promise<(key: string) => PlaneMask | null> {
  const found = new Map<string, PlaneMask>()
  for (const { index, segment } of masks.framesAt.get(place) ?? []) {
    const pixels = await masks.read(index)
    for (const [number, [key]] of masks.segments)
      if (segment === null) found.set(key, { pixels, value: number })
      else if (segment === number) found.set(key, { pixels, value: null })
  }
  return (key) => found.get(key) ?? null
}
