import { type Aggregated, aggregateVolumes, type Dimension } from './aggregation.ts'
import { CountMatrix, countFeatures } from './count-matrix.ts'
import { type GreyLevels, neighbours } from './grey-levels.ts'

/**
 * Features of neighbouring grey level dependence matrices (IBSI 3.11).
 * @param distance Chebyshev distance of the neighbourhood
 * @param coarseness the largest difference of grey levels that still counts as the same
 */
export function dependenceFeatures(
  levels: GreyLevels,
  dimensions: readonly Dimension[],
  { distance, coarseness }: { distance: number; coarseness: number },
): Aggregated {
  const { data, indices } = levels
  return aggregateVolumes<CountMatrix>(levels, dimensions, {
    length: 17,
    empty: () => new CountMatrix(levels.levels),
    merge: (into, other) => into.merge(other),
    count(matrix, within, from, to) {
      matrix.voxels += to - from
      const around = Int32Array.from(neighbours(levels, within, distance))
      for (let k = from; k < to; k++) {
        const at = indices[k] as number
        const level = data[at] as number
        let dependent = 1
        for (let d = 0; d < around.length; d++) {
          const other = data[at + (around[d] as number)] as number
          if (other !== 0 && Math.abs(other - level) <= coarseness) dependent++
        }
        matrix.add(level, dependent)
      }
    },
    features: countFeatures,
  })
}

/** A neighbourhood grey tone difference matrix: for each level the voxels with neighbours, and their differences from the mean of those. */
interface ToneDifferences {
  counts: Float64Array
  differences: Float64Array
}

/** Where IBSI caps coarseness, whose denominator can be 0. */
const largestCoarseness = 1e6

/**
 * Features of neighbourhood grey tone difference matrices (IBSI 3.10).
 * @param distance Chebyshev distance of the neighbourhood
 */
export function toneDifferenceFeatures(
  levels: GreyLevels,
  dimensions: readonly Dimension[],
  distance: number,
): Aggregated {
  const { data, indices } = levels
  const add = (into: Float64Array, other: Float64Array): void => {
    for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (other[i] as number)
  }
  return aggregateVolumes<ToneDifferences>(levels, dimensions, {
    length: 5,
    empty: () => ({ counts: new Float64Array(levels.levels + 1), differences: new Float64Array(levels.levels + 1) }),
    merge(into, other) {
      add(into.counts, other.counts)
      add(into.differences, other.differences)
    },
    count({ counts, differences }, within, from, to) {
      const around = Int32Array.from(neighbours(levels, within, distance))
      for (let k = from; k < to; k++) {
        const at = indices[k] as number
        const level = data[at] as number
        let [sum, count] = [0, 0]
        for (let d = 0; d < around.length; d++) {
          const other = data[at + (around[d] as number)] as number
          sum += other
          if (other !== 0) count++
        }
        if (count === 0) continue
        counts[level] = (counts[level] as number) + 1
        differences[level] = (differences[level] as number) + Math.abs(level - sum / count)
      }
    },
    features: toneFeatures,
  })
}

function toneFeatures({ counts, differences }: ToneDifferences): number[] | null {
  const voxels = counts.reduce((sum, count) => sum + count, 0)
  if (voxels === 0) return null
  // [level, probability, difference] of the levels that occur.
  const present: [number, number, number][] = []
  for (let i = 1; i < counts.length; i++)
    if ((counts[i] as number) > 0) present.push([i, (counts[i] as number) / voxels, differences[i] as number])
  const weighted = present.reduce((sum, [, p, s]) => sum + p * s, 0)
  const difference = present.reduce((sum, [, , s]) => sum + s, 0)
  let [contrast, busyness, complexity, strength] = [0, 0, 0, 0]
  for (const [i, pi, si] of present)
    for (const [j, pj, sj] of present) {
      contrast += pi * pj * (i - j) ** 2
      busyness += Math.abs(i * pi - j * pj)
      complexity += (Math.abs(i - j) * (pi * si + pj * sj)) / (pi + pj)
      strength += (pi + pj) * (i - j) ** 2
    }
  const n = present.length
  return [
    weighted === 0 ? largestCoarseness : Math.min(largestCoarseness, 1 / weighted),
    n < 2 ? 0 : (contrast / (n * (n - 1))) * (difference / voxels),
    n < 2 || busyness === 0 ? 0 : weighted / busyness,
    complexity / voxels,
    difference === 0 ? 0 : strength / difference,
  ]
}
