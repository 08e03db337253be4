import { describe, expect, it } from 'vitest'
import { placeOf } from '../../../src/infer/image.ts'
import { labelsFrom } from '../finish/apply-step.ts'
import { ellipsoid, grid, measure, segment, valueOf } from './shapes.ts'

const spacings = [
  [1, 1, 1],
  [0.7, 0.7, 1.5],
] as const

describe.each(spacings)('a ball of 15 mm, voxels of %s x %s x %s mm', (...spacing) => {
  const size = spacing.map((mm) => 2 * Math.ceil(17 / mm) + 1) as unknown as [number, number, number]
  const of = grid(size, spacing)
  const ball = ellipsoid(of, [15, 15, 15])
  const within = (name: string, truth: number, part: number) =>
    expect(Math.abs(valueOf(name, segment(ball)) / truth - 1), name).toBeLessThan(part)

  it('has its volume, surface, sphericity and diameters', () => {
    within('volume', ((4 / 3) * Math.PI * 15 ** 3) / 1000, 0.01)
    within('area', Math.PI * 15 ** 2, 0.01)
    // The mesh of a mask has the steps of its voxels: a tenth more than the ball, however fine the voxels are.
    within('surface-area', 4 * Math.PI * 15 ** 2, 0.13)
    within('sphericity', 1, 0.12)
    // One voxel: those whose centre lies at 15 mm belong to it.
    for (const name of ['long-axis', 'short-axis'])
      expect(Math.abs(valueOf(name, segment(ball)) - 30), name).toBeLessThanOrEqual(spacing[0] + 1e-9)
    expect(Math.abs(valueOf('feret', segment(ball)) - 30)).toBeLessThanOrEqual(spacing[2] + 1e-9)
  })

  it('lies where it is', () => {
    const centre = placeOf(of, [(size[0] - 1) / 2, (size[1] - 1) / 2, (size[2] - 1) / 2])
    for (const [axis, { value, part, unit }] of measure('centroid', segment(ball)).entries()) {
      expect(value).toBeCloseTo(centre[axis] as number, 9)
      expect([part, unit]).toEqual([['x', 'y', 'z'][axis], 'mm'])
    }
    expect(measure('extent', segment(ball)).map(({ value }) => value)).toEqual(
      spacing.map((mm) => expect.closeTo((2 * Math.floor(15 / mm) + 1) * mm, 9)),
    )
  })
})

describe('an ellipsoid of 24, 12 and 8 mm', () => {
  const of = grid([60, 40, 24], [1, 0.8, 1], true)
  const shape = ellipsoid(of, [24, 12, 8], 3)

  it('has its axes in the plane, perpendicular to each other, with ends on the outline', () => {
    const [long] = measure('long-axis', segment(shape, 3))
    const [short] = measure('short-axis', segment(shape, 3))
    if (!long?.places || !short?.places) throw new Error('ends are expected')
    expect(Math.abs(long.value - 48)).toBeLessThan(1)
    expect(Math.abs(short.value - 24)).toBeLessThan(1)
    expect([long.slice, short.slice]).toEqual([expect.any(Number), long.slice])
    expect([long.part, short.part]).toEqual([undefined, undefined])
    const along = (places: typeof long.places) => places[1]?.map((x, a) => x - (places[0]?.[a] as number)) as number[]
    const [a, b] = [along(long.places), along(short.places)]
    expect(Math.hypot(...a)).toBeCloseTo(long.value, 9)
    expect(Math.hypot(...b)).toBeCloseTo(short.value, 9)
    expect(a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)).toBeCloseTo(0, 9)
    // Both in the plane of the slices.
    expect([a[2], b[2]]).toEqual([expect.closeTo(0, 9), expect.closeTo(0, 9)])
  })

  it('has its longest diameter in space, also where it lies across the slices', () => {
    const upright = ellipsoid(grid([24, 40, 70], [1, 0.8, 1]), [8, 12, 24])
    const [found] = measure('feret', segment(upright))
    expect(Math.abs((found?.value ?? 0) - 48)).toBeLessThan(1.2)
    expect(
      Math.hypot(...(found?.places?.[0]?.map((x, a) => x - (found.places?.[1]?.[a] as number)) ?? [])),
    ).toBeCloseTo(found?.value ?? 0, 9)
    expect(valueOf('long-axis', segment(upright))).toBeLessThan(26)
  })
})

