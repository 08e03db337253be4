import type { Vector } from '../../dicom/geometry.ts'
import type { Size, Voxels } from './gather.ts'
import type { Axis } from './grid-mapping.ts'
import { mirrored, splineWeights } from './taps.ts'

/** From indices of the target to those of the source, as in `GridMapping`. */
export interface Affine {
  matrix: Float64Array
  offset: Vector
}

/** A run of voxels in a row of the target, from `low` up to `high`. */
export interface Run {
  low: number
  high: number
}

/**
 * The voxels of a target row whose places lie in a box of the source, in indices of the source.
 * @param start index in the source of the row's first voxel, not rounded
 * @param step from one voxel of the row to the next
 */
export function runInside(start: Vector, step: Vector, length: number, box: { from: Vector; to: Vector }): Run {
  let low = 0
  let high = length - 1
  for (const axis of [0, 1, 2] as const) {
    const from = box.from[axis] - start[axis]
    const to = box.to[axis] - start[axis]
    if (Math.abs(step[axis]) < 1e-12) {
      if (from > 0 || to < 0) return { low: 0, high: 0 }
      continue
    }
    const [first, last] = step[axis] > 0 ? [from / step[axis], to / step[axis]] : [to / step[axis], from / step[axis]]
    low = Math.max(low, Math.ceil(first))
    high = Math.min(high, Math.floor(last))
  }
  return low > high ? { low: 0, high: 0 } : { low, high: high + 1 }
}

/** The box of places that belong to a grid: half a voxel around its voxels, and what rounding adds. */
export function extentOf(size: Size): { from: Vector; to: Vector } {
  const half = 0.5 + 1e-6
  return { from: [-half, -half, -half], to: size.map((n) => n - 1 + half) as unknown as Vector }
}

/** Where the row (j, k) of the target begins in the source, and the step along it. */
export function rowStart({ matrix, offset }: Affine, j: number, k: number): Vector {
  return [0, 1, 2].map(
    (s) => offset[s as Axis] + (matrix[3 * s + 1] as number) * j + (matrix[3 * s + 2] as number) * k,
  ) as unknown as Vector
}

export function rowStep({ matrix }: Affine): Vector {
  return [matrix[0], matrix[3], matrix[6]] as unknown as Vector
}

/** Interpolates a run of a row into the target, at `to`. */
type RowSampler = (start: Vector, run: Run, to: number) => void

/**
 * Interpolates one channel between grids that are turned against each other.
 * @param source.data for `cubic` the coefficients of the spline
 */
export function resampleAffine(
  source: { data: Voxels; from: number; size: Size },
  target: { data: Voxels; to: number; size: Size },
  affine: Affine,
  { interpolation, outside }: { interpolation: 'nearest' | 'linear' | 'cubic'; outside: number | 'edge' },
): void {
  const [nx, ny, nz] = target.size
  const step = rowStep(affine)
  const extent = extentOf(source.size)
  const samplers = { nearest: nearestSampler, linear: linearSampler, cubic: cubicSampler }
  const sample: RowSampler = samplers[interpolation](source, target.data, step)
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const start = rowStart(affine, j, k)
      const to = target.to + (k * ny + j) * nx
      if (outside === 'edge') {
        sample(start, { low: 0, high: nx }, to)
        continue
      }
      const run = runInside(start, step, nx, extent)
      target.data.fill(outside, to, to + run.low)
      if (run.high > run.low) sample(start, run, to)
      target.data.fill(outside, to + run.high, to + nx)
    }
}

const clamp = (value: number, last: number): number => (value < 0 ? 0 : value > last ? last : value)

type Source = { data: Voxels; from: number; size: Size }

function nearestSampler({ data, from, size }: Source, into: Voxels, step: Vector): RowSampler {
  const [nx, ny, nz] = size
  return (start, { low, high }, to) => {
    for (let i = low; i < high; i++) {
      const x = clamp(Math.round(start[0] + step[0] * i), nx - 1)
      const y = clamp(Math.round(start[1] + step[1] * i), ny - 1)
      const z = clamp(Math.round(start[2] + step[2] * i), nz - 1)
      into[to + i] = data[from + (z * ny + y) * nx + x] as number
    }
  }
}

function linearSampler({ data, from, size }: Source, into: Voxels, step: Vector): RowSampler {
  const [nx, ny, nz] = size
  const [ax, ay, az] = step
  const plane = nx * ny
  return ([bx, by, bz], { low, high }, to) => {
    for (let i = low; i < high; i++) {
      const x = clamp(bx + ax * i, nx - 1)
      const y = clamp(by + ay * i, ny - 1)
      const z = clamp(bz + az * i, nz - 1)
      const x0 = x | 0
      const y0 = y | 0
      const z0 = z | 0
      const u = x - x0
      const v = y - y0
      const w = z - z0
      const a = from + z0 * plane + y0 * nx + x0
      const right = x0 < nx - 1 ? 1 : 0
      const b = y0 < ny - 1 ? a + nx : a
      const up = z0 < nz - 1 ? plane : 0
      const c = a + up
      const d = b + up
      const a0 = data[a] as number
      const b0 = data[b] as number
      const c0 = data[c] as number
      const d0 = data[d] as number
      const a1 = a0 + u * ((data[a + right] as number) - a0)
      const b1 = b0 + u * ((data[b + right] as number) - b0)
      const c1 = c0 + u * ((data[c + right] as number) - c0)
      const d1 = d0 + u * ((data[d + right] as number) - d0)
      const front = a1 + v * (b1 - a1)
      const back = c1 + v * (d1 - c1)
      into[to + i] = front + w * (back - front)
    }
  }
}

function cubicSampler({ data, from, size }: Source, into: Voxels, step: Vector): RowSampler {
  const lasts = size.map((length) => length - 1)
  const strides = [1, size[0], size[0] * size[1]]
  const offsets = [0, 1, 2].map(() => new Int32Array(4))
  const weights = [0, 1, 2].map(() => new Float64Array(4))
  const [ox, oy, oz] = offsets as [Int32Array, Int32Array, Int32Array]
  const [wx, wy, wz] = weights as [Float64Array, Float64Array, Float64Array]
  return (start, { low, high }, to) => {
    for (let i = low; i < high; i++) {
      for (let axis = 0; axis < 3; axis++) {
        const last = lasts[axis] as number
        const place = clamp((start[axis] as number) + (step[axis] as number) * i, last)
        const lower = Math.floor(place)
        splineWeights(place - lower, weights[axis] as Float64Array, 0)
        const table = offsets[axis] as Int32Array
        for (let tap = 0; tap < 4; tap++) {
          const index = lower + tap - 1
          table[tap] = (index < 0 || index > last ? mirrored(index, last) : index) * (strides[axis] as number)
        }
      }
      let sum = 0
      for (let c = 0; c < 4; c++)
        for (let b = 0; b < 4; b++) {
          const line = from + (oz[c] as number) + (oy[b] as number)
          sum +=
            (wz[c] as number) *
            (wy[b] as number) *
            ((wx[0] as number) * (data[line + (ox[0] as number)] as number) +
              (wx[1] as number) * (data[line + (ox[1] as number)] as number) +
              (wx[2] as number) * (data[line + (ox[2] as number)] as number) +
              (wx[3] as number) * (data[line + (ox[3] as number)] as number))
        }
      into[to + i] = sum
    }
  }
}
