import type { Vector } from '../../dicom/geometry.ts'
import type { Size, Voxels } from './gather.ts'

/** Entries of the table of weights by difference, up to 5 deviations. */
const entries = 4096
const reach = 5

/**
 * Bilateral filter of one channel: a mean of the neighbours, weighed by a Gaussian of their distance and one of the difference of their
 * values, so that edges stay. Beyond the border there is nothing.
 * @param sigmas in voxels; 0 leaves an axis alone
 * @param radius of the box of neighbours along each axis, voxels
 * @param target another memory than the source
 */
export function bilateral(
  source: { data: Voxels; from: number },
  target: { data: Float32Array; from: number },
  [nx, ny, nz]: Size,
  { sigmas, sigmaValue, radius }: { sigmas: Vector; sigmaValue: number; radius: Size },
): void {
  const byDifference = Float64Array.from({ length: entries + 1 }, (_, i) =>
    Math.exp(-(((i / entries) * reach) ** 2) / 2),
  )
  const perUnit = entries / (reach * sigmaValue)
  const near = neighboursOf(sigmas, radius, [nx, ny])
  const { data, from } = source
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const at = (k * ny + j) * nx + i
        const here = data[from + at] as number
        let sum = here
        let weights = 1
        for (let n = 0; n < near.count; n++) {
          const x = i + (near.x[n] as number)
          const y = j + (near.y[n] as number)
          const z = k + (near.z[n] as number)
          if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) continue
          const value = data[from + at + (near.offset[n] as number)] as number
          const difference = Math.abs(value - here) * perUnit
          if (difference > entries) continue
          const weight = (near.weight[n] as number) * (byDifference[(difference + 0.5) | 0] as number)
          sum += weight * value
          weights += weight
        }
        target.data[target.from + at] = sum / weights
      }
}

function neighboursOf(sigmas: Vector, radius: Size, [nx, ny]: readonly [number, number]) {
  const list: { x: number; y: number; z: number; weight: number }[] = []
  for (let z = -radius[2]; z <= radius[2]; z++)
    for (let y = -radius[1]; y <= radius[1]; y++)
      for (let x = -radius[0]; x <= radius[0]; x++) {
        if (x === 0 && y === 0 && z === 0) continue
        const distance = [x, y, z].reduce(
          (sum, d, axis) => (d === 0 ? sum : sum + (d / (sigmas[axis] as number)) ** 2),
          0,
        )
        list.push({ x, y, z, weight: Math.exp(-distance / 2) })
      }
  return {
    count: list.length,
    x: Int32Array.from(list, ({ x }) => x),
    y: Int32Array.from(list, ({ y }) => y),
    z: Int32Array.from(list, ({ z }) => z),
    offset: Int32Array.from(list, ({ x, y, z }) => (z * ny + y) * nx + x),
    weight: Float64Array.from(list, ({ weight }) => weight),
  }
}
