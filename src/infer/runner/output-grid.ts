import { InferError } from '../error.ts'
import { type Grid, placeOf } from '../image.ts'

type Size = readonly [number, number, number]

/**
 * How many times finer the output is than the input along each axis: 2 for a model that doubles the resolution, 1/4 for one that gives one voxel
 * for four.
 * @param given size of what the model was given
 * @param found size of what it gave
 * @throws {InferError} `wrong-shape` when an axis is neither a whole multiple nor a whole part
 */
export function factorsOf(what: string, given: Size, found: Size): Size {
  const factors = given.map((size, axis) => {
    const result = found[axis] as number
    if (result % size === 0) return result / size
    // A model with a stride gives the part rounded down or up, depending on how it pads.
    const stride = Math.round(size / result)
    const fits = stride > 1 && (Math.ceil(size / stride) === result || Math.floor(size / stride) === result)
    return fits ? 1 / stride : 0
  })
  if (factors.includes(0))
    throw new InferError(
      'wrong-shape',
      `${what}: ${found.join(' × ')} voxels were found, ${given.join(' × ')} or a whole multiple or part of it are expected`,
    )
  return factors as unknown as Size
}

/** The size that an output has over a whole grid. */
export function outputSize(size: Size, factors: Size): Size {
  return size.map((n, axis) => Math.ceil(n * (factors[axis] as number) - 1e-9)) as unknown as Size
}

/** The grid of an output that is finer or coarser by `factors`. */
export function outputGrid(grid: Grid, factors: Size, size: Size, align: 'centre' | 'corner'): Grid {
  if (factors.every((factor) => factor === 1)) return { ...grid, size }
  const spacing = grid.spacing.map((s, axis) => s / (factors[axis] as number)) as unknown as Grid['spacing']
  // The centre of the first output voxel, in input voxels from the centre of the first.
  const shift = factors.map((factor) => (align === 'corner' ? 0 : (1 / factor - 1) / 2)) as unknown as Grid['spacing']
  return { ...grid, size, spacing, origin: placeOf(grid, shift) }
}
