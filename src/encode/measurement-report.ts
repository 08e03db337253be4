import { SOP } from '../dicom/sop-class.ts'
import { concept } from './concepts.ts'
import type { EncodedObject } from './encoded.ts'
import type { EncodingInput, InstanceReference, OutputName, ResultContext, SegmentMasks } from './encoding-input.ts'
import { type Role, resultIdentity, segmentTracking, trackingIdentity } from './identity.ts'
import {
  algorithmItems,
  comparedImages,
  distinctTypes,
  finding,
  findingSite,
  measurementItem,
  measurementsOf,
  trackingItems,
} from './measurement-groups.ts'
import { sourceInstances } from './references.ts'
import { type ContentItem, code, container, image, uidref } from './sr-content.ts'
import { encodeReport } from './sr-document.ts'

/** How the segments of a segmentation are stored. */
export type SegmentationFormat = 'binary' | 'labelmap' | 'fractional'

export const segmentationRoles = {
  binary: 'segmentation',
  labelmap: 'label-map',
  fractional: 'probability',
} as const satisfies Record<SegmentationFormat, Role>

/** The segmentation that segments were measured on: a result of the same job, or an object that arrived. */
export type MeasuredSegmentation = { format: SegmentationFormat; output?: OutputName | undefined } | InstanceReference

export interface MeasurementReport {
  output?: OutputName | undefined
  /** The job's only BINARY one when left out; null where none is written: reports then name the segment in words only. */
  segmentation?: MeasuredSegmentation | null | undefined
  /** Settings that the values depend on (of radiomics: interpolation, discretisation), one line each, without patient data. */
  parameters?: readonly string[] | undefined
}

/**
 * Both reports here are read as text. Their title is Oncology Measurement Report although nothing in them need be oncology: viewers
 * draw whatever is titled Imaging Measurement Report as graphics and show a black viewport where there are none, and CID 7021 has no
 * other title that fits any organ.
 */
const title = concept.oncologyMeasurementReport

/**
 * The measurements of each segment, with the segment and the source series that they were taken from (TID 1500, groups of TID 1411; of
 * TID 1501 where there is no segmentation to refer to).
 * @returns null when no segment has a measurement
 */
export function encodeMeasurementReport(input: EncodingInput, report: MeasurementReport = {}): EncodedObject | null {
  const measured = input.segments.filter((segment) => measurementsOf(input, segment).length > 0)
  if (measured.length === 0) return null
  const segmentation = report.segmentation === null ? null : instanceOf(input, report.segmentation)
  return encodeReport(input, {
    role: 'measurements',
    output: report.output,
    title,
    description: 'measurements',
    groups: measured.map((segment) => segmentGroup(input, segment, { ...report, segmentation })),
    evidence: [
      ...sourceInstances(input.source),
      ...(segmentation ? [segmentation] : []),
      ...comparedImages(measured.flatMap((segment) => measurementsOf(input, segment))),
    ],
  })
}

/** The instance that a segmentation is, or will be. */
function instanceOf(
  context: ResultContext,
  segmentation: MeasuredSegmentation = { format: 'binary' },
): InstanceReference {
  if (!('format' in segmentation)) return segmentation
  const { format, output } = segmentation
  const { sopInstanceUID, seriesInstanceUID } = resultIdentity(context, { role: segmentationRoles[format], output })
  return {
    seriesInstanceUID,
    sopClassUID: format === 'labelmap' ? SOP.labelMapSegmentation : SOP.segmentation,
    sopInstanceUID,
  }
}

/** TID 1411, Volumetric ROI Measurements and Qualitative Evaluations, or TID 1501 without a region. */
function segmentGroup(
  input: EncodingInput,
  segment: SegmentMasks,
  { segmentation, parameters }: { segmentation: InstanceReference | null; parameters?: readonly string[] | undefined },
): ContentItem {
  const { definition } = segment
  const region = segmentation && [
    image('CONTAINS', concept.referencedSegment, {
      ReferencedSOPClassUID: segmentation.sopClassUID,
      ReferencedSOPInstanceUID: segmentation.sopInstanceUID,
      ReferencedSegmentNumber: segment.number,
    }),
    uidref('CONTAINS', concept.sourceSeries, input.source.seriesInstanceUID),
  ]
  return container(
    concept.measurementGroup,
    [
      ...trackingItems(segmentTracking(input, segment)),
      ...algorithmItems(input, parameters),
      finding(definition),
      findingSite(definition),
      ...(region ?? []),
      ...measurementsOf(input, segment).map(measurementItem),
    ],
    region ? '1411' : '1501',
  )
}

/**
 * What was measured on no single segment: totals, scores. It is a report of its own (TID 1500, one group of TID 1501), because a group
 * of TID 1411 speaks of exactly one segment, TID 1420 holds statistics of populations only, and validators fault reports that mix
 * kinds of groups.
 * @returns null when every measurement belongs to a segment
 */
export function encodeSummaryReport(input: EncodingInput, report: MeasurementReport = {}): EncodedObject | null {
  const measurements = input.measurements.filter((m) => m.segment === null)
  if (measurements.length === 0) return null
  const site = measurements.find((m) => m.site)?.site
  const group = container(
    concept.measurementGroup,
    [
      ...trackingItems(trackingIdentity(input, 'whole', input.algorithm.title)),
      ...algorithmItems(input, report.parameters),
      ...(site
        ? [code('CONTAINS', concept.finding, site), code('HAS CONCEPT MOD', concept.findingSite, site)]
        : distinctTypes(input).map(findingSite)),
      ...measurements.map(measurementItem),
    ],
    '1501',
  )
  return encodeReport(input, {
    role: 'summary',
    output: report.output,
    title,
    description: 'summary',
    groups: [group],
    evidence: [...sourceInstances(input.source), ...comparedImages(measurements)],
  })
}
