import { describe, expect, it } from 'vitest'
import type { Image } from '../../../src/infer/image.ts'
import { tensorInput, tensorOutput } from '../../../src/infer/runner/options.ts'
import { halvesOf } from '../../../src/infer/runtime/half.ts'
import { entryOf, float32, functionModel, gridOf, imageOf, noise, numbersModel, runOn, valueOf } from './runs.ts'

const image = noise(gridOf(5, 4, 3), 2)
const identity = () => numbersModel((data) => data)
/** Element of an image by channel and indices. */
const at = ({ grid, data }: Image, c: number, k: number, j: number, i: number): number =>
  data[((c * grid.size[2] + k) * grid.size[1] + j) * grid.size[0] + i] as number

describe('layouts', () => {
  const cases = [
    ['NCDHW', [1, 2, 3, 4, 5], (n: number[]) => n.slice(1)],
    ['NDHWC', [1, 3, 4, 5, 2], (n: number[]) => [n[4], n[1], n[2], n[3]]],
    ['NCXYZ', [1, 2, 5, 4, 3], (n: number[]) => [n[1], n[4], n[3], n[2]]],
    ['CDHW', [2, 3, 4, 5], (n: number[]) => n],
    ['HWDC', [4, 5, 3, 2], (n: number[]) => [n[3], n[2], n[0], n[1]]],
    ['NTDHW', [1, 2, 3, 4, 5], (n: number[]) => n.slice(1)],
    ['NTCDHW', [1, 2, 1, 3, 4, 5], (n: number[]) => [n[1], n[3], n[4], n[5]]],
  ] as const
  it.each(cases)('%s gives the model what it says, and the image comes back', async (layout, dims, indices) => {
    const model = identity()
    const values = await runOn(entryOf({ inputs: { in: { from: 'image', layout } } }), model, { image })
    const given = model.calls[0]?.in
    expect(given?.dims).toEqual(dims)
    let index = 0
    const walk = (place: number[]): void => {
      if (place.length < dims.length) {
        for (let i = 0; i < (dims[place.length] as number); i++) walk([...place, i])
        return
      }
      const [c, k, j, i] = indices(place) as [number, number, number, number]
      expect(given?.data[index++]).toBe(at(image, c, k, j, i))
    }
    walk([])
    expect(imageOf(values)).toEqual({ grid: image.grid, channels: 2, data: image.data })
  })

  it('gives the image’s own memory where it lies as the tensor does', async () => {
    const model = identity()
    await runOn(entryOf({}), model, { image })
    expect(model.fed[0]?.in?.data).toBe(image.data)
  })

  it.each(['NCHW', 'DHW', 'HW'])('%s does not take two channels of three slices', async (layout) => {
    const run = runOn(entryOf({ inputs: { in: { from: 'image', layout } } }), identity(), { image })
    await expect(run).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining('2 channels of 5 × 4 × 3'),
    })
  })

  it.each(['NCCHW', 'NCDZHW', 'NCQ', ''])('%s is no layout', (layout) => {
    expect(tensorInput.safeParse({ from: 'image', layout }).success).toBe(false)
  })
})

describe('types', () => {
  const values: Image = { grid: gridOf(4, 1, 1), channels: 1, data: Float32Array.of(-1.6, 0, 254.5, 70_000) }
  it.each([
    ['uint8', [0, 0, 255, 255]],
    ['int8', [-2, 0, 127, 127]],
    ['int16', [-2, 0, 255, 32_767]],
    ['uint16', [0, 0, 255, 65_535]],
    ['int32', [-2, 0, 255, 70_000]],
    ['int64', [-2n, 0n, 255n, 70_000n]],
    ['bool', [1, 0, 1, 1]],
    ['float16', [...halvesOf([-1.6, 0, 254.5, 70_000])]],
    ['float64', [Math.fround(-1.6), 0, 254.5, 70_000]],
  ])('%s is rounded and clipped', async (type, expected) => {
    const model = functionModel(() => ({ out: float32([1], [1]) }))
    await runOn(
      entryOf({ inputs: { in: { from: 'image', type } }, outputs: { out: { value: 'result', kind: 'numbers' } } }),
      model,
      { image: values },
    )
    expect(model.calls[0]?.in?.type).toBe(type)
    expect([...(model.calls[0]?.in?.data ?? [])]).toEqual(expected)
  })

  it('float16 outputs become single numbers', async () => {
    const out = functionModel(({ in: given }) => ({
      out: { type: 'float16', dims: given?.dims ?? [], data: halvesOf(Float32Array.from(given?.data ?? [], Number)) },
    }))
    const values16 = await runOn(entryOf({}), out, { image: { ...values, data: Float32Array.of(0.5, 1, 2, -3) } })
    expect(imageOf(values16).data).toEqual(Float32Array.of(0.5, 1, 2, -3))
  })
})

