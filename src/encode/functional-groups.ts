import { type Code, codeItem } from '../dicom/codes.ts'
import { numberOf } from '../dicom/dataset.ts'
import { decimalString } from '../dicom/value-encoder.ts'
import type { SourceSeries } from './encoding-input.ts'
import type { NaturalDataSet } from './patient-study.ts'
import { imageReference } from './references.ts'
import type { SegFrame } from './seg-frames.ts'

const segmentation: Code = { value: '113076', scheme: 'DCM', meaning: 'Segmentation' }
const sourceImage: Code = {
  value: '121322',
  scheme: 'DCM',
  meaning: 'Source image for image processing operation',
}

/** True where slices have a place in the patient's space. */
export function isVolumetric(source: SourceSeries): boolean {
  return source.imageOrientationPatient !== null && source.slices.every((s) => s.imagePositionPatient !== null)
}

/** Functional groups that all frames share: Pixel Measures and Plane Orientation (PS3.3 C.7.6.16.2.1 and .4). */
export function sharedFunctionalGroups(source: SourceSeries): NaturalDataSet {
  const groups: NaturalDataSet = {}
  if (source.pixelSpacing) {
    const measures: NaturalDataSet = { PixelSpacing: source.pixelSpacing.map((value) => decimalString(value)) }
    const thickness = numberOf(source.header, 'SliceThickness') ?? source.sliceSpacing
    if (thickness) measures.SliceThickness = decimalString(thickness)
    if (source.sliceSpacing) measures.SpacingBetweenSlices = decimalString(source.sliceSpacing)
    groups.PixelMeasuresSequence = [measures]
  }
  if (isVolumetric(source) && source.imageOrientationPatient)
    groups.PlaneOrientationSequence = [
      { ImageOrientationPatient: source.imageOrientationPatient.map((value) => decimalString(value)) },
    ]
  return groups
}

/** The dimensions of a segmentation (PS3.3 C.7.6.17): the segment, then the place of the slice. */
export function dimensions(source: SourceSeries, organizationUID: string): NaturalDataSet {
  const place = isVolumetric(source)
    ? { pointer: '00200032', group: '00209113', label: 'Image Position (Patient)' }
    : { pointer: '00209057', group: '00209111', label: 'In-Stack Position Number' }
  return {
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organizationUID }],
    DimensionIndexSequence: [
      {
        DimensionOrganizationUID: organizationUID,
        DimensionIndexPointer: '0062000B',
        FunctionalGroupPointer: '0062000A',
        DimensionDescriptionLabel: 'Segment Number',
      },
      {
        DimensionOrganizationUID: organizationUID,
        DimensionIndexPointer: place.pointer,
        FunctionalGroupPointer: place.group,
        DimensionDescriptionLabel: place.label,
      },
    ],
  }
}

/**
 * Functional groups of each frame. Dimension Index Values are ordinals from 1 among the values that occur (PS3.3 C.7.6.16.2.2), not
 * segment or slice numbers: empty frames are left out, and an index must not have holes.
 */
export function perFrameFunctionalGroups(source: SourceSeries, frames: readonly SegFrame[]): NaturalDataSet[] {
  const segmentOrdinal = ordinals(frames.map((f) => f.segment.number))
  const placeOrdinal = ordinals(frames.map((f) => f.sliceIndex))
  const volumetric = isVolumetric(source)
  return frames.map(({ segment, sliceIndex }) => {
    const slice = source.slices[sliceIndex]
    const content: NaturalDataSet = {
      DimensionIndexValues: [segmentOrdinal.get(segment.number) ?? 1, placeOrdinal.get(sliceIndex) ?? 1],
    }
    if (!volumetric) Object.assign(content, { StackID: '1', InStackPositionNumber: sliceIndex + 1 })
    const groups: NaturalDataSet = { FrameContentSequence: [content] }
    if (slice)
      groups.DerivationImageSequence = [
        {
          DerivationCodeSequence: [codeItem(segmentation)],
          SourceImageSequence: [
            {
              ...imageReference(slice),
              PurposeOfReferenceCodeSequence: [codeItem(sourceImage)],
              SpatialLocationsPreserved: 'YES',
            },
          ],
        },
      ]
    if (volumetric && slice?.imagePositionPatient)
      groups.PlanePositionSequence = [
        { ImagePositionPatient: slice.imagePositionPatient.map((value) => decimalString(value)) },
      ]
    groups.SegmentIdentificationSequence = [{ ReferencedSegmentNumber: segment.number }]
    return groups
  })
}

function ordinals(values: readonly number[]): Map<number, number> {
  const sorted = [...new Set(values)].sort((a, b) => a - b)
  return new Map(sorted.map((value, index) => [value, index + 1]))
}
