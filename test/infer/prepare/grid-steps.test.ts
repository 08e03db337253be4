import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Vector } from '../../../src/dicom/geometry.ts'
import { type Grid, type Image, placeOf } from '../../../src/infer/image.ts'
import type { Value } from '../../../src/infer/value.ts'
import { type Call, centredGrid, gridOf, imageOf, noiseImage, runChain, turned } from './chain.ts'

/** Values that tell their place: each step must leave them where they are in the patient. */
const byPlace = ([x, y, z]: Vector): number => 10 * x + 0.1 * y - z + 5

function expectPlaced(image: Image, within: number): void {
  const wanted = imageOf(image.grid, byPlace)
  for (let i = 0; i < wanted.data.length; i++)
    expect(Math.abs((image.data[i] as number) - (wanted.data[i] as number))).toBeLessThanOrEqual(within)
}

describe('resample', () => {
  it('covers the same extent around the same middle', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.4, max: 6, noNaN: true }),
        fc.double({ min: 0.5, max: 5, noNaN: true }),
        (from, to) => {
          const grid = centredGrid([12, 10, 7], [from, from, 2.5], turned(10, 20, 30))
          const { grid: found } = runChain(imageOf(grid, byPlace), [['resample', { spacing: [to, to] }]])
          const middle = placeOf(found, found.size.map((n) => (n - 1) / 2) as unknown as Vector)
          expect(Math.hypot(...middle)).toBeLessThan(1e-9)
          expect(found.size[0] * found.spacing[0]).toBeGreaterThanOrEqual(12 * from * (1 - 1e-4))
          expect(found.size[0] * found.spacing[0]).toBeLessThan(12 * from + found.spacing[0])
          expect([found.size[2], found.spacing[2]]).toEqual([7, 2.5])
        },
      ),
    )
  })

  it('keeps an image that has the spacing already, and the one slice of a picture', () => {
    const image = imageOf(gridOf([4, 4, 3], [0.99999, 1, 2]), byPlace)
    expect(runChain(image, [['resample', { spacing: [1, 1, null] }]])).toBe(image)
    const picture = imageOf(gridOf([8, 6, 1], [0.5, 0.5, 1]), byPlace)
    expect(runChain(picture, [['resample', { spacing: 1 }]]).grid.size).toEqual([4, 3, 1])
  })
})

describe('reorient', () => {
  it.each(['RAS', 'LPS', 'LAS', 'SAR', 'IPL', 'PIR', 'AFL'])('to %s moves no voxel', (axes) => {
    const image = imageOf(centredGrid([5, 6, 4], [1, 2, 3], turned(12, -20, 100)), byPlace)
    const found = runChain(image, [['reorient', { axes }]])
    expectPlaced(found, 1e-3)
    const letters = ['LR', 'PA', 'SI']
    for (const [t, letter] of axes.split('').entries()) {
      const patient = letters.findIndex((pair) => pair.replace('S', 'SH').replace('I', 'IF').includes(letter))
      const along = (found.grid.axes[t] as Vector)[patient] as number
      expect(Math.abs(along)).toBeGreaterThan(0.6)
      expect(along > 0).toBe('LPSH'.includes(letter))
    }
  })

  it('straightens oblique images, with nothing of them left out', () => {
    const image = imageOf(centredGrid([20, 24, 16], [1, 1, 1.5], turned(12, -20, 8)), () => 7)
    const found = runChain(image, [['reorient', { axes: 'RAS', oblique: 'resample', outside: 0 }]])
    expect(found.grid.axes.flat().map((c) => c + 0)).toEqual([-1, 0, 0, 0, -1, 0, 0, 0, 1])
    const volume = Float32Array.from(found.data).reduce((sum, v) => sum + v / 7, 0) * 1.5
    expect(volume / (20 * 24 * 16 * 1.5)).toBeCloseTo(1, 2)
    const upright = imageOf(gridOf([3, 3, 3]), byPlace)
    expect(runChain(upright, [['reorient', { axes: 'LPS', oblique: 'resample' }]])).toBe(upright)
  })
})

describe('resize', () => {
  it.each([
    ['stretch', [30, 10, 5]],
    ['letterbox', [30, 10, 5]],
    ['crop', [30, 10, 5]],
    ['letterbox', [9, 30, 3]],
  ] as const)('%s to %j leaves things where they are', (aspect, size) => {
    const image = imageOf(centredGrid([20, 16, 5], [1, 1, 2], turned(0, 30, 0)), byPlace)
    const found = runChain(image, [['resize', { size, aspect, antiAlias: false, fill: 'edge' }]])
    expect(found.grid.size).toEqual(size)
    const middle = ([t, o]: [number, number]): number => Math.floor(t * o)
    const at = size.map((n) => middle([n, 0.5])) as [number, number, number]
    const value = found.data[(at[2] * size[1] + at[1]) * size[0] + at[0]] as number
    expect(Math.abs(value - byPlace(placeOf(found.grid, at)))).toBeLessThan(1e-3)
    if (aspect !== 'stretch') expect(found.grid.spacing[0] / found.grid.spacing[1]).toBeCloseTo(1, 0)
  })

  it('fills what a letterbox leaves over', () => {
    const found = runChain(
      imageOf(gridOf([8, 4, 1]), () => 9),
      [['resize', { size: [8, 8], aspect: 'letterbox', fill: -1 }]],
    )
    expect([...found.data].filter((v) => v === -1)).toHaveLength(32)
    expect(found.data.slice(16, 48)).toEqual(new Float32Array(32).fill(9))
  })
})

