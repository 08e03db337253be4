import { concept } from './concepts.ts'
import type { EncodedObject } from './encoded.ts'
import type { OutputName, ResultContext, SourceSlice } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { findingHead, findingValues, type PlanarFinding } from './finding.ts'
import { comparedImages } from './measurement-groups.ts'
import { imageReference, instancesOf } from './references.ts'
import { graphicOf } from './region.ts'
import { type ContentItem, container, scoord } from './sr-content.ts'
import { encodeReport } from './sr-document.ts'

export interface FindingsReport {
  output?: OutputName | undefined
  findings: readonly PlanarFinding[]
}

/**
 * Findings on images, as many as there are on each, with boxes, points or contours (TID 1500, a group of TID 1410 a region). Viewers draw
 * it over the images and jump to them. Findings without a region are left out: a group without coordinates would leave the viewport
 * black; they belong into the classification report.
 * @returns null when no finding has a region
 * @throws {EncodeError} `wrong-source` when a finding is on a slice that the source does not have
 */
export function encodeFindingsReport(context: ResultContext, report: FindingsReport): EncodedObject | null {
  const located = report.findings.filter(({ regions }) => regions.length > 0)
  if (located.length === 0) return null
  return encodeReport(context, {
    role: 'findings',
    output: report.output,
    title: concept.imagingMeasurementReport,
    description: 'findings',
    groups: located.flatMap((finding) => groupsOf(context, finding)),
    evidence: [
      ...instancesOf(
        context.source,
        located.map((finding) => sliceOf(context, finding)),
      ),
      ...comparedImages(located.flatMap(({ measurements = [] }) => measurements)),
    ],
  })
}

function sliceOf({ source }: ResultContext, { slice }: PlanarFinding): SourceSlice {
  const found = source.slices[slice]
  if (!found) throw new EncodeError('wrong-source', `a finding is on slice ${slice}, the source has none`)
  return found
}

/** TID 1410, Planar ROI Measurements and Qualitative Evaluations: it speaks of one region. */
function groupsOf(context: ResultContext, finding: PlanarFinding): ContentItem[] {
  const reference = imageReference(sliceOf(context, finding))
  return finding.regions.map((region, index) =>
    container(
      concept.measurementGroup,
      [
        ...findingHead(context, finding, index === 0 ? finding.id : `${finding.id}/${index + 1}`),
        scoord(concept.imageRegion, graphicOf(region), reference),
        ...findingValues(finding),
      ],
      '1410',
    ),
  )
}
