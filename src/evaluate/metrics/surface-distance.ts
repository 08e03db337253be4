import type { Vector } from '../../dicom/geometry.ts'
import { squaredDistances } from '../../infer/finish/distance.ts'
import { quantile } from './distribution.ts'

type Size = readonly [number, number, number]

export interface SurfaceDistances {
  /** The greater of the two 95th percentiles of distances, from each surface to the other, mm. */
  hausdorff95: number
  /** The part of both surfaces that lies within the tolerance of the other one, 0 to 1. */
  surfaceDice: number
}

/**
 * Distances between the surfaces of two masks, exact on anisotropic grids. A surface is the voxels of a mask with a neighbour (by a side)
 * outside of it; what lies beyond the grid is outside. Each voxel of a surface counts once. In a single slice surfaces are outlines.
 * @param spacing mm
 * @param tolerance mm
 * @returns null where a mask is empty: there is no distance to nothing
 */
export function surfaceDistances(
  masks: { result: Uint8Array; reference: Uint8Array },
  size: Size,
  spacing: Vector,
  tolerance: number,
): SurfaceDistances | null {
  const box = boxOf(masks, size)
  if (!box) return null
  const flat = size[2] === 1
  const [result, reference] = [masks.result, masks.reference].map((mask) =>
    surfaceOf(cut(mask, size, box), box.size, flat),
  ) as [Uint8Array, Uint8Array]
  // One field of distances is held at a time.
  const fromReference = distancesAt(reference, squaredDistances(result, box.size, spacing, { value: 1 }))
  const fromResult = distancesAt(result, squaredDistances(reference, box.size, spacing, { value: 1 }))
  if (fromResult.length === 0 || fromReference.length === 0) return null
  const within = countWithin(fromResult, tolerance) + countWithin(fromReference, tolerance)
  return {
    hausdorff95: Math.max(quantile(fromResult, 0.95), quantile(fromReference, 0.95)),
    surfaceDice: within / (fromResult.length + fromReference.length),
  }
}

interface Crop {
  from: Size
  size: Size
}

/** The voxels that hold both masks; null where neither holds any. Nothing outside of them changes a distance. */
function boxOf({ result, reference }: { result: Uint8Array; reference: Uint8Array }, [nx, ny, nz]: Size): Crop | null {
  const low = [nx, ny, nz]
  const high = [-1, -1, -1]
  const widen = (axis: number, first: number, last: number): void => {
    if (first < (low[axis] as number)) low[axis] = first
    if (last > (high[axis] as number)) high[axis] = last
  }
  for (let z = 0, at = 0; z < nz; z++)
    for (let y = 0; y < ny; y++, at += nx) {
      let first = 0
      while (first < nx && !result[at + first] && !reference[at + first]) first++
      if (first === nx) continue
      let last = nx - 1
      while (!result[at + last] && !reference[at + last]) last--
      widen(0, first, last)
      widen(1, y, y)
      widen(2, z, z)
    }
  if ((high[0] as number) < 0) return null
  const size = low.map((from, axis) => (high[axis] as number) - from + 1) as unknown as Size
  return { from: low as unknown as Size, size }
}

function cut(mask: Uint8Array, [nx, ny]: Size, { from, size }: Crop): Uint8Array {
  const [width, height, depth] = size
  const part = new Uint8Array(width * height * depth)
  for (let z = 0, to = 0; z < depth; z++)
    for (let y = 0; y < height; y++, to += width) {
      const start = ((from[2] + z) * ny + from[1] + y) * nx + from[0]
      for (let x = 0; x < width; x++) part[to + x] = mask[start + x] ? 1 : 0
    }
  return part
}

function surfaceOf(mask: Uint8Array, [nx, ny, nz]: Size, flat: boolean): Uint8Array {
  const surface = new Uint8Array(mask.length)
  const plane = nx * ny
  for (let z = 0, at = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, at++) {
        if (!mask[at]) continue
        const inside =
          x > 0 &&
          x < nx - 1 &&
          y > 0 &&
          y < ny - 1 &&
          mask[at - 1] &&
          mask[at + 1] &&
          mask[at - nx] &&
          mask[at + nx] &&
          (flat || (z > 0 && z < nz - 1 && mask[at - plane] && mask[at + plane]))
        if (!inside) surface[at] = 1
      }
  return surface
}

/** Distances in mm at the voxels of a surface, in ascending order; none where there is nothing to be distant from. */
function distancesAt(surface: Uint8Array, squared: Float32Array): Float64Array {
  let count = 0
  for (const voxel of surface) count += voxel
  const distances = new Float64Array(count)
  for (let i = 0, n = 0; i < surface.length; i++) {
    if (!surface[i]) continue
    if (squared[i] === Number.POSITIVE_INFINITY) return new Float64Array(0)
    distances[n++] = Math.sqrt(squared[i] as number)
  }
  return distances.sort()
}

/** Squared distances are single precision: what lies at the tolerance counts as within it. */
const roundingMargin = 1e-6

function countWithin(sorted: Float64Array, tolerance: number): number {
  const limit = tolerance * (1 + roundingMargin)
  let count = 0
  while (count < sorted.length && (sorted[count] as number) <= limit) count++
  return count
}
