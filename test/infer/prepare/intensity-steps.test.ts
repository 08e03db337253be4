import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Image } from '../../../src/infer/image.ts'
import { percentiles } from '../../../src/infer/prepare/percentiles.ts'
import { type Call, gridOf, imageOf, noiseImage, runChain } from './chain.ts'

function row(
  values: readonly number[],
  type: typeof Float32Array | typeof Int16Array | typeof Uint8Array = Float32Array,
): Image {
  return imageOf(gridOf([values.length, 1, 1]), (_, [i]) => values[i] as number, type)
}

function after(values: readonly number[], ...calls: Call[]): number[] {
  return [...runChain(row(values), calls).data]
}

describe('steps along a line', () => {
  it('window, clip, scale and normalise', () => {
    expect(after([-1000, -160, 40, 240, 900], ['window', { centre: 40, width: 400 }])).toEqual([0, 0, 0.5, 1, 1])
    expect(after([-1000, 140], ['window', { centre: 40, width: 400, output: [-1, 1] }])).toEqual([-1, 0.5])
    expect(after([-5, 0, 5], ['clip', { minimum: -1 }])).toEqual([-1, 0, 5])
    expect(after([-5, 0, 5], ['clip', { minimum: -1, maximum: 2 }])).toEqual([-1, 0, 2])
    expect(after([1, 2], ['scale', { factor: 3, offset: -1 }])).toEqual([2, 5])
    const colours: Image = { grid: gridOf([2, 1, 1]), channels: 3, data: new Uint8Array([0, 255, 0, 255, 0, 255]) }
    const scaled = runChain(colours, [
      ['scale', { factor: 1 / 255 }],
      ['normalise', { mean: [0.5, 0, 1], std: [0.5, 1, 2] }],
    ])
    expect([...scaled.data].map((v) => Number(v.toFixed(5)))).toEqual([-1, 1, 0, 1, -0.5, 0])
    expect(() => runChain(colours, [['scale', { factor: [1, 2] }]])).toThrow(
      'the image has 3 channels, 2 numbers are given for factor',
    )
  })

  it('scale a range to another: least and greatest, given, percentiles, per slice', () => {
    expect(after([2, 4, 6], ['scale-range'])).toEqual([0, 0.5, 1])
    expect(after([2, 4, 8], ['scale-range', { from: [2, 6], to: [0, 10] }])).toEqual([0, 5, 10])
    expect(after([2, 4, 8], ['scale-range', { from: [2, 6], to: [0, 10], clip: false }])).toEqual([0, 5, 15])
    expect(after([0, 0, 2, 4, 6], ['scale-range', { of: 'non-zero' }])).toEqual([0, 0, 0, 0.5, 1])
    expect(after([7, 7], ['scale-range'])).toEqual([0, 0])
    const hundred = Array.from({ length: 101 }, (_, i) => i)
    expect(after(hundred, ['scale-range', { percentiles: [10, 90] }])[50]).toBeCloseTo(0.5, 6)
    expect(after(hundred, ['clip-percentiles', { percentiles: [5, 95] }]).slice(0, 7)).toEqual([5, 5, 5, 5, 5, 5, 6])
    const slices = imageOf(gridOf([2, 1, 2]), (_, [i, , k]) => i * 10 ** k)
    expect([...runChain(slices, [['scale-range', { over: 'slice' }]]).data]).toEqual([0, 1, 0, 1])
    expect([...runChain(slices, [['scale-range']]).data].map((v) => Number(v.toFixed(6)))).toEqual([0, 0.1, 0, 1])
  })

  it('leave the source alone, and reuse what is given for good', () => {
    const source = noiseImage([5, 4, 3])
    const before = source.data.slice()
    const chain: Call[] = [
      ['clip', { minimum: -100 }],
      ['scale', { factor: 2 }],
      ['z-score'],
      ['gaussian', { sigma: 1 }],
      ['clahe', { tiles: [1, 1] }],
      ['equalise-histogram'],
      ['cast', { type: 'uint8' }],
    ]
    for (let count = 1; count <= chain.length; count++) {
      runChain(source, chain.slice(0, count))
      expect(source.data).toEqual(before)
    }
  })
})

