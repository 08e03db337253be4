import { describe, expect, it } from 'vitest'
import { type Boundary, beyondBorder, rightAngleRotations } from '../../../src/infer/radiomics/convolution.ts'
import { computeFeatures } from '../../../src/infer/radiomics/features.ts'
import { applyFilter, type Filter, filterReach } from '../../../src/infer/radiomics/filter.ts'
import { prepareRegion } from '../../../src/infer/radiomics/region.ts'
import { filterPhantom } from '../../support/ibsi.ts'
import { eachVoxel, gridOf, imageOf, lumpySample, maskOf } from './synthetic.ts'

const { image, mask } = lumpySample([14, 12, 10], [2, 2, 2])
const { size, spacing } = image.grid
const boundaries = ['zero', 'nearest', 'periodic', 'mirror'] as const

const respond = (filter: Filter): Float32Array =>
  applyFilter({ size, spacing, data: image.data as Float32Array }, filter)

/** The sum over a kernel around one voxel, by the definition of a convolution. */
function convolveAt(
  [x, y, z]: readonly [number, number, number],
  reach: readonly [number, number, number],
  kernel: (dx: number, dy: number, dz: number) => number,
  boundary: Boundary,
): number {
  let sum = 0
  for (let dz = -reach[2]; dz <= reach[2]; dz++)
    for (let dy = -reach[1]; dy <= reach[1]; dy++)
      for (let dx = -reach[0]; dx <= reach[0]; dx++) {
        const place = [x - dx, y - dy, z - dz].map((i, a) => beyondBorder(i, size[a] as number, boundary))
        if (place.includes(-1)) continue
        const [i = 0, j = 0, k = 0] = place
        sum += kernel(dx, dy, dz) * (image.data[(k * size[1] + j) * size[0] + i] as number)
      }
  return sum
}

/** A corner, an edge, and the middle of the image. */
const places = [
  [0, 0, 0],
  [13, 5, 9],
  [7, 6, 5],
] as const
const indexOf = ([x, y, z]: readonly [number, number, number]): number => (z * size[1] + y) * size[0] + x

describe('beyond the border', () => {
  it('lies what the boundary says', () => {
    const line = (boundary: Boundary): number[] =>
      Array.from({ length: 12 }, (_, i) => beyondBorder(i - 4, 4, boundary))
    expect(line('zero')).toEqual([-1, -1, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1])
    expect(line('nearest')).toEqual([0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3])
    expect(line('periodic')).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3])
    expect(line('mirror')).toEqual([3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0])
  })
})

describe.each(boundaries)('filters with %s beyond the border', (boundary) => {
  it('mean', () => {
    const response = respond({ kind: 'mean', support: 5, boundary })
    for (const place of places)
      expect(response[indexOf(place)]).toBeCloseTo(
        convolveAt(place, [2, 2, 2], () => 1 / 125, boundary),
        3,
      )
  })

  it('Laplacian of Gaussian, in space and in slices', () => {
    const kernel = (dimensions: number) => (dx: number, dy: number, dz: number) => {
      const squared = (dx * dx + dy * dy + dz * dz) / 1.5 ** 2
      return (
        (-1 / 1.5 ** 2) *
        (Math.sqrt(2 * Math.PI) * 1.5) ** -dimensions *
        (dimensions - squared) *
        Math.exp(-squared / 2)
      )
    }
    const spatial = respond({ kind: 'laplacian-of-gaussian', sigma: 3, boundary })
    const planar = respond({ kind: 'laplacian-of-gaussian', sigma: 3, dimensions: 2, boundary })
    for (const place of places) {
      expect(spatial[indexOf(place)]).toBeCloseTo(convolveAt(place, [6, 6, 6], kernel(3), boundary), 3)
      expect(planar[indexOf(place)]).toBeCloseTo(convolveAt(place, [6, 6, 0], kernel(2), boundary), 3)
    }
  })

  it('Laws kernels in one orientation', () => {
    const [e, w, r] = [
      [-1, 0, 1],
      [-1, 2, 0, -2, 1],
      [1, -4, 6, -4, 1],
    ].map((k) => k.map((v) => v / Math.hypot(...k)))
    const response = respond({ kind: 'laws', kernels: 'E3W5R5', boundary })
    for (const place of places) {
      const wanted = convolveAt(
        place,
        [1, 2, 2],
        (dx, dy, dz) => (e?.[dx + 1] ?? 0) * (w?.[dy + 2] ?? 0) * (r?.[dz + 2] ?? 0),
        boundary,
      )
      expect(response[indexOf(place)]).toBeCloseTo(wanted, 3)
    }
  })

  it('Gabor in one orientation', () => {
    const filter = { kind: 'gabor', sigma: 2, wavelength: 4, gamma: 1.5, theta: 60, boundary } as const
    const response = respond(filter)
    const along = (dx: number, dy: number): number => 2 * (dx * Math.cos(Math.PI / 3) + dy * Math.sin(Math.PI / 3))
    const beside = (dx: number, dy: number): number => 2 * (dy * Math.cos(Math.PI / 3) - dx * Math.sin(Math.PI / 3))
    const weight = (dx: number, dy: number): number =>
      Math.exp(-(along(dx, dy) ** 2 + 1.5 ** 2 * beside(dx, dy) ** 2) / 8)
    const part = (place: (typeof places)[number], wave: (phase: number) => number): number =>
      convolveAt(place, [6, 6, 0], (dx, dy) => weight(dx, dy) * wave((Math.PI / 2) * along(dx, dy)), boundary)
    for (const place of places)
      expect(response[indexOf(place)]).toBeCloseTo(Math.hypot(part(place, Math.cos), part(place, Math.sin)), 2)
  })
})

