import type { Region } from './region.ts'

/** Radius of a sphere of 1 cm3, mm. */
export const peakRadius = 10 * (3 / (4 * Math.PI)) ** (1 / 3)

/**
 * Local and global intensity peak (IBSI 3.2): the mean intensity in a sphere of 1 cm3 around the brightest voxel of the intensity mask (of
 * several, the highest mean), and the highest such mean of all its voxels. The sphere takes in what lies outside of the mask, and ends at
 * the border of the image.
 * @param region with a margin of `peakRadius`
 */
export function localIntensityFeatures(region: Region, brightest: number): [number, number] {
  const { size, intensities, intensityMask } = region
  const [nx, ny, nz] = size
  const sphere = rowsOfSphere(region)
  const depth = Math.max(...sphere.map(({ dz }) => dz))
  const longest = Math.max(...sphere.map(({ half }) => half))
  const sums = new RunningSums(region, depth, longest)
  let [local, global] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const total = new Float64Array(nx)
  const voxels = new Float64Array(nx)
  /** Rows of the sphere that `voxels` counts: those in the image, which are the same for most of its rows. */
  let counted = ''
  for (let z = 0; z < nz; z++) {
    sums.prepare(z)
    for (let y = 0; y < ny; y++) {
      const row = (z * ny + y) * nx
      const inside = intensityMask.subarray(row, row + nx)
      const first = inside.indexOf(1)
      if (first < 0) continue
      const last = inside.lastIndexOf(1)
      const rows = sphere.filter(({ dy, dz }) => y + dy >= 0 && y + dy < ny && z + dz >= 0 && z + dz < nz)
      total.fill(0)
      for (const { dy, dz, half } of rows) {
        const slice = sums.slice(z + dz)
        let from = sums.rowStart(y + dy) + first - half
        let to = from + 2 * half + 1
        for (let x = first; x <= last; x++)
          total[x] = (total[x] as number) + (slice[to++] as number) - (slice[from++] as number)
      }
      const border = rows.length === sphere.length ? 'none' : `${y} ${z}`
      if (border !== counted) countVoxels(rows, voxels)
      counted = border
      for (let x = first; x <= last; x++) {
        if (inside[x] === 0) continue
        const mean = (total[x] as number) / (voxels[x] as number)
        if (mean > global) global = mean
        if (intensities[row + x] === brightest && mean > local) local = mean
      }
    }
  }
  return [local, global]
}

/** For each x the voxels of the rows that lie in the image. */
function countVoxels(rows: readonly { half: number }[], voxels: Float64Array): void {
  const last = voxels.length - 1
  for (let x = 0; x <= last; x++) {
    let count = 0
    for (const { half } of rows) count += Math.min(last, x + half) - Math.max(0, x - half) + 1
    voxels[x] = count
  }
}

/** Sums along x from the beginning of each row, for the slices that a sphere can reach; rows go on before and after the image. */
class RunningSums {
  private readonly region: Region
  private readonly depth: number
  private readonly border: number
  private readonly stride: number
  private readonly slices: Float64Array[]
  private filled = 0

  constructor(region: Region, depth: number, border: number) {
    const [nx, ny] = region.size
    this.region = region
    this.depth = depth
    this.border = border
    this.stride = nx + 1 + 2 * border
    this.slices = Array.from({ length: 2 * depth + 1 }, () => new Float64Array(this.stride * ny))
  }

  /** Makes the slices around `z` ready; `z` must not fall from one call to the next. */
  prepare(z: number): void {
    const end = Math.min(this.region.size[2], z + this.depth + 1)
    for (; this.filled < end; this.filled++) this.fill(this.filled)
  }

  slice(z: number): Float64Array {
    return this.slices[z % this.slices.length] as Float64Array
  }

  /** Where the sum before the row's first voxel stands. */
  rowStart(y: number): number {
    return y * this.stride + this.border
  }

  private fill(z: number): void {
    const { intensities, size } = this.region
    const [nx, ny] = size
    const to = this.slice(z)
    for (let y = 0; y < ny; y++) {
      const start = this.rowStart(y)
      let sum = 0
      for (let x = 0, from = (z * ny + y) * nx; x < nx; x++, from++) {
        sum += intensities[from] as number
        to[start + x + 1] = sum
      }
      to.fill(sum, start + nx + 1, start + nx + 1 + this.border)
    }
  }
}

/** The rows along x that make up the sphere: from -half to half around the centre. */
function rowsOfSphere({ spacing }: Region): { dy: number; dz: number; half: number }[] {
  const rows: { dy: number; dz: number; half: number }[] = []
  const [sx, sy, sz] = spacing
  const [ry, rz] = [Math.floor(peakRadius / sy), Math.floor(peakRadius / sz)]
  for (let dz = -rz; dz <= rz; dz++)
    for (let dy = -ry; dy <= ry; dy++) {
      const left = peakRadius ** 2 - (dy * sy) ** 2 - (dz * sz) ** 2
      if (left >= 0) rows.push({ dy, dz, half: Math.floor(Math.sqrt(left) / sx) })
    }
  return rows
}
