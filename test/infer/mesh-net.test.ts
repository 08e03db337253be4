import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { openOnnx } from '../../src/infer/runtime/onnx.ts'
import type { OnnxOptions } from '../../src/infer/runtime/options.ts'
import { sharedData } from '../support/data.ts'
import { readNifti } from '../support/nifti.ts'
import { modelContext, using } from './runtime/contexts.ts'

const folder = sharedData('models', 'niivue-meshnet-onnx')
const options: OnnxOptions = { runtime: 'onnx', file: 'model.onnx', sha256: '', onMissingProvider: 'fallback' }

describe.skipIf(!folder)('the public MeshNet (needs ../shared/data)', () => {
  it('gives on its own image, scaled by minimum and maximum, the class counts that its source gives', async () => {
    const { data } = readNifti(path.join(folder ?? '', 't1_crop.nii.gz'))
    let [low, high] = [Infinity, -Infinity]
    for (const value of data) {
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    const scaled = Float32Array.from(data)
    for (let i = 0; i < scaled.length; i++) scaled[i] = ((scaled[i] as number) - low) / (high - low)
    const dims = [1, 1, 256, 256, 256]
    const output = await using(openOnnx(options, modelContext(folder ?? tmpdir())), async (model) => {
      const name = model.inputs?.[0]?.name ?? ''
      const wanted = model.outputs?.[0]?.name ?? ''
      return (await model.run({ [name]: { type: 'float32', dims, data: scaled } }, [wanted]))[wanted]
    })
    const logits = output?.data as Float32Array
    const counts = [0, 0, 0]
    const classOf = (n: number, i: number): number => logits[n * scaled.length + i] as number
    for (let i = 0; i < scaled.length; i++) {
      const [none, white, grey] = [classOf(0, i), classOf(1, i), classOf(2, i)]
      const winner = grey > none && grey > white ? 2 : white > none ? 1 : 0
      counts[winner] = (counts[winner] as number) + 1
    }
    expect(counts).toEqual([15_523_464, 518_540, 735_212])
  }, 120_000)
})
