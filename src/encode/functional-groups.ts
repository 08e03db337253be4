import { type Code, codeItem } from '../dicom/codes.ts'
import { decimalString } from '../dicom/value-encoder.ts'
import type { ImagePlanes, SourceSlice } from './encoding-input.ts'
import type { NaturalDataSet } from './patient-study.ts'
import { isVolumetric } from './planes.ts'
import { imageReference } from './references.ts'

const sourceImage: Code = {
  value: '121322',
  scheme: 'DCM',
  meaning: 'Source image for image processing operation',
}

/** Functional groups that all frames share: Pixel Measures and Plane Orientation (PS3.3 C.7.6.16.2.1 and .4). */
export function sharedFunctionalGroups(planes: ImagePlanes): NaturalDataSet {
  const groups: NaturalDataSet = {}
  if (planes.pixelSpacing) {
    const measures: NaturalDataSet = { PixelSpacing: planes.pixelSpacing.map((value) => decimalString(value)) }
    if (planes.sliceThickness) measures.SliceThickness = decimalString(planes.sliceThickness)
    if (planes.sliceSpacing) measures.SpacingBetweenSlices = decimalString(planes.sliceSpacing)
    groups.PixelMeasuresSequence = [measures]
  }
  if (isVolumetric(planes) && planes.imageOrientationPatient)
    groups.PlaneOrientationSequence = [
      { ImageOrientationPatient: planes.imageOrientationPatient.map((value) => decimalString(value)) },
    ]
  return groups
}

/** The dimensions of frames (PS3.3 C.7.6.17): the segment, where frames belong to one each, then the place of the plane. */
export function dimensions(
  planes: ImagePlanes,
  { organizationUID, segments }: { organizationUID: string; segments: boolean },
): NaturalDataSet {
  const place = isVolumetric(planes)
    ? { pointer: '00200032', group: '00209113', label: 'Image Position (Patient)' }
    : { pointer: '00209057', group: '00209111', label: 'In-Stack Position Number' }
  const segment = { pointer: '0062000B', group: '0062000A', label: 'Segment Number' }
  return {
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organizationUID }],
    DimensionIndexSequence: [...(segments ? [segment] : []), place].map(({ pointer, group, label }) => ({
      DimensionOrganizationUID: organizationUID,
      DimensionIndexPointer: pointer,
      FunctionalGroupPointer: group,
      DimensionDescriptionLabel: label,
    })),
  }
}

/** A frame of a multi-frame result. */
export interface ResultFrame {
  /** Index of the plane that it lies on. */
  plane: number
  /** Null where a frame is not of one segment. */
  segmentNumber: number | null
  /** The images that it was made from. */
  sources: readonly SourceSlice[]
}

export interface FrameContext {
  planes: ImagePlanes
  /** How frames were made (CID 7203 for images, 113076 for segmentations). */
  derivation: Code
  /** Whether pixels lie where those of the source images do (PS3.3 C.7.6.16.2.6). */
  spatialLocationsPreserved: 'YES' | 'NO'
}

/**
 * Functional groups of each frame. Dimension Index Values are ordinals from 1 among the values that occur (PS3.3 C.7.6.16.2.2), not
 * segment or slice numbers: empty frames are left out, and an index must not have holes.
 */
export function perFrameFunctionalGroups(context: FrameContext, frames: readonly ResultFrame[]): NaturalDataSet[] {
  const { planes } = context
  const segmentOrdinal = ordinals(frames.flatMap(({ segmentNumber }) => segmentNumber ?? []))
  const placeOrdinal = ordinals(frames.map(({ plane }) => plane))
  const volumetric = isVolumetric(planes)
  return frames.map(({ plane, segmentNumber, sources }) => {
    const segment = segmentNumber === null ? [] : [segmentOrdinal.get(segmentNumber) ?? 1]
    const content: NaturalDataSet = { DimensionIndexValues: [...segment, placeOrdinal.get(plane) ?? 1] }
    if (!volumetric) Object.assign(content, { StackID: '1', InStackPositionNumber: plane + 1 })
    const groups: NaturalDataSet = { FrameContentSequence: [content] }
    if (sources.length > 0) groups.DerivationImageSequence = [derivationItem(context, sources)]
    const position = planes.positions[plane]
    if (volumetric && position)
      groups.PlanePositionSequence = [{ ImagePositionPatient: position.map((value) => decimalString(value)) }]
    if (segmentNumber !== null) groups.SegmentIdentificationSequence = [{ ReferencedSegmentNumber: segmentNumber }]
    return groups
  })
}

function derivationItem(context: FrameContext, sources: readonly SourceSlice[]): NaturalDataSet {
  return {
    DerivationCodeSequence: [codeItem(context.derivation)],
    SourceImageSequence: sources.map((slice) => ({
      ...imageReference(slice),
      PurposeOfReferenceCodeSequence: [codeItem(sourceImage)],
      SpatialLocationsPreserved: context.spatialLocationsPreserved,
    })),
  }
}

function ordinals(values: readonly number[]): Map<number, number> {
  const sorted = [...new Set(values)].sort((a, b) => a - b)
  return new Map(sorted.map((value, index) => [value, index + 1]))
}
