import { itemsOf, numberOf, numbersOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import type { ImagePlane, Vector } from '../../dicom/geometry.ts'
import { type InstanceFile, readInstanceFile } from '../../dicom/instance-file.ts'
import { messageOf } from '../../errors.ts'
import { InferError, refusal } from '../error.ts'

/** One frame of the input, in a file of its own or as one of several, and what is known of where it lies. */
export interface Frame {
  file: InstanceFile
  /** From 1 in a multi-frame instance, else null. */
  number: number | null
  seriesInstanceUID: string
  rows: number
  columns: number
  /** Centre of the first pixel, mm; null where the image does not say it (a projection, ultrasound). */
  imagePositionPatient: Vector | null
  imageOrientationPatient: readonly number[] | null
  /** Row spacing, column spacing, mm. */
  pixelSpacing: readonly [number, number] | null
  sliceThickness: number | null
  /** The data set that holds a macro's attributes: a functional group's item (PS3.3 C.7.6.16), or the instance itself. */
  group(macro: string): DicomJson
}

/** A frame that lies somewhere: one plane of a volume. */
export interface Plane extends Frame, ImagePlane {
  imagePositionPatient: Vector
  imageOrientationPatient: readonly number[]
  pixelSpacing: readonly [number, number]
}

/**
 * Reads the header of an instance. The path stays out of the message: it says nothing to who reads it.
 * @throws {InferError} `unreadable-input`
 */
export function readHeader(path: string): Promise<InstanceFile> {
  return reading(readInstanceFile(path))
}

/** Passes on what was read, or why it cannot be, as `unreadable-input`. */
export async function reading<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof InferError) throw error
    throw new InferError('unreadable-input', `an instance of the series cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/**
 * The frames of an instance.
 * @throws {InferError} `refused` when the functional groups are not those of its frames
 */
export function framesOf(file: InstanceFile): Frame[] {
  const { elements } = file
  const perFrame = itemsOf(elements, 'PerFrameFunctionalGroupsSequence')
  const count = numberOf(elements, 'NumberOfFrames') ?? 1
  if (perFrame.length > 0 && perFrame.length !== count)
    throw refusal(`an instance has ${count} frames, but functional groups for ${perFrame.length}`, { frames: count })
  const shared = itemsOf(elements, 'SharedFunctionalGroupsSequence')[0]
  if (!shared && perFrame.length === 0) {
    const own = (): DicomJson => elements
    return Array.from({ length: count }, (_, index) => frameOf(file, count === 1 ? null : index + 1, own))
  }
  return Array.from({ length: count }, (_, index) =>
    frameOf(
      file,
      index + 1,
      (macro) => itemsOf(perFrame[index] ?? {}, macro)[0] ?? itemsOf(shared ?? {}, macro)[0] ?? {},
    ),
  )
}

function frameOf(file: InstanceFile, number: number | null, group: Frame['group']): Frame {
  const { elements } = file
  const position = numbersOf(group('PlanePositionSequence'), 'ImagePositionPatient')
  const orientation = numbersOf(group('PlaneOrientationSequence'), 'ImageOrientationPatient')
  const measures = group('PixelMeasuresSequence')
  const spacing = numbersOf(measures, 'PixelSpacing')
  // Frames of one object that say the same place for all of them lie in time, not in space.
  const together = number !== null && group('PlanePositionSequence') === elements
  return {
    file,
    number,
    seriesInstanceUID: textOf(elements, 'SeriesInstanceUID') ?? '',
    rows: numberOf(elements, 'Rows') ?? 0,
    columns: numberOf(elements, 'Columns') ?? 0,
    imagePositionPatient: position.length === 3 && !together ? (position as unknown as Vector) : null,
    imageOrientationPatient: orientation.length === 6 ? orientation : null,
    pixelSpacing: spacing.length === 2 && spacing.every((v) => v > 0) ? (spacing as unknown as [number, number]) : null,
    sliceThickness: numberOf(measures, 'SliceThickness'),
    group,
  }
}

/**
 * Frames as planes in space.
 * @throws {InferError} `refused` when one does not say where it lies
 */
export function planesOf(frames: readonly Frame[]): Plane[] {
  for (const frame of frames) {
    if (frame.imagePositionPatient === null) {
      if (frame.number !== null && frame.group('PlanePositionSequence') === frame.file.elements)
        throw refusal('an instance has several frames without functional groups: where they lie is not known')
      throw refusal('a slice has no Image Position (Patient)')
    }
    if (frame.imageOrientationPatient === null) throw refusal('a slice has no Image Orientation (Patient)')
    if (frame.pixelSpacing === null) throw refusal('a slice has no Pixel Spacing')
  }
  return frames as Plane[]
}
