import type { Size, Voxels } from './gather.ts'
import { filterSpline, filterSplineRows } from './spline.ts'
import type { Taps } from './taps.ts'

/**
 * Interpolates one channel axis by axis. Each plane of the source is read once, in its own type, and made small or large within the
 * plane first; planes are then mixed along z. Besides the result it holds the few planes that are being mixed; for a spline along z
 * all planes, at the size that they have in the result.
 */
export function resampleAxes(
  source: { data: Voxels; from: number; size: Size },
  target: { data: Float32Array; to: number; size: Size },
  taps: readonly [Taps, Taps, Taps],
  outside: number | 'edge',
): void {
  const [nx, ny] = target.size
  const plane = nx * ny
  const reader = planeReader(source, target.size, taps, outside)
  const along = taps[2]
  const planes = along.spline
    ? splinePlanes(reader, source.size[2], plane)
    : recentPlanes(reader, along.perVoxel, plane)
  const mixed = new Float64Array(plane)
  for (let k = 0; k < target.size[2]; k++) {
    const to = target.to + k * plane
    if (outside !== 'edge' && (k < along.low || k >= along.high)) {
      target.data.fill(outside, to, to + plane)
      continue
    }
    const first = k * along.perVoxel
    const used: number[] = []
    for (let tap = first; tap < first + along.perVoxel; tap++) if (along.weights[tap] !== 0) used.push(tap)
    const at = (n: number): Float32Array => planes(along.indices[used[n] as number] as number)
    const weight = (n: number): number => along.weights[used[n] as number] as number
    if (used.length === 1 && weight(0) === 1) target.data.set(at(0), to)
    else if (used.length === 2) mixTwo(target.data, to, at(0), weight(0), at(1), weight(1))
    else {
      mixed.fill(0)
      for (let n = 0; n < used.length; n++) addPlane(mixed, at(n), weight(n))
      target.data.set(mixed, to)
    }
  }
}

function mixTwo(data: Float32Array, to: number, a: Float32Array, v: number, b: Float32Array, w: number): void {
  for (let i = 0; i < a.length; i++) data[to + i] = v * (a[i] as number) + w * (b[i] as number)
}

function addPlane(sum: Float64Array, plane: Float32Array, weight: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + weight * (plane[i] as number)
}

/** Reads a plane of the source at the size that it has in the result. */
type PlaneReader = (k: number, into: Float32Array) => void

function planeReader(
  { data, from, size }: { data: Voxels; from: number; size: Size },
  target: Size,
  [alongX, alongY]: readonly [Taps, Taps, Taps],
  outside: number | 'edge',
): PlaneReader {
  const [sx, sy] = size
  const [nx, ny] = target
  const filtered = alongX.spline || alongY.spline
  const isFloat = data instanceof Float32Array
  const copy = new Float32Array(isFloat && !filtered ? 0 : sx * sy)
  const row = new Float64Array(sx)
  return (k, into) => {
    const stored = data.subarray(from + k * sx * sy, from + (k + 1) * sx * sy)
    let plane = stored as Float32Array
    if (!isFloat || filtered) {
      copy.set(stored)
      plane = copy
    }
    if (alongX.spline) filterSplineRows(plane, 0, sx, sy)
    if (alongY.spline) filterSpline(plane, 0, { length: sy, stride: sx, width: sx })
    for (let j = 0; j < ny; j++) {
      if (outside !== 'edge' && (j < alongY.low || j >= alongY.high)) {
        into.fill(outside, j * nx, (j + 1) * nx)
        continue
      }
      mixRows(plane, sx, alongY, j, row)
      mixWithinRow(row, alongX, into, j * nx)
      if (outside !== 'edge') {
        into.fill(outside, j * nx, j * nx + alongX.low)
        into.fill(outside, j * nx + alongX.high, (j + 1) * nx)
      }
    }
  }
}

function mixRows(plane: Float32Array, sx: number, { perVoxel, indices, weights }: Taps, j: number, row: Float64Array) {
  const first = j * perVoxel
  const a = (indices[first] as number) * sx
  const v = weights[first] as number
  if (perVoxel === 1) {
    for (let i = 0; i < sx; i++) row[i] = plane[a + i] as number
    return
  }
  const b = (indices[first + 1] as number) * sx
  const w = weights[first + 1] as number
  for (let i = 0; i < sx; i++) row[i] = v * (plane[a + i] as number) + w * (plane[b + i] as number)
  for (let tap = first + 2; tap < first + perVoxel; tap++) {
    const weight = weights[tap] as number
    if (weight === 0) continue
    const from = (indices[tap] as number) * sx
    for (let i = 0; i < sx; i++) row[i] = (row[i] as number) + weight * (plane[from + i] as number)
  }
}

function mixWithinRow(row: Float64Array, { perVoxel, indices, weights }: Taps, into: Float32Array, to: number): void {
  const length = indices.length / perVoxel
  if (perVoxel === 1) for (let i = 0; i < length; i++) into[to + i] = row[indices[i] as number] as number
  else if (perVoxel === 2)
    for (let i = 0, t = 0; i < length; i++, t += 2)
      into[to + i] =
        (weights[t] as number) * (row[indices[t] as number] as number) +
        (weights[t + 1] as number) * (row[indices[t + 1] as number] as number)
  else
    for (let i = 0, t = 0; i < length; i++) {
      let sum = 0
      for (let tap = 0; tap < perVoxel; tap++, t++)
        sum += (weights[t] as number) * (row[indices[t] as number] as number)
      into[to + i] = sum
    }
}

/** Planes by their index, of which `count` and one more are kept: the farthest from the one that is asked for makes room. */
function recentPlanes(read: PlaneReader, count: number, length: number): (k: number) => Float32Array {
  const kept = new Map<number, Float32Array>()
  return (k) => {
    const known = kept.get(k)
    if (known) return known
    let plane: Float32Array | undefined
    if (kept.size > count) {
      const farthest = [...kept.keys()].reduce((a, b) => (Math.abs(b - k) > Math.abs(a - k) ? b : a))
      plane = kept.get(farthest)
      kept.delete(farthest)
    }
    plane ??= new Float32Array(length)
    read(k, plane)
    kept.set(k, plane)
    return plane
  }
}

/** All planes, as coefficients of a spline along z. */
function splinePlanes(read: PlaneReader, count: number, length: number): (k: number) => Float32Array {
  const all = new Float32Array(count * length)
  const plane = (k: number): Float32Array => all.subarray(k * length, (k + 1) * length)
  for (let k = 0; k < count; k++) read(k, plane(k))
  const width = 1024
  for (let from = 0; from < length; from += width)
    filterSpline(all, from, { length: count, stride: length, width: Math.min(width, length - from) })
  return plane
}
