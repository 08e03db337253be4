import { numberOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { axesOf, dot, subtract, type Vector } from '../../dicom/geometry.ts'
import { type InstanceFile, locateFrames, readFrame } from '../../dicom/instance-file.ts'
import { InferError, refusal } from '../error.ts'
import { type Grid, indexOf, type LabelMap, voxelsOf } from '../image.ts'
import type { InputOf } from '../manifest/input.ts'
import { labelsOnto } from '../prepare/labels-onto.ts'
import type { TaskInput } from '../task.ts'
import { decodeFrame, frameFormat, loadCodecs } from './decode.ts'
import { type Frame, framesOf, type Plane, planesOf, reading } from './frame.ts'
import type { OpenedInput, OpenNote } from './opened-input.ts'
import { type ArrivedSegment, definitionsOf } from './segmentation-definitions.ts'
import { readHeaders } from './series.ts'
import { stackPlanes } from './stack.ts'

/** A segmentation that arrived, on the grid of the images that it was drawn on. */
export interface ReadSegmentation {
  /** Labels are the numbers of the segments. */
  labels: LabelMap
  segments: ArrivedSegment[]
  /** What was read, for references. */
  instance: { seriesInstanceUID: string; sopClassUID: string; sopInstanceUID: string }
  header: DicomJson
}

/**
 * Reads a segmentation (PS3.3 A.51): binary, fractional or label map. Where its frames lie on the planes of the images they are copied as they
 * are; else they are resampled.
 * @throws {InferError} `refused` when it speaks of another frame of reference, or its segments overlap and the pipeline cannot take that
 */
export async function readSegmentation(
  given: TaskInput,
  input: InputOf<'segmentation'>,
  { of, log }: { of: OpenedInput } & OpenNote,
): Promise<ReadSegmentation> {
  const files = await readHeaders(given, input)
  const [file] = files
  if (!file || files.length > 1)
    throw refusal(`the series has ${files.length} segmentations, 1 is expected`, { count: files.length })
  const frameOfReference = textOf(file.elements, 'FrameOfReferenceUID')
  if (frameOfReference !== null && of.frameOfReferenceUID !== null && frameOfReference !== of.frameOfReferenceUID)
    throw refusal(
      `the segmentation's Frame of Reference UID is ${frameOfReference}, that of the images is ${of.frameOfReferenceUID}`,
    )
  const segments = definitionsOf(file.elements)
  const frames = planesOf(framesOf(file))
  const { grid, planeOf } = planesFor(frames, of.grid)
  const own: LabelMap = { grid, labels: new Uint8Array(voxelsOf(grid)) }
  await fill(own, { file, frames, planeOf, input })
  const sameGrid = grid === of.grid
  log.push(
    `a segmentation of ${segments.length} ${segments.length === 1 ? 'segment' : 'segments'}, ${sameGrid ? 'on the planes of the images' : 'resampled onto the planes of the images'}`,
  )
  return {
    labels: sameGrid ? own : labelsOnto(own, of.grid),
    segments,
    instance: {
      seriesInstanceUID: given.seriesInstanceUID,
      sopClassUID: textOf(file.elements, 'SOPClassUID') ?? '',
      sopInstanceUID: textOf(file.elements, 'SOPInstanceUID') ?? '',
    },
    header: file.elements,
  }
}

/** The grid that frames lie on: that of the images where each is on one of its planes, else one of their own. */
function planesFor(frames: readonly Plane[], images: Grid): { grid: Grid; planeOf: (frame: Frame) => number } {
  const onImages = frames.map((frame) => planeIndex(frame, images))
  if (onImages.every((index) => index !== null))
    return { grid: images, planeOf: (frame) => onImages[frames.indexOf(frame as Plane)] as number }
  const places = new Map(frames.map((frame) => [frame.imagePositionPatient.map((v) => v.toFixed(3)).join(), frame]))
  const distinct = [...places.values()]
  const [first] = distinct
  if (!first) throw refusal('the segmentation has no frames')
  const grid = distinct.length > 1 ? gridWithGaps(distinct) : singlePlane(first)
  return { grid, planeOf: (frame) => Math.round(indexOf(grid, frame.imagePositionPatient as Vector)[2]) }
}

/** Which plane of a grid a frame lies on exactly; null where it lies on none. */
function planeIndex(frame: Plane, grid: Grid): number | null {
  const axes = axesOf(frame.imageOrientationPatient)
  if (!axes || frame.rows !== grid.size[1] || frame.columns !== grid.size[0]) return null
  const alike = (a: Vector, b: Vector): boolean => dot(a, b) > 0.99999
  if (!alike(axes.row, grid.axes[0]) || !alike(axes.column, grid.axes[1])) return null
  const [rowSpacing, columnSpacing] = frame.pixelSpacing
  if (Math.abs(rowSpacing / grid.spacing[1] - 1) > 1e-3 || Math.abs(columnSpacing / grid.spacing[0] - 1) > 1e-3)
    return null
  const [i, j, k] = indexOf(grid, frame.imagePositionPatient)
  const plane = Math.round(k)
  const off = Math.max(Math.abs(i), Math.abs(j), Math.abs(k - plane))
  return off < 0.05 && plane >= 0 && plane < grid.size[2] ? plane : null
}

/** Empty frames are left out of segmentations: the smallest distance between frames is that of the planes. */
function gridWithGaps(frames: readonly Plane[]): Grid {
  const axes = axesOf(frames[0]?.imageOrientationPatient ?? [])
  if (!axes) throw refusal('Image Orientation (Patient) of the segmentation is not two perpendicular unit vectors')
  const along = frames.map((frame) => dot(frame.imagePositionPatient, axes.normal)).sort((a, b) => a - b)
  const gaps = along.slice(1).map((position, n) => position - (along[n] as number))
  const least = Math.min(...gaps)
  const whole = gaps.every((gap) => Math.abs(gap / least - Math.round(gap / least)) < 0.1)
  if (!whole) return stackPlanes(frames).grid
  const lowest = frames.reduce((a, b) =>
    dot(subtract(b.imagePositionPatient, a.imagePositionPatient), axes.normal) < 0 ? b : a,
  )
  const extent = (along.at(-1) as number) - (along[0] as number)
  const count = Math.round(extent / least) + 1
  return {
    size: [lowest.columns, lowest.rows, count],
    spacing: [lowest.pixelSpacing[1], lowest.pixelSpacing[0], extent / (count - 1)],
    origin: lowest.imagePositionPatient,
    axes: [axes.row, axes.column, axes.normal],
  }
}

function singlePlane(frame: Plane): Grid {
  const axes = axesOf(frame.imageOrientationPatient)
  if (!axes) throw refusal('Image Orientation (Patient) of the segmentation is not two perpendicular unit vectors')
  return {
    size: [frame.columns, frame.rows, 1],
    spacing: [frame.pixelSpacing[1], frame.pixelSpacing[0], frame.sliceThickness || 1],
    origin: frame.imagePositionPatient,
    axes: [axes.row, axes.column, axes.normal],
  }
}

interface Filling {
  file: InstanceFile
  frames: readonly Frame[]
  planeOf: (frame: Frame) => number
  input: InputOf<'segmentation'>
}

/** Puts every frame's mask into its plane. */
async function fill(map: LabelMap, { file, frames, planeOf, input }: Filling): Promise<void> {
  const plane = map.grid.size[0] * map.grid.size[1]
  const masks = await maskReader(file, plane, input)
  let overlapping = 0
  for (const [index, frame] of frames.entries()) {
    const segment = segmentOf(frame)
    const mask = await masks(index)
    const target = map.labels.subarray(planeOf(frame) * plane, (planeOf(frame) + 1) * plane)
    for (let i = 0; i < plane; i++) {
      const label = segment === null ? (mask[i] as number) : mask[i] ? segment : 0
      if (label === 0) continue
      const before = target[i] as number
      if (before !== 0 && before !== label) overlapping++
      if (before === 0 || input.overlap === 'last') target[i] = label
    }
  }
  delete file.inflated
  if (overlapping > 0 && input.overlap === 'refuse')
    throw refusal(`segments of the segmentation overlap in ${overlapping} voxels: one label a voxel is expected`, {
      overlapping,
    })
}

/** The segment of a frame; null in a label map, whose pixels are segment numbers. */
function segmentOf(frame: Frame): number | null {
  if (textOf(frame.file.elements, 'SegmentationType') === 'LABELMAP') return null
  const number = numberOf(frame.group('SegmentIdentificationSequence'), 'ReferencedSegmentNumber')
  if (number === null) throw refusal('a frame of the segmentation does not say which segment it shows')
  return number
}

/** Reads the pixels of frame n: not 0 inside, or segment numbers. */
async function maskReader(
  file: InstanceFile,
  plane: number,
  { threshold }: InputOf<'segmentation'>,
): Promise<(frame: number) => Promise<Uint8Array>> {
  await loadCodecs()
  const located = await reading(locateFrames(file))
  const bits = numberOf(file.elements, 'BitsAllocated')
  if (bits === 1 && file.pixelData?.length !== null) {
    // Native frames of one bit a pixel follow one another without regard to bytes (PS3.5 8.1.1).
    const packed = await reading(readFrame(file, located[0] ?? []))
    return async (frame) => unpacked(packed, frame * plane, plane)
  }
  if (bits === 1) throw new InferError('unsupported-pixels', 'a segmentation of one bit a pixel is compressed')
  const format = frameFormat(file.elements, { transferSyntaxUID: file.transferSyntaxUID, pixelDataTag: '7FE00010' })
  const fractional = textOf(file.elements, 'SegmentationType') === 'FRACTIONAL'
  const limit = fractional ? threshold * (numberOf(file.elements, 'MaximumFractionalValue') ?? 255) : 0
  return async (frame) => {
    const ranges = located[frame]
    if (!ranges) throw new InferError('corrupt-pixels', `frame ${frame + 1} of the segmentation is missing`)
    const stored = decodeFrame(await reading(readFrame(file, ranges)), format)
    return fractional
      ? Uint8Array.from(stored, (value) => (value >= limit && value > 0 ? 1 : 0))
      : Uint8Array.from(stored)
  }
}

function unpacked(packed: Uint8Array, from: number, count: number): Uint8Array {
  if (Math.ceil((from + count) / 8) > packed.length)
    throw new InferError('corrupt-pixels', `the segmentation's pixel data ends at ${packed.length} bytes`)
  const mask = new Uint8Array(count)
  for (let i = 0; i < count; i++) mask[i] = ((packed[(from + i) >> 3] as number) >> ((from + i) & 7)) & 1
  return mask
}
