import { describe, expect, it } from 'vitest'
import { configurations } from '../../../src/infer/radiomics/configurations.ts'
import type { Discretisation } from '../../../src/infer/radiomics/discretisation.ts'
import { computeFeatures, type FeatureOptions } from '../../../src/infer/radiomics/features.ts'
import { greyLevels } from '../../../src/infer/radiomics/grey-levels.ts'
import { prepareRegion } from '../../../src/infer/radiomics/region.ts'
import { gridOf, imageOf, lumpySample, maskOf } from './synthetic.ts'

const { image, mask } = lumpySample([15, 14, 12], [1, 1, 1])

function valuesOf(options: FeatureOptions, of = { image, mask }): Map<string, number> {
  return new Map(computeFeatures(of.image, of.mask, options).map(({ tag, value }) => [tag, value]))
}

/** The grey levels as a function of place, 0 outside; and the places of the region. */
function lookup(discretisation: Discretisation): {
  at: (x: number, y: number, z: number) => number
  voxels: number[][]
} {
  const { data, size, indices } = greyLevels(prepareRegion(image, mask), discretisation, 1)
  return {
    at: (x, y, z) => data[(z * size[1] + y) * size[0] + x] ?? 0,
    voxels: Array.from(indices, (i) => [
      i % size[0],
      Math.floor(i / size[0]) % size[1],
      Math.floor(i / size[0] / size[1]),
    ]),
  }
}

const around = [-1, 0, 1].flatMap((z) => [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => [x, y, z] as const)))
const neighbours = around.filter(([x, y, z]) => x !== 0 || y !== 0 || z !== 0)

describe('texture in space, against its definition', () => {
  const discretisation = { bins: 6 } as const
  const found = valuesOf({ discretisation })
  const { at, voxels } = lookup(discretisation)

  it('co-occurrence: contrast over all pairs of neighbours', () => {
    const differences: number[] = []
    for (const [x = 0, y = 0, z = 0] of voxels)
      for (const [dx, dy, dz] of neighbours) {
        const other = at(x + dx, y + dy, z + dz)
        if (other > 0) differences.push((at(x, y, z) - other) ** 2)
      }
    const mean = differences.reduce((sum, d) => sum + d, 0) / differences.length
    expect(found.get('cm_contrast_3D_comb')).toBeCloseTo(mean, 10)
  })

  it('run length: runs in thirteen directions', () => {
    const runs: number[] = []
    const forwards = neighbours.filter(([x, y, z]) => z > 0 || (z === 0 && (y > 0 || (y === 0 && x > 0))))
    for (const [dx, dy, dz] of forwards)
      for (const [x = 0, y = 0, z = 0] of voxels) {
        const level = at(x, y, z)
        if (at(x - dx, y - dy, z - dz) === level) continue
        let length = 1
        while (at(x + length * dx, y + length * dy, z + length * dz) === level) length++
        runs.push(length)
      }
    const mean = runs.reduce((sum, run) => sum + run * run, 0) / runs.length
    expect(forwards).toHaveLength(13)
    expect(found.get('rlm_lre_3D_comb')).toBeCloseTo(mean, 10)
    expect(found.get('rlm_r_perc_3D_comb')).toBeCloseTo(runs.length / (13 * voxels.length), 10)
  })

  it('dependence and tone difference: what lies around each voxel', () => {
    const counts: number[] = []
    const sums = new Map<number, [number, number]>()
    for (const [x = 0, y = 0, z = 0] of voxels) {
      const level = at(x, y, z)
      const others = neighbours.map(([dx, dy, dz]) => at(x + dx, y + dy, z + dz)).filter((other) => other > 0)
      counts.push(1 + others.filter((other) => other === level).length)
      if (others.length === 0) continue
      const [n, s] = sums.get(level) ?? [0, 0]
      const mean = others.reduce((sum, other) => sum + other, 0) / others.length
      sums.set(level, [n + 1, s + Math.abs(level - mean)])
    }
    const total = [...sums.values()].reduce((sum, [n]) => sum + n, 0)
    const coarseness = 1 / [...sums.values()].reduce((sum, [n, s]) => sum + (n / total) * s, 0)
    expect(found.get('ngt_coarseness_3D')).toBeCloseTo(coarseness, 10)
    const mean = counts.reduce((sum, count) => sum + count * count, 0) / counts.length
    expect(found.get('ngl_hde_3D')).toBeCloseTo(mean, 8)
  })
})

describe('zones', () => {
  it('take their distance from the morphological mask, not from what re-segmentation left', () => {
    const grid = gridOf([7, 7, 7])
    const block = { image: imageOf(grid, (x, y, z) => (x === 3 && y === 3 && z === 3 ? 2 : 1)), mask: maskOf(grid) }
    const options = { families: ['distance-zone', 'size-zone'], discretisation: { width: 1 } } as const
    // Zone 1 touches the edge of the mask; zone 2, one voxel, is 4 steps from it.
    expect(valuesOf(options, block).get('dzm_lde_3D')).toBe((1 + 16) / 2)
    expect(valuesOf(options, block).get('szm_lze_3D')).toBe((342 ** 2 + 1) / 2)
    const kept = valuesOf({ ...options, resegmentation: { lower: 2 } }, block)
    expect(kept.get('dzm_lde_3D')).toBe(16)
    expect(kept.get('szm_z_perc_3D')).toBe(1)
  })

  it('join over corners', () => {
    const grid = gridOf([3, 3, 3])
    const corners = { image: imageOf(grid, (x, y, z) => (x === y && y === z ? 2 : 1)), mask: maskOf(grid) }
    const sizes = valuesOf({ families: ['size-zone'], discretisation: 'none' }, corners)
    expect(sizes.get('szm_lze_3D')).toBe((3 ** 2 + 24 ** 2) / 2)
  })
})

