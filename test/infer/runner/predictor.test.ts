import { describe, expect, it } from 'vitest'
import type { Image } from '../../../src/infer/image.ts'
import { apply, inverse, transformsOf } from '../../../src/infer/runner/augment.ts'
import type { Model } from '../../../src/infer/runtime/model.ts'
import { entryOf, float32, functionModel, gridOf, imageOf, noise, numbersModel, runOn, valueOf } from './runs.ts'

const image = noise(gridOf(4, 4, 3))
const letterOf = (axis: 'i' | 'j' | 'k') => ({ i: 'W', j: 'H', k: 'D' })[axis] as 'W' | 'H' | 'D'

describe('test-time augmentation', () => {
  it('turns a square by quarters, counterclockwise or clockwise, but always the same way', () => {
    const [, quarter] = transformsOf({ flips: [], rotations: [1] }, letterOf)
    const square = float32([1, 2, 2], [1, 2, 3, 4])
    const turned = apply('input', square, 'NHW', quarter as never)
    expect([...turned.data]).toEqual([2, 4, 1, 3])
    expect([...apply('input', turned, 'NHW', quarter as never).data]).toEqual([4, 3, 2, 1])
  })

  it.each([
    [{ flips: ['i'], rotations: [] }, 2],
    [{ flips: ['i', 'j', 'k'], rotations: [] }, 8],
    [{ flips: ['i', 'j'], rotations: [1, 2, 3] }, 8],
    [{ flips: ['i', 'j', 'k'], rotations: [1, 2, 3] }, 16],
    [{ flips: [], rotations: [1, 2, 3] }, 4],
  ] as const)('of %j has %d different transforms', (options, count) => {
    expect(transformsOf({ flips: [...options.flips], rotations: [...options.rotations] }, letterOf)).toHaveLength(count)
  })

  it('undoes each of its transforms, in every layout', () => {
    const all = transformsOf({ flips: ['i', 'j', 'k'], rotations: [1, 2, 3] }, letterOf)
    for (const layout of ['NCDHW', 'NDHWC', 'NCXYZ'])
      for (const transform of all) {
        const given = float32(
          [2, 3, 4, 5, 2],
          Float32Array.from({ length: 240 }, (_, i) => i),
        )
        const there = apply('input', given, layout, transform)
        expect(apply('output', there, layout, inverse(transform))).toEqual(given)
      }
  })

  const augment = { flips: ['i', 'j', 'k'] as ('i' | 'j' | 'k')[], rotations: [1, 2, 3] }

  it.each(['NCDHW', 'NDHWC', 'NCXYZ'])(
    'changes nothing for a model that every direction is the same to: %s',
    async (layout) => {
      const inputs = { in: { from: 'image', layout } }
      const model = numbersModel((data) => data.map((v) => 3 * v))
      const result = imageOf(await runOn(entryOf({ inputs, augment }), model, { image }))
      expect(model.calls).toHaveLength(16)
      for (const [at, value] of result.data.entries()) expect(value).toBeCloseTo(3 * (image.data[at] as number), 5)
    },
  )

  it('is the mean of the model’s results, turned back', async () => {
    // Gives each voxel its neighbour along a row, 0 at the end.
    const shifting = numbersModel((data, dims) => {
      const width = dims[4] as number
      return data.map((_, at) => (at % width === width - 1 ? 0 : (data[at + 1] as number)))
    })
    const result = imageOf(await runOn(entryOf({ augment: { flips: ['i'], rotations: [] } }), shifting, { image }))
    const row = [...image.data.subarray(0, 4)] as [number, number, number, number]
    const expected = [row[1] / 2, (row[0] + row[2]) / 2, (row[1] + row[3]) / 2, row[2] / 2]
    for (const [at, value] of expected.entries()) expect(result.data[at]).toBeCloseTo(value, 6)
  })

  it('averages vectors as they are', async () => {
    let call = 0
    const model = functionModel(() => ({ out: float32([1, 2], [++call, 10 * call]) }))
    const outputs = { out: { value: 'result', kind: 'numbers' } }
    const values = await runOn(entryOf({ outputs, augment: { flips: ['i'], rotations: [] } }), model, { image })
    expect([...valueOf(values, 'numbers').numbers]).toEqual([1.5, 15])
  })

  it('works slice by slice, along any axis', async () => {
    const inputs = { in: { from: 'image', layout: 'NCHW' } }
    const model = numbersModel((data) => data)
    const entry = entryOf({ inputs, run: { kind: 'slices', axis: 'i' }, augment: { flips: ['j', 'k'], rotations: [] } })
    const result = imageOf(await runOn(entry, model, { image }))
    expect(model.calls).toHaveLength(16)
    expect(result.grid).toEqual(image.grid)
    for (const [at, value] of result.data.entries()) expect(value).toBeCloseTo(image.data[at] as number, 6)
  })

  it('cannot flip what the tensor has no dimension for', async () => {
    const inputs = { in: { from: 'image', layout: 'NCHW' } }
    const entry = entryOf({ inputs, run: { kind: 'slices' }, augment: { flips: ['k'], rotations: [] } })
    await expect(
      runOn(
        entry,
        numbersModel((data) => data),
        { image },
      ),
    ).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining('has no D'),
    })
  })

  it('does not turn tensors that a step decodes', async () => {
    const outputs = { out: { value: 'result', kind: 'tensor' } }
    await expect(
      runOn(
        entryOf({ outputs, augment }),
        numbersModel((d) => d),
        { image },
      ),
    ).rejects.toMatchObject({ code: 'wrong-shape' })
  })
})

