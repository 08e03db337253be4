import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Image } from '../../../src/infer/image.ts'
import { SlidingSum } from '../../../src/infer/runner/sliding-sum.ts'
import { windowStarts, windowWeights } from '../../../src/infer/runner/windows.ts'
import { openOnnx } from '../../../src/infer/runtime/onnx.ts'
import { writeOnnx } from '../../support/onnx-file.ts'
import { modelContext } from '../runtime/contexts.ts'
import { entryOf, float32, functionModel, gridOf, imageOf, noise, numbersModel, runOn, valueOf } from './runs.ts'

/** Two channels that depend on where in the window a voxel is, so that blending shows. */
const placed = () =>
  functionModel(({ in: given }) => {
    const dims = given?.dims as [number, number, number, number, number]
    const [batch, , d, h, w] = dims
    const voxels = d * h * w
    const out = new Float32Array(batch * 2 * voxels)
    for (let n = 0; n < batch; n++)
      for (let v = 0; v < voxels; v++) {
        const value = Number(given?.data[n * voxels + v])
        out[2 * n * voxels + v] = value * (1 + (v % w))
        out[(2 * n + 1) * voxels + v] = value + Math.floor(v / w) - 3
      }
    return { out: float32([batch, 2, d, h, w], out) }
  })

interface Options {
  size: [number, number, number]
  overlap: number
  blend: 'gaussian' | 'constant'
}

/** Every window's result added up over the whole image, with its weights, in double precision: what the bounded sum has to equal. */
async function naive(image: Image, { size, overlap, blend }: Options): Promise<Float64Array> {
  const [nx, ny, nz] = image.grid.size
  const voxels = nx * ny * nz
  const sum = new Float64Array(2 * voxels)
  const weights = new Float64Array(voxels)
  const [xs, ys, zs] = [nx, ny, nz].map((n, axis) => windowStarts(n, size[axis] as number, overlap))
  const [wx, wy, wz] = size.map((n) => windowWeights(n, blend, 0.125))
  const model = placed()
  const [w, h, d] = size
  for (const z of zs as number[])
    for (const y of ys as number[])
      for (const x of xs as number[]) {
        const inside: [voxel: number, element: number][] = []
        const data = new Float32Array(w * h * d).fill(-1)
        for (let e = 0; e < data.length; e++) {
          const [i, j, k] = [x + (e % w), y + (Math.floor(e / w) % h), z + Math.floor(e / (w * h))]
          if (i < 0 || i >= nx || j < 0 || j >= ny || k < 0 || k >= nz) continue
          const voxel = (k * ny + j) * nx + i
          data[e] = image.data[voxel] as number
          inside.push([voxel, e])
        }
        const { out } = await model.run({ in: float32([1, 1, d, h, w], data) }, ['out'])
        for (const [voxel, e] of inside) {
          const weight =
            (wx?.[e % w] as number) *
            (wy?.[Math.floor(e / w) % h] as number) *
            (wz?.[Math.floor(e / (w * h))] as number)
          weights[voxel] = (weights[voxel] as number) + weight
          for (const c of [0, 1])
            sum[c * voxels + voxel] =
              (sum[c * voxels + voxel] as number) + weight * Number(out?.data[c * data.length + e])
        }
      }
  return sum.map((value, at) => value / (weights[at % voxels] as number))
}

const cases: readonly [string, [number, number, number], Options][] = [
  ['half overlapping', [13, 11, 17], { size: [6, 5, 4], overlap: 0.5, blend: 'gaussian' }],
  ['hardly overlapping', [13, 11, 17], { size: [6, 5, 4], overlap: 0.1, blend: 'gaussian' }],
  ['heavily overlapping', [9, 8, 12], { size: [6, 5, 7], overlap: 0.8, blend: 'gaussian' }],
  ['of one weight', [13, 11, 17], { size: [6, 5, 4], overlap: 0.5, blend: 'constant' }],
  ['larger than the image', [4, 3, 5], { size: [6, 6, 6], overlap: 0.5, blend: 'gaussian' }],
  ['larger along one axis', [13, 3, 9], { size: [6, 6, 4], overlap: 0.25, blend: 'gaussian' }],
  ['of one slice', [9, 8, 3], { size: [4, 4, 1], overlap: 0.5, blend: 'gaussian' }],
]