describe('resample-to', () => {
  const ct: Value = { kind: 'image', image: imageOf(centredGrid([10, 12, 8], [2, 2, 3], turned(3, 2, 1)), () => 0) }
  const pet = imageOf(centredGrid([14, 16, 14], [4, 4, 4]), byPlace)
  const call: Call = ['resample-to', { grid: 'ct' }]

  it('brings an image onto the grid of another value, by their places', () => {
    const found = runChain(pet, [call], { values: { ct } })
    expect(found.grid).toBe(ct.kind === 'image' ? ct.image.grid : null)
    expectPlaced(found, 1e-3)
  })

  it('refuses another frame of reference, a place apart, and a value without a grid', () => {
    const header = { '00200052': { vr: 'UI', Value: ['1.2.3'] } }
    expect(() => runChain(pet, [call], { values: { ct }, header, frames: { ct: '1.2.4' } })).toThrow(
      'another Frame of Reference than ct',
    )
    expect(runChain(pet, [call], { values: { ct }, header, frames: { ct: '1.2.3' } }).grid.size).toEqual([10, 12, 8])
    const far = { ...pet, grid: { ...pet.grid, origin: [900, 0, 0] as Vector } }
    expect(() => runChain(far, [call], { values: { ct } })).toThrow('do not overlap with ct')
    expect(() => runChain(pet, [call], { values: { ct: { kind: 'numbers', numbers: new Float64Array(2) } } })).toThrow(
      'ct has no grid',
    )
  })
})

