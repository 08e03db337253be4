import type { Vector } from '../../dicom/geometry.ts'
import type { IndexBox } from './region-box.ts'

/** Between which voxels a new one takes its value. */
export type InterpolationMethod = 'nearest' | 'linear' | 'cubic'

/** Along one axis: where the voxels of the new grid lie in indices of the old one. */
export interface TargetAxis {
  /** Voxels of the new grid. */
  length: number
  /** Index of the new voxel 0 on the old grid. */
  start: number
  /** Old indices from one new voxel to the next. */
  step: number
  /** mm */
  spacing: number
}

/**
 * The new grid along an axis, its centre on that of the old one (IBSI 2.4, "align grid centers"): as many voxels as cover the old ones.
 * @param spacing wanted, mm; null keeps the axis as it is
 */
export function targetAxis(length: number, old: number, spacing: number | null): TargetAxis {
  if (spacing === null) return { length, start: 0, step: 1, spacing: old }
  // 1e-6 voxels: what rounding adds must not add a voxel.
  const wanted = Math.max(1, Math.ceil((length * old) / spacing - 1e-6))
  const step = spacing / old
  return { length: wanted, start: (length - 1 - step * (wanted - 1)) / 2, step, spacing }
}

/** For each new voxel the old ones that it is made of, and their weights. */
interface Taps {
  perVoxel: number
  indices: Int32Array
  weights: Float64Array
}

/** Voxels that the coefficients of a spline need beside a box to be exact to single precision: the pole of the filter is 0.27. */
const splineMargin = 16

/** Coefficients that are kept before the first and after the last voxel: the spline runs on a little beyond them. */
const splineBorder = 8

/** Part of the old grid that new voxels from `low` up to `high` are made of. */
export function sourceRange(
  axis: TargetAxis,
  oldLength: number,
  { low, high }: { low: number; high: number },
  method: InterpolationMethod,
): { low: number; high: number } {
  const margin = method === 'cubic' ? splineMargin : 1
  return {
    low: Math.max(0, Math.floor(axis.start + axis.step * low) - margin),
    high: Math.min(oldLength, Math.ceil(axis.start + axis.step * (high - 1)) + margin + 1),
  }
}

/** A volume of numbers, x fastest. */
export interface Volume {
  size: readonly [number, number, number]
  data: Float32Array
}

/**
 * Interpolates part of a grid, one axis after the other. Beyond the old grid its outermost voxels are taken.
 * @param source the part of the old grid that `box` of the new one needs
 * @param offset index of the source's first voxel on the old grid
 */
export function interpolate(
  source: Volume,
  offset: Vector,
  { axes, box, method }: { axes: readonly TargetAxis[]; box: IndexBox; method: InterpolationMethod },
): Volume {
  let volume = source
  // From the slowest axis to the fastest: the inner loops run over neighbours in memory.
  for (const axis of [2, 1, 0] as const) {
    const target = axes[axis] as TargetAxis
    if (target.step === 1 && Number.isInteger(target.start)) {
      volume = cut(volume, axis, box.low[axis] + target.start - offset[axis], box.high[axis] - box.low[axis])
      continue
    }
    const length = volume.size[axis]
    const positions = Float64Array.from(
      { length: box.high[axis] - box.low[axis] },
      (_, i) => target.start + target.step * (box.low[axis] + i) - offset[axis],
    )
    const taps = tapsOf(positions, length, method)
    volume = applyTaps(method === 'cubic' ? splineCoefficients(volume, axis) : volume, axis, taps)
  }
  return volume
}

/** Indices of `cubic` are those of the coefficients, which begin before the first voxel. */
function tapsOf(positions: Float64Array, length: number, method: InterpolationMethod): Taps {
  const perVoxel = { nearest: 1, linear: 2, cubic: 4 }[method]
  const taps: Taps = {
    perVoxel,
    indices: new Int32Array(positions.length * perVoxel),
    weights: new Float64Array(positions.length * perVoxel),
  }
  for (const [voxel, position] of positions.entries()) {
    const beyond = method === 'cubic' ? splineBorder - 2 : 0
    const inside = Math.min(length - 1 + beyond, Math.max(-beyond, position))
    const lower = method === 'nearest' ? Math.round(inside) : Math.floor(inside)
    for (const [tap, weight] of weightsOf(inside - lower, method).entries()) {
      taps.indices[voxel * perVoxel + tap] =
        method === 'cubic' ? lower + tap - 1 + splineBorder : Math.min(length - 1, lower + tap)
      taps.weights[voxel * perVoxel + tap] = weight
    }
  }
  return taps
}