it.each<Call>([
  ['gaussian', { sigma: 1.3 }],
  ['median'],
  ['bilateral', { sigmaValue: 200 }],
  ['clahe', { tiles: [2, 2] }],
  ['equalise-histogram'],
  ['z-score', { of: 'non-zero' }],
  ['scale-range', { percentiles: [10, 80] }],
])('%s gives the same numbers in memory that it may reuse', (...call) => {
  const source = noiseImage([13, 11, 9])
  expect(runChain(source, [['scale', {}], call]).data).toEqual(runChain(source, [call]).data)
})

describe('z-score', () => {
  const stats = (values: readonly number[]): [number, number] => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    return [mean, Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length)]
  }

  it('takes all values, those that are not 0, or those in a mask', () => {
    const values = [0, 0, 10, 20, 60]
    const [mean, deviation] = stats([10, 20, 60])
    const inside = [10, 20, 60].map((v) => (v - mean) / deviation)
    const close = (found: number[], wanted: number[]): void => {
      for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 5)
    }
    close(
      after(values, ['z-score']),
      values.map((v) => (v - stats(values)[0]) / stats(values)[1]),
    )
    close(after(values, ['z-score', { of: 'non-zero' }]), [0, 0, ...inside])
    close(after(values, ['z-score', { of: 'non-zero', elsewhere: 'scaled' }]), [
      -mean / deviation,
      -mean / deviation,
      ...inside,
    ])
    const image = row(values)
    const mask = { kind: 'labels', labels: { grid: image.grid, labels: new Uint8Array([0, 0, 1, 2, 1]) } } as const
    close([...runChain(image, [['z-score', { mask: 'brain' }]], { values: { brain: mask } }).data], [0, 0, ...inside])
    const soft = { kind: 'image', image: row([0.1, 0.2, 0.6, 1, 0.9]) } as const
    close([...runChain(image, [['z-score', { mask: 'brain' }]], { values: { brain: soft } }).data], [0, 0, ...inside])
    expect(() =>
      runChain(image, [['z-score', { mask: 'x' }]], {
        values: { x: { kind: 'numbers', numbers: new Float64Array(1) } },
      }),
    ).toThrow('x is no mask')
  })

  it('survives constant images, empty masks and numbers far from 0', () => {
    expect(after([7, 7, 7], ['z-score'])).toEqual([0, 0, 0])
    const notes: string[] = []
    expect([...runChain(row([0, 0]), [['z-score', { of: 'non-zero' }]], { notes }).data]).toEqual([0, 0])
    expect(notes).toHaveLength(1)
    const far = after([16000000, 16000002], ['z-score'])
    expect(far).toEqual([-1, 1])
  })
})

describe('percentiles', () => {
  const sorted = (values: readonly number[], percent: number): number => {
    const ordered = [...values].sort((a, b) => a - b)
    const at = (percent / 100) * (ordered.length - 1)
    const low = ordered[Math.floor(at)] as number
    return low + (at - Math.floor(at)) * ((ordered[Math.ceil(at)] as number) - low)
  }

  it('are those of the sorted values, whatever the type', () => {
    const percent = fc.double({ min: 0, max: 100, noNaN: true })
    const floats = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e6), max: Math.fround(1e6) })
    const whole = fc.integer({ min: -32768, max: 32767 })
    const check = (type: typeof Float32Array | typeof Int16Array, value: fc.Arbitrary<number>) =>
      fc.assert(
        fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), percent, (values, wanted) => {
          const data = new type(values)
          const [found] = percentiles(data, { from: 0, to: data.length }, [wanted]) as [number]
          expect(Math.abs(found - sorted([...data], wanted))).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(found)))
        }),
      )
    check(Float32Array, floats)
    check(Int16Array, whole)
  })
})