describe('a sliding window', () => {
  it.each(cases)('%s equals full blending', async (_, [nx, ny, nz], options) => {
    const image = noise(gridOf(nx, ny, nz))
    const expected = await naive(image, options)
    for (const batch of [1, 3]) {
      const run = { kind: 'sliding-window', ...options, batch, outside: -1 }
      const result = imageOf(await runOn(entryOf({ run }), placed(), { image }))
      expect(result.grid).toEqual(image.grid)
      expect(result.channels).toBe(2)
      const worst = expected.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - (result.data[at] as number))),
        0,
      )
      expect(worst).toBeLessThan(1e-5)
    }
  })

  it('gives labels without keeping the channels of the image', async () => {
    const image = noise(gridOf(13, 11, 17))
    const options: Options = { size: [6, 5, 4], overlap: 0.5, blend: 'gaussian' }
    const expected = await naive(image, options)
    const outputs = { out: { value: 'result', kind: 'labels', reduce: 'argmax' } }
    const entry = entryOf({ run: { kind: 'sliding-window', ...options }, outputs })
    const { labels } = valueOf(await runOn(entry, placed(), { image }), 'labels').labels
    const voxels = labels.length
    const differing = labels.filter((label, v) => {
      const [a, b] = [expected[v] as number, expected[voxels + v] as number]
      return Math.abs(a - b) > 1e-4 && label !== (b > a ? 1 : 0)
    })
    expect(differing.length).toBe(0)
    expect(labels.some((l) => l === 1) && labels.some((l) => l === 0)).toBe(true)
  })

  it('keeps as many planes as a window has', () => {
    const sum = new SlidingSum([5, 5, 300], 2, { size: [5, 5, 8], blend: 'gaussian', sigma: 0.125 })
    expect(sum.depth).toBe(8)
  })

  it('gives a single plane that outlives the sum', async () => {
    const image = noise(gridOf(8, 6, 1))
    const run = { kind: 'sliding-window', size: [4, 4, 1] }
    const result = imageOf(
      await runOn(
        entryOf({ run }),
        numbersModel((data) => data),
        { image },
      ),
    )
    for (const [at, value] of result.data.entries()) expect(value).toBeCloseTo(image.data[at] as number, 5)
  })

  it('gives an output that is coarser, on its own grid', async () => {
    // Means of 2 × 2 × 2 voxels are the same whichever window they are computed in, as long as windows stand on even voxels.
    const pooled = functionModel(({ in: given }) => {
      const [d = 0, h = 0, w = 0] = (given?.dims ?? []).slice(2)
      const out = new Float32Array((d * h * w) / 8)
      for (let e = 0; e < d * h * w; e++) {
        const [i, j, k] = [e % w, Math.floor(e / w) % h, Math.floor(e / (w * h))]
        const at = ((k >> 1) * (h / 2) + (j >> 1)) * (w / 2) + (i >> 1)
        out[at] = (out[at] as number) + Number(given?.data[e]) / 8
      }
      return { out: float32([1, 1, d / 2, h / 2, w / 2], out) }
    })
    const image = noise(gridOf(12, 10, 14))
    const whole = imageOf(await runOn(entryOf({}), pooled, { image }))
    const run = { kind: 'sliding-window', size: [6, 4, 6], overlap: 0.3 }
    const result = imageOf(await runOn(entryOf({ run }), pooled, { image }))
    expect(result.grid).toEqual({ ...image.grid, size: [6, 5, 7], spacing: [2, 4, 6], origin: [10.5, 21, 31.5] })
    for (const [at, value] of result.data.entries()) expect(value).toBeCloseTo(whole.data[at] as number, 5)
  })

  it('stands where nnU-Net’s windows stand', () => {
    expect(windowStarts(10, 4, 0.5)).toEqual([0, 2, 4, 6])
    expect(windowStarts(11, 4, 0.5)).toEqual([0, 2, 4, 5, 7])
    expect(windowStarts(4, 4, 0.5)).toEqual([0])
    expect(windowStarts(3, 6, 0.5)).toEqual([-1])
    expect(windowStarts(100, 10, 0)).toHaveLength(10)
    expect(windowStarts(15, 6, 0.3, 4)).toEqual([0, 4, 8, 12])
  })
})

describe('a sliding window of a real model', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'hilum-windows-'))
    // A mean over 3 × 3 × 3 voxels with zeros outside: what it gives at a window's edge differs from the whole image's.
    await writeOnnx(path.join(folder, 'blur.onnx'), {
      inputs: { in: ['float32', ['n', 1, 'd', 'h', 'w']] },
      outputs: { out: ['float32', ['n', 1, 'd', 'h', 'w']] },
      nodes: [{ op: 'Conv', inputs: ['in', 'kernel'], outputs: ['out'], attributes: { pads: [1, 1, 1, 1, 1, 1] } }],
      constants: {
        kernel: { type: 'float32', dims: [1, 1, 3, 3, 3], values: Array.from({ length: 27 }, () => 1 / 27) },
      },
    })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is nearer to the whole image’s result with a Gaussian than without', async () => {
    const image = noise(gridOf(24, 20, 22))
    const model = await openOnnx(
      { runtime: 'onnx', file: 'blur.onnx', sha256: '', onMissingProvider: 'fallback' },
      modelContext(folder),
    )
    try {
      const whole = imageOf(await runOn(entryOf({}), model, { image })).data
      const errorOf = async (blend: string): Promise<number> => {
        const run = { kind: 'sliding-window', size: [10, 10, 10], blend, batch: 2 }
        const { data } = imageOf(await runOn(entryOf({ run }), model, { image }))
        return Math.hypot(...data.map((value, at) => value - (whole[at] as number)))
      }
      const gaussian = await errorOf('gaussian')
      expect(gaussian).toBeLessThan((await errorOf('constant')) / 4)
    } finally {
      await model.close()
    }
  })
})
