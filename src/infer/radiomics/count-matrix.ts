/** Columns that are held as a full table; larger ones, which are rare, go to a map. */
const denseColumns = 64

/**
 * How often each pair (grey level i, property j) occurs, i and j from 1: the shape that run-length, size-zone, distance-zone and dependence
 * matrices share.
 */
export class CountMatrix {
  readonly levels: number
  /** Voxels that were looked at to fill it; matrices that are merged add them up (IBSI 3.7, run percentage). */
  voxels = 0
  private readonly dense: Float64Array
  private readonly sparse = new Map<number, number>()

  constructor(levels: number) {
    this.levels = levels
    this.dense = new Float64Array(levels * denseColumns)
  }

  /** Counts `times` more of grey level i with property j. */
  add(i: number, j: number, times = 1): void {
    if (j <= denseColumns) {
      const at = (i - 1) * denseColumns + j - 1
      this.dense[at] = (this.dense[at] as number) + times
    } else {
      const key = j * (this.levels + 1) + i
      this.sparse.set(key, (this.sparse.get(key) ?? 0) + times)
    }
  }

  /** Adds another matrix of the same levels to this one. */
  merge(other: CountMatrix): void {
    this.voxels += other.voxels
    other.forEach((i, j, count) => this.add(i, j, count))
  }

  /** Calls `visit` for each pair that occurs. */
  forEach(visit: (i: number, j: number, count: number) => void): void {
    for (let at = 0; at < this.dense.length; at++) {
      const count = this.dense[at] as number
      if (count > 0) visit(Math.floor(at / denseColumns) + 1, (at % denseColumns) + 1, count)
    }
    for (const [key, count] of this.sparse) visit(key % (this.levels + 1), Math.floor(key / (this.levels + 1)), count)
  }
}

/**
 * The features of such a matrix, in IBSI's order: emphasis of small and large j, of low and high grey levels, and of their four combinations;
 * grey level and j non-uniformity, each also normalised; percentage; variance of grey level and of j; entropy; energy (NGLDM only).
 * @returns null where nothing was counted
 */
export function countFeatures(matrix: CountMatrix): number[] | null {
  let total = 0
  let [meanI, meanJ] = [0, 0]
  const emphasis = new Float64Array(8)
  const byLevel = new Float64Array(matrix.levels + 1)
  const byProperty = new Map<number, number>()
  matrix.forEach((i, j, n) => {
    total += n
    meanI += n * i
    meanJ += n * j
    byLevel[i] = (byLevel[i] as number) + n
    byProperty.set(j, (byProperty.get(j) ?? 0) + n)
    const [ii, jj] = [i * i, j * j]
    const terms = [1 / jj, jj, 1 / ii, ii, 1 / (ii * jj), ii / jj, jj / ii, ii * jj]
    for (let k = 0; k < 8; k++) emphasis[k] = (emphasis[k] as number) + n * (terms[k] as number)
  })
  if (total === 0) return null
  meanI /= total
  meanJ /= total
  let [varianceI, varianceJ, entropy, energy] = [0, 0, 0, 0]
  matrix.forEach((i, j, n) => {
    const p = n / total
    varianceI += p * (i - meanI) ** 2
    varianceJ += p * (j - meanJ) ** 2
    entropy -= p * Math.log2(p)
    energy += p * p
  })
  const levelSquares = byLevel.reduce((sum, n) => sum + n * n, 0)
  let propertySquares = 0
  for (const n of byProperty.values()) propertySquares += n * n
  return [
    ...emphasis.map((sum) => sum / total),
    levelSquares / total,
    levelSquares / total ** 2,
    propertySquares / total,
    propertySquares / total ** 2,
    total / matrix.voxels,
    varianceI,
    varianceJ,
    entropy,
    energy,
  ]
}