describe('rotations by right angles', () => {
  it('are 4 in a plane and 24 in space, each with its handedness kept', () => {
    expect(rightAngleRotations(2)).toHaveLength(4)
    const rotations = rightAngleRotations(3)
    expect(rotations).toHaveLength(24)
    expect(new Set(rotations.map((rotation) => JSON.stringify(rotation))).size).toBe(24)
    for (const { order, reversed } of rotations) {
      const swaps = [
        [0, 1],
        [0, 2],
        [1, 2],
      ].filter(([a = 0, b = 0]) => (order[a] as number) > (order[b] as number)).length
      expect((swaps + reversed.filter(Boolean).length) % 2).toBe(0)
    }
  })

  /** The image and its rotation by 90 degrees about z respond alike. */
  it.each<Filter>([
    { kind: 'laws', kernels: 'L5E5S5', rotationInvariance: 'max' },
    { kind: 'laws', kernels: 'L5E5', rotationInvariance: 'max', energyDistance: 1 },
    { kind: 'wavelet', family: 'haar', bands: 'LLH', rotationInvariance: 'mean' },
    { kind: 'gabor', sigma: 3, wavelength: 6, gamma: 0.5, thetaStep: 45, planes: 'orthogonal' },
  ])('leave the response of $kind $kernels$bands as it is', (filter) => {
    const cube = gridOf([12, 12, 12], [2, 2, 2])
    const of = (x: number, y: number, z: number): number => Math.sin(x * y) * 50 + x * z - (y * y) / 2
    const upright = imageOf(cube, of)
    const turned = imageOf(cube, (x, y, z) => of(y, 11 - x, z))
    const a = applyFilter({ ...cube, data: upright.data as Float32Array }, filter)
    const b = applyFilter({ ...cube, data: turned.data as Float32Array }, filter)
    for (const [index, [x, y, z]] of [...eachVoxel(cube)].entries())
      expect(b[index]).toBeCloseTo(a[(z * 12 + 11 - x) * 12 + y] as number, 2)
  })
})

describe('wavelets', () => {
  it.each(['haar', 'db2', 'db3', 'coif1'] as const)(
    '%s: low pass keeps a constant, high pass takes it away',
    (family) => {
      const even = { size: [9, 9, 9], spacing: [1, 1, 1], data: new Float32Array(729).fill(10) } as const
      const low = applyFilter(even, { kind: 'wavelet', family, bands: 'LLL', level: 2 })
      const high = applyFilter(even, { kind: 'wavelet', family, bands: 'LLH', level: 2 })
      // Each level of a stationary low pass multiplies by the square root of 2 along each axis.
      expect(low[364]).toBeCloseTo(10 * 8, 3)
      expect(high[364]).toBeCloseTo(0, 4)
    },
  )

  it('of Haar are sums and differences of neighbours', () => {
    const row = { size: [4, 1, 1], spacing: [1, 1, 1], data: Float32Array.of(1, 5, 2, 8) } as const
    const response = applyFilter(row, { kind: 'wavelet', family: 'haar', bands: 'HL', boundary: 'nearest' })
    const wanted = [5 - 1, 2 - 5, 8 - 2, 0].map((difference) => -difference)
    for (const [i, value] of wanted.entries()) expect(response[i]).toBeCloseTo(value, 4)
  })
})

