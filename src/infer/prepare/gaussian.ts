import type { Vector } from '../../dicom/geometry.ts'
import type { Size, Voxels } from './gather.ts'

/** Beyond this many deviations the kernel is cut, as scipy does. */
const truncate = 4

/** Weights of the centre and of the neighbours on one side. */
function halfKernel(sigma: number): Float64Array {
  const radius = Math.floor(truncate * sigma + 0.5)
  const weights = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)))
  const sum = weights.reduce((total, weight, i) => total + (i === 0 ? weight : 2 * weight), 0)
  return weights.map((weight) => weight / sum)
}

/** The voxel that stands for one beyond the ends: the image mirrored at its border, the outermost voxel twice. */
function reflected(index: number, length: number): number {
  const within = ((index % (2 * length)) + 2 * length) % (2 * length)
  return within < length ? within : 2 * length - 1 - within
}

/**
 * Smooths one channel by a Gaussian, axis after axis, plane by plane: besides the result, as many planes are held as the kernel is long along
 * z. Values beyond the border are mirrored (scipy's `reflect`). Source and target may be the same memory.
 * @param sigmas in voxels; 0 leaves an axis alone
 */
export function gaussian(
  source: { data: Voxels; from: number },
  target: { data: Float32Array; from: number },
  size: Size,
  sigmas: Vector,
): void {
  const [nx, ny, nz] = size
  const plane = nx * ny
  const [alongX, alongY, alongZ] = sigmas.map(halfKernel) as [Float64Array, Float64Array, Float64Array]
  const radius = alongZ.length - 1
  const kept = Math.min(nz, 2 * radius + 1)
  const ring = new Float64Array(kept * plane)
  const smooth = planeSmoother([nx, ny], alongX, alongY)
  const row = new Float64Array(nx)
  const offsets = new Int32Array(2 * radius + 1)
  let read = 0
  for (let k = 0; k < nz; k++) {
    for (; read <= Math.min(nz - 1, k + radius); read++) {
      const slot = (read % kept) * plane
      smooth(source.data, source.from + read * plane, ring.subarray(slot, slot + plane))
    }
    const to = target.from + k * plane
    if (radius === 0) {
      target.data.set(ring, to)
      continue
    }
    for (let t = -radius; t <= radius; t++) offsets[t + radius] = (reflected(k + t, nz) % kept) * plane
    for (let j = 0; j < ny; j++) {
      weigh(ring, j * nx, offsets, alongZ, { target: row, to: 0, width: nx })
      target.data.set(row, to + j * nx)
    }
  }
}

/** Smooths a plane along x and y. */
function planeSmoother(
  [nx, ny]: readonly [number, number],
  alongX: Float64Array,
  alongY: Float64Array,
): (data: Voxels, from: number, into: Float64Array) => void {
  const [reachX, reachY] = [alongX.length - 1, alongY.length - 1]
  const padded = new Float64Array(nx + 2 * reachX)
  const steps = Int32Array.from({ length: 2 * reachX + 1 }, (_, i) => i)
  const mirror = Int32Array.from({ length: reachX }, (_, i) => reflected(-1 - i, nx))
  const rows = new Float64Array(nx * ny)
  const offsets = new Int32Array(2 * reachY + 1)
  return (data, from, into) => {
    const alone = reachY === 0 ? into : rows
    for (let j = 0; j < ny; j++) {
      const start = from + j * nx
      if (reachX === 0) {
        alone.set(data.subarray(start, start + nx), j * nx)
        continue
      }
      padded.set(data.subarray(start, start + nx), reachX)
      for (let i = 0; i < reachX; i++) {
        const at = mirror[i] as number
        padded[reachX - 1 - i] = padded[reachX + at] as number
        padded[reachX + nx + i] = padded[reachX + nx - 1 - at] as number
      }
      weigh(padded, 0, steps, alongX, { target: alone, to: j * nx, width: nx })
    }
    if (reachY === 0) return
    for (let j = 0; j < ny; j++) {
      for (let t = -reachY; t <= reachY; t++) offsets[t + reachY] = reflected(j + t, ny) * nx
      weigh(rows, 0, offsets, alongY, { target: into, to: j * nx, width: nx })
    }
  }
}

/** Where sums of neighbours are written: `target[to + i]`, for i below `width`. */
interface Sums {
  target: Float64Array
  to: number
  width: number
}

/**
 * `target[to + i] = sum over t of weights[|t|] * source[start + offsets[t + radius] + i]`. Neighbours on either side share their weight, and
 * three pairs are added at a time: sums are read and written less often. Doubles throughout: to widen floats at each reading is slower.
 */
function weigh(
  source: Float64Array,
  start: number,
  offsets: Int32Array,
  weights: Float64Array,
  { target, to, width }: Sums,
): void {
  const radius = weights.length - 1
  const centre = start + (offsets[radius] as number)
  const w0 = weights[0] as number
  for (let t = 1; t <= radius; t += 3) {
    // Pairs beyond the kernel have no weight; their place is any that exists.
    const second = Math.min(radius, t + 1)
    const third = Math.min(radius, t + 2)
    const a = start + (offsets[radius + t] as number)
    const b = start + (offsets[radius - t] as number)
    const c = start + (offsets[radius + second] as number)
    const d = start + (offsets[radius - second] as number)
    const e = start + (offsets[radius + third] as number)
    const f = start + (offsets[radius - third] as number)
    const u = weights[t] as number
    const v = t + 1 <= radius ? (weights[t + 1] as number) : 0
    const w = t + 2 <= radius ? (weights[t + 2] as number) : 0
    if (t === 1)
      for (let i = 0; i < width; i++)
        target[to + i] =
          w0 * (source[centre + i] as number) +
          u * ((source[a + i] as number) + (source[b + i] as number)) +
          v * ((source[c + i] as number) + (source[d + i] as number)) +
          w * ((source[e + i] as number) + (source[f + i] as number))
    else
      for (let i = 0; i < width; i++)
        target[to + i] =
          (target[to + i] as number) +
          u * ((source[a + i] as number) + (source[b + i] as number)) +
          v * ((source[c + i] as number) + (source[d + i] as number)) +
          w * ((source[e + i] as number) + (source[f + i] as number))
  }
}
