/** What is added to a bin's count, so that a bin that one side lacks gives a large index and not an infinite one. */
const smoothing = 0.5

/** How a window of values differs from a reference. */
export interface PopulationStability {
  /** Population stability index: the sum over bins of (p - q) ln(p / q), with p and q the parts of the window and of the reference. */
  index: number
  bins: { label: string; reference: number; window: number }[]
}

/**
 * The population stability index of numbers, over bins that hold equally many values of the reference (its quantiles). A value that the
 * reference often repeats makes quantiles fall together: then there are fewer bins. Half a count is added to every bin (the estimate of
 * Jeffreys), so that an empty one does not make the index infinite.
 * @param bins how many are wanted; 10 is what the usual limits (0.1 moderate, 0.25 strong) are for
 * @returns null where either side is empty
 */
export function stabilityOfNumbers(
  reference: readonly number[],
  window: readonly number[],
  bins = 10,
): PopulationStability | null {
  if (reference.length === 0 || window.length === 0) return null
  const edges = quantileEdges(reference, bins)
  const counted = { reference: countIn(edges, reference), window: countIn(edges, window) }
  const labels = counted.reference.map((_, bin) => labelOf(edges[bin - 1], edges[bin]))
  return stability(labels, counted.reference, counted.window)
}

/** The population stability index of categories: one bin for each that either side has. @returns null where either side is empty */
export function stabilityOfCategories(
  reference: ReadonlyMap<string, number>,
  window: ReadonlyMap<string, number>,
): PopulationStability | null {
  const labels = [...new Set([...reference.keys(), ...window.keys()])].sort()
  const counts = (side: ReadonlyMap<string, number>) => labels.map((label) => side.get(label) ?? 0)
  if (sum(counts(reference)) === 0 || sum(counts(window)) === 0) return null
  return stability(labels, counts(reference), counts(window))
}

function stability(
  labels: readonly string[],
  reference: readonly number[],
  window: readonly number[],
): PopulationStability {
  const parts = (counts: readonly number[]) => {
    const total = sum(counts) + smoothing * counts.length
    return counts.map((count) => (count + smoothing) / total)
  }
  const p = parts(window)
  const q = parts(reference)
  const index = sum(p.map((part, bin) => (part - (q[bin] as number)) * Math.log(part / (q[bin] as number))))
  const bins = labels.map((label, bin) => ({
    label,
    reference: reference[bin] as number,
    window: window[bin] as number,
  }))
  return { index, bins }
}

/** The inner edges of the bins, ascending, each once, and each a value of the reference; a value on an edge belongs below it. */
function quantileEdges(values: readonly number[], bins: number): number[] {
  const sorted = Float64Array.from(values).sort()
  const edges = new Set<number>()
  for (let bin = 1; bin < bins; bin++) edges.add(sorted[Math.ceil((bin / bins) * sorted.length) - 1] as number)
  edges.delete(sorted.at(-1) as number)
  return [...edges]
}

function countIn(edges: readonly number[], values: readonly number[]): number[] {
  const counts: number[] = Array.from({ length: edges.length + 1 }, () => 0)
  for (const value of values) {
    const bin = edges.findIndex((edge) => value <= edge)
    const at = bin === -1 ? edges.length : bin
    counts[at] = (counts[at] as number) + 1
  }
  return counts
}

function labelOf(from: number | undefined, to: number | undefined): string {
  const text = (edge: number) => String(Number(edge.toPrecision(4)))
  if (from === undefined && to === undefined) return 'all'
  if (from === undefined) return `≤ ${text(to as number)}`
  return to === undefined ? `> ${text(from)}` : `${text(from)} to ${text(to)}`
}

/**
 * A quantile of ascending values, linear between the two next to it (type 7 of Hyndman and Fan, 1996: what NumPy and R do by default).
 * @param part from 0 to 1
 * @returns NaN where there are no values
 */
export function quantileOfSorted(sorted: ArrayLike<number>, part: number): number {
  if (sorted.length === 0) return Number.NaN
  const place = part * (sorted.length - 1)
  const below = Math.floor(place)
  const low = sorted[below] as number
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number
  return low + (place - below) * (high - low)
}

export interface TestResult {
  statistic: number
  /** The probability of so large a statistic where nothing differs. */
  probability: number
}

/**
 * The two-sample Kolmogorov-Smirnov test: the largest distance between the two empirical distributions, with the asymptotic
 * probability of Kolmogorov's distribution at sqrt(nm/(n+m)) times the statistic (as SciPy's `ks_2samp(method='asymp')`, whose
 * distribution for finite n is a little narrower).
 * @returns null where either side is empty
 */