describe('inputs', () => {
  it('are vectors, constants and label maps beside images', async () => {
    const model = functionModel(({ in: given }) => ({ out: given as never }))
    const labels = { grid: gridOf(5, 4, 3), labels: new Uint8Array(60).fill(3) }
    await runOn(
      entryOf({
        inputs: {
          in: { from: 'image' },
          mask: { from: 'mask', type: 'uint8', layout: 'NDHW' },
          age: { from: 'age', layout: 'NC' },
          training: { constant: [0], dims: [], type: 'bool' },
        },
      }),
      model,
      { image, mask: { kind: 'labels', labels }, age: { kind: 'numbers', numbers: Float64Array.of(63, 1) } },
    )
    const [call] = model.calls
    expect(call?.mask).toMatchObject({ type: 'uint8', dims: [1, 3, 4, 5], data: labels.labels })
    expect(call?.age).toEqual(float32([1, 2], [63, 1]))
    expect(call?.training).toEqual({ type: 'bool', dims: [], data: Uint8Array.of(0) })
  })

  it('are not boxes', async () => {
    const boxes = { kind: 'boxes', grid: gridOf(5, 4, 3), boxes: [] } as const
    await expect(runOn(entryOf({}), identity(), { image: boxes })).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining('image is of kind boxes'),
    })
  })

  it('that a model sees part by part have one size', async () => {
    const entry = entryOf({ inputs: { in: { from: 'image' }, other: { from: 'small' } }, run: { kind: 'slices' } })
    await expect(runOn(entry, identity(), { image, small: noise(gridOf(4, 4, 3)) })).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining('input other has 4 × 4 × 3 voxels, 5 × 4 × 3 are expected'),
    })
  })
})

