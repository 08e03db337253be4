import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scale, type Vector } from '../../../src/dicom/geometry.ts'
import { type Grid, indexOf, type LabelMap, placeOf, voxelsOf } from '../../../src/infer/image.ts'
import { labelsOnto, resampleOnto } from '../../../src/infer/prepare/resample.ts'
import { centredGrid, gridOf, imageOf, noise, turned } from './chain.ts'

const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] as const // biome-ignore format: permutations

/** The same voxels with axes in another order and direction. */
function rearranged(grid: Grid, order: readonly number[], flips: readonly boolean[]): Grid {
  const pick = <T>(of: readonly T[]): [T, T, T] => order.map((axis) => of[axis] as T) as [T, T, T]
  const first = [0, 1, 2].map((axis) => (flips[order.indexOf(axis)] ? (grid.size[axis] as number) - 1 : 0))
  return {
    size: pick(grid.size),
    spacing: pick(grid.spacing),
    origin: placeOf(grid, first as unknown as Vector),
    axes: pick(grid.axes).map((axis, t) => scale(axis, flips[t] ? -1 : 1)) as unknown as Grid['axes'],
  }
}

const size = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 37 }))
const arrangement = fc.record({
  order: fc.constantFrom(...orders),
  flips: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
})
const angles = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: -180, max: 180 }))) as fc.Arbitrary<
  [number, number, number]
>

describe('grids whose voxels lie on each other', () => {
  it('are copied exactly, there and back, whatever the order and direction of their axes', () => {
    fc.assert(
      fc.property(size, arrangement, angles, ([nx, ny, nz], { order, flips }, turn) => {
        // As positions are in a header: rounded.
        const axes = turned(...turn).map((axis) => axis.map((c) => Number(c.toFixed(6)))) as unknown as Grid['axes']
        const grid = gridOf([nx, ny, nz], [0.7, 0.81, 2.5], axes, [-120.5, 33.25, 7])
        const random = noise(nx + ny)
        const image = imageOf(grid, () => random() * 60000 - 30000, Int16Array)
        const labels: LabelMap = { grid, labels: Uint8Array.from(image.data, (v) => (v > 0 ? v & 3 : 0)) }
        const other = rearranged(grid, order, flips)
        expect(resampleOnto(resampleOnto(image, other), grid).data).toEqual(image.data)
        expect(labelsOnto(labelsOnto(labels, other), grid).labels).toEqual(labels.labels)
        const at: Vector = [nx - 1, ny >> 1, nz >> 2]
        const index = indexOf(other, placeOf(grid, at)).map(Math.round) as [number, number, number]
        const moved = resampleOnto(image, other).data[(index[2] * other.size[1] + index[1]) * other.size[0] + index[0]]
        expect(moved).toBe(image.data[(at[2] * ny + at[1]) * nx + at[0]])
      }),
      { numRuns: 60 },
    )
  })

  it('keep the same object where the grid is the same', () => {
    const image = imageOf(gridOf([3, 4, 5]), ([x]) => x)
    expect(resampleOnto(image, { ...image.grid, origin: [0.001, 0, 0] })).toBe(image)
  })

  it('have the value for outside, or the edge, where they reach beyond', () => {
    const image = imageOf(gridOf([3, 1, 1]), ([x]) => x + 1, Uint8Array)
    const wider = gridOf([7, 1, 1], [1, 1, 1], undefined, [-2, 0, 0])
    expect([...resampleOnto(image, wider, { outside: 9 }).data]).toEqual([9, 9, 1, 2, 3, 9, 9])
    expect([...resampleOnto(image, wider).data]).toEqual([1, 1, 1, 2, 3, 3, 3])
    expect([...labelsOnto({ grid: image.grid, labels: image.data as Uint8Array }, wider).labels]).toEqual([
      0, 0, 1, 2, 3, 0, 0,
    ])
  })
})

