import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { halfOf, halvesOf, numberOfHalf, singlesOf } from '../../../src/infer/runtime/half.ts'
import { openOnnx } from '../../../src/infer/runtime/onnx.ts'
import type { OnnxOptions } from '../../../src/infer/runtime/options.ts'
import type { Tensor } from '../../../src/infer/runtime/tensor.ts'
import { writeOnnx } from '../../support/onnx-file.ts'
import { modelContext, using } from './contexts.ts'

let folder: string
const options = (file: string, more: Partial<OnnxOptions> = {}): OnnxOptions => ({
  runtime: 'onnx',
  file,
  sha256: '',
  onMissingProvider: 'fallback',
  ...more,
})

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'hilum-onnx-'))
  await writeOnnx(path.join(folder, 'add.onnx'), {
    inputs: { a: ['float32', ['batch', 2]], b: ['float32', ['batch', 2]] },
    outputs: { sum: ['float32', ['batch', 2]], product: ['float32', ['batch', 2]] },
    nodes: [
      { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
      { op: 'Mul', inputs: ['a', 'b'], outputs: ['product'] },
    ],
  })
  const types = ['float16', 'uint8', 'bool', 'int64', 'float64', 'int32'] as const
  for (const type of types)
    await writeOnnx(path.join(folder, `${type}.onnx`), {
      inputs: { given: [type, ['n']] },
      outputs: { same: [type, ['n']] },
      nodes: [{ op: 'Identity', inputs: ['given'], outputs: ['same'] }],
    })
  await writeOnnx(path.join(folder, 'reshape.onnx'), {
    inputs: { given: ['float32', ['n']] },
    outputs: { pairs: ['float32', ['half', 2]] },
    nodes: [{ op: 'Reshape', inputs: ['given', 'shape'], outputs: ['pairs'] }],
    constants: { shape: { type: 'int64', dims: [2], values: [-1, 2] } },
  })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const float32 = (dims: readonly number[], ...values: number[]): Tensor => ({
  type: 'float32',
  dims,
  data: Float32Array.from(values),
})

describe('openOnnx', () => {
  it('says what the model takes and gives, with the dimensions that it leaves open', async () => {
    await using(openOnnx(options('add.onnx'), modelContext(folder)), async ({ inputs, outputs, provider, notes }) => {
      expect(inputs).toEqual(['a', 'b'].map((name) => ({ name, type: 'float32', dims: ['batch', 2] })))
      expect(outputs?.map((o) => o.name)).toEqual(['sum', 'product'])
      expect([provider, notes]).toEqual(['onnx cpu', []])
    })
  })

  it('computes what is wanted, and nothing else', async () => {
    await using(openOnnx(options('add.onnx'), modelContext(folder)), async (model) => {
      const [a, b] = [float32([1, 2], 1, 2), float32([1, 2], 10, 20)]
      expect(await model.run({ a, b }, ['sum'])).toEqual({ sum: float32([1, 2], 11, 22) })
      expect(await model.run({ a, b }, ['product'])).toEqual({ product: float32([1, 2], 10, 40) })
    })
  })

  it('takes memory that threads share', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(8))
    shared.set([3, 4])
    await using(openOnnx(options('add.onnx'), modelContext(folder)), async (model) => {
      const a: Tensor = { type: 'float32', dims: [1, 2], data: shared }
      expect((await model.run({ a, b: a }, ['sum'])).sum).toEqual(float32([1, 2], 6, 8))
    })
  })

  const samples: readonly Tensor[] = [
    { type: 'float16', dims: [3], data: halvesOf([0.5, -2, 65504]) },
    { type: 'uint8', dims: [2], data: Uint8Array.of(0, 255) },
    { type: 'bool', dims: [3], data: Uint8Array.of(1, 0, 1) },
    { type: 'int64', dims: [2], data: BigInt64Array.of(-5n, 2n ** 40n) },
    { type: 'float64', dims: [1], data: Float64Array.of(0.1) },
    { type: 'int32', dims: [2], data: Int32Array.of(-7, 7) },
  ]
  it.each(samples)('hands $type over and back, bit by bit', async (given) => {
    await using(openOnnx(options(`${given.type}.onnx`), modelContext(folder)), async (model) => {
      const { same } = await model.run({ given }, ['same'])
      expect(same).toEqual(given)
    })
  })

  it.each([
    ['an input that the model does not have', { x: float32([1, 2], 1, 2) }, /no input x; it has a, b/],
    ['an input that is missing', { a: float32([1, 2], 1, 2) }, /input b is given nothing/],
    [
      'dimensions that are not the model’s',
      { a: float32([1, 3], 1, 2, 3), b: float32([1, 2], 1, 2) },
      /input a: float32 \[batch, 2\] is expected, float32 \[1, 3\] was found/,
    ],
    [
      'a type that is not the model’s',
      { a: { type: 'uint8', dims: [1, 2], data: new Uint8Array(2) } as Tensor, b: float32([1, 2], 1, 2) },
      /float32 \[batch, 2\] is expected, uint8 \[1, 2\] was found/,
    ],
    ['fewer elements than the dimensions say', { a: float32([2, 2], 1, 2), b: float32([1, 2], 1, 2) }, /2 elements/],
  ])('refuses %s', async (_, feeds, message) => {
    await using(openOnnx(options('add.onnx'), modelContext(folder)), async (model) => {
      await expect(model.run(feeds, ['sum'])).rejects.toMatchObject({
        code: 'wrong-shape',
        message: expect.stringMatching(message),
      })
    })
  })

  it('refuses an output that the model does not have', async () => {
    await using(openOnnx(options('add.onnx'), modelContext(folder)), async (model) => {
      const a = float32([1, 2], 1, 2)
      await expect(model.run({ a, b: a }, ['difference'])).rejects.toMatchObject({ code: 'wrong-shape' })
    })
  })

  it('says that a run failed, and serves the next one', async () => {
    await using(openOnnx(options('reshape.onnx'), modelContext(folder)), async (model) => {
      const odd = model.run({ given: float32([3], 1, 2, 3) }, ['pairs'])
      await expect(odd).rejects.toMatchObject({ code: 'model-failed' })
      expect((await model.run({ given: float32([2], 1, 2) }, ['pairs'])).pairs).toEqual(float32([1, 2], 1, 2))
    })
  })

  it('falls back to the CPU and says why', async () => {
    const missing = options('add.onnx', { providers: ['tensorrt', 'cpu'] })
    await using(openOnnx(missing, modelContext(folder)), async ({ provider, notes }) => {
      expect(provider).toBe('onnx cpu')
      expect(notes).toEqual([expect.stringContaining('the execution provider tensorrt cannot be used')])
    })
  })

  it('refuses to fall back where the pipeline says so', async () => {
    const missing = options('add.onnx', { providers: ['tensorrt'], onMissingProvider: 'refuse' })
    await expect(openOnnx(missing, modelContext(folder))).rejects.toMatchObject({
      code: 'no-provider',
      message: expect.stringContaining('tensorrt'),
    })
  })
})

describe('halves', () => {
  it('come back from numbers, all 65536 of them', () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits)
    const again = halvesOf(singlesOf(all))
    const differing = all.filter((bits) => {
      const isNaN = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0
      return isNaN ? !Number.isNaN(numberOfHalf(again[bits] as number)) : again[bits] !== bits
    })
    expect([...differing]).toEqual([])
  })

  // IEEE 754-2019 4.3.1: to nearest, ties to even.
  it.each([
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [2 ** -25, 0],
    [2 ** -25 * 1.001, 1],
    [2 ** -24, 1],
    [-(2 ** -14), 0x8400],
    [2 ** -14 - 2 ** -26, 0x0400],
  ])('%d rounds to the bits %d', (value, bits) => {
    expect(halfOf(value)).toBe(bits)
  })
})
