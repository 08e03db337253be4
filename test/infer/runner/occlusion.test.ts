import { describe, expect, it } from 'vitest'
import type { Image } from '../../../src/infer/image.ts'
import { type OcclusionOptions, occlusionMap, occlusionOptions } from '../../../src/infer/runner/occlusion.ts'
import { entryOf, float32, functionModel, gridOf, imageOf, noise } from './runs.ts'

/** 8 x 6 pixels of 1, but four of 9 from column 4 and row 2 on. */
const image: Image = { grid: gridOf(8, 6, 1), channels: 1, data: new Float32Array(48).fill(1) }
for (const at of [20, 21, 28, 29]) image.data[at] = 9

/** Two scores: the sum, and minus the sum. */
const model = (): ReturnType<typeof functionModel> =>
  functionModel(({ in: given }) => {
    const total = (given?.data as Float32Array | undefined)?.reduce((sum, value) => sum + value, 0) ?? Number.NaN
    return { out: float32([1, 2], [total, -total]) }
  })
const entry = entryOf({
  inputs: { in: { from: 'image', layout: 'NCHW' } },
  run: { kind: 'slices' },
  outputs: { out: { value: 'scores', kind: 'numbers', layout: 'NC' } },
})

async function mapOf(given: Partial<OcclusionOptions>, from = image, wanted = entry) {
  const own = model()
  const parts: number[] = []
  const values = await occlusionMap(wanted, occlusionOptions.parse({ value: 'evidence', size: 2, ...given }), {
    models: [own],
    valueOf: () => ({ kind: 'image', image: from }),
    onProgress: (part) => parts.push(part),
  })
  return { map: imageOf(values, 'evidence'), runs: own.calls.length, parts }
}

describe('an occlusion map', () => {
  it('is what the score loses where its cause is covered', async () => {
    const { map, runs, parts } = await mapOf({ step: 2, fill: 0 })
    expect([...map.data]).toEqual(Array.from(image.data, (value) => (value === 9 ? 36 : 4)))
    expect(map.grid).toBe(image.grid)
    expect(runs).toBe(1 + 4 * 3)
    expect(parts.at(-1)).toBe(1)
  })

  it('is the mean where parts overlap, reaches the ends, and leaves the image as it was', async () => {
    const before = image.data.slice()
    const { map, runs } = await mapOf({ size: [3, 3], fill: 1 })
    expect(runs).toBe(1 + 4 * 3)
    expect(map.data.every(Number.isFinite)).toBe(true)
    // Column 4, row 2 lies in four parts, with one, two, two and four of the bright pixels.
    expect(map.data[20]).toBe((8 + 16 + 16 + 32) / 4)
    expect(image.data).toEqual(before)
  })

  it('is of the score that is asked for, as a probability where that is wanted', async () => {
    const small: Image = { grid: gridOf(2, 1, 1), channels: 1, data: Float32Array.from([0, 1]) }
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
    const single = await mapOf({ size: 1, index: 1, activation: 'sigmoid', fill: 0 }, small)
    expect(single.map.data[0]).toBeCloseTo(0, 6)
    expect(single.map.data[1]).toBeCloseTo(sigmoid(-1) - sigmoid(0), 6)
    const highest = await mapOf({ size: 1, activation: 'softmax', fill: 0 }, small)
    expect(highest.map.data[1]).toBeCloseTo(sigmoid(2) - 0.5, 6)
  })

  it('covers every channel with its own mean or least value', async () => {
    const two: Image = { grid: gridOf(2, 1, 1), channels: 2, data: Float32Array.from([0, 2, 10, 30]) }
    expect([...(await mapOf({ size: 1 }, two)).map.data]).toEqual([-11, 11])
    expect([...(await mapOf({ size: 1, fill: 'minimum' }, two)).map.data]).toEqual([0, 22])
  })

  it.each([
    [{ index: 5 }, entry, /score 5 is asked for, there are 2/],
    [{ output: 'other' }, entry, /0 of the model's outputs called other become numbers/],
    [{}, entryOf({}), /0 of the model's outputs become numbers/],
  ] as const)('refuses %j', async (given, wanted, words) => {
    await expect(mapOf(given, image, wanted)).rejects.toThrow(words)
  })

  it('refuses more runs than anybody would wait for', async () => {
    await expect(mapOf({ size: 1 }, noise(gridOf(200, 200, 1)))).rejects.toThrow(/40000 runs of the model/)
  })
})
