import type { AxisMapping } from './grid-mapping.ts'

/** Between which voxels a new one takes its value. `cubic` is the interpolating cubic B-spline, as scipy's `order=3`. */
export const interpolations = ['nearest', 'linear', 'cubic'] as const
export type Interpolation = (typeof interpolations)[number]

/** Along one axis: for each new voxel the old ones that it is made of, and their weights. */
export interface Taps {
  perVoxel: number
  /** `perVoxel` a voxel. */
  indices: Int32Array
  weights: Float64Array
  /** New voxels from `low` up to `high` lie inside of the old grid. */
  low: number
  high: number
  /** The weights are for coefficients of a spline, not for voxels. */
  spline: boolean
}

/** Beyond the centre of the outermost voxel by half a voxel is still inside of it; and what rounding adds. */
const reach = 0.5 + 1e-6

/**
 * Taps along one axis.
 * @param width over how many old voxels a kernel is stretched against aliasing; up to 1 for none
 */
export function tapsAlong(
  { start, step }: Pick<AxisMapping, 'start' | 'step'>,
  { target, source }: { target: number; source: number },
  interpolation: 'linear' | 'cubic',
  width = 1,
): Taps {
  const last = source - 1
  const inside = (index: number): boolean => start + step * index >= -reach && start + step * index <= last + reach
  let low = 0
  while (low < target && !inside(low)) low++
  let high = target
  while (high > low && !inside(high - 1)) high--
  const positions = Float64Array.from({ length: target }, (_, index) =>
    Math.min(last, Math.max(0, start + step * index)),
  )
  if (Number.isInteger(start) && Number.isInteger(step) && width <= 1) return { ...copies(positions), low, high }
  if (width > 1 + 1e-6) return { ...stretched(positions, last, interpolation, width), low, high }
  return { ...(interpolation === 'linear' ? linear(positions, last) : spline(positions, last)), low, high }
}

type Weights = Pick<Taps, 'perVoxel' | 'indices' | 'weights' | 'spline'>

function copies(positions: Float64Array): Weights {
  return {
    perVoxel: 1,
    indices: Int32Array.from(positions),
    weights: new Float64Array(positions.length).fill(1),
    spline: false,
  }
}

function linear(positions: Float64Array, last: number): Weights {
  const indices = new Int32Array(2 * positions.length)
  const weights = new Float64Array(2 * positions.length)
  for (const [voxel, position] of positions.entries()) {
    const lower = Math.floor(position)
    indices[2 * voxel] = lower
    indices[2 * voxel + 1] = Math.min(last, lower + 1)
    weights[2 * voxel] = 1 - (position - lower)
    weights[2 * voxel + 1] = position - lower
  }
  return { perVoxel: 2, indices, weights, spline: false }
}

/** Weights of the four coefficients around a place, as a fraction of the way from the second to the third. */
export function splineWeights(t: number, weights: Float64Array, at: number): void {
  const u = 1 - t
  weights[at] = (u * u * u) / 6
  weights[at + 1] = 2 / 3 - t * t * (1 - t / 2)
  weights[at + 2] = 2 / 3 - u * u * (1 - u / 2)
  weights[at + 3] = (t * t * t) / 6
}

/** An index beyond the ends, mirrored at the outermost voxel. */
export function mirrored(index: number, last: number): number {
  if (last === 0) return 0
  const within = Math.abs(index) % (2 * last)
  return within > last ? 2 * last - within : within
}

function spline(positions: Float64Array, last: number): Weights {
  const indices = new Int32Array(4 * positions.length)
  const weights = new Float64Array(4 * positions.length)
  for (const [voxel, position] of positions.entries()) {
    const lower = Math.floor(position)
    for (let tap = 0; tap < 4; tap++) indices[4 * voxel + tap] = mirrored(lower + tap - 1, last)
    splineWeights(position - lower, weights, 4 * voxel)
  }
  return { perVoxel: 4, indices, weights, spline: true }
}

/** The triangle, or Keys' cubic with a = -0.5, stretched over `width` voxels and cut at the ends: as Pillow and torch's `antialias`. */
function stretched(positions: Float64Array, last: number, interpolation: 'linear' | 'cubic', width: number): Weights {
  const support = (interpolation === 'linear' ? 1 : 2) * width
  const perVoxel = Math.min(last + 1, Math.ceil(2 * support) + 1)
  const indices = new Int32Array(perVoxel * positions.length)
  const weights = new Float64Array(perVoxel * positions.length)
  for (const [voxel, position] of positions.entries()) {
    const first = Math.max(0, Math.ceil(position - support))
    const end = Math.min(last, Math.floor(position + support))
    let sum = 0
    for (let tap = 0; first + tap <= end && tap < perVoxel; tap++) {
      const weight = kernels[interpolation](Math.abs(first + tap - position) / width)
      indices[voxel * perVoxel + tap] = first + tap
      weights[voxel * perVoxel + tap] = weight
      sum += weight
    }
    for (let tap = 0; tap < perVoxel; tap++) {
      const at = voxel * perVoxel + tap
      weights[at] = (weights[at] as number) / sum
      // Taps without weight must point at a voxel, too: at one that is needed anyway.
      if (first + tap > end) indices[at] = first
    }
  }
  return { perVoxel, indices, weights, spline: false }
}

const kernels = {
  linear: (x: number): number => Math.max(0, 1 - x),
  cubic: (x: number): number => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0),
}
