import { describe, expect, it } from 'vitest'
import { voxelsOf } from '../../../src/infer/image.ts'
import type { Point, Value } from '../../../src/infer/value.ts'
import { applyStep, gridOf, imageValue } from './apply-step.ts'

function pointsAfter(...call: Parameters<typeof applyStep>): readonly Point[] {
  const value = applyStep(...call)
  if (value.kind !== 'points') throw new Error(`points are expected: ${value.kind}`)
  return value.points
}

describe('keypoints-from-heatmaps', () => {
  const grid = gridOf([30, 25, 12], [1, 1, 2])
  const truth = [
    [10.3, 12.6, 5.25],
    [20.5, 7.1, 3.9],
  ] as const
  const heat = truth.flatMap(([x, y, z], n) =>
    Array.from({ length: voxelsOf(grid) }, (_, at) => {
      const [i, j, k] = [at % 30, Math.floor(at / 30) % 25, Math.floor(at / 750)]
      return (1 - n / 4) * Math.exp(-((i - x) ** 2 + (j - y) ** 2 + (2 * (k - z)) ** 2) / 18)
    }),
  )

  it('find the middle of Gaussians to a tenth of a voxel', () => {
    const points = pointsAfter('keypoints-from-heatmaps', imageValue(grid, 2, heat))
    for (const [n, { at, class: channel, score }] of points.entries()) {
      expect(channel).toBe(n)
      expect(score).toBeGreaterThan(0.72 - n / 4)
      for (const axis of [0, 1, 2] as const) expect(Math.abs(at[axis] - (truth[n]?.[axis] as number))).toBeLessThan(0.1)
    }
    expect(pointsAfter('keypoints-from-heatmaps', imageValue(grid, 2, heat), { minimumScore: 0.8 })).toHaveLength(1)
  })

  it('take the voxel where nothing is above 0', () => {
    const data = Array(voxelsOf(grid)).fill(-5)
    data[750 + 30 + 3] = -1
    expect(pointsAfter('keypoints-from-heatmaps', imageValue(grid, 1, data))).toEqual([
      { at: [3, 1, 1], score: -1, class: 0 },
    ])
  })
})

describe('keypoints-from-coordinates', () => {
  const tensor = (dims: number[], ...data: number[]): Value => ({
    kind: 'tensor',
    grid: gridOf([100, 50, 1]),
    dims,
    data: Float32Array.from(data),
  })
  const at = (...call: Parameters<typeof applyStep>) => pointsAfter(...call).map((p) => p.at)

  it('reads pixels, parts of the size, and parts from the middle', () => {
    const two = tensor([1, 2, 2], 10, 20, 30, 40)
    expect(at('keypoints-from-coordinates', two)).toEqual([
      [10, 20, 0],
      [30, 40, 0],
    ])
    expect(at('keypoints-from-coordinates', two, { format: 'yx' })).toEqual([
      [20, 10, 0],
      [40, 30, 0],
    ])
    expect(at('keypoints-from-coordinates', two, { origin: 'corner' })[0]).toEqual([9.5, 19.5, 0])
    expect(at('keypoints-from-coordinates', two, { layout: 'columns' })).toEqual([
      [10, 30, 0],
      [20, 40, 0],
    ])
    const vector = tensor([1, 4], 10, 20, 30, 40)
    expect(at('keypoints-from-coordinates', vector, { layout: 'vector' })).toEqual([
      [10, 20, 0],
      [30, 40, 0],
    ])
    expect(at('keypoints-from-coordinates', tensor([1, 2], 0.25, 0.5), { coordinates: 'normalised' })).toEqual([
      [24.5, 24.5, 0],
    ])
    expect(at('keypoints-from-coordinates', tensor([1, 2], 0, -1), { coordinates: 'centred' })).toEqual([
      [49.5, -0.5, 0],
    ])
  })

  it('reads scores, and says what does not fit', () => {
    const scored = tensor([2, 3], 10, 20, 0, 30, 40, 3)
    expect(pointsAfter('keypoints-from-coordinates', scored, { score: 'logit', minimumScore: 0.6 })).toEqual([
      { at: [30, 40, 0], score: expect.closeTo(1 / (1 + Math.exp(-3)), 9), class: 1 },
    ])
    expect(() => applyStep('keypoints-from-coordinates', tensor([2, 2], 1, 2, 3, 4), { format: 'xyz' })).toThrow(
      /3 numbers a point are expected, the tensor is \[2, 2\]/,
    )
    expect(() => applyStep('keypoints-from-coordinates', tensor([5], 1, 2, 3, 4, 5), { layout: 'vector' })).toThrow(
      /2 numbers a point/,
    )
  })
})
