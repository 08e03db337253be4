import { dot, scale, subtract, type Vector } from '../../dicom/geometry.ts'
import type { Grid } from '../image.ts'

export type Axis = 0 | 1 | 2

/** Along one axis of a target grid: the index on the source's axis is `start + step * index`. */
export interface AxisMapping {
  /** The source's axis that the target's axis runs along. */
  axis: Axis
  start: number
  step: number
}

/**
 * From indices of a target grid to indices of a source grid: axis by axis where the axes of both are parallel up to their order and
 * direction, else `offset[s] + sum over t of matrix[3 * s + t] * index[t]`.
 */
export type GridMapping =
  | { kind: 'axes'; axes: readonly [AxisMapping, AxisMapping, AxisMapping] }
  | { kind: 'affine'; matrix: Float64Array; offset: Vector }

/** In voxels of the source, at the far end of the grid: what the decimal strings of positions and directions round off. */
const tolerance = 0.02

/** How a target grid lies on a source grid. */
export function mapGrid(target: Grid, source: Grid): GridMapping {
  const matrix = new Float64Array(9)
  for (const s of [0, 1, 2] as const)
    for (const t of [0, 1, 2] as const)
      matrix[3 * s + t] = dot(scale(target.axes[t], target.spacing[t]), source.axes[s]) / source.spacing[s]
  const from = subtract(target.origin, source.origin)
  const offset = [0, 1, 2].map(
    (s) => dot(from, source.axes[s as Axis]) / source.spacing[s as Axis],
  ) as unknown as Vector
  const axes = parallelAxes(matrix, offset, target.size)
  return axes ? { kind: 'axes', axes } : { kind: 'affine', matrix, offset }
}

function parallelAxes(
  matrix: Float64Array,
  offset: Vector,
  size: readonly [number, number, number],
): readonly [AxisMapping, AxisMapping, AxisMapping] | null {
  const entry = (s: Axis, t: Axis): number => matrix[3 * s + t] as number
  const axes = ([0, 1, 2] as const).map((t) => {
    const axis = ([0, 1, 2] as const).reduce<Axis>(
      (best, s) => (Math.abs(entry(s, t)) > Math.abs(entry(best, t)) ? s : best),
      0,
    )
    return snap({ axis, start: offset[axis], step: entry(axis, t) }, size[t])
  }) as [AxisMapping, AxisMapping, AxisMapping]
  if (new Set(axes.map(({ axis }) => axis)).size < 3) return null
  for (const s of [0, 1, 2] as const) {
    const drift = ([0, 1, 2] as const).reduce(
      (sum: number, t) => (axes[t].axis === s ? sum : sum + Math.abs(entry(s, t)) * (size[t] - 1)),
      0,
    )
    if (drift > tolerance) return null
  }
  return axes
}

/** Voxels that lie on voxels, but for rounding, lie on them. */
function snap(mapping: AxisMapping, size: number): AxisMapping {
  const { start, step } = mapping
  const whole = { axis: mapping.axis, start: Math.round(start), step: Math.sign(step) }
  const error = Math.max(
    Math.abs(start - whole.start),
    Math.abs(start + step * (size - 1) - whole.start - whole.step * (size - 1)),
  )
  return error <= tolerance ? whole : mapping
}

/** True where each voxel of the target is one of the source, or lies outside of it. */
export function isVoxelToVoxel(axes: readonly AxisMapping[]): boolean {
  return axes.every(({ start, step }) => Math.abs(step) === 1 && Number.isInteger(start))
}

/** True where the grids are the same, but for rounding. */
export function isSameGrid(a: Grid, b: Grid): boolean {
  if (a.size.some((length, axis) => length !== b.size[axis])) return false
  const mapping = mapGrid(a, b)
  return (
    mapping.kind === 'axes' &&
    mapping.axes.every(({ axis, start, step }, index) => axis === index && start === 0 && step === 1)
  )
}
