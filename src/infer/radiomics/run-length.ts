import { type Aggregated, aggregateDirections, type Dimension } from './aggregation.ts'
import { CountMatrix, countFeatures } from './count-matrix.ts'
import type { GreyLevels } from './grey-levels.ts'

/** Features of a run-length matrix: all of a count matrix but its energy. */
const length = 16

/** Features of grey level run-length matrices (IBSI 3.7). */
export function runLengthFeatures(levels: GreyLevels, dimensions: readonly Dimension[]): Aggregated {
  const { data, indices } = levels
  return aggregateDirections<CountMatrix>(levels, dimensions, {
    length,
    empty: () => new CountMatrix(levels.levels),
    merge: (into, other) => into.merge(other),
    count(matrix, direction, from, to) {
      matrix.voxels += to - from
      for (let k = from; k < to; k++) {
        const start = indices[k] as number
        const level = data[start] as number
        if (data[start - direction] === level) continue
        let run = 1
        for (let at = start + direction; data[at] === level; at += direction) run++
        matrix.add(level, run)
      }
    },
    features: (matrix) => countFeatures(matrix)?.slice(0, length) ?? null,
  })
}