describe('a filter on part of an image', () => {
  it.each<Filter>([
    { kind: 'mean', support: 5 },
    { kind: 'laplacian-of-gaussian', sigma: 2, boundary: 'nearest' },
    { kind: 'laws', kernels: 'L5E5E5', rotationInvariance: 'max', energyDistance: 3 },
    { kind: 'wavelet', family: 'db3', bands: 'LH', level: 2, rotationInvariance: 'mean' },
    { kind: 'wavelet', family: 'coif1', bands: 'HHL', boundary: 'periodic' },
    { kind: 'gabor', sigma: 2, wavelength: 3, gamma: 0.8, theta: 30 },
  ])('is the same as on the whole: $kind', (filter) => {
    const large = lumpySample([40, 38, 36], [1, 1, 1]).image
    const small = maskOf(large.grid, (x, y, z) => Math.hypot(x - 8, y - 30, z - 18) < 5)
    const whole = applyFilter({ ...large.grid, data: large.data as Float32Array }, filter)
    const region = prepareRegion(large, small, { filter })
    const found = [...region.intensities].filter((_, i) => region.morphologicalMask[i] === 1)
    const wanted = [...whole].filter((_, i) => small.labels[i] === 1)
    expect(found.length).toBe(wanted.length)
    expect(Math.max(...found.map((value, i) => Math.abs(value - (wanted[i] as number))))).toBeLessThan(2e-3)
  })

  it('comes after re-segmentation, which looks at the unfiltered image', () => {
    const options = { families: ['intensity'], resegmentation: { lower: 100 } } as const
    const plain = prepareRegion(image, mask, options)
    const filtered = prepareRegion(image, mask, { ...options, filter: { kind: 'mean', support: 3 } })
    const kept = (region: typeof plain): number => region.intensityMask.reduce((sum, value) => sum + value, 0)
    expect(kept(filtered)).toBe(kept(plain))
    const features = computeFeatures(image, mask, { ...options, filter: { kind: 'mean', support: 3 } })
    expect(features.find(({ tag }) => tag === 'mean_3_3D_stat_min')?.value).toBeLessThan(100)
  })
})

describe('filters that make no sense', () => {
  it.each<Filter>([
    { kind: 'mean', support: 4 },
    { kind: 'laplacian-of-gaussian', sigma: 0 },
    { kind: 'laws', kernels: 'L5X5' },
    { kind: 'laws', kernels: 'L5' },
    { kind: 'wavelet', family: 'haar', bands: 'LXL' },
    { kind: 'wavelet', family: 'sym9' as 'haar', bands: 'LL' },
    { kind: 'gabor', sigma: 1, wavelength: -1, gamma: 1 },
  ])('are refused: $kind', (filter) => {
    expect(() => {
      filterReach(filter, spacing)
      respond(filter)
    }).toThrow(expect.objectContaining({ code: 'invalid-options' }))
  })
})

const impulse = filterPhantom('impulse')

describe.skipIf(!impulse)('the impulse of IBSI-2', () => {
  const respondTo = (filter: Filter): { at: (x: number, y: number, z: number) => number; peak: number } => {
    if (!impulse) throw new Error('skipped')
    const data = impulse.data as Float32Array
    const response = applyFilter({ ...impulse.grid, data }, filter)
    const place = data.findIndex((value) => value !== 0)
    const peak = data[place] as number
    return { at: (x, y, z) => (response[place + (z * 64 + y) * 64 + x] as number) / peak, peak }
  }

  it('becomes the kernel of configuration 2.a: a Laplacian of Gaussian of 3 mm on voxels of 2 mm', () => {
    const { at, peak } = respondTo({ kind: 'laplacian-of-gaussian', sigma: 3, boundary: 'zero' })
    const kernel = (squared: number): number =>
      -(1 / 1.5 ** 2) *
      (2 * Math.PI * 1.5 ** 2) ** -1.5 *
      (3 - squared / 1.5 ** 2) *
      Math.exp(-squared / (2 * 1.5 ** 2))
    expect(peak).toBe(255)
    expect(at(0, 0, 0)).toBeCloseTo(kernel(0), 7)
    expect(at(1, -2, 3)).toBeCloseTo(kernel(14), 7)
    // The kernel ends at 4 sigma: 6 voxels.
    expect(at(6, 0, 0)).toBeCloseTo(kernel(36), 7)
    expect(at(7, 0, 0)).toBe(0)
  })

  it('becomes the kernel of configuration 3.a.1: Laws E5L5S5', () => {
    const { at } = respondTo({ kind: 'laws', kernels: 'E5L5S5', boundary: 'zero' })
    const norm = Math.sqrt(10 * 70 * 6)
    expect(at(1, 0, 0)).toBeCloseTo((2 * 6 * 2) / norm, 6)
    expect(at(-2, 1, 2)).toBeCloseTo((-1 * 4 * -1) / norm, 6)
  })

  it('becomes the envelope of configuration 4.a.1: a Gabor of 10 mm, wavelength 4 mm, 60 degrees', () => {
    const { at } = respondTo({ kind: 'gabor', sigma: 10, wavelength: 4, gamma: 0.5, theta: 60, boundary: 'zero' })
    const along = 2 * (3 * Math.cos(Math.PI / 3) + 2 * Math.sin(Math.PI / 3))
    const beside = 2 * (2 * Math.cos(Math.PI / 3) - 3 * Math.sin(Math.PI / 3))
    expect(at(0, 0, 0)).toBeCloseTo(1, 4)
    expect(at(3, 2, 0)).toBeCloseTo(Math.exp(-(along ** 2 + 0.25 * beside ** 2) / 200), 4)
    expect(at(0, 0, 1)).toBe(0)
  })
})