describe('long runs', () => {
  it('are counted as exactly as short ones', () => {
    const grid = gridOf([500, 1, 1])
    const row = { image: imageOf(grid, (x) => (x < 400 ? 1 : 2)), mask: maskOf(grid) }
    const found = valuesOf(
      {
        families: ['run-length'],
        discretisation: 'none',
        aggregation: ['2D-slice-merged', '2.5D-merged', '3D-merged'],
      },
      row,
    )
    // One direction along the row, the others with runs of 1: 3 in the slice, 12 in space.
    expect(found.get('rlm_lre_2D_comb')).toBeCloseTo((400 ** 2 + 100 ** 2 + 3 * 500) / (2 + 3 * 500), 10)
    expect(found.get('rlm_lre_2_5D_comb')).toBeCloseTo((400 ** 2 + 100 ** 2 + 3 * 500) / (2 + 3 * 500), 10)
    expect(found.get('rlm_lre_3D_comb')).toBeCloseTo((400 ** 2 + 100 ** 2 + 12 * 500) / (2 + 12 * 500), 10)
  })
})

describe('discretisation', () => {
  const levelsOf = (discretisation: Discretisation, lower?: number): number[] => {
    const grid = gridOf([6, 1, 1])
    const row = imageOf(grid, (x) => [-10, 0, 24.9, 25, 49, 50][x] as number)
    const options = lower === undefined ? {} : { resegmentation: { lower } }
    const { data, indices } = greyLevels(prepareRegion(row, maskOf(grid), options), discretisation, 1)
    return Array.from(indices, (i) => data[i] as number)
  }

  it('of a fixed number puts the highest intensity in the last bin', () => {
    expect(levelsOf({ bins: 6 })).toEqual([1, 2, 4, 4, 6, 6])
  })

  it('of a fixed size begins at the range, or else at the lowest intensity', () => {
    expect(levelsOf({ width: 25 })).toEqual([1, 1, 2, 2, 3, 3])
    expect(levelsOf({ width: 25 }, 0)).toEqual([1, 1, 2, 2, 3])
    expect(levelsOf({ width: 25 }, -1000)).toEqual([40, 41, 41, 42, 42, 43])
  })

  it('that makes no sense is refused', () => {
    const code = (expected: string): unknown => expect.objectContaining({ code: expected })
    expect(() => levelsOf({ bins: 0 })).toThrow(code('invalid-options'))
    expect(() => levelsOf({ width: -1 })).toThrow(code('invalid-options'))
    expect(() => levelsOf('none')).toThrow(code('not-discrete'))
    expect(() => levelsOf({ width: 0.001 })).toThrow(code('too-many-grey-levels'))
  })
})

describe('regions at the edge of what has features', () => {
  const { aggregation } = configurations['ibsi-phantom']
  const everything = { aggregation }

  it('of one voxel have values or NaN, never an exception or an infinity', () => {
    const grid = gridOf([3, 3, 3])
    const found = valuesOf(everything, {
      image: imageOf(grid, (x) => x),
      mask: maskOf(grid, (x, y, z) => x === 1 && y === 1 && z === 1),
    })
    expect(found.size).toBe(483)
    expect(found.get('stat_mean')).toBe(1)
    expect(found.get('morph_volume')).toBeCloseTo(1 / 6, 10)
    expect(found.get('cm_contrast_3D_comb')).toBeNaN()
    expect([...found].filter(([, value]) => Math.abs(value) === Number.POSITIVE_INFINITY)).toEqual([])
  })

  it('of one grey level are perfectly even', () => {
    const grid = gridOf([4, 4, 4])
    const found = valuesOf(everything, { image: imageOf(grid, () => -7), mask: maskOf(grid) })
    expect(found.get('cm_joint_max_3D_comb')).toBe(1)
    expect(found.get('cm_corr_3D_comb')).toBe(1)
    expect(found.get('szm_z_perc_3D')).toBe(1 / 64)
    expect(found.get('ngt_coarseness_3D')).toBe(1e6)
    expect(found.get('stat_skew')).toBe(0)
  })
})

describe('a feature', () => {
  it('carries code, name, unit and aggregation', () => {
    const features = computeFeatures(image, mask, { intensityUnit: "[hnsf'U]" })
    const named = (tag: string): unknown => features.find((feature) => feature.tag === tag)
    expect(named('stat_var')).toMatchObject({ code: 'ECT3', name: 'Intensity variance', unit: "[hnsf'U]2" })
    expect(named('morph_volume')).toMatchObject({ code: 'RNU0', family: 'morphology', unit: 'mm3' })
    expect(named('morph_integ_int')).toMatchObject({ unit: "[hnsf'U].mm3" })
    expect(named('cm_contrast_3D_comb')).toMatchObject({
      code: 'ACUI',
      unit: '1',
      aggregation: { name: '3D-merged', code: 'IAZD' },
    })
    expect(new Set(features.map(({ tag }) => tag)).size).toBe(features.length)
  })

  it('is computed only where its family is asked for', () => {
    const families = ['intensity', 'tone-difference'] as const
    const features = computeFeatures(image, mask, { families })
    expect(new Set(features.map(({ family }) => family))).toEqual(new Set(families))
    expect(features).toHaveLength(23)
  })
})
