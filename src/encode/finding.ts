import type { Code } from '../dicom/codes.ts'
import { concept, isLaterality } from './concepts.ts'
import type { MeasuredValue, ResultContext } from './encoding-input.ts'
import { trackingIdentity } from './identity.ts'
import { algorithmItems, measurementItem, trackingItems } from './measurement-groups.ts'
import type { Region } from './region.ts'
import { type ContentItem, code, num } from './sr-content.ts'

/** Something that a pipeline found or ruled out. */
export interface Finding {
  /** Names the finding within the study for ever: the tracking UID depends on it. */
  id: string
  /** Words for people. */
  label: string
  /** What it is: a diagnosis, an abnormality. */
  type: Code
  /** Where it is. */
  site?: Code | null
  /** Laterality and other modifiers of the site. */
  modifiers?: readonly Code[]
  /** How sure the algorithm is that it is there, 0 to 1. */
  probability?: number | null
  measurements?: readonly MeasuredValue[]
  /** Coded answers to coded questions: presence, margin, composition. */
  evaluations?: readonly { name: Code; value: Code }[]
}

/** A finding on one image. */
export interface PlanarFinding extends Finding {
  /** Index of the slice in the source. */
  slice: number
  /** Each region of several has a group and a tracking UID of its own. */
  regions: readonly Region[]
}

const percent: Code = { value: '%', scheme: 'UCUM', meaning: 'Percent' }

/** Tracking, algorithm, finding and site: what begins the group of a finding. */
export function findingHead(context: ResultContext, finding: Finding, subject: string): ContentItem[] {
  const site = finding.site
    ? [
        code(
          'HAS CONCEPT MOD',
          concept.findingSite,
          finding.site,
          (finding.modifiers ?? []).map((modifier) =>
            code(
              'HAS CONCEPT MOD',
              isLaterality(modifier) ? concept.laterality : concept.topographicalModifier,
              modifier,
            ),
          ),
        ),
      ]
    : []
  return [
    ...trackingItems(trackingIdentity(context, subject, finding.label)),
    ...algorithmItems(context),
    code('CONTAINS', concept.finding, finding.type),
    ...site,
  ]
}

/** Probability as Certainty of Finding in percent, further numbers, and coded answers: what ends the group of a finding. */
export function findingValues(finding: Finding): ContentItem[] {
  const certainty =
    finding.probability === null || finding.probability === undefined
      ? []
      : [num(concept.certaintyOfFinding, finding.probability * 100, percent)]
  return [
    ...certainty,
    ...(finding.measurements ?? []).map(measurementItem),
    ...(finding.evaluations ?? []).map(({ name, value }) => code('CONTAINS', name, value)),
  ]
}
