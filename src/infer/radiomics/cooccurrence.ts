import { type Aggregated, aggregateDirections, type Dimension } from './aggregation.ts'
import type { GreyLevels } from './grey-levels.ts'

/** Features of a co-occurrence matrix, in the order of the catalogue. */
const length = 25

/**
 * Features of grey level co-occurrence matrices (IBSI 3.6), symmetric, without weights.
 * @param distance Chebyshev distance between the two voxels of a pair
 */
export function cooccurrenceFeatures(
  levels: GreyLevels,
  dimensions: readonly Dimension[],
  distance: number,
): Aggregated {
  const n = levels.levels
  const { data, indices } = levels
  return aggregateDirections<Float64Array>(levels, dimensions, {
    length,
    empty: () => new Float64Array(n * n),
    merge(into, other) {
      for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (other[i] as number)
    },
    count(matrix, direction, from, to) {
      const displacement = direction * distance
      for (let k = from; k < to; k++) {
        const at = indices[k] as number
        const other = data[at + displacement] as number
        if (other === 0) continue
        const cell = ((data[at] as number) - 1) * n + other - 1
        matrix[cell] = (matrix[cell] as number) + 1
      }
    },
    features: (matrix) => featuresOf(matrix, n),
  })
}

/** Probabilities of pairs, and their marginals. */
interface Probabilities {
  /** p(i, j), symmetric, i and j from 0 for level 1. */
  joint: Float64Array
  /** p(i). */
  marginal: Float64Array
  /** p(|i - j| = k), k from 0. */
  difference: Float64Array
  /** p(i + j = k), k from 2 at index 0. */
  sum: Float64Array
}

function probabilities(counts: Float64Array, n: number): Probabilities | null {
  const total = 2 * counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const joint = new Float64Array(n * n)
  const marginal = new Float64Array(n)
  const difference = new Float64Array(n)
  const sum = new Float64Array(2 * n - 1)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const p = ((counts[i * n + j] as number) + (counts[j * n + i] as number)) / total
      if (p === 0) continue
      joint[i * n + j] = p
      marginal[i] = (marginal[i] as number) + p
      const k = Math.abs(i - j)
      difference[k] = (difference[k] as number) + p
      sum[i + j] = (sum[i + j] as number) + p
    }
  return { joint, marginal, difference, sum }
}

/** The sum of p times a function of the index. */
function expected(p: Float64Array, of: (k: number) => number): number {
  let sum = 0
  for (let k = 0; k < p.length; k++) if (p[k] !== 0) sum += (p[k] as number) * of(k)
  return sum
}

function entropy(p: Float64Array): number {
  return -expected(p, (k) => Math.log2(p[k] as number))
}

function featuresOf(counts: Float64Array, n: number): number[] | null {
  const found = probabilities(counts, n)
  if (!found) return null
  const { joint, marginal, difference, sum } = found
  const mean = expected(marginal, (i) => i + 1)
  const variance = expected(marginal, (i) => (i + 1 - mean) ** 2)
  const differenceMean = expected(difference, (k) => k)
  const autocorrelation = expected(joint, (cell) => (Math.floor(cell / n) + 1) * ((cell % n) + 1))
  const cluster = (power: number): number => expected(sum, (k) => (k + 2 - 2 * mean) ** power)
  return [
    joint.reduce((most, p) => Math.max(most, p), 0),
    mean,
    variance,
    entropy(joint),
    differenceMean,
    expected(difference, (k) => (k - differenceMean) ** 2),
    entropy(difference),
    expected(sum, (k) => k + 2),
    cluster(2),
    entropy(sum),
    joint.reduce((squares, p) => squares + p * p, 0),
    expected(difference, (k) => k * k),
    differenceMean,
    expected(difference, (k) => 1 / (1 + k)),
    expected(difference, (k) => 1 / (1 + k / n)),
    expected(difference, (k) => 1 / (1 + k * k)),
    expected(difference, (k) => 1 / (1 + (k / n) ** 2)),
    expected(difference, (k) => (k === 0 ? 0 : 1 / (k * k))),
    // A single grey level correlates with itself; its variance is 0.
    variance === 0 ? 1 : (autocorrelation - mean * mean) / variance,
    autocorrelation,
    cluster(2),
    cluster(3),
    cluster(4),
    ...informationCorrelations(joint, marginal),
  ]
}

/** The first and second measure of information correlation. */
function informationCorrelations(joint: Float64Array, marginal: Float64Array): [number, number] {
  const n = marginal.length
  const hx = entropy(marginal)
  const hxy = entropy(joint)
  // The entropies HXY1 and HXY2 are both 2 HX: the marginals of p(i, j) and of p(i) p(j) are p(i).
  const hxy1 = -expected(joint, (cell) =>
    Math.log2((marginal[Math.floor(cell / n)] as number) * (marginal[cell % n] as number)),
  )
  return [hx === 0 ? 0 : (hxy - hxy1) / hx, Math.sqrt(Math.max(0, 1 - Math.exp(-2 * (2 * hx - hxy))))]
}