describe('an ensemble', () => {
  const one = { grid: gridOf(2, 1, 1), channels: 1, data: new Float32Array(2) } satisfies Image
  const giving = (...logits: number[]): Model => functionModel(() => ({ out: float32([1, 2, 1, 1, 2], logits) }))
  const models = [giving(4, 0, 0, 1), giving(0, 0, 1, 3), giving(0, 0, 1, -1)]

  it.each([
    ['mean', [4 / 3, 0, 2 / 3, 1]],
    ['vote', [1 / 3, 1 / 3, 2 / 3, 2 / 3]],
  ] as const)('combines by %s', async (combine, expected) => {
    const result = imageOf(await runOn(entryOf({ combine }), models, { image: one }))
    for (const [at, value] of expected.entries()) expect(result.data[at]).toBeCloseTo(value, 6)
  })

  it('combines by the mean of probabilities', async () => {
    const soft = imageOf(await runOn(entryOf({ combine: 'mean-softmax' }), models, { image: one })).data
    const p = (a: number, b: number) => Math.exp(a) / (Math.exp(a) + Math.exp(b))
    expect(soft[0]).toBeCloseTo((p(4, 0) + 2 * p(0, 1)) / 3, 6)
    expect((soft[0] as number) + (soft[2] as number)).toBeCloseTo(1, 6)
    const logistic = imageOf(await runOn(entryOf({ combine: 'mean-sigmoid' }), models, { image: one })).data
    expect(logistic[0]).toBeCloseTo((p(4, 0) + 0.5 + 0.5) / 3, 6)
  })

  it('of one gives probabilities all the same', async () => {
    const soft = imageOf(await runOn(entryOf({ combine: 'mean-softmax' }), models.slice(0, 1), { image: one })).data
    expect((soft[0] as number) + (soft[2] as number)).toBeCloseTo(1, 6)
  })

  it('of label maps votes, the lowest of equals', async () => {
    const labels = (...values: number[]): Model =>
      functionModel(() => ({ out: { type: 'uint8', dims: [1, 1, 1, values.length], data: Uint8Array.from(values) } }))
    const given = { image: noise(gridOf(4, 1, 1)) }
    const outputs = { out: { value: 'result', kind: 'labels' } }
    const three = [labels(1, 5, 0, 200), labels(1, 2, 9, 200), labels(3, 2, 4, 7)]
    const result = valueOf(await runOn(entryOf({ outputs, combine: 'vote' }), three, given), 'labels')
    expect([...result.labels.labels]).toEqual([1, 2, 0, 200])
    await expect(runOn(entryOf({ outputs }), three, given)).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining('combined by vote'),
    })
  })

  it('has members that give the same', async () => {
    const other = functionModel(() => ({ out: float32([1, 1, 1, 1, 2], [0, 0]) }))
    await expect(runOn(entryOf({}), [models[0] as Model, other], { image: one })).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining('[1, 2, 1, 1, 2] and [1, 1, 1, 1, 2]'),
    })
  })
})