describe('a box of 10 x 6 x 4 voxels', () => {
  const of = grid([20, 20, 10], [0.5, 1, 2])
  const box = labelsFrom(of, (i, j, k) =>
    i >= 4 && i < 14 && j >= 2 && j < 8 && k >= 3 && k < 7 ? 2 : i === 0 && j === 0 && k === 0 ? 5 : 0,
  )

  it('has exactly its volume in every unit, its area in every slice, and the diagonal of its outline', () => {
    for (const [unit, value] of [
      ['mm3', 240],
      ['mL', 0.24],
      ['cm3', 0.24],
      ['L', 0.00024],
    ] as const)
      expect(measure('volume', segment(box, 2), {}, { unit })).toEqual([{ value: expect.closeTo(value, 15), unit }])
    expect(measure('area-per-slice', segment(box, 2), {}, { unit: 'cm2' })).toEqual(
      [3, 4, 5, 6].map((k) => ({ value: 0.3, unit: 'cm2', part: `slice-${k}`, slice: k })),
    )
    expect(measure('area', segment(box, 2), { slice: 4 })).toEqual([{ value: 30, unit: 'mm2', slice: 4 }])
    expect(valueOf('area', segment(box, 2), { slice: 1 })).toBe(0)
    // Corners of the outline are cut half way between voxels: (0.5 * 10 x 5) and (0.5 * 9 x 6) mm.
    expect(valueOf('long-axis', segment(box, 2))).toBeCloseTo(Math.max(Math.hypot(5, 5), Math.hypot(4.5, 6)), 12)
    expect(() => measure('volume', segment(box, 2), {}, { unit: 'mm2' })).toThrow(
      /unit mm2 cannot be given .* mL, dm3, L can/,
    )
  })

  it('counts with others together', () => {
    expect(valueOf('volume', segment(box, 2, 5), {}, { unit: 'mm3' })).toBe(241)
    expect(valueOf('component-count', segment(box, 2, 5))).toBe(2)
    expect(valueOf('component-count', segment(box, 2, 5), { minimumVolume: 0.002 })).toBe(1)
    expect(measure('extent', segment(box, 2, 5)).map((m) => m.value)).toEqual([7, 8, 14])
  })

  it('has the surface of its mesh: faces, edges and corners cut off half way between voxels', () => {
    const cubic = grid([12, 8, 6], [1, 1, 1])
    const cuboid = labelsFrom(cubic, (i, j, k) => (i >= 1 && i < 11 && j >= 1 && j < 7 && k >= 1 && k < 5 ? 1 : 0))
    const [a, b, c] = [9, 5, 3] as const
    const area = 2 * (a * b + b * c + a * c) + 4 * Math.SQRT1_2 * (a + b + c) + Math.sqrt(3)
    expect(valueOf('surface-area', segment(cuboid))).toBeCloseTo(area, 9)
    // Half a voxel beyond the centres at each face, a triangle of 1/8 along each of 12 edges, a pyramid of 1/48 at each corner.
    const volume = a * b * c + a * b + b * c + a * c + (a + b + c) / 2 + 1 / 6
    expect(valueOf('sphericity', segment(cuboid))).toBeCloseTo(Math.cbrt(36 * Math.PI * volume ** 2) / area, 9)
  })
})

describe('what is not there', () => {
  const empty = labelsFrom(grid([5, 5, 5], [1, 1, 1]), () => 2)

  it('has no size', () => {
    expect(valueOf('volume', segment(empty, 1))).toBe(0)
    expect(valueOf('component-count', segment(empty, 1))).toBe(0)
    expect(measure('area-per-slice', segment(empty, 1))).toEqual([])
    for (const name of ['area', 'long-axis', 'short-axis', 'feret', 'surface-area', 'sphericity', 'centroid', 'extent'])
      expect(valueOf(name, segment(empty, 1)), name).toBeNaN()
  })
})

describe('regions in one slice', () => {
  it('are measured each by itself, over dents', () => {
    const of = grid([40, 40, 2], [1, 1, 5])
    // A U of 20 x 20 mm, and a speck far away.
    const shape = labelsFrom(of, (i, j, k) =>
      k === 1 && ((i < 20 && j < 20 && (i < 4 || i >= 16 || j < 4)) || (i === 39 && j === 39)) ? 1 : 0,
    )
    expect(valueOf('long-axis', segment(shape))).toBeCloseTo(Math.hypot(20, 19), 12)
    expect(valueOf('short-axis', segment(shape))).toBeGreaterThan(26)
    const dot = labelsFrom(of, (i, j, k) => (i === 5 && j === 5 && k === 0 ? 1 : 0))
    expect([valueOf('long-axis', segment(dot)), valueOf('short-axis', segment(dot))]).toEqual([1, 1])
  })
})
