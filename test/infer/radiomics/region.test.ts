import { describe, expect, it } from 'vitest'
import { targetAxis } from '../../../src/infer/radiomics/interpolation.ts'
import { prepareRegion, type Region } from '../../../src/infer/radiomics/region.ts'
import { gridOf, imageOf, lumpySample, maskOf } from './synthetic.ts'

/** The intensities of a mask. */
const inside = ({ intensities }: Region, mask: Uint8Array): number[] => [...intensities].filter((_, i) => mask[i] === 1)

describe('the interpolation grid', () => {
  it('lies on the centre of the old one and covers it', () => {
    expect(targetAxis(4, 3, 2)).toEqual({ length: 6, start: expect.closeTo(-1 / 6, 12), step: 2 / 3, spacing: 2 })
  })

  it('gets no voxel from rounding', () => {
    expect(targetAxis(300, 0.7, 0.7)).toMatchObject({ length: 300, start: 0, step: 1 })
    expect(targetAxis(204, 0.9765625, 2).length).toBe(100)
  })

  it('keeps an axis that is not to be interpolated', () => {
    expect(targetAxis(60, 3, null)).toEqual({ length: 60, start: 0, step: 1, spacing: 3 })
  })
})

describe('interpolation', () => {
  const grid = gridOf([12, 12, 12], [1, 2, 3])
  const whole = { margin: 1000 }

  it('is exact for a linear image, in its interior', () => {
    const image = imageOf(grid, (x, y, z) => x + 2 * y - 3 * z)
    for (const method of ['linear', 'cubic'] as const) {
      const region = prepareRegion(image, maskOf(grid), {
        resampling: { spacing: [0.7, 0.7, 0.7], method },
        ...whole,
      })
      const [nx, ny, nz] = region.size
      expect([nx, ny, nz]).toEqual([18, 35, 52])
      const at = (index: number, old: number, length: number, spacing: number): number =>
        (old - 1) / 2 + ((index - (length - 1) / 2) * 0.7) / spacing
      for (const [x, y, z] of [
        [9, 17, 25],
        [8, 20, 28],
        [10, 14, 22],
      ] as const) {
        const wanted = at(x, 12, nx, 1) + 2 * at(y, 12, ny, 2) - 3 * at(z, 12, nz, 3)
        expect(region.intensities[(z * ny + y) * nx + x]).toBeCloseTo(wanted, method === 'cubic' ? 1 : 4)
      }
    }
  })

  it('by splines runs through cubic polynomials', () => {
    const line = gridOf([60, 1, 1])
    const cubic = (x: number): number => (x - 30) ** 3 / 100 + (x - 30) ** 2
    const image = imageOf(line, (x) => cubic(x))
    const region = prepareRegion(image, maskOf(line), {
      resampling: { spacing: [0.5, null, null], method: 'cubic' },
      ...whole,
    })
    for (const i of [50, 57, 60, 71]) expect(region.intensities[i]).toBeCloseTo(cubic(-0.25 + i / 2), 2)
  })

  it('counts a voxel that is half inside, and leaves out one that is less', () => {
    const line = gridOf([1, 1, 6], [1, 1, 3])
    // New voxels at -1/6, 1/2, 7/6, 11/6, 5/2, ...
    const mask = maskOf(line, (_x, _y, z) => z >= 1 && z <= 2)
    const region = prepareRegion(
      imageOf(line, () => 5),
      mask,
      {
        resampling: { spacing: [null, null, 2], method: 'linear' },
        ...whole,
      },
    )
    expect([...region.morphologicalMask]).toEqual([0, 1, 1, 1, 1, 0, 0, 0, 0])
  })

  it('rounds halves to the even neighbour where rounding is asked for', () => {
    const line = gridOf([4, 1, 1])
    const image = imageOf(line, (x) => [0, 1, 2, 3][x] as number)
    const region = prepareRegion(image, maskOf(line), {
      resampling: { spacing: [2, null, null], method: 'linear', round: true },
    })
    expect([...region.intensities]).toEqual([0, 2])
  })

  it('gives the same inside of the mask, whatever surroundings are looked at', () => {
    const { image, mask } = lumpySample([30, 28, 26], [1, 1, 2])
    const resampling = { spacing: [1.5, 1.5, 1.5], method: 'cubic' } as const
    const near = prepareRegion(image, mask, { resampling })
    const far = prepareRegion(image, mask, { resampling, ...whole })
    const a = inside(near, near.morphologicalMask)
    const b = inside(far, far.morphologicalMask)
    expect(a.length).toBe(b.length)
    expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))))).toBeLessThan(1e-3)
  })
})

describe('re-segmentation', () => {
  const grid = gridOf([10, 1, 1])
  const image = imageOf(grid, (x) => (x === 9 ? 1000 : x))

  it('by range takes both ends in, and touches the intensity mask only', () => {
    const region = prepareRegion(image, maskOf(grid), { resegmentation: { lower: 2, upper: 5 } })
    expect(inside(region, region.intensityMask)).toEqual([2, 3, 4, 5])
    expect(region.morphologicalMask).toEqual(new Uint8Array(10).fill(1))
    expect(region.range).toEqual({ lower: 2, upper: 5 })
  })

  it('by outliers measures the spread of the whole region', () => {
    const region = prepareRegion(image, maskOf(grid), { resegmentation: { outliers: 2, upper: 7 } })
    expect(inside(region, region.intensityMask)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(region.range).toEqual({ upper: 7 })
  })
})

describe('what cannot be processed', () => {
  const grid = gridOf([3, 3, 3])
  const image = imageOf(grid, (x) => x)

  it('is told by an error with a code', () => {
    expect(() => prepareRegion(image, maskOf(gridOf([3, 3, 2])))).toThrow(
      expect.objectContaining({ code: 'different-grids' }),
    )
    expect(() =>
      prepareRegion(
        image,
        maskOf(grid, () => false),
      ),
    ).toThrow(expect.objectContaining({ code: 'empty-region' }))
    expect(() => prepareRegion(image, maskOf(grid), { label: 2 })).toThrow(
      expect.objectContaining({ code: 'empty-region' }),
    )
    expect(() => prepareRegion(image, maskOf(grid), { resegmentation: { lower: 50 } })).toThrow(
      expect.objectContaining({ code: 'empty-region' }),
    )
  })

  it('does not mix labels', () => {
    const labels = Uint8Array.from({ length: 27 }, (_, i) => (i < 9 ? 1 : 2))
    const region = prepareRegion(image, { grid, labels }, { label: 2 })
    expect(inside(region, region.intensityMask)).toHaveLength(18)
  })
})
