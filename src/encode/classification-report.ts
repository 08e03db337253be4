import { concept } from './concepts.ts'
import type { EncodedObject } from './encoded.ts'
import type { OutputName, ResultContext, SourceSlice } from './encoding-input.ts'
import { type Finding, findingHead, findingValues } from './finding.ts'
import { comparedImages } from './measurement-groups.ts'
import { imageReference, instancesOf } from './references.ts'
import { type ContentItem, container, image } from './sr-content.ts'
import { encodeReport } from './sr-document.ts'

export interface ClassificationReport {
  output?: OutputName | undefined
  /** What the images as a whole show, each with its probability and coded answers (presence: CID 240 and others). */
  findings: readonly Finding[]
  /** The images that were classified, where they are fewer than the whole series. */
  images?: readonly SourceSlice[]
}

/**
 * What a classifier says of whole images: findings with probability and coded answers (TID 1500, a group of TID 1501 a finding), without
 * coordinates. Its title makes viewers show it as text (see `measurement-report.ts`).
 * @returns null when there are no findings
 */
export function encodeClassificationReport(context: ResultContext, report: ClassificationReport): EncodedObject | null {
  if (report.findings.length === 0) return null
  const { source } = context
  return encodeReport(context, {
    role: 'classification',
    output: report.output,
    title: concept.oncologyMeasurementReport,
    description: 'classification',
    groups: report.findings.map((finding) => group(context, finding, report.images ?? [])),
    evidence: [
      ...instancesOf(source, report.images ?? source.slices),
      ...comparedImages(report.findings.flatMap(({ measurements = [] }) => measurements)),
    ],
  })
}

/** TID 1501, Measurement and Qualitative Evaluation Group. */
function group(context: ResultContext, finding: Finding, images: readonly SourceSlice[]): ContentItem {
  return container(
    concept.measurementGroup,
    [
      ...findingHead(context, finding, finding.id),
      ...images.map((slice) => image('CONTAINS', concept.source, imageReference(slice))),
      ...findingValues(finding),
    ],
    '1501',
  )
}
