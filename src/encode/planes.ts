import { numberOf } from '../dicom/dataset.ts'
import { add, cross, dot, scale, type Vector } from '../dicom/geometry.ts'
import type { ImagePlanes, SourceSeries } from './encoding-input.ts'

/** The planes of the source series. */
export function planesOf(source: SourceSeries): ImagePlanes {
  return {
    rows: source.rows,
    columns: source.columns,
    pixelSpacing: source.pixelSpacing,
    imageOrientationPatient: source.imageOrientationPatient,
    positions: source.slices.map((slice) => slice.imagePositionPatient),
    sliceSpacing: source.sliceSpacing,
    sliceThickness: numberOf(source.header, 'SliceThickness') ?? source.sliceSpacing,
  }
}

/**
 * A grid of voxel centres: voxel (i, j, k) lies at `origin + i * spacing[0] * axes[0] + j * spacing[1] * axes[1] + k * spacing[2] * axes[2]`
 * (mm; x to the left, y to the back, z to the head), i runs fastest in memory. The axes are perpendicular unit vectors.
 */
export interface VoxelGrid {
  size: readonly [number, number, number]
  spacing: Vector
  origin: Vector
  axes: readonly [Vector, Vector, Vector]
}

/** The planes of a grid: rows along i, columns along j, one plane a k. */
export function planesOfGrid({ size, spacing, origin, axes }: VoxelGrid): ImagePlanes {
  return {
    rows: size[1],
    columns: size[0],
    pixelSpacing: [spacing[1], spacing[0]],
    imageOrientationPatient: [...axes[0], ...axes[1]],
    positions: Array.from({ length: size[2] }, (_, k) => add(origin, scale(axes[2], k * spacing[2]))),
    sliceSpacing: size[2] > 1 ? spacing[2] : null,
    sliceThickness: spacing[2],
  }
}

/** True where every plane has a place in the patient's space. */
export function isVolumetric({ imageOrientationPatient, positions }: ImagePlanes): boolean {
  return imageOrientationPatient !== null && positions.every((position) => position !== null)
}

/**
 * The affine of planes that make a volume: columns for column index, row index and plane index, then the position of the first voxel, in
 * patient coordinates, mm. The step between planes is the mean of the steps, which holds whatever way they are sorted.
 * @returns null where planes have no place or no pixel spacing
 */
export function affineOf(planes: ImagePlanes): { steps: [Vector, Vector, Vector]; origin: Vector } | null {
  const { imageOrientationPatient: o, pixelSpacing, positions } = planes
  const first = positions[0]
  const last = positions[positions.length - 1]
  if (!o || o.length !== 6 || !pixelSpacing || !first || !last) return null
  const row = o.slice(0, 3) as unknown as Vector
  const column = o.slice(3, 6) as unknown as Vector
  const gaps = positions.length - 1
  const between = scale(cross(row, column), planes.sliceSpacing ?? planes.sliceThickness ?? 1)
  const step: Vector =
    gaps > 0 ? ([0, 1, 2].map((axis) => ((last[axis] ?? 0) - (first[axis] ?? 0)) / gaps) as unknown as Vector) : between
  return {
    steps: [scale(row, pixelSpacing[1] ?? 1), scale(column, pixelSpacing[0] ?? 1), step],
    origin: first as unknown as Vector,
  }
}

/** Determinant of three steps: negative where they are left-handed. */
export function handedness([a, b, c]: readonly [Vector, Vector, Vector]): number {
  return dot(cross(a, b), c)
}
