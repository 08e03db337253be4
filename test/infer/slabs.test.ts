import { beforeAll, describe, expect, it } from 'vitest'
import { type ModelSession, openModel } from '../../src/infer/session.ts'
import { runSlabs } from '../../src/infer/slabs.ts'
import { chestPhantom } from '../support/phantom.ts'
import { lungPipeline } from './phantom-task.ts'

describe('runSlabs', () => {
  const phantom = chestPhantom({
    slices: 45,
    rows: 64,
    columns: 72,
    spacing: { row: 5, column: 5, slice: 6 },
    noise: 180,
  })
  const volume = { size: [72, 64, 45] as const, density: new Int16Array(72 * 64 * 45) }
  const plan = { kind: 'slabs', input: 'volume', output: 'candidate' } as const
  let model: ModelSession
  let whole: Uint8Array

  beforeAll(async () => {
    for (let z = 0; z < phantom.slices; z++) volume.density.set(phantom.slice(z), z * 72 * 64)
    model = await openModel((await lungPipeline()).modelFile, { providers: ['cpu'], threads: 1 })
    whole = await runSlabs(model.session, volume, { ...plan, slab: 45, halo: 0 })
  })

  it('finds air in the phantom, and not everywhere', () => {
    const air = whole.reduce((sum, value) => sum + value, 0)
    expect(air).toBeGreaterThan(5_000)
    expect(air).toBeLessThan(whole.length / 2)
  })

  it.each([1, 7, 16, 44, 100])('gives the whole volume’s result exactly, in slabs of %d slices', async (slab) => {
    const { halo } = (await lungPipeline()).inference
    expect(Buffer.compare(await runSlabs(model.session, volume, { ...plan, slab, halo }), whole)).toBe(0)
  })

  it('would not without the halo', async () => {
    expect(Buffer.compare(await runSlabs(model.session, volume, { ...plan, slab: 7, halo: 0 }), whole)).not.toBe(0)
  })
})

describe('openModel', () => {
  it('falls back to the CPU and says why', async () => {
    const { modelFile } = await lungPipeline()
    const model = await openModel(modelFile, { providers: ['nonsense', 'cpu'], threads: 1 })
    expect(model.provider).toBe('cpu')
    expect(model.fallbacks).toEqual([expect.stringContaining('the execution provider nonsense cannot be used')])
  })

  it('says that a file is no model', async () => {
    await expect(openModel(import.meta.filename, { providers: [], threads: 1 })).rejects.toMatchObject({
      code: 'no-provider',
    })
  })
})
