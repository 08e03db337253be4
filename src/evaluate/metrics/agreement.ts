import { mean, standardDeviation } from './distribution.ts'

/** How a number that was measured agrees with its reference (Bland and Altman), in its unit; differences are result minus reference. */
export interface Agreement {
  count: number
  meanAbsoluteError: number
  bias: number
  /** Bias minus and plus 1.96 standard deviations of the differences; null for fewer than two pairs. */
  limits: readonly [number, number] | null
}

/** @returns null without pairs */
export function agreementOf(pairs: readonly { result: number; reference: number }[]): Agreement | null {
  if (pairs.length === 0) return null
  const differences = pairs.map(({ result, reference }) => result - reference)
  const bias = mean(differences)
  const spread = 1.96 * standardDeviation(differences)
  return {
    count: pairs.length,
    meanAbsoluteError: mean(differences.map(Math.abs)),
    bias,
    limits: Number.isNaN(spread) ? null : [bias - spread, bias + spread],
  }
}
