import { type Bootstrap, type Interval, percentileInterval } from './distribution.ts'
import { seededIndices } from './random.ts'

/** A score from 0 to 1 for being positive, and what is true. */
export interface Scored {
  score: number
  truth: boolean
}

/** A point of a curve: what is reached when all from this score on count as found. */
export interface RocPoint {
  threshold: number
  sensitivity: number
  /** 1 - specificity. */
  falsePositiveRate: number
}

export interface Roc {
  auc: number
  /** From draws of positive and of negative cases, each among themselves; null with fewer than two of either. */
  interval: Interval | null
  points: RocPoint[]
}

/** The ROC curve and the area under it (trapezoids: ties count half, as in Mann and Whitney's U); null unless there are positives and negatives. */
export function rocOf(cases: readonly Scored[], { draws, seed }: Bootstrap): Roc | null {
  const levels = [...new Set(cases.map(({ score }) => score))].sort((a, b) => b - a)
  const levelOf = new Map(levels.map((score, level) => [score, level]))
  const levelsOf = (truth: boolean): number[] =>
    cases.filter((one) => one.truth === truth).map(({ score }) => levelOf.get(score) as number)
  const [positives, negatives] = [levelsOf(true), levelsOf(false)]
  if (positives.length === 0 || negatives.length === 0) return null
  const counted = { positive: counts(positives, levels.length), negative: counts(negatives, levels.length) }
  const points: RocPoint[] = [{ threshold: Number.POSITIVE_INFINITY, sensitivity: 0, falsePositiveRate: 0 }]
  let [found, wrong] = [0, 0]
  for (const [level, threshold] of levels.entries()) {
    found += counted.positive[level] as number
    wrong += counted.negative[level] as number
    points.push({
      threshold,
      sensitivity: found / positives.length,
      falsePositiveRate: wrong / negatives.length,
    })
  }
  const next = seededIndices(seed)
  const drawn =
    positives.length < 2 || negatives.length < 2
      ? []
      : Array.from({ length: draws }, () =>
          areaUnder(drawnCounts(positives, levels.length, next), drawnCounts(negatives, levels.length, next)),
        )
  return { auc: areaUnder(counted.positive, counted.negative), interval: percentileInterval(drawn), points }
}

function counts(levels: readonly number[], length: number): Uint32Array {
  const counted = new Uint32Array(length)
  for (const level of levels) counted[level] = (counted[level] as number) + 1
  return counted
}

function drawnCounts(levels: readonly number[], length: number, next: (limit: number) => number): Uint32Array {
  const counted = new Uint32Array(length)
  for (let n = 0; n < levels.length; n++) {
    const level = levels[next(levels.length)] as number
    counted[level] = (counted[level] as number) + 1
  }
  return counted
}

/** Counts by score, the highest first. */
function areaUnder(positive: Uint32Array, negative: Uint32Array): number {
  let [above, won, negatives] = [0, 0, 0]
  for (let level = 0; level < positive.length; level++) {
    const [p, n] = [positive[level] as number, negative[level] as number]
    won += n * (above + p / 2)
    above += p
    negatives += n
  }
  return won / (above * negatives)
}