export function kolmogorovSmirnov(reference: readonly number[], window: readonly number[]): TestResult | null {
  const n = reference.length
  const m = window.length
  if (n === 0 || m === 0) return null
  const a = Float64Array.from(reference).sort()
  const b = Float64Array.from(window).sort()
  let statistic = 0
  for (let i = 0, j = 0; i < n && j < m; ) {
    const value = Math.min(a[i] as number, b[j] as number)
    while (i < n && a[i] === value) i++
    while (j < m && b[j] === value) j++
    statistic = Math.max(statistic, Math.abs(i / n - j / m))
  }
  return { statistic, probability: kolmogorovTail(statistic * Math.sqrt((n * m) / (n + m))) }
}

/** 1 - K(x) of Kolmogorov's distribution; the second series converges where the first does not (Marsaglia, Tsang and Wang, 2003). */
function kolmogorovTail(x: number): number {
  if (x <= 0) return 1
  if (x < 1.18) {
    let total = 0
    for (let k = 1; k <= 20; k++) total += Math.exp((-((2 * k - 1) ** 2) * Math.PI ** 2) / (8 * x * x))
    return Math.min(1, Math.max(0, 1 - (Math.sqrt(2 * Math.PI) / x) * total))
  }
  let total = 0
  for (let k = 1; k <= 20; k++) total += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x)
  return Math.min(1, Math.max(0, total))
}

/**
 * Pearson's chi-square test of homogeneity of two sets of counts; categories that neither side has do not count.
 * @returns null where either side is empty, or there is only one category
 */
export function chiSquare(
  reference: ReadonlyMap<string, number>,
  window: ReadonlyMap<string, number>,
): (TestResult & { degreesOfFreedom: number }) | null {
  const labels = [...new Set([...reference.keys(), ...window.keys()])]
  const rows = labels
    .map((label) => [reference.get(label) ?? 0, window.get(label) ?? 0] as const)
    .filter(([r, w]) => r + w > 0)
  const totals = [sum(rows.map(([r]) => r)), sum(rows.map(([, w]) => w))] as const
  if (totals[0] === 0 || totals[1] === 0 || rows.length < 2) return null
  const all = totals[0] + totals[1]
  let statistic = 0
  for (const row of rows)
    for (const side of [0, 1] as const) {
      const expected = ((row[0] + row[1]) * totals[side]) / all
      statistic += (row[side] - expected) ** 2 / expected
    }
  const degreesOfFreedom = rows.length - 1
  return { statistic, degreesOfFreedom, probability: upperGamma(degreesOfFreedom / 2, statistic / 2) }
}

/** The regularised upper incomplete gamma function Q(s, x): a series below s + 1, a continued fraction (Lentz) above. */
function upperGamma(s: number, x: number): number {
  if (x <= 0) return 1
  const front = Math.exp(s * Math.log(x) - x - logGamma(s))
  if (x < s + 1) {
    let term = 1 / s
    let total = term
    for (let k = 1; k < 1000 && Math.abs(term) > Math.abs(total) * 1e-15; k++) {
      term *= x / (s + k)
      total += term
    }
    return Math.min(1, Math.max(0, 1 - front * total))
  }
  let b = x + 1 - s
  let c = 1e300
  let d = 1 / b
  let fraction = d
  for (let k = 1; k < 1000; k++) {
    const a = -k * (k - s)
    b += 2
    d = 1 / (a * d + b)
    c = b + a / c
    const step = c * d
    fraction *= step
    if (Math.abs(step - 1) < 1e-15) break
  }
  return Math.min(1, Math.max(0, front * fraction))
}

/** The logarithm of the gamma function for positive numbers: Stirling's series, after shifting the argument above 10. */
function logGamma(value: number): number {
  let shift = 0
  let x = value
  for (; x < 10; x++) shift += Math.log(x)
  const inverse = 1 / (x * x)
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / x
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series - shift
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/**
 * Wilson's score interval of a proportion (1927).
 * @param z of the confidence: 1.96 for 95 %
 * @returns null where nothing was counted
 */
export function wilsonInterval(hits: number, of: number, z = 1.959963984540054): { low: number; high: number } | null {
  if (of === 0) return null
  const part = hits / of
  const middle = (part + (z * z) / (2 * of)) / (1 + (z * z) / of)
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((part * (1 - part)) / of + (z * z) / (4 * of * of))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}
