/** Values and how often each occurs, ascending. */
export interface Distribution {
  values: Float64Array
  counts: Float64Array
  total: number
}

/** The distribution of numbers; sorts them in place. */
export function distributionOf(numbers: Float32Array): Distribution {
  numbers.sort()
  let distinct = 0
  for (let i = 0; i < numbers.length; i++) if (i === 0 || numbers[i] !== numbers[i - 1]) distinct++
  const values = new Float64Array(distinct)
  const counts = new Float64Array(distinct)
  let at = -1
  for (let i = 0; i < numbers.length; i++) {
    if (i === 0 || numbers[i] !== numbers[i - 1]) values[++at] = numbers[i] as number
    counts[at] = (counts[at] as number) + 1
  }
  return { values, counts, total: numbers.length }
}

/** The mean of a function of the values. */
export function meanOf({ values, counts, total }: Distribution, of: (value: number) => number): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (counts[i] as number) * of(values[i] as number)
  return sum / total
}

/** The value below which `percent` per cent lie, interpolated between neighbours in rank. */
export function percentileOf({ values, counts, total }: Distribution, percent: number): number {
  const rank = ((total - 1) * percent) / 100
  let [index, upTo] = [0, counts[0] as number]
  while (upTo <= Math.floor(rank)) upTo += counts[++index] as number
  const lower = values[index] as number
  const upper = Math.floor(rank) + 1 < upTo ? lower : (values[Math.min(index + 1, values.length - 1)] as number)
  return lower + (rank - Math.floor(rank)) * (upper - lower)
}

/** What statistics on intensities and on their histogram have in common (IBSI 3.3, 3.4). */
export interface Statistics {
  mean: number
  variance: number
  skewness: number
  kurtosis: number
  median: number
  minimum: number
  percentile10: number
  percentile90: number
  maximum: number
  interquartileRange: number
  range: number
  meanAbsoluteDeviation: number
  robustMeanAbsoluteDeviation: number
  medianAbsoluteDeviation: number
  coefficientOfVariation: number
  quartileCoefficientOfDispersion: number
}

/** Moments are those of the whole population; skewness and kurtosis of equal values are 0; kurtosis is that in excess of the normal one. */
export function statisticsOf(distribution: Distribution): Statistics {
  const { values } = distribution
  const mean = meanOf(distribution, (x) => x)
  const variance = meanOf(distribution, (x) => (x - mean) ** 2)
  const standardised = (power: number): number =>
    variance === 0 ? 0 : meanOf(distribution, (x) => (x - mean) ** power) / variance ** (power / 2)
  const [p10, p25, median, p75, p90] = [10, 25, 50, 75, 90].map((p) => percentileOf(distribution, p)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const minimum = values[0] as number
  const maximum = values[values.length - 1] as number
  return {
    mean,
    variance,
    skewness: standardised(3),
    kurtosis: variance === 0 ? 0 : standardised(4) - 3,
    median,
    minimum,
    percentile10: p10,
    percentile90: p90,
    maximum,
    interquartileRange: p75 - p25,
    range: maximum - minimum,
    meanAbsoluteDeviation: meanOf(distribution, (x) => Math.abs(x - mean)),
    robustMeanAbsoluteDeviation: robustDeviation(distribution, p10, p90),
    medianAbsoluteDeviation: meanOf(distribution, (x) => Math.abs(x - median)),
    coefficientOfVariation: Math.sqrt(variance) / mean,
    quartileCoefficientOfDispersion: (p75 - p25) / (p75 + p25),
  }
}

/** The mean absolute deviation of the values from the 10th to the 90th percentile. */
function robustDeviation({ values, counts }: Distribution, low: number, high: number): number {
  const kept = { values, counts: counts.map((n, i) => within(values[i] as number, low, high) * n), total: 0 }
  kept.total = kept.counts.reduce((sum, n) => sum + n, 0)
  const mean = meanOf(kept, (x) => x)
  return meanOf(kept, (x) => Math.abs(x - mean))
}

function within(value: number, low: number, high: number): number {
  return value >= low && value <= high ? 1 : 0
}
