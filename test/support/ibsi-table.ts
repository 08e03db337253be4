import { aggregations } from '../../src/infer/radiomics/aggregation.ts'
import type { Feature } from '../../src/infer/radiomics/features.ts'
import { table } from './conformance/table.ts'
import { agrees, type Reference } from './ibsi.ts'

/** A reference value beside what is computed here; no feature where it is not computed. */
export interface Comparison {
  reference: Reference
  feature: Feature | undefined
  agrees: boolean
}

/** Each reference with its feature. */
export function compare(features: readonly Feature[], references: readonly Reference[]): Comparison[] {
  const byTag = new Map(features.map((feature) => [feature.tag, feature]))
  return references.map((reference) => {
    const feature = byTag.get(reference.tag)
    return { reference, feature, agrees: feature !== undefined && agrees(feature.value, reference) }
  })
}

/** `482 of 482 agree`. */
export function summary(comparisons: readonly Comparison[]): string {
  return `${comparisons.filter((comparison) => comparison.agrees).length} of ${comparisons.length} agree`
}

/** Feature, reference, ours, tolerance, and whether they agree. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  return table(
    ['Family', 'Feature', 'IBSI', 'Aggregation', 'Reference', 'Tolerance', 'Ours', 'Agrees'],
    comparisons.map(({ reference, feature, ...comparison }) => [
      feature?.family ?? '',
      feature?.name ?? reference.tag,
      feature?.code ?? '',
      feature?.aggregation ? `${feature.aggregation.name} (${aggregations[feature.aggregation.name]})` : '',
      String(reference.value),
      String(reference.tolerance),
      feature ? String(Number(feature.value.toPrecision(5))) : 'not computed',
      comparison.agrees ? 'yes' : 'no',
    ]),
  )
}
