import { concept } from './concepts.ts'
import { outline } from './contour.ts'
import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, OutputName, SegmentMasks, SourceSlice } from './encoding-input.ts'
import { segmentTracking } from './identity.ts'
import {
  algorithmItems,
  comparedImages,
  finding,
  findingSite,
  measurementItem,
  measurementsOf,
  trackingItems,
} from './measurement-groups.ts'
import { imageReference, instancesOf } from './references.ts'
import { type ContentItem, container, polyline } from './sr-content.ts'
import { encodeReport } from './sr-document.ts'

/** Enough for the shape of an organ; a key contour marks a place, the segmentation holds the shape. */
const maximumPoints = 200

interface KeyContour {
  segment: SegmentMasks
  slice: SourceSlice
  points: number[]
}

/**
 * The outline of each segment on the slice that shows it best, with the segment's measurements, so that a viewer jumps to it and draws
 * it (TID 1500, groups of TID 1410). Segments that are empty or have no measurement are left out: a group without coordinates would
 * leave the viewport black.
 * @returns null when no segment has both an outline and a measurement
 */
export function encodePlanarReport(input: EncodingInput, output?: OutputName): EncodedObject | null {
  const contours = input.segments.flatMap((segment) => keyContour(input, segment) ?? [])
  if (contours.length === 0) return null
  return encodeReport(input, {
    role: 'planar',
    output,
    title: concept.imagingMeasurementReport,
    description: 'key images',
    groups: contours.map((contour) => planarGroup(input, contour)),
    evidence: [
      ...instancesOf(
        input.source,
        contours.map(({ slice }) => slice),
      ),
      ...comparedImages(contours.flatMap(({ segment }) => measurementsOf(input, segment))),
    ],
  })
}

function keyContour(input: EncodingInput, segment: SegmentMasks): KeyContour | null {
  const { rows, columns, slices } = input.source
  if (segment.bestSlice === null || measurementsOf(input, segment).length === 0) return null
  const slice = slices[segment.bestSlice]
  const mask = segment.maskOf(segment.bestSlice)
  if (!slice || !mask) return null
  const points = outline(mask, { rows, columns, maximumPoints })
  return points.length > 0 ? { segment, slice, points } : null
}

/** TID 1410, Planar ROI Measurements and Qualitative Evaluations. */
function planarGroup(input: EncodingInput, { segment, slice, points }: KeyContour): ContentItem {
  return container(
    concept.measurementGroup,
    [
      ...trackingItems(segmentTracking(input, segment)),
      ...algorithmItems(input),
      finding(segment.definition),
      findingSite(segment.definition),
      polyline(concept.imageRegion, points, imageReference(slice)),
      ...measurementsOf(input, segment).map(measurementItem),
    ],
    '1410',
  )
}