describe('outputs', () => {
  it('become labels by argmax, the first of equals', async () => {
    const model = functionModel(() => ({ out: float32([1, 3, 1, 1, 4], [0, 5, 1, -1, 2, 5, 0, -2, 1, 4, 3, -1]) }))
    const entry = entryOf({ outputs: { out: { value: 'result', kind: 'labels', reduce: 'argmax' } } })
    const { labels } = valueOf(await runOn(entry, model, { image: noise(gridOf(4, 1, 1)) }), 'labels')
    expect(labels.labels).toEqual(Uint8Array.of(1, 0, 2, 0))
  })

  it('become probabilities, of which some channels are kept, in the order that is said', async () => {
    const model = functionModel(() => ({ out: float32([1, 3, 1, 1, 2], [0, 1000, Math.log(2), 0, Math.log(5), 0]) }))
    const entry = entryOf({ outputs: { out: { value: 'result', reduce: 'softmax', keep: [2, 0] } } })
    const result = imageOf(await runOn(entry, model, { image: noise(gridOf(2, 1, 1)) }))
    expect(result.channels).toBe(2)
    for (const [index, expected] of [5 / 8, 0, 1 / 8, 1].entries()) expect(result.data[index]).toBeCloseTo(expected, 6)
  })

  it('are several values of one output, none of which spoils another', async () => {
    const logits = [3, -1, 1, 2]
    const model = functionModel(() => ({ out: float32([1, 2, 1, 1, 2], logits) }))
    const outputs = {
      out: [
        { value: 'sigmoid', reduce: 'sigmoid' },
        { value: 'labels', kind: 'labels', reduce: 'argmax' },
        { value: 'logits' },
      ],
    }
    const values = await runOn(entryOf({ outputs }), model, { image: noise(gridOf(2, 1, 1)) })
    expect(imageOf(values, 'logits').data).toEqual(Float32Array.from(logits))
    expect(valueOf(values, 'labels', 'labels').labels.labels).toEqual(Uint8Array.of(0, 1))
    expect(imageOf(values, 'sigmoid').data[0]).toBeCloseTo(1 / (1 + Math.exp(-3)), 6)
  })

  it('are label maps of whole numbers', async () => {
    const give = (data: number[]) =>
      functionModel(() => ({ out: { type: 'int64', dims: [1, 1, 1, 3], data: BigInt64Array.from(data, BigInt) } }))
    const entry = entryOf({ outputs: { out: { value: 'result', kind: 'labels' } } })
    const { labels } = valueOf(await runOn(entry, give([0, 7, 255]), { image: noise(gridOf(3, 1, 1)) }), 'labels')
    expect(labels.labels).toEqual(Uint8Array.of(0, 7, 255))
    await expect(runOn(entry, give([0, 7, 256]), { image: noise(gridOf(3, 1, 1)) })).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining('256 is no label'),
    })
  })

  it('are tensors as they came', async () => {
    const model = functionModel(() => ({ boxes: float32([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) }))
    const entry = entryOf({ outputs: { boxes: { value: 'result', kind: 'tensor' } } })
    const result = valueOf(await runOn(entry, model, { image }), 'tensor')
    expect(result).toEqual({
      kind: 'tensor',
      grid: image.grid,
      dims: [2, 4],
      data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    })
  })

  it.each([
    ['twice as fine', [6, 4, 2], [0.5, 1, 1.5], [9.75, 19.5, 29.25]],
    ['half as fine in the plane', [2, 1, 1], [2, 4, 3], [10.5, 21, 30]],
  ])('lie where they belong when they are %s', async (_, size, spacing, origin) => {
    const [nx, ny, nz] = size as [number, number, number]
    const model = functionModel(() => ({ out: float32([1, 1, nz, ny, nx], new Float32Array(nx * ny * nz)) }))
    const given = noise(gridOf(nx >= 6 ? 3 : 4, 2, 1))
    const { grid } = imageOf(await runOn(entryOf({}), model, { image: given }))
    expect(grid).toEqual({ ...given.grid, size, spacing, origin })
    const corner = entryOf({ outputs: { out: { value: 'result', align: 'corner' } } })
    expect(imageOf(await runOn(corner, model, { image: given })).grid.origin).toEqual(given.grid.origin)
  })

  it('of another size are an error that says which', async () => {
    const model = functionModel(() => ({ out: float32([1, 1, 3, 4, 7], new Float32Array(84)) }))
    await expect(runOn(entryOf({}), model, { image })).rejects.toMatchObject({
      code: 'wrong-shape',
      message: 'output out: 7 × 4 × 3 voxels were found, 5 × 4 × 3 or a whole multiple or part of it are expected',
    })
  })

  it.each([
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('that hold %d are an error that names the output', async (value, text) => {
    const model = numbersModel((data) => data.map((v, index) => (index === 77 ? value : v)))
    await expect(runOn(entryOf({}), model, { image })).rejects.toMatchObject({
      code: 'not-finite',
      message: `output out: element 77 of 120 is ${text}, finite numbers are expected`,
    })
  })

  it.each([
    { value: 'x', kind: 'image', reduce: 'argmax' },
    { value: 'x', kind: 'labels', reduce: 'softmax' },
    { value: 'x', kind: 'numbers', keep: [0] },
  ])('cannot be %j', (output) => {
    expect(tensorOutput.safeParse(output).success).toBe(false)
  })

  it('of parts are no vectors', async () => {
    const run = { kind: 'sliding-window', size: [2, 2, 2] }
    const entry = entryOf({ run, outputs: { out: { value: 'result', kind: 'numbers' } } })
    await expect(runOn(entry, identity(), { image })).rejects.toMatchObject({ code: 'wrong-shape' })
  })
})

describe('slices', () => {
  const slices = (more: object) => ({ kind: 'slices', ...more })
  const inputs = { in: { from: 'image', layout: 'NCHW' } }

  it.each(['i', 'j', 'k'])('along %s give the image back, in batches that do not fit', async (axis) => {
    const model = identity()
    const values = await runOn(entryOf({ inputs, run: slices({ axis, batch: 2 }) }), model, { image })
    expect(imageOf(values)).toEqual({ grid: image.grid, channels: 2, data: image.data })
    expect(model.calls.map((call) => call.in?.dims[0])).toEqual({ i: [2, 2, 1], j: [2, 2], k: [2, 1] }[axis])
  })

  it('fill a batch whose size the model does not leave open', async () => {
    const model = functionModel(({ in: given }) => ({ out: given as never }), {
      inputs: [{ name: 'in', type: 'float32', dims: [2, 2, 4, 5] }],
    })
    const values = await runOn(entryOf({ inputs, run: slices({ batch: 2 }) }), model, { image })
    expect(model.calls.map((call) => call.in?.dims[0])).toEqual([2, 2])
    expect(imageOf(values).data).toEqual(image.data)
  })

  it('have their neighbours as channels, and at the ends themselves again', async () => {
    const model = functionModel(({ in: given }) => ({ out: float32([1, 1, 4, 5], given?.data.slice(0, 20) as never) }))
    await runOn(entryOf({ inputs, run: slices({ neighbours: 1 }) }), model, { image })
    const [first, , last] = model.calls
    expect(first?.in?.dims).toEqual([1, 6, 4, 5])
    const planesOf = (data: ArrayLike<unknown> | undefined) =>
      Array.from({ length: 6 }, (_, c) => Array.from({ length: 20 }, (_v, i) => data?.[c * 20 + i]))
    const plane = (c: number, k: number) => [...image.data.subarray((c * 3 + k) * 20, (c * 3 + k + 1) * 20)]
    expect(planesOf(first?.in?.data)).toEqual([
      plane(0, 0),
      plane(1, 0),
      plane(0, 0),
      plane(1, 0),
      plane(0, 1),
      plane(1, 1),
    ])
    expect(planesOf(last?.in?.data)).toEqual([
      plane(0, 1),
      plane(1, 1),
      plane(0, 2),
      plane(1, 2),
      plane(0, 2),
      plane(1, 2),
    ])
  })

  it('beyond the ends are zero where that is said', async () => {
    const model = functionModel(() => ({ out: float32([1, 1, 4, 5], new Float32Array(20)) }))
    await runOn(entryOf({ inputs, run: slices({ neighbours: 1, ends: 'zero' }) }), model, { image })
    expect([...(model.calls[0]?.in?.data.slice(0, 40) ?? [])].every((v) => v === 0)).toBe(true)
  })

  it.each([
    ['each', [1, 10, 2, 20, 3, 30]],
    ['mean', [2, 20]],
    ['maximum', [3, 30]],
  ])('give vectors: %s', async (over, expected) => {
    let slice = 0
    const model = functionModel(({ in: given }) => {
      const n = given?.dims[0] as number
      return { out: float32([n, 2], Array.from({ length: n }, () => [++slice, 10 * slice]).flat()) }
    })
    const outputs = { out: { value: 'result', kind: 'numbers', over } }
    const values = await runOn(entryOf({ inputs, run: slices({ batch: 2 }), outputs }), model, { image })
    expect([...valueOf(values, 'numbers').numbers]).toEqual(expected)
  })

  it('give tensors, one after the other', async () => {
    const model = functionModel(({ in: given }) => ({ out: float32([1, 2, 2], [given?.data[0] as number, 1, 2, 3]) }))
    const outputs = { out: { value: 'result', kind: 'tensor' } }
    const values = await runOn(entryOf({ inputs, run: slices({}), outputs }), model, { image })
    const { dims, data } = valueOf(values, 'tensor')
    expect(dims).toEqual([3, 2, 2])
    expect([data[0], data[4], data[8]]).toEqual([0, 20, 40].map((i) => image.data[i]))
  })
})

describe('slabs', () => {
  /** The mean over three slices, zeros beyond the ends: what is at the end of a slab without a halo is wrong. */
  const blurred = () =>
    numbersModel((data, dims) => {
      const [plane, depth] = [20, dims[2] as number]
      return Float32Array.from(data, (_, index) => {
        const k = Math.floor(index / plane) % depth
        const before = k > 0 ? (data[index - plane] as number) : 0
        const after = k < depth - 1 ? (data[index + plane] as number) : 0
        return (before + (data[index] as number) + after) / 3
      })
    })
  const tall = noise(gridOf(5, 4, 11), 2)

  it.each([1, 2, 4, 11, 20])(
    'of %d give the whole image’s result, because they see more than they give',
    async (slab) => {
      const whole = imageOf(await runOn(entryOf({}), blurred(), { image: tall }))
      const entry = entryOf({ run: { kind: 'slabs', slab, halo: 1 } })
      expect(imageOf(await runOn(entry, blurred(), { image: tall }))).toEqual(whole)
    },
  )

  it('would not without a halo', async () => {
    const whole = imageOf(await runOn(entryOf({}), blurred(), { image: tall }))
    const entry = entryOf({ run: { kind: 'slabs', slab: 4 } })
    expect(imageOf(await runOn(entry, blurred(), { image: tall })).data).not.toEqual(whole.data)
  })
})
