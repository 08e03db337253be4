import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { configurations } from '../../../src/infer/radiomics/configurations.ts'
import { radiomicsOptions } from '../../../src/infer/radiomics/options.ts'
import { radiomicsParameters } from '../../../src/infer/radiomics/parameters.ts'
import { type RadiomicsOptions, radiomics } from '../../../src/infer/radiomics/radiomics.ts'
import { repository } from '../../support/data.ts'
import { lumpySample } from './synthetic.ts'

const { image, mask } = lumpySample()
const tagsOf = (options: RadiomicsOptions): string[] => radiomics(image, mask, options).map(({ tag }) => tag)

describe('radiomics of a region', () => {
  it('take a mask with a grid, or bare voxels on the grid of the image', () => {
    const options = { families: ['intensity', 'size-zone'] } as const
    expect(radiomics(image, mask.labels, options)).toEqual(radiomics(image, mask, options))
  })

  it('measure the label that is asked for', () => {
    const labels = mask.labels.map((value, i) => (value === 0 ? 0 : i % 2 === 0 ? 3 : 7))
    const volume = (label: number): number =>
      radiomics(image, labels, { label, families: ['morphology'] }).find(({ code }) => code === 'YEKZ')?.value ?? 0
    const voxel = image.grid.spacing[0] * image.grid.spacing[1] * image.grid.spacing[2]
    expect(volume(3)).toBeCloseTo(labels.filter((value) => value === 3).length * voxel, 6)
    expect(volume(7)).toBeCloseTo(labels.filter((value) => value === 7).length * voxel, 6)
  })

  it('refuse a mask of another grid', () => {
    const { grid, labels } = mask
    const moved = { ...grid, origin: [0, 0, 5] as const }
    const turned = { ...grid, axes: [grid.axes[1], grid.axes[0], grid.axes[2]] as const }
    for (const other of [moved, turned])
      expect(() => radiomics(image, { grid: other, labels })).toThrow(
        expect.objectContaining({ code: 'different-grids' }),
      )
    expect(() => radiomics(image, labels.subarray(1))).toThrow(expect.objectContaining({ code: 'different-grids' }))
  })

  it('take from a configuration what is not given', () => {
    const families = ['co-occurrence', 'size-zone'] as const
    const found = radiomics(image, mask, { configuration: 'ibsi-b', families, aggregation: ['2.5D-merged'] })
    expect(found).toHaveLength(25 + 16)
    expect(new Set(found.map(({ aggregation }) => aggregation?.code))).toEqual(new Set(['ZW7Z', '62GR']))
    const { resampling, resegmentation, discretisation } = configurations['ibsi-b']
    const own = { resampling, resegmentation, discretisation, families, aggregation: ['2.5D-merged'] } as const
    expect(found).toEqual(radiomics(image, mask, own))
  })

  it('of responses to filters leave out the shape, and have tags of their own', () => {
    const options: RadiomicsOptions = {
      families: ['morphology', 'local-intensity', 'intensity', 'co-occurrence'],
      filters: [
        { kind: 'mean', support: 3 },
        { kind: 'mean', support: 3, dimensions: 2 },
        { kind: 'laplacian-of-gaussian', sigma: 1.5 },
        { kind: 'laplacian-of-gaussian', sigma: 1.5, boundary: 'zero' },
        { kind: 'laws', kernels: 'E3W5R5', rotationInvariance: 'max' },
        { kind: 'wavelet', family: 'haar', bands: 'LLH' },
        { kind: 'gabor', sigma: 2, wavelength: 2, gamma: 1, thetaStep: 45 },
      ],
    }
    const tags = tagsOf(options)
    expect(tags).toHaveLength(25 + 2 + 18 + 25 + 7 * (18 + 25))
    expect(new Set(tags).size).toBe(tags.length)
    expect(tags.filter((tag) => tag.includes('morph_'))).toHaveLength(25)
    expect(tags).toContain('log_1.5_3D_stat_mean')
    const only = radiomics(image, mask, { ...options, unfiltered: false })
    expect(only.map(({ tag }) => tag)).toEqual(tags.slice(25 + 2 + 18 + 25))
    expect(only[0]?.filter).toEqual({ name: 'mean, 3 voxels, in space', code: 'S60F' })
    expect(only.every(({ value }) => Number.isFinite(value))).toBe(true)
  })

  it('have units that follow from that of the intensities', () => {
    const unitOf = (options: RadiomicsOptions, tag: string): string | undefined =>
      radiomics(image, mask, { intensityUnit: "[hnsf'U]", ...options }).find((one) => one.tag === tag)?.unit
    expect(unitOf({}, 'ivh_i10')).toBe("[hnsf'U]")
    // Bins are counted.
    expect(unitOf({ volumeHistogram: { bins: 100 } }, 'ivh_i10')).toBe('1')
    expect(unitOf({}, 'stat_energy')).toBe("[hnsf'U]2")
  })
})

describe('the options of a manifest', () => {
  it('hold for every configuration, and for the example in the documentation', () => {
    for (const options of Object.values(configurations)) expect(radiomicsOptions.parse(options)).toEqual(options)
    const text = readFileSync(path.join(repository, 'docs/radiomics.md'), 'utf8')
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(text) ?? []
    const { measure } = parse(example) as { measure: { radiomics: unknown }[] }
    const options = radiomicsOptions.parse(measure[0]?.radiomics)
    expect(tagsOf({ ...options, resegmentation: {} })).toContain('log_1.5_3D_cm_contrast_3D_comb')
  })

  it.each([
    { bins: 32 },
    { discretisation: { bins: 0 } },
    { discretisation: { bins: 32, width: 25 } },
    { families: [] },
    { families: ['glcm'] },
    { aggregation: ['3D'] },
    { resampling: { spacing: [2, 2], method: 'linear' } },
    { resampling: { spacing: [2, 2, 0], method: 'linear' } },
    { resegmentation: { lower: 400, upper: -500 } },
    { configuration: 'ibsi-f' },
    { filters: [{ kind: 'mean', support: 4 }] },
    { filters: [{ kind: 'laws', kernels: 'L5X5' }] },
    { filters: [{ kind: 'sobel' }] },
  ])('that make no sense are refused: %j', (options) => {
    expect(radiomicsOptions.safeParse(options).success).toBe(false)
  })

  it('have a JSON Schema', () => {
    const { properties, additionalProperties } = z.toJSONSchema(radiomicsOptions, { io: 'input' })
    expect(Object.keys(properties ?? {})).toContain('resegmentation')
    expect(additionalProperties).toBe(false)
  })

  it('are told in words, for the report', () => {
    expect(
      radiomicsParameters({ configuration: 'ibsi-e', filters: [{ kind: 'laplacian-of-gaussian', sigma: 1.5 }] }),
    ).toEqual([
      'Radiomics features as defined by IBSI (reference manual of IBSI-1)',
      'Configuration: ibsi-e',
      'Resampling: 2 x 2 x 2 mm, cubic, rounded; mask linear, inside from 0.5',
      'Re-segmentation: from -1000, up to 400, within 3 standard deviations of the mean',
      'Discretisation: 32 bins',
      'Discretisation of the intensity-volume histogram: 1000 bins',
      'Aggregation of texture matrices: 3D-averaged, 3D-merged; distance 1, coarseness 0',
      'Filter (IBSI-2): Laplacian of Gaussian, sigma 1.5 mm, in space',
    ])
    expect(radiomicsParameters({})).toContain('Resampling: none')
  })
})