describe('interpolation', () => {
  const ramp = ([x, y, z]: Vector): number => 3 * x - 2 * y + 0.5 * z + 100

  it.each(['linear', 'cubic'] as const)('%s is exact for a ramp, on turned grids too', (interpolation) => {
    fc.assert(
      fc.property(angles, angles, (from, to) => {
        const source = imageOf(centredGrid([20, 22, 24], [1.1, 0.9, 1.3], turned(...from)), ramp)
        const grid = centredGrid([6, 5, 7], [0.8, 1.2, 0.7], turned(...to))
        const wanted = imageOf(grid, ramp)
        const found = resampleOnto(source, grid, { interpolation }).data
        // A spline is mirrored at the border, which a ramp is not: in the middle nothing of it is left.
        for (let i = 0; i < found.length; i++)
          expect(Math.abs((found[i] as number) - (wanted.data[i] as number))).toBeLessThan(0.02)
      }),
      { numRuns: 25 },
    )
  })

  it('averages where voxels become larger, if asked to', () => {
    const stripes = imageOf(gridOf([64, 8, 8], [0.5, 0.5, 0.5]), (_, [i]) => (i & 1) * 100)
    const coarse = gridOf([16, 4, 4], [2, 1, 1], undefined, [0.75, 0.25, 0.25])
    const turnedCoarse = centredGrid([6, 3, 3], [2, 1, 1], turned(0, 0, 8))
    const centred = { ...stripes, grid: centredGrid([64, 8, 8], [0.5, 0.5, 0.5]) }
    for (const data of [
      resampleOnto(stripes, coarse, { antiAlias: true }).data.slice(1, 15),
      resampleOnto(stripes, coarse, { interpolation: 'cubic', antiAlias: true }).data.slice(2, 14),
      resampleOnto(centred, turnedCoarse, { antiAlias: true }).data,
    ])
      for (const value of data) expect(Math.abs(value - 50)).toBeLessThan(4)
  })

  it('works on each channel alone', () => {
    const grid = gridOf([8, 8, 3])
    const [first, second] = [imageOf(grid, ([x]) => x), imageOf(grid, ([, y]) => -y)]
    const data = new Float32Array([...first.data, ...second.data])
    const finer = gridOf([5, 5, 3], [1.5, 1.5, 1])
    const both = resampleOnto({ grid, channels: 2, data }, finer)
    expect([...both.data]).toEqual([...resampleOnto(first, finer).data, ...resampleOnto(second, finer).data])
  })
})

/** By the definition: fractions of all labels between the eight voxels around. */
function electedAt(map: LabelMap, place: Vector): number {
  const at = indexOf(map.grid, place)
  const [nx, ny] = map.grid.size
  if (at.some((x, axis) => x < -0.5 - 1e-6 || x > (map.grid.size[axis] as number) - 0.5 + 1e-6)) return 0
  const inside = at.map((x, axis) => Math.min((map.grid.size[axis] as number) - 1, Math.max(0, x)))
  const fractions = new Map<number, number>()
  for (let corner = 0; corner < 8; corner++) {
    const pick = inside.map((x, axis) =>
      (corner >> axis) & 1 ? Math.min((map.grid.size[axis] as number) - 1, Math.floor(x) + 1) : Math.floor(x),
    )
    const weight = inside.reduce(
      (w, x, axis) => w * ((corner >> axis) & 1 ? x - Math.floor(x) : 1 - (x - Math.floor(x))),
      1,
    )
    const label = map.labels[((pick[2] as number) * ny + (pick[1] as number)) * nx + (pick[0] as number)] as number
    fractions.set(label, (fractions.get(label) ?? 0) + weight)
  }
  if ((fractions.get(0) ?? 0) > 0.5 + 1e-9) return 0
  fractions.delete(0)
  return [...fractions].reduce(
    (a, b) => (b[1] > a[1] + 1e-9 || (b[1] > a[1] - 1e-9 && b[0] < a[0]) ? b : a),
    [0, -1],
  )[0]
}

describe('labels on another grid', () => {
  it('are those with the largest fraction, background where it has more than half', () => {
    fc.assert(
      fc.property(angles, angles, fc.boolean(), (from, to, isParallel) => {
        const random = noise(from[0] + 181)
        const grid = centredGrid([9, 11, 8], [1, 0.8, 2], turned(...from))
        const blocks = Array.from({ length: 64 }, () => Math.floor(random() * 4))
        const map = {
          grid,
          labels: imageOf(grid, (_, [i, j, k]) => blocks[((k >> 2) * 4 + (j >> 2)) * 4 + (i >> 2)] ?? 0, Uint8Array)
            .data as Uint8Array,
        }
        const target = centredGrid([13, 12, 14], [0.9, 0.77, 1.1], isParallel ? grid.axes : turned(...to))
        const found = labelsOnto(map, target)
        const wanted = imageOf(target, (place) => electedAt(map, place), Uint8Array).data
        expect(found.labels).toEqual(wanted)
        expect(voxelsOf(found.grid)).toBe(found.labels.length)
      }),
      { numRuns: 30 },
    )
  })

  it('are empty where there is none', () => {
    const map = { grid: gridOf([4, 4, 4]), labels: new Uint8Array(64) }
    expect(labelsOnto(map, gridOf([5, 5, 5], [0.7, 0.7, 0.7])).labels).toEqual(new Uint8Array(125))
    expect(labelsOnto(map, gridOf([5, 5, 5], [0.7, 0.7, 0.7], turned(5, 6, 7))).labels).toEqual(new Uint8Array(125))
  })
})