describe('contrast and noise', () => {
  it('equalisation keeps the order of values and uses all of the range', () => {
    const image = noiseImage([40, 30, 1])
    const { data } = runChain(image, [['equalise-histogram', { bins: 1024 }]])
    const order = [...image.data.keys()].sort((a, b) => (image.data[a] as number) - (image.data[b] as number))
    for (let i = 1; i < order.length; i++)
      expect(data[order[i] as number]).toBeGreaterThanOrEqual(data[order[i - 1] as number] as number)
    expect(Math.max(...data)).toBe(1)
    expect(Math.min(...data)).toBeLessThan(0.01)
  })

  it('CLAHE lifts weak contrast where it is, limited, in tiles that need not fit', () => {
    // A faint pattern in a dark corner of a bright image.
    const image = imageOf(gridOf([50, 37, 2]), (_, [i, j]) => (i < 25 ? 10 + ((i + j) & 1) * 4 : 200 + j))
    const spread = (options: object): number => {
      const { data } = runChain(image, [['clahe', options]])
      for (const value of data) expect(value >= 0 && value <= 1).toBe(true)
      return Math.abs((data[5 * 50 + 6] as number) - (data[5 * 50 + 5] as number))
    }
    expect(spread({ clipLimit: 40 })).toBeGreaterThan(4 * (4 / 226))
    expect(spread({ clipLimit: 1 })).toBeLessThan(spread({ clipLimit: 40 }) / 4)
    const flat = imageOf(gridOf([9, 9, 1]), () => 3)
    expect(new Set(runChain(flat, [['clahe']]).data)).toEqual(new Set([0]))
  })

  it('filters leave constant images alone, and axes with one voxel', () => {
    const flat = imageOf(gridOf([6, 5, 4], [1, 2, 3]), () => 42)
    for (const call of [
      ['gaussian', { sigma: 3, unit: 'mm' }],
      ['median', { radius: 2 }],
      ['bilateral', { sigmaValue: 1 }],
    ] as Call[])
      for (const value of runChain(flat, [call]).data) expect(value).toBeCloseTo(42, 4)
    const picture = noiseImage([9, 8, 1])
    const alone = runChain(picture, [['gaussian', { sigma: 1 }]])
    expect(alone.data).toEqual(runChain(picture, [['gaussian', { sigma: 1, dimensions: 2 }]]).data)
    expect(() => runChain(picture, [['median', { radius: 100 }]])).toThrow('at most 32')
    expect(() => runChain(noiseImage([20, 20, 20]), [['median', { radius: 8 }]])).toThrow('4913 voxels')
  })

  it('the bilateral filter smooths noise and keeps an edge, the Gaussian does not', () => {
    const noisy = noiseImage([20, 20, 3], Float32Array, 10)
    const edge: Image = { ...noisy, data: noisy.data.map((v, i) => v + (i % 20 < 10 ? 0 : 500)) }
    const across = ({ data }: Image): number => (data[20 * 10 + 10] as number) - (data[20 * 10 + 9] as number)
    const roughness = ({ data }: Image): number =>
      Math.abs((data[20 * 10 + 4] as number) - (data[20 * 10 + 5] as number))
    const kept = runChain(edge, [['bilateral', { sigma: 1.5, sigmaValue: 30 }]])
    expect(across(kept)).toBeGreaterThan(480)
    expect(across(runChain(edge, [['gaussian', { sigma: 1.5 }]]))).toBeLessThan(250)
    expect(roughness(kept)).toBeLessThan(roughness(edge) / 2 + 1)
  })
})

describe('channels and types', () => {
  it('grey becomes three channels, and colour grey', () => {
    const grey = row([1, 2], Uint8Array)
    const colour = runChain(grey, [['repeat-channel']])
    expect(colour.channels).toBe(3)
    expect(colour.data).toEqual(new Uint8Array([1, 2, 1, 2, 1, 2]))
    const mixed = runChain({ ...colour, data: new Uint8Array([255, 0, 0, 255, 0, 0]) }, [['grey']])
    expect([...mixed.data].map((v) => Number(v.toFixed(3)))).toEqual([76.245, 149.685])
    expect([
      ...runChain({ ...colour, data: new Uint8Array([1, 2, 3, 4, 5, 6]) }, [['select-channels', { channels: [2, 0] }]])
        .data,
    ]).toEqual([5, 6, 1, 2])
    expect(() => runChain(grey, [['grey']])).toThrow('1 channels, 3 are expected')
    expect(() => runChain(colour, [['repeat-channel']])).toThrow('3 channels, 1 is expected')
    expect(() => runChain(grey, [['select-channels', { channels: [1] }]])).toThrow('channel 1 is wanted')
  })

  it('cast rounds, and keeps numbers within the type', () => {
    expect(runChain(row([-3, 0.6, 300]), [['cast', { type: 'uint8' }]]).data).toEqual(new Uint8Array([0, 1, 255]))
    expect(runChain(row([-40000, -1.2]), [['cast', { type: 'int16' }]]).data).toEqual(new Int16Array([-32768, -1]))
    expect(runChain(row([1, 2], Uint8Array), [['cast', { type: 'float32' }]]).data).toEqual(new Float32Array([1, 2]))
  })
})
