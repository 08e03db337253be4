import type { Vector } from '../../dicom/geometry.ts'
import type { MaskCrop } from '../finish/mask-crop.ts'
import type { Image } from '../image.ts'

/** The voxel of the mask for which a function of its index in the grid is highest; NaN where one is NaN. */
export function highest(
  { low, size, mask }: MaskCrop,
  valueAt: (index: number, at: Vector) => number,
  [nx, ny]: readonly [number, number, number],
): { value: number; at: Vector } | null {
  let best: { value: number; at: Vector } | null = null
  for (let k = 0, n = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++, n++) {
        if (mask[n] === 0) continue
        const [x, y, z] = [low[0] + i, low[1] + j, low[2] + k]
        const value = valueAt((z * ny + y) * nx + x, [x, y, z])
        if (best === null || value > best.value || Number.isNaN(value)) best = { value, at: [x, y, z] }
        if (Number.isNaN(value)) return best
      }
  return best
}

/** A function that gives the mean of the values in a sphere around a voxel, as far as the image goes: from running sums along its rows. */
export function sphereMeans(
  data: Image['data'],
  { low, size }: MaskCrop,
  { size: [nx, ny, nz], spacing: [sx, sy, sz] }: Image['grid'],
  radius: number,
): (index: number, at: Vector) => number {
  const [rx, ry, rz] = [sx, sy, sz].map((mm) => Math.floor(radius / mm)) as [number, number, number]
  const rows: { dy: number; dz: number; half: number }[] = []
  for (let dz = -rz; dz <= rz; dz++)
    for (let dy = -ry; dy <= ry; dy++) {
      const left = radius ** 2 - (dy * sy) ** 2 - (dz * sz) ** 2
      if (left >= 0) rows.push({ dy, dz, half: Math.floor(Math.sqrt(left) / sx) })
    }
  const from = [low[0] - rx, low[1] - ry, low[2] - rz].map((at) => Math.max(0, at)) as [number, number, number]
  const to = [
    Math.min(nx, low[0] + size[0] + rx),
    Math.min(ny, low[1] + size[1] + ry),
    Math.min(nz, low[2] + size[2] + rz),
  ] as const
  const [width, height] = [to[0] - from[0] + 1, to[1] - from[1]]
  const sums = new Float64Array(width * height * (to[2] - from[2]))
  for (let z = from[2], at = 0; z < to[2]; z++)
    for (let y = from[1]; y < to[1]; y++, at += width)
      for (let x = from[0], i = (z * ny + y) * nx + x, n = at; x < to[0]; x++, i++, n++)
        sums[n + 1] = (sums[n] as number) + (data[i] as number)
  return (_index, [x, y, z]) => {
    let total = 0
    let voxels = 0
    for (const { dy, dz, half } of rows) {
      if (y + dy < 0 || y + dy >= ny || z + dz < 0 || z + dz >= nz) continue
      const row = ((z + dz - from[2]) * height + y + dy - from[1]) * width - from[0]
      const first = Math.max(0, x - half)
      const end = Math.min(nx, x + half + 1)
      total += (sums[row + end] as number) - (sums[row + first] as number)
      voxels += end - first
    }
    return total / voxels
  }
}
