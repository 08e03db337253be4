import { quantileOfSorted } from './drift-statistics.ts'

/** Numbers in a nutshell; quantiles are linear between neighbours (type 7 of Hyndman and Fan). */
export interface Summary {
  n: number
  mean: number
  /** Of the sample (n - 1); null for one value. */
  deviation: number | null
  minimum: number
  p5: number
  q1: number
  median: number
  q3: number
  p95: number
  maximum: number
}

/** @returns null of no numbers */
export function summaryOf(values: readonly number[]): Summary | null {
  const n = values.length
  if (n === 0) return null
  const sorted = Float64Array.from(values).sort()
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const at = (part: number) => quantileOfSorted(sorted, part)
  return {
    n,
    mean,
    deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : null,
    minimum: at(0),
    p5: at(0.05),
    q1: at(0.25),
    median: at(0.5),
    q3: at(0.75),
    p95: at(0.95),
    maximum: at(1),
  }
}

/**
 * Edges of bins of one width that hold all values: round numbers, 20 bins or a few more or less.
 * @returns one more than there are bins; null of no values
 */
export function binEdges(values: readonly number[], bins = 20): number[] | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)]
  if (low > high) return null
  const step = roundStep(high > low ? (high - low) / bins : Math.abs(low) / bins || 1)
  const first = Math.floor(low / step)
  // A value on the last edge is in the last bin.
  const last = Math.max(first + 1, Math.ceil(high / step))
  return Array.from({ length: last - first + 1 }, (_, bin) => Number(((first + bin) * step).toPrecision(12)))
}

/** 1, 2 or 5 times a power of ten, nearest above half of what is wanted. */
function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted))
  const factor = [1, 2, 5, 10].find((one) => one * power >= wanted * 0.999_999) ?? 10
  return factor * power
}

/** How many values are in each bin: from its lower edge up to the next, the last with its upper edge. */
export function binCounts(values: readonly number[], edges: readonly number[]): number[] {
  const counts: number[] = Array.from({ length: edges.length - 1 }, () => 0)
  for (const value of values) {
    let [low, high] = [0, counts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (value >= (edges[middle] as number)) low = middle
      else high = middle - 1
    }
    counts[low] = (counts[low] as number) + 1
  }
  return counts
}

/** Pearson's correlation; null where it is not defined. */
export function correlationOf(points: readonly { x: number; y: number }[]): number | null {
  const n = points.length
  const mean = (of: 'x' | 'y') => points.reduce((sum, point) => sum + point[of], 0) / n
  const [meanX, meanY] = [mean('x'), mean('y')]
  let [xx, yy, xy] = [0, 0, 0]
  for (const { x, y } of points) {
    xx += (x - meanX) ** 2
    yy += (y - meanY) ** 2
    xy += (x - meanX) * (y - meanY)
  }
  return n < 3 || xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy)
}

/** The slope of the line of least squares; null where all x are the same. */
export function slopeOf(points: readonly { x: number; y: number }[]): number | null {
  const mean = (of: 'x' | 'y') => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [meanX, meanY] = [mean('x'), mean('y')]
  let [xx, xy] = [0, 0]
  for (const { x, y } of points) {
    xx += (x - meanX) ** 2
    xy += (x - meanX) * (y - meanY)
  }
  return xx === 0 ? null : xy / xx
}
