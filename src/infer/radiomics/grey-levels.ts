import { type Discretisation, discretise } from './discretisation.ts'
import { RadiomicsError } from './error.ts'
import type { Region } from './region.ts'
import { boxOf } from './region-box.ts'

/** The most grey levels that texture matrices are made for: a co-occurrence matrix has their square. */
const mostLevels = 2048

/**
 * The discretised region of interest, ready for texture matrices: the box of the morphological mask with a margin of zeros, so that no
 * neighbour's index ever leaves the array.
 */
export interface GreyLevels {
  size: readonly [number, number, number]
  /** 0 outside of the intensity mask, 1 to `levels` inside. */
  data: Uint16Array
  levels: number
  /** Where the voxels of the intensity mask lie in `data`, ascending. */
  indices: Int32Array
  /** `indices` of slice k are those from `slices[k]` up to `slices[k + 1]`. */
  slices: Int32Array
  /** Distance of the morphological mask's voxels from its edge, filled when first needed. */
  morphologicalMask: Uint8Array
}

/** A displacement to a neighbour, in indices of the padded array. */
export type Displacement = number

/**
 * Discretises a region for texture matrices.
 * @param margin the largest distance that a matrix looks to
 * @throws RadiomicsError too-many-grey-levels
 */
export function greyLevels(region: Region, discretisation: Discretisation, margin: number): GreyLevels {
  const { low, high } = boxOf(region.morphologicalMask, region.size)
  const size = [0, 1, 2].map((a) => (high[a] as number) - (low[a] as number) + 2 * margin) as [number, number, number]
  const [nx, ny] = region.size
  const { levelOf, levels } = discretise(region, discretisation)
  if (levels > mostLevels)
    throw new RadiomicsError(
      'too-many-grey-levels',
      `the discretisation leaves ${levels} grey levels, at most ${mostLevels} can be used for texture`,
    )
  const voxels = region.intensityMask.reduce((sum, inside) => sum + (inside === 0 ? 0 : 1), 0)
  const data = new Uint16Array(size[0] * size[1] * size[2])
  const morphologicalMask = new Uint8Array(data.length)
  const indices = new Int32Array(voxels)
  const slices = new Int32Array(size[2] + 1)
  let found = 0
  for (let z = 0; z < size[2]; z++) {
    slices[z] = found
    const sourceZ = z - margin + low[2]
    if (sourceZ < low[2] || sourceZ >= high[2]) continue
    for (let y = low[1]; y < high[1]; y++) {
      let from = (sourceZ * ny + y) * nx + low[0]
      let to = (z * size[1] + y - low[1] + margin) * size[0] + margin
      for (const end = from + high[0] - low[0]; from < end; from++, to++) {
        morphologicalMask[to] = region.morphologicalMask[from] as number
        if (region.intensityMask[from] === 0) continue
        data[to] = levelOf(region.intensities[from] as number)
        indices[found++] = to
      }
    }
  }
  slices[size[2]] = found
  return { size, data, levels, indices, slices, morphologicalMask }
}

/** One of each pair of opposite directions to a direct neighbour: 4 in a slice, 13 in space (IBSI 3.6). */
export function directions({ size }: GreyLevels, dimensions: 2 | 3): Displacement[] {
  return neighbours({ size }, dimensions, 1).filter((displacement) => displacement > 0)
}

/** Displacements to all voxels within a Chebyshev distance, the voxel itself left out. */
export function neighbours({ size }: Pick<GreyLevels, 'size'>, dimensions: 2 | 3, distance: number): Displacement[] {
  const found: Displacement[] = []
  const deepest = dimensions === 3 ? distance : 0
  for (let dz = -deepest; dz <= deepest; dz++)
    for (let dy = -distance; dy <= distance; dy++)
      for (let dx = -distance; dx <= distance; dx++)
        if (dx !== 0 || dy !== 0 || dz !== 0) found.push((dz * size[1] + dy) * size[0] + dx)
  return found
}
