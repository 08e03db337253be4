import { describe, expect, it } from 'vitest'
import { runOptions } from '../../../src/infer/runner/options.ts'
import { entryOf, float32, functionModel, gridOf, imageOf, noise, runOn } from './runs.ts'

describe('sequences', () => {
  const frames = noise(gridOf(3, 2, 2), 4)
  /** Gives the running sum of what it is given. */
  const accumulating = () =>
    functionModel(
      ({ in: given, h }) => {
        const state = h?.data ?? new Float32Array(1)
        const sum = [...(given?.data ?? [])].map((v, i) => Number(v) + Number(state[i % state.length]))
        return { out: float32(given?.dims ?? [], sum), next: float32(h?.dims ?? [], sum) }
      },
      { inputs: [{ name: 'h', type: 'float32', dims: ['batch', 1, 2, 2, 3] }] },
    )
  const run = { kind: 'sequence', state: { h: 'next' } }

  it('hand the state of a time on to the next', async () => {
    const values = await runOn(entryOf({ run }), accumulating(), { image: frames })
    const result = imageOf(values)
    expect(result.channels).toBe(4)
    for (let voxel = 0; voxel < 12; voxel++) {
      let sum = 0
      for (let t = 0; t < 4; t++) {
        sum = Math.fround(sum + (frames.data[t * 12 + voxel] as number))
        expect(result.data[t * 12 + voxel]).toBe(sum)
      }
    }
  })

  it('go backwards, and give the last step only', async () => {
    const back = imageOf(
      await runOn(entryOf({ run: { ...run, direction: 'backward', keep: 'last' } }), accumulating(), { image: frames }),
    )
    expect(back.channels).toBe(1)
    let sum = 0
    for (let t = 3; t >= 0; t--) sum = Math.fround(sum + (frames.data[t * 12] as number))
    expect(back.data[0]).toBe(sum)
  })

  it('go along slices', async () => {
    const model = accumulating()
    const entry = entryOf({
      inputs: { in: { from: 'image', layout: 'NCHW' } },
      run: { ...run, along: 'slices', stateDims: { h: [1, 1, 2, 3] } },
    })
    const given = noise(gridOf(3, 2, 3))
    const result = imageOf(await runOn(entry, model, { image: given }))
    expect(model.calls[0]?.h).toEqual(float32([1, 1, 2, 3], new Float32Array(6)))
    expect(result.grid).toEqual(given.grid)
    const [first, second, third] = [0, 6, 12].map((i) => given.data[i] as number) as [number, number, number]
    expect(result.data[12]).toBe(Math.fround(Math.fround(first + second) + third))
  })

  it('take images that are no sequence whole in every step', async () => {
    const model = functionModel(({ in: given }) => ({ out: given as never }))
    const entry = entryOf({ inputs: { in: { from: 'image' }, mask: { from: 'mask' } }, run: { kind: 'sequence' } })
    const mask = noise(frames.grid)
    await runOn(entry, model, { image: frames, mask })
    expect(model.calls.map((call) => call.in?.dims[1])).toEqual([1, 1, 1, 1])
    expect(model.fed.every((call) => call.mask?.data === mask.data)).toBe(true)
  })

  it('are no ensembles', async () => {
    const models = [accumulating(), accumulating()]
    await expect(runOn(entryOf({ run }), models, { image: frames })).rejects.toMatchObject({ code: 'wrong-shape' })
  })

  it('are read with their defaults', () => {
    expect(runOptions.parse({ kind: 'sequence' })).toMatchObject({
      along: 'time',
      direction: 'forward',
      keep: 'each',
      state: {},
    })
  })
})