describe('crops and borders', () => {
  const grid = centredGrid([20, 16, 12], [1, 1.5, 2], turned(10, 25, -5))
  const image = imageOf(grid, byPlace)
  const block =
    (low: Vector, high: Vector): ((place: Vector, index: Vector) => number) =>
    (_, index) =>
      index.every((at, axis) => at >= (low[axis] as number) && at <= (high[axis] as number)) ? 1 : 0
  const mask = imageOf(grid, block([5, 4, 3], [9, 8, 6]), Uint8Array)
  const labels: Value = { kind: 'labels', labels: { grid, labels: mask.data as Uint8Array } }

  it.each<[Call, Grid['size']]>([
    [
      ['crop-centre', { size: [8, 40, 4] }],
      [8, 16, 4],
    ],
    [
      ['crop-centre', { size: [8, 8] }],
      [8, 8, 12],
    ],
    [
      ['crop-to', { mask: 'lesion' }],
      [5, 5, 4],
    ],
    [
      ['crop-to', { mask: 'lesion', margin: 3 }],
      [11, 9, 8],
    ],
    [
      ['crop-to', { mask: 'lesion', margin: 100 }],
      [20, 16, 12],
    ],
    [
      ['fit', { size: [8, 8, 8] }],
      [8, 8, 8],
    ],
  ])('%j cut whole voxels, which stay in place', (call, size) => {
    const found = runChain(image, [call], { values: { lesion: labels } })
    expect(found.grid.size).toEqual(size)
    expectPlaced(found, 1e-3)
  })

  it('crop to labels on another grid, to some of them, to an image, to boxes, to a size around them', () => {
    const half = centredGrid([10, 8, 6], [2, 3, 4], grid.axes)
    const coarse: Value = {
      kind: 'labels',
      labels: {
        grid: half,
        labels: imageOf(half, (_, [i, j, k]) => (i === 3 && j === 2 && k === 1 ? 2 : i === 9 ? 1 : 0), Uint8Array)
          .data as Uint8Array,
      },
    }
    const found = runChain(image, [['crop-to', { mask: 'm', labels: [2] }]], { values: { m: coarse } })
    expect(found.grid.size).toEqual([2, 2, 2])
    expect(placeOf(found.grid, [0.5, 0.5, 0.5]).map((c) => c.toFixed(6))).toEqual(
      placeOf(half, [3, 2, 1]).map((c) => c.toFixed(6)),
    )
    const soft: Value = { kind: 'image', image: { ...mask, data: Float32Array.from(mask.data, (v) => v * 0.7) } }
    expect(runChain(image, [['crop-to', { mask: 'm' }]], { values: { m: soft } }).grid.size).toEqual([5, 5, 4])
    const boxes: Value = {
      kind: 'boxes',
      grid,
      boxes: [
        { from: [4.5, 3.5, 2.5], to: [9.5, 8.5, 6.5], score: 0.9, class: 0 },
        { from: [0, 0, 0], to: [1, 1, 1], score: 0.1, class: 0 },
      ],
    }
    expect(runChain(image, [['crop-to', { boxes: 'm', score: 0.5 }]], { values: { m: boxes } }).grid.size).toEqual([
      5, 5, 4,
    ])
    const around = runChain(image, [['crop-to', { mask: 'm', size: [9, 9, 10], fill: 'edge' }]], {
      values: { m: labels },
    })
    expect(around.grid.size).toEqual([9, 9, 10])
    expect(placeOf(around.grid, [4, 4, 4.5]).map((c) => c.toFixed(6))).toEqual(
      placeOf(grid, [7, 6, 4.5]).map((c) => c.toFixed(6)),
    )
  })

  it('refuse, or keep the image, where there is nothing', () => {
    const none: Value = { kind: 'labels', labels: { grid, labels: new Uint8Array(20 * 16 * 12) } }
    expect(() => runChain(image, [['crop-to', { mask: 'm' }]], { values: { m: none } })).toThrow(
      'nothing to crop to: m is empty',
    )
    expect(runChain(image, [['crop-to', { mask: 'm', empty: 'keep' }]], { values: { m: none } })).toBe(image)
    expect(() =>
      runChain(
        imageOf(grid, () => 0),
        [['crop-nonzero']],
      ),
    ).toThrow('all values are 0')
    expect(() =>
      runChain(
        imageOf(grid, () => -5),
        [['crop-body', { threshold: 0 }]],
      ),
    ).toThrow('no voxel is above 0')
  })

  it('crop to what is not 0, in any channel', () => {
    const second = imageOf(grid, block([0, 8, 3], [5, 9, 3]))
    const both: Image = { grid, channels: 2, data: new Float32Array([...mask.data, ...second.data]) }
    expect(runChain(both, [['crop-nonzero']]).grid.size).toEqual([10, 6, 4])
  })

  it('crop to the body, without table and noise', () => {
    const scan = imageOf(gridOf([200, 180, 20], [2, 2, 5]), (_, [i, j]) => {
      if (((i - 90) / 60) ** 2 + ((j - 80) / 40) ** 2 < 1) return 30
      return j === 150 || (i * 7 + j * 13) % 101 === 0 ? 200 : -1000
    }, Int16Array) // biome-ignore format: a phantom
    for (const options of [{}, { threshold: -300 }]) {
      const { grid: found } = runChain(scan, [['crop-body', options]])
      const low = found.origin.map((at, axis) => Math.round(at / ([2, 2, 5][axis] as number)))
      expect(found.size[2]).toBe(20)
      expect(low[0]).toBeGreaterThanOrEqual(26)
      expect(low[0]).toBeLessThanOrEqual(31)
      expect((low[0] as number) + found.size[0]).toBeGreaterThanOrEqual(150)
      expect((low[1] as number) + found.size[1]).toBeGreaterThanOrEqual(120)
      expect((low[1] as number) + found.size[1]).toBeLessThanOrEqual(124)
    }
  })

  it('pad to a size, a multiple or by a width, as numpy does', () => {
    const row = imageOf(gridOf([4, 1, 1]), ([x]) => x + 1, Int16Array)
    const padded = (options: object): number[] => [...runChain(row, [['pad', options]]).data]
    expect(padded({ width: [2, 0], value: 0 })).toEqual([0, 0, 1, 2, 3, 4, 0, 0])
    expect(padded({ width: [2, 0], mode: 'edge' })).toEqual([1, 1, 1, 2, 3, 4, 4, 4])
    expect(padded({ width: [5, 0], mode: 'reflect' })).toEqual([2, 3, 4, 3, 2, 1, 2, 3, 4, 3, 2, 1, 2, 3])
    expect(padded({ size: [6, 1], value: -1 })).toEqual([-1, 1, 2, 3, 4, -1])
    expect(padded({ size: [3, 1] })).toEqual([1, 2, 3, 4])
    expect(padded({ multiple: [5, 1], value: 9, at: 'start' })).toEqual([1, 2, 3, 4, 9])
    expect(padded({ multiple: [5, 1] })).toEqual([1, 2, 3, 4, 1])
    const volume = noiseImage([10, 9, 5])
    expect(runChain(volume, [['pad', { multiple: 8 }]]).grid.size).toEqual([16, 16, 8])
    expect(runChain(noiseImage([10, 9, 1]), [['pad', { multiple: 8 }]]).grid.size).toEqual([16, 16, 1])
    const there = runChain(image, [
      ['pad', { width: 3, mode: 'edge' }],
      ['crop-centre', { size: [20, 16, 12] }],
    ])
    expect(there.data).toEqual(image.data)
    expectPlaced(there, 1e-3)
  })
})
