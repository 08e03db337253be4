import { type Bootstrap, type Interval, percentileInterval } from './distribution.ts'
import { seededIndices } from './random.ts'

/** What was said of a case, and what is true of it. */
export interface Decision {
  found: boolean
  truth: boolean
}

/** A proportion with its Wilson interval; null where there is nothing that it could be a part of. */
export interface Proportion {
  value: number
  interval: Interval
  /** Numerator and denominator. */
  of: readonly [number, number]
}

export interface DecisionMetrics {
  truePositives: number
  falsePositives: number
  trueNegatives: number
  falseNegatives: number
  /** Also called recall. */
  sensitivity: Proportion | null
  specificity: Proportion | null
  /** Positive predictive value: it depends on how many cases of the data are positive. */
  precision: Proportion | null
  accuracy: Proportion | null
  f1: { value: number; interval: Interval | null } | null
}

/** 0.975 quantile of the standard normal distribution. */
const z = 1.959963984540054

/** A part of a whole with the Wilson score interval, 95 %. */
export function proportion(part: number, whole: number): Proportion | null {
  if (whole === 0) return null
  const p = part / whole
  const middle = (p + (z * z) / (2 * whole)) / (1 + (z * z) / whole)
  const half = (z / (1 + (z * z) / whole)) * Math.sqrt((p * (1 - p)) / whole + (z * z) / (4 * whole * whole))
  // At 0 and at all the bound is exact.
  const low = part === 0 ? 0 : Math.max(0, middle - half)
  const high = part === whole ? 1 : Math.min(1, middle + half)
  return { value: p, interval: [low, high], of: [part, whole] }
}

/** How often decisions are right. The interval of F1 is made of draws of cases. */
export function decisionMetrics(decisions: readonly Decision[], bootstrap: Bootstrap): DecisionMetrics {
  const count = (found: boolean, truth: boolean): number =>
    decisions.filter((one) => one.found === found && one.truth === truth).length
  const [truePositives, falsePositives] = [count(true, true), count(true, false)]
  const [trueNegatives, falseNegatives] = [count(false, false), count(false, true)]
  const f1 = f1Of(truePositives, falsePositives, falseNegatives)
  return {
    truePositives,
    falsePositives,
    trueNegatives,
    falseNegatives,
    sensitivity: proportion(truePositives, truePositives + falseNegatives),
    specificity: proportion(trueNegatives, trueNegatives + falsePositives),
    precision: proportion(truePositives, truePositives + falsePositives),
    accuracy: proportion(truePositives + trueNegatives, decisions.length),
    f1: Number.isNaN(f1) ? null : { value: f1, interval: f1Interval(decisions, bootstrap) },
  }
}

/** NaN where nothing is positive and nothing was found. */
function f1Of(truePositives: number, falsePositives: number, falseNegatives: number): number {
  return (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives)
}

function f1Interval(decisions: readonly Decision[], { draws, seed }: Bootstrap): Interval | null {
  if (decisions.length < 2) return null
  const next = seededIndices(seed)
  return percentileInterval(
    Array.from({ length: draws }, () => {
      let [right, wrong, missed] = [0, 0, 0]
      for (let n = 0; n < decisions.length; n++) {
        const { found, truth } = decisions[next(decisions.length)] as Decision
        if (found && truth) right++
        else if (found) wrong++
        else if (truth) missed++
      }
      return f1Of(right, wrong, missed)
    }),
  )
}

/** Cases by their true class (rows) and by the class that was said (columns). */
export function confusionMatrix(pairs: readonly { truth: number; said: number }[], classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0))
  for (const { truth, said } of pairs) {
    const row = matrix[truth] as number[]
    row[said] = (row[said] as number) + 1
  }
  return matrix
}
