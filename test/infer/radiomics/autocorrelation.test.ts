import { describe, expect, it } from 'vitest'
import { spatialAutocorrelation } from '../../../src/infer/radiomics/autocorrelation.ts'
import { complexField, fourierTransform } from '../../../src/infer/radiomics/fourier.ts'
import { prepareRegion, type Region } from '../../../src/infer/radiomics/region.ts'
import { eachVoxel, gridOf, imageOf, lumpySample, maskOf, randomNumbers } from './synthetic.ts'

/** By the definition: sums over all pairs. */
function overPairs({ intensities, intensityMask, size, spacing }: Region): { moran: number; geary: number } {
  const voxels = [...eachVoxel(gridOf(size))]
    .map(([x, y, z], i) => ({
      place: [x * spacing[0], y * spacing[1], z * spacing[2]],
      value: intensities[i] as number,
      i,
    }))
    .filter(({ i }) => intensityMask[i] === 1)
  const n = voxels.length
  const mean = voxels.reduce((sum, { value }) => sum + value, 0) / n
  const spread = voxels.reduce((sum, { value }) => sum + (value - mean) ** 2, 0)
  let [weights, products, squares] = [0, 0, 0]
  for (const a of voxels)
    for (const b of voxels) {
      if (a === b) continue
      const weight = 1 / Math.hypot(...a.place.map((p, axis) => p - (b.place[axis] as number)))
      weights += weight
      products += weight * (a.value - mean) * (b.value - mean)
      squares += weight * (a.value - b.value) ** 2
    }
  return { moran: ((n / weights) * products) / spread, geary: (((n - 1) / (2 * weights)) * squares) / spread }
}

describe("Moran's I and Geary's C", () => {
  it('are the sums over all pairs', () => {
    const { image, mask } = lumpySample()
    const region = prepareRegion(image, mask, { resegmentation: { lower: 20 } })
    const wanted = overPairs(region)
    const found = spatialAutocorrelation(region, 2 ** 20)
    expect(found?.moran).toBeCloseTo(wanted.moran, 6)
    expect(found?.geary).toBeCloseTo(wanted.geary, 6)
  })

  it('are left out above the limit, and where there is nothing to compare', () => {
    const { image, mask } = lumpySample()
    expect(spatialAutocorrelation(prepareRegion(image, mask), 1000)).toBeNull()
    const grid = gridOf([4, 4, 4])
    const even = prepareRegion(
      imageOf(grid, () => 3),
      maskOf(grid),
    )
    expect(spatialAutocorrelation(even, 2 ** 20)).toBeNull()
  })
})

describe('the Fourier transform', () => {
  const random = randomNumbers(3)
  const field = complexField([64, 8, 4])
  for (let i = 0; i < field.re.length; i++) {
    field.re[i] = random() - 0.5
    field.im[i] = random() - 0.5
  }
  const original = { re: field.re.slice(), im: field.im.slice() }

  it('is the sum over all waves', () => {
    fourierTransform(field, 'forward')
    for (const [u, v, w] of [
      [0, 0, 0],
      [1, 0, 0],
      [5, 3, 1],
      [63, 7, 3],
      [32, 4, 2],
    ] as const) {
      let [re, im] = [0, 0]
      for (const [index, [x, y, z]] of [...eachVoxel(gridOf(field.size))].entries()) {
        const angle = -2 * Math.PI * ((u * x) / 64 + (v * y) / 8 + (w * z) / 4)
        const [a, b] = [original.re[index] as number, original.im[index] as number]
        re += a * Math.cos(angle) - b * Math.sin(angle)
        im += a * Math.sin(angle) + b * Math.cos(angle)
      }
      const at = (w * 8 + v) * 64 + u
      expect(field.re[at]).toBeCloseTo(re, 4)
      expect(field.im[at]).toBeCloseTo(im, 4)
    }
  })

  it('comes back by its inverse', () => {
    fourierTransform(field, 'inverse')
    for (const i of [0, 1, 100, 2047]) expect((field.re[i] as number) / 2048).toBeCloseTo(original.re[i] as number, 5)
  })
})
