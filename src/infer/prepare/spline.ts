import type { Size } from './gather.ts'

const pole = Math.sqrt(3) - 2
/** Terms of the sum that starts the filter: the pole to this power is below single precision. */
const horizon = 20

/**
 * Turns voxels into the coefficients of the cubic B-spline that runs through them, in place (Unser 1999), along one axis of a block.
 * Beyond its ends the axis is mirrored at the outermost voxels, as scipy's `mirror`.
 * @param line voxels along the axis, `stride` apart
 * @param width neighbours that are filtered beside each other, next to one another in memory
 */
export function filterSpline(
  data: Float32Array,
  start: number,
  { length, stride, width }: { length: number; stride: number; width: number },
): void {
  if (length < 2) return
  const at = (index: number): number => start + index * stride
  const terms = Math.min(horizon, 2 * length - 2)
  const sum = new Float64Array(width)
  for (let k = 0; k < terms; k++) {
    const from = at(k < length ? k : 2 * length - 2 - k)
    const weight = 6 * pole ** k
    for (let i = 0; i < width; i++) sum[i] = (sum[i] as number) + weight * (data[from + i] as number)
  }
  // A short line is mirrored again and again: a geometric series.
  const repeated = terms < horizon ? 1 / (1 - pole ** terms) : 1
  for (let i = 0; i < width; i++) data[start + i] = (sum[i] as number) * repeated
  for (let k = 1; k < length; k++) {
    const here = at(k)
    const before = at(k - 1)
    for (let i = 0; i < width; i++)
      data[here + i] = 6 * (data[here + i] as number) + pole * (data[before + i] as number)
  }
  const end = at(length - 1)
  const beforeEnd = at(length - 2)
  for (let i = 0; i < width; i++)
    data[end + i] = (pole / (pole * pole - 1)) * ((data[end + i] as number) + pole * (data[beforeEnd + i] as number))
  for (let k = length - 2; k >= 0; k--) {
    const here = at(k)
    const after = at(k + 1)
    for (let i = 0; i < width; i++) data[here + i] = pole * ((data[after + i] as number) - (data[here + i] as number))
  }
}

/** Rows of a block, each on its own: as `filterSpline` along x. */
export function filterSplineRows(data: Float32Array, start: number, length: number, rows: number): void {
  if (length < 2) return
  const terms = Math.min(horizon, 2 * length - 2)
  const repeated = terms < horizon ? 1 / (1 - pole ** terms) : 1
  const powers = Float64Array.from({ length: terms }, (_, k) => 6 * pole ** k)
  const line = new Float64Array(length)
  for (let row = 0; row < rows; row++) {
    const from = start + row * length
    let value = 0
    for (let k = 0; k < terms; k++)
      value += (powers[k] as number) * (data[from + (k < length ? k : 2 * length - 2 - k)] as number)
    value *= repeated
    line[0] = value
    for (let k = 1; k < length; k++) {
      value = 6 * (data[from + k] as number) + pole * value
      line[k] = value
    }
    value = (pole / (pole * pole - 1)) * (value + pole * (line[length - 2] as number))
    data[from + length - 1] = value
    for (let k = length - 2; k >= 0; k--) {
      value = pole * (value - (line[k] as number))
      data[from + k] = value
    }
  }
}

/** All three axes of a volume, in place. */
export function filterSplineVolume(data: Float32Array, [nx, ny, nz]: Size): void {
  const plane = nx * ny
  filterSplineRows(data, 0, nx, ny * nz)
  for (let k = 0; k < nz; k++) filterSpline(data, k * plane, { length: ny, stride: nx, width: nx })
  // A row of each plane at a time: they stay in the cache.
  for (let j = 0; j < ny; j++) filterSpline(data, j * nx, { length: nz, stride: plane, width: nx })
}
