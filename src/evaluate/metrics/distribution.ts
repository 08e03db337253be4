import { seededIndices } from './random.ts'

/** Bounds of a 95 % confidence interval. */
export type Interval = readonly [low: number, high: number]

/** How often a sample is drawn again, and from which seed. */
export interface Bootstrap {
  draws: number
  seed: number
}

/** The quantile of values in ascending order, with linear interpolation between neighbours (Hyndman and Fan's type 7); NaN of none. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  if (sorted.length === 0) return Number.NaN
  const place = part * (sorted.length - 1)
  const below = Math.floor(place)
  const low = sorted[below] as number
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number
  return low + (place - below) * (high - low)
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** With n - 1; NaN of fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN
  const middle = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1))
}

/** 2.5 % and 97.5 % of what draws gave; what is not a number is left out; null where nothing is left. */
export function percentileInterval(drawn: readonly number[]): Interval | null {
  const sorted = drawn.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  return sorted.length === 0 ? null : [quantile(sorted, 0.025), quantile(sorted, 0.975)]
}

export interface Distribution {
  count: number
  mean: number
  /** Of the mean, from draws of cases; null for fewer than two. */
  interval: Interval | null
  standardDeviation: number | null
  median: number
  quartiles: Interval
  minimum: number
  maximum: number
}

/** What a column of values looks like; null of none. */
export function describeValues(values: readonly number[], { draws, seed }: Bootstrap): Distribution | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const next = seededIndices(seed)
  const means = Array.from({ length: values.length < 2 ? 0 : draws }, () => {
    let sum = 0
    for (let n = 0; n < values.length; n++) sum += values[next(values.length)] as number
    return sum / values.length
  })
  return {
    count: values.length,
    mean: mean(values),
    interval: percentileInterval(means),
    standardDeviation: values.length < 2 ? null : standardDeviation(values),
    median: quantile(sorted, 0.5),
    quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
    minimum: sorted[0] as number,
    maximum: sorted.at(-1) as number,
  }
}
