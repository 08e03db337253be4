import { itemsOf, numberOf, numbersOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import type { ImagePlane, Vector } from '../dicom/geometry.ts'
import type { InstanceFile } from '../dicom/instance-file.ts'
import { refusal } from './error.ts'

/** One image plane of the input, in a file of its own or as a frame of one. */
export interface Slice extends ImagePlane {
  file: InstanceFile
  /** From 1 in a multi-frame instance, else null. */
  frame: number | null
  sliceThickness: number | null
  /** Stored values to Hounsfield units. */
  slope: number
  intercept: number
}

/**
 * The image planes of an instance: one, or one a frame where functional groups describe the frames (PS3.3 C.7.6.16).
 * @throws {InferError} `refused` when a plane does not say where it lies, or what its values are
 */
export function slicesOf(file: InstanceFile): Slice[] {
  const { elements } = file
  const perFrame = itemsOf(elements, 'PerFrameFunctionalGroupsSequence')
  const frames = numberOf(elements, 'NumberOfFrames') ?? 1
  if (perFrame.length === 0) {
    if (frames > 1)
      throw refusal(`an instance has ${frames} frames without functional groups: where they lie is not known`, {
        frames,
      })
    return [sliceOf(file, null, () => elements)]
  }
  if (perFrame.length !== frames)
    throw refusal(`an instance has ${frames} frames, but functional groups for ${perFrame.length}`, { frames })
  const shared = itemsOf(elements, 'SharedFunctionalGroupsSequence')[0] ?? {}
  return perFrame.map((own, index) =>
    sliceOf(file, index + 1, (macro) => itemsOf(own, macro)[0] ?? itemsOf(shared, macro)[0] ?? {}),
  )
}

/** @param group the data set that holds a macro's attributes: a functional group's item, or the instance itself */
function sliceOf(file: InstanceFile, frame: number | null, group: (macro: string) => DicomJson): Slice {
  const { elements } = file
  const position = numbersOf(group('PlanePositionSequence'), 'ImagePositionPatient')
  const orientation = numbersOf(group('PlaneOrientationSequence'), 'ImageOrientationPatient')
  const measures = group('PixelMeasuresSequence')
  const spacing = numbersOf(measures, 'PixelSpacing')
  if (position.length !== 3) throw refusal('a slice has no Image Position (Patient)')
  if (orientation.length !== 6) throw refusal('a slice has no Image Orientation (Patient)')
  if (spacing.length !== 2 || !spacing.every((value) => value > 0)) throw refusal('a slice has no Pixel Spacing')
  return {
    file,
    frame,
    imagePositionPatient: position as unknown as Vector,
    imageOrientationPatient: orientation,
    rows: numberOf(elements, 'Rows') ?? 0,
    columns: numberOf(elements, 'Columns') ?? 0,
    pixelSpacing: spacing as [number, number],
    sliceThickness: numberOf(measures, 'SliceThickness'),
    ...rescaleOf(elements, group('PixelValueTransformationSequence')),
  }
}

function rescaleOf(elements: DicomJson, transformation: DicomJson): { slope: number; intercept: number } {
  if (itemsOf(elements, 'ModalityLUTSequence').length > 0)
    throw refusal('the pixel values are given by a Modality LUT, a linear rescale to Hounsfield units is expected')
  const slope = numberOf(transformation, 'RescaleSlope')
  const intercept = numberOf(transformation, 'RescaleIntercept')
  const type = textOf(transformation, 'RescaleType')
  if (slope === null || intercept === null || slope === 0)
    throw refusal('a slice has no Rescale Slope and Rescale Intercept: its values are no Hounsfield units')
  // US is "unspecified"; many scanners write it, or nothing, for Hounsfield units (PS3.3 C.11.1.1.2).
  if (type !== null && type !== 'HU' && type !== 'US')
    throw refusal(`the pixel values are rescaled to ${type.slice(0, 16)}, HU is expected`)
  return { slope, intercept }
}
