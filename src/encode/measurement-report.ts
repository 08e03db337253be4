import { SOP } from '../dicom/sop-class.ts'
import { concept } from './concepts.ts'
import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, SegmentMasks } from './encoding-input.ts'
import { resultIdentity } from './identity.ts'
import {
  algorithmItems,
  distinctTypes,
  finding,
  findingSite,
  measurementItem,
  measurementsOf,
  tracking,
} from './measurement-groups.ts'
import { sourceInstances } from './references.ts'
import { type ContentItem, code, container, image, uidref } from './sr-content.ts'
import { encodeReport } from './sr-document.ts'

/**
 * Both reports here are read as text. Their title is Oncology Measurement Report although nothing in them need be oncology: viewers
 * draw whatever is titled Imaging Measurement Report as graphics and show a black viewport where there are none, and CID 7021 has no
 * other title that fits any organ.
 */
const title = concept.oncologyMeasurementReport

/**
 * The measurements of each segment, with the segment and the source series that they were taken from (TID 1500, groups of TID 1411).
 * @returns null when no segment has a measurement
 */
export function encodeMeasurementReport(input: EncodingInput): EncodedObject | null {
  const measured = input.segments.filter((segment) => measurementsOf(input, segment).length > 0)
  if (measured.length === 0) return null
  const segmentation = resultIdentity(input, 'segmentation')
  return encodeReport(input, {
    role: 'measurements',
    title,
    description: 'measurements',
    groups: measured.map((segment) => volumetricGroup(input, segment)),
    evidence: [...sourceInstances(input.source), { ...segmentation, sopClassUID: SOP.segmentation }],
  })
}

/** TID 1411, Volumetric ROI Measurements and Qualitative Evaluations. */
function volumetricGroup(input: EncodingInput, segment: SegmentMasks): ContentItem {
  const { definition } = segment
  const reference = {
    ReferencedSOPClassUID: SOP.segmentation,
    ReferencedSOPInstanceUID: resultIdentity(input, 'segmentation').sopInstanceUID,
    ReferencedSegmentNumber: segment.number,
  }
  return container(
    concept.measurementGroup,
    [
      ...tracking(input, segment.id, definition.label),
      ...algorithmItems(input),
      finding(definition),
      findingSite(definition),
      image('CONTAINS', concept.referencedSegment, reference),
      uidref('CONTAINS', concept.sourceSeries, input.source.seriesInstanceUID),
      ...measurementsOf(input, segment).map(measurementItem),
    ],
    '1411',
  )
}

/**
 * What was measured on no single segment: totals, scores. It is a report of its own (TID 1500, one group of TID 1501), because a group
 * of TID 1411 speaks of exactly one segment, TID 1420 holds statistics of populations only, and validators fault reports that mix
 * kinds of groups.
 * @returns null when every measurement belongs to a segment
 */
export function encodeSummaryReport(input: EncodingInput): EncodedObject | null {
  const measurements = input.measurements.filter((m) => m.segment === null)
  if (measurements.length === 0) return null
  const site = measurements.find((m) => m.site)?.site
  const group = container(
    concept.measurementGroup,
    [
      ...tracking(input, 'whole', input.algorithm.title),
      ...algorithmItems(input),
      ...(site
        ? [code('CONTAINS', concept.finding, site), code('HAS CONCEPT MOD', concept.findingSite, site)]
        : distinctTypes(input).map(findingSite)),
      ...measurements.map(measurementItem),
    ],
    '1501',
  )
  return encodeReport(input, {
    role: 'summary',
    title,
    description: 'summary',
    groups: [group],
    evidence: sourceInstances(input.source),
  })
}
