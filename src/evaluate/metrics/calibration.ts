import type { Scored } from './roc.ts'

export interface CalibrationBin {
  /** Scores of the bin: from (exclusive, but 0) to (inclusive). */
  from: number
  to: number
  count: number
  /** Mean of the scores; null in an empty bin. */
  meanScore: number | null
  /** Part of the cases that are positive; null in an empty bin. */
  observed: number | null
}

export interface Calibration {
  bins: CalibrationBin[]
  /** Expected calibration error: the mean difference of score and frequency, by the number of cases in each bin. */
  expectedError: number
  /** Mean squared difference of score and truth. */
  brier: number
}

/** How probabilities compare with frequencies, in bins of equal width; null without cases. */
export function calibrationOf(cases: readonly Scored[], bins = 10): Calibration | null {
  if (cases.length === 0) return null
  const gathered = Array.from({ length: bins }, () => ({ count: 0, scores: 0, positives: 0 }))
  let brier = 0
  for (const { score, truth } of cases) {
    const bin = gathered[Math.min(bins - 1, Math.max(0, Math.ceil(score * bins - 1e-9) - 1))]
    if (bin) {
      bin.count++
      bin.scores += score
      bin.positives += truth ? 1 : 0
    }
    brier += (score - (truth ? 1 : 0)) ** 2
  }
  return {
    bins: gathered.map(({ count, scores, positives }, index) => ({
      from: index / bins,
      to: (index + 1) / bins,
      count,
      meanScore: count === 0 ? null : scores / count,
      observed: count === 0 ? null : positives / count,
    })),
    expectedError:
      gathered.reduce((sum, { scores, positives }) => sum + Math.abs(scores - positives), 0) / cases.length,
    brier: brier / cases.length,
  }
}
