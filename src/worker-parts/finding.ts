import type { Finding, PlanarFinding } from '../encode/finding.ts'
import type { InferredFinding, LocatedFinding } from '../infer/inference.ts'

/** A classifier's answer as reports have it. */
export function reportedFinding({
  id,
  label,
  type,
  site,
  modifiers,
  probability,
  evaluations,
}: InferredFinding): Finding {
  return { id, label, type, site, modifiers, probability, evaluations }
}

/** A detector's finding as reports have it. */
export function planarFinding(finding: LocatedFinding): PlanarFinding {
  return { ...reportedFinding(finding), slice: finding.slice, regions: finding.regions }
}
