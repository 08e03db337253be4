import { type Displacement, directions, type GreyLevels } from './grey-levels.ts'

/** How features of several texture matrices become one value, with IBSI's codes for it. */
export const aggregations = {
  // Matrices with a direction: co-occurrence, run length.
  '2D-averaged': 'BTW3',
  '2D-slice-merged': 'SUJT',
  '2.5D-direction-merged': 'JJUI',
  '2.5D-merged': 'ZW7Z',
  '3D-averaged': 'ITBB',
  '3D-merged': 'IAZD',
  // Matrices without one: zones, neighbourhoods.
  '2D': '8QNN',
  '2.5D': '62GR',
  '3D': 'KOBO',
} as const

export type Aggregation = keyof typeof aggregations

/** In which neighbourhoods texture is looked at: slice by slice, slices merged, in space. */
export type Dimension = '2D' | '2.5D' | '3D'

/** What can be asked for: matrices without a direction take the neighbourhood alone. */
export type TextureAggregation = Exclude<Aggregation, Dimension>

/** The neighbourhood of an aggregation. */
export function dimensionOf(aggregation: TextureAggregation): Dimension {
  return aggregation.slice(0, aggregation.indexOf('-')) as Dimension
}

/** Feature values by aggregation, each in the order of the family's catalogue. */
export type Aggregated = Partial<Record<Aggregation, readonly number[]>>

/** A kind of texture matrix. */
export interface TextureMatrix<M> {
  empty(): M
  merge(into: M, other: M): void
  /** null where the matrix is empty. */
  features(matrix: M): readonly number[] | null
}

/** The mean of several lists of values; matrices without entries do not take part. */
export class Mean {
  private sums: number[] = []
  private count = 0

  add(values: readonly number[] | null): void {
    if (!values) return
    this.count++
    this.sums = values.map((value, index) => (this.sums[index] ?? 0) + value)
  }

  /** NaN for each of `length` values where nothing was added. */
  values(length: number): number[] {
    return Array.from({ length }, (_, index) => (this.sums[index] ?? Number.NaN) / this.count)
  }
}

/**
 * Features of matrices that have a direction (co-occurrence, run length), in the aggregations that the dimensions ask for (IBSI 3.6, 3.7).
 * @param count fills a matrix with the voxels `indices[from]` up to `indices[to]`
 * @param length number of features
 */
export function aggregateDirections<M>(
  levels: GreyLevels,
  dimensions: readonly Dimension[],
  kind: TextureMatrix<M> & {
    count(matrix: M, direction: Displacement, from: number, to: number): void
    length: number
  },
): Aggregated {
  const found: Aggregated = {}
  const measured = (direction: Displacement, from: number, to: number): M => {
    const matrix = kind.empty()
    kind.count(matrix, direction, from, to)
    return matrix
  }
  const featuresOf = (matrix: M): readonly number[] => kind.features(matrix) ?? new Mean().values(kind.length)
  if (dimensions.includes('3D')) {
    const averaged = new Mean()
    const merged = kind.empty()
    for (const direction of directions(levels, 3)) {
      const matrix = measured(direction, 0, levels.indices.length)
      averaged.add(kind.features(matrix))
      kind.merge(merged, matrix)
    }
    found['3D-averaged'] = averaged.values(kind.length)
    found['3D-merged'] = featuresOf(merged)
  }
  if (!dimensions.includes('2D') && !dimensions.includes('2.5D')) return found
  const planar = directions(levels, 2)
  const averaged = new Mean()
  const sliceMerged = new Mean()
  const byDirection = planar.map(() => kind.empty())
  forEachSlice(levels, (from, to) => {
    const slice = kind.empty()
    for (const [index, direction] of planar.entries()) {
      const matrix = measured(direction, from, to)
      averaged.add(kind.features(matrix))
      kind.merge(slice, matrix)
      kind.merge(byDirection[index] as M, matrix)
    }
    sliceMerged.add(kind.features(slice))
  })
  if (dimensions.includes('2D')) {
    found['2D-averaged'] = averaged.values(kind.length)
    found['2D-slice-merged'] = sliceMerged.values(kind.length)
  }
  if (dimensions.includes('2.5D')) {
    const mean = new Mean()
    const merged = kind.empty()
    for (const matrix of byDirection) {
      mean.add(kind.features(matrix))
      kind.merge(merged, matrix)
    }
    found['2.5D-direction-merged'] = mean.values(kind.length)
    found['2.5D-merged'] = featuresOf(merged)
  }
  return found
}

/**
 * Features of matrices without a direction (zones, neighbourhoods), in the aggregations that the dimensions ask for (IBSI 3.8 to 3.11).
 * @param count fills a matrix with the voxels `indices[from]` up to `indices[to]`, looking in a slice or in space
 * @param length number of features
 */
export function aggregateVolumes<M>(
  levels: GreyLevels,
  wanted: readonly Dimension[],
  kind: TextureMatrix<M> & {
    count(matrix: M, dimensions: 2 | 3, from: number, to: number): void
    length: number
  },
): Aggregated {
  const found: Aggregated = {}
  const nothing = new Mean().values(kind.length)
  if (wanted.includes('3D')) {
    const matrix = kind.empty()
    kind.count(matrix, 3, 0, levels.indices.length)
    found['3D'] = kind.features(matrix) ?? nothing
  }
  if (!wanted.includes('2D') && !wanted.includes('2.5D')) return found
  const averaged = new Mean()
  const merged = kind.empty()
  forEachSlice(levels, (from, to) => {
    const matrix = kind.empty()
    kind.count(matrix, 2, from, to)
    averaged.add(kind.features(matrix))
    kind.merge(merged, matrix)
  })
  if (wanted.includes('2D')) found['2D'] = averaged.values(kind.length)
  if (wanted.includes('2.5D')) found['2.5D'] = kind.features(merged) ?? nothing
  return found
}

/** Slices that hold voxels of the region. */
function forEachSlice({ slices }: GreyLevels, visit: (from: number, to: number) => void): void {
  for (let slice = 0; slice + 1 < slices.length; slice++) {
    const [from, to] = [slices[slice] as number, slices[slice + 1] as number]
    if (to > from) visit(from, to)
  }
}
