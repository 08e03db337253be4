import { add, cross, dot, scale, subtract, type Vector } from '../dicom/geometry.ts'

/**
 * Voxel centres in patient space (mm; x to the left, y to the back, z to the head): voxel (i, j, k) lies at
 * `origin + i * spacing[0] * axes[0] + j * spacing[1] * axes[1] + k * spacing[2] * axes[2]`. The axes are perpendicular unit vectors,
 * right- or left-handed. In memory i runs fastest, then j, then k.
 */
export interface Grid {
  size: readonly [number, number, number]
  spacing: Vector
  origin: Vector
  axes: readonly [Vector, Vector, Vector]
}

/** Numbers on a grid, one channel after the other: `data[((channel * nz + k) * ny + j) * nx + i]`. */
export interface Image {
  grid: Grid
  channels: number
  data: Float32Array | Int16Array | Uint8Array
}

/** One label a voxel, 0 for the background. */
export interface LabelMap {
  grid: Grid
  labels: Uint8Array
  /** How sure the labels were where they were decided, if that was on another grid than the source's. */
  shares?: LabelShares | undefined
}

/**
 * For each voxel of a label map the label that was decided and the one that came second, and the part of the voxel that is the first's:
 * 0.5 + share / 510. On a finer grid the border between them lies where both have the same part. They say nothing of voxels whose label
 * is no longer the first: those are wholly what they became.
 */
export interface LabelShares {
  first: Uint8Array
  second: Uint8Array
  share: Uint8Array
}

/** Voxels of a grid. */
export function voxelsOf({ size }: Grid): number {
  return size[0] * size[1] * size[2]
}

/** The place of a voxel's centre, in mm; indices need not be whole. */
export function placeOf({ origin, spacing, axes }: Grid, [i, j, k]: Vector): Vector {
  return add(
    add(origin, scale(axes[0], i * spacing[0])),
    add(scale(axes[1], j * spacing[1]), scale(axes[2], k * spacing[2])),
  )
}

/** The index of a place, not rounded. */
export function indexOf({ origin, spacing, axes }: Grid, place: Vector): Vector {
  const from = subtract(place, origin)
  return [dot(from, axes[0]) / spacing[0], dot(from, axes[1]) / spacing[1], dot(from, axes[2]) / spacing[2]]
}

/** True where the axes are right-handed. */
export function isRightHanded({ axes }: Grid): boolean {
  return dot(cross(axes[0], axes[1]), axes[2]) > 0
}