/** Weights of the neighbours of a place between two voxels; for `cubic` those of the cubic B-spline. */
function weightsOf(t: number, method: InterpolationMethod): number[] {
  if (method === 'nearest') return [1]
  if (method === 'linear') return [1 - t, t]
  const u = 1 - t
  return [u ** 3 / 6, 2 / 3 - t * t * (1 - t / 2), 2 / 3 - u * u * (1 - u / 2), t ** 3 / 6]
}

function cut({ size, data }: Volume, axis: 0 | 1 | 2, low: number, length: number): Volume {
  if (low === 0 && length === size[axis]) return { size, data }
  const indices = Int32Array.from({ length }, (_, i) => Math.min(size[axis] - 1, Math.max(0, low + i)))
  return applyTaps({ size, data }, axis, { perVoxel: 1, indices, weights: new Float64Array(length).fill(1) })
}

function applyTaps({ size, data }: Volume, axis: 0 | 1 | 2, { perVoxel, indices, weights }: Taps): Volume {
  const length = indices.length / perVoxel
  const newSize = size.map((n, a) => (a === axis ? length : n)) as [number, number, number]
  const result = new Float32Array(newSize[0] * newSize[1] * newSize[2])
  const inner = axis === 0 ? 1 : axis === 1 ? size[0] : size[0] * size[1]
  const outer = data.length / (inner * size[axis])
  for (let block = 0; block < outer; block++)
    for (let voxel = 0; voxel < length; voxel++) {
      const to = (block * length + voxel) * inner
      for (let tap = voxel * perVoxel; tap < (voxel + 1) * perVoxel; tap++) {
        const weight = weights[tap] as number
        if (weight === 0) continue
        const from = (block * size[axis] + (indices[tap] as number)) * inner
        for (let i = 0; i < inner; i++)
          result[to + i] = (result[to + i] as number) + weight * (data[from + i] as number)
      }
    }
  return { size: newSize, data: result }
}

/**
 * Coefficients of the cubic B-spline that runs through the values along an axis (Unser 1999), for the voxels and some more before and after
 * them. The outermost voxels are repeated beyond the ends, as IBSI recommends.
 */
function splineCoefficients({ size, data }: Volume, axis: 0 | 1 | 2): Volume {
  const length = size[axis]
  const newSize = size.map((n, a) => (a === axis ? n + 2 * splineBorder : n)) as [number, number, number]
  const result = new Float32Array(newSize[0] * newSize[1] * newSize[2])
  const stride = axis === 0 ? 1 : axis === 1 ? size[0] : size[0] * size[1]
  const line = new Float64Array(length + 2 * splineMargin)
  for (let block = 0; block < data.length / (stride * length); block++)
    for (let lane = 0; lane < stride; lane++) {
      const from = block * stride * length + lane
      for (let i = 0; i < line.length; i++) {
        const index = Math.min(length - 1, Math.max(0, i - splineMargin))
        line[i] = data[from + index * stride] as number
      }
      filterLine(line)
      const to = block * stride * (length + 2 * splineBorder) + lane
      for (let i = 0; i < length + 2 * splineBorder; i++)
        result[to + i * stride] = line[i + splineMargin - splineBorder] as number
    }
  return { size: newSize, data: result }
}

function filterLine(line: Float64Array): void {
  const pole = Math.sqrt(3) - 2
  const last = line.length - 1
  let start = 0
  for (let i = 0; i <= Math.min(last, 40); i++) start += (line[i] as number) * pole ** i
  line[0] = start
  for (let i = 1; i <= last; i++) line[i] = (line[i] as number) + pole * (line[i - 1] as number)
  line[last] = (pole / (pole * pole - 1)) * ((line[last] as number) + pole * (line[last - 1] as number))
  for (let i = last - 1; i >= 0; i--) line[i] = pole * ((line[i + 1] as number) - (line[i] as number))
  for (let i = 0; i <= last; i++) line[i] = 6 * (line[i] as number)
}
