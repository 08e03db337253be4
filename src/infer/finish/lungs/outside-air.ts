import { numberComponents } from '../../components.ts'
import { refusal } from '../../error.ts'
import { airThreshold, label, type Work } from './labels.ts'

/** Mean HU of lung that the image's border cuts off; air around the patient is lower, foam as well. */
const cutLung = { minimum: -920, maximum: -550 }
/** cm² of lung on the border of one slice, and the number of such slices, that count as cut off. */
const cutLimit = { area: 15, slices: 5 }

/**
 * Takes the air that reaches the image's border within its slice out of the candidates: it is outside of the patient, whatever lies
 * around it (arms, table).
 * @throws {InferError} `refused` when what reaches the border has the density of lung: the field of view cuts the lungs off
 */
export function removeOutsideAir(work: Work): void {
  const { extent, density, labels } = work
  const [nx, ny, nz] = extent.size
  let cut = 0
  for (let z = 0; z < nz; z++) {
    const box = { low: [0, 0, z], high: [nx, ny, z + 1] } as const
    const air = numberComponents(extent, { values: density, most: airThreshold }, { connectivity: 4, box })
    const outside = new Uint8Array(air.count)
    air.forEachRun(({ x, y, length, component }) => {
      if (x === 0 || y === 0 || x + length === nx || y + 1 === ny) outside[component] = 1
    })
    const sums = new Float64Array(air.count)
    air.forEachRun(({ offset, length, component }) => {
      if (outside[component] !== 1) return
      labels.fill(label.none, offset, offset + length)
      let sum = 0
      for (let i = offset; i < offset + length; i++) sum += density[i] as number
      sums[component] = (sums[component] as number) + sum
    })
    const pixel = (extent.spacing[0] * extent.spacing[1]) / 100
    const isCut = air.voxels.some((voxels, i) => {
      const mean = (sums[i] as number) / voxels
      return outside[i] === 1 && voxels * pixel >= cutLimit.area && mean >= cutLung.minimum && mean <= cutLung.maximum
    })
    if (isCut) cut++
  }
  if (cut >= cutLimit.slices)
    throw refusal(`the field of view cuts the lungs off: lung reaches the border of the image in ${cut} slices`, {
      cut,
    })
}
