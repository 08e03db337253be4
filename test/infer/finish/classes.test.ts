import { describe, expect, it } from 'vitest'
import { applyStep, gridOf, imageValue, labelsAfter, numbersAfter, numbersValue } from './apply-step.ts'

const grid = gridOf([4, 1, 1])
/** Three channels of four voxels. */
const logits = imageValue(grid, 3, [0, 5, 1, 2, 1, 4, 1, 2, -1, 6, 0, 800])

describe('activations', () => {
  it('sigmoid is the logistic function, far from 0 too', () => {
    expect(numbersAfter('sigmoid', numbersValue(0, 2, -2, 1000, -1000))).toEqual([
      0.5,
      1 / (1 + Math.exp(-2)),
      Math.exp(-2) / (1 + Math.exp(-2)),
      1,
      0,
    ])
    expect(numbersAfter('sigmoid', logits)[0]).toBe(0.5)
  })

  it('softmax sums to 1 over channels or numbers, and does not overflow', () => {
    const p = numbersAfter('softmax', logits)
    for (let i = 0; i < 4; i++) expect((p[i] as number) + (p[4 + i] as number) + (p[8 + i] as number)).toBeCloseTo(1, 6)
    expect(p[1]).toBeCloseTo(Math.exp(-1) / (Math.exp(-1) + Math.exp(-2) + 1), 6)
    expect([p[3], p[7], p[11]]).toEqual([0, 0, 1])
    expect(numbersAfter('softmax', numbersValue(1, 1, 1 + Math.log(2)))).toEqual([
      expect.closeTo(0.25, 12),
      expect.closeTo(0.25, 12),
      expect.closeTo(0.5, 12),
    ])
  })

  it('do not change what they are given, unless it is theirs', () => {
    const own = imageValue(grid, 1, [0, 0, 0, 0])
    applyStep('sigmoid', own)
    expect(own.kind === 'image' && own.image.data[0]).toBe(0)
    applyStep('sigmoid', own, {}, { owned: true })
    expect(own.kind === 'image' && own.image.data[0]).toBe(0.5)
  })
})

describe('argmax', () => {
  it('takes the first of the highest channels, as the labels that they are given', () => {
    expect(labelsAfter('argmax', logits)).toEqual([1, 2, 0, 2])
    expect(labelsAfter('argmax', logits, { labels: [0, 7, 3] })).toEqual([7, 3, 0, 3])
    expect(labelsAfter('argmax', logits, { labels: [9, 7, 3], minimum: 1 })).toEqual([0, 3, 0, 3])
    expect(() => applyStep('argmax', logits, { labels: [0, 1] })).toThrow(/names 2 labels, there are 3/)
  })

  it('is right beyond one block of voxels', () => {
    const long = gridOf([9001, 1, 1])
    const data = Float32Array.from({ length: 18002 }, (_, i) => (i < 9001 ? i % 3 : (i - 9001) % 5))
    const expected = Array.from({ length: 9001 }, (_, i) => (i % 5 > i % 3 ? 1 : 0))
    expect(labelsAfter('argmax', imageValue(long, 2, data))).toEqual(expected)
    expect(labelsAfter('threshold', imageValue(long, 2, data), { minimum: 1 })).toEqual(
      Array.from({ length: 9001 }, (_, i) => (i % 3 < 1 && i % 5 < 1 ? 0 : i % 5 > i % 3 ? 2 : 1)),
    )
  })

  it('gives the index of the highest number, or -1', () => {
    expect(numbersAfter('argmax', numbersValue(0.1, 0.7, 0.2))).toEqual([1])
    expect(numbersAfter('argmax', numbersValue(0.1, 0.7, 0.2), { labels: [5, 6, 7] })).toEqual([6])
    expect(numbersAfter('argmax', numbersValue(0.1, 0.7, 0.2), { minimum: 0.8 })).toEqual([-1])
  })
})

describe('threshold', () => {
  const p = imageValue(grid, 2, [0.5, 0.6, 0.9, 0.1, 0.4, 0.7, 0.8, 0.49])

  it('counts the limit as reached, and gives the class plus 1', () => {
    expect(labelsAfter('threshold', p, { minimum: 0.5 })).toEqual([1, 2, 1, 0])
    expect(labelsAfter('threshold', p, { maximum: 0.1 })).toEqual([0, 0, 0, 1])
  })

  it('follows the priority where classes overlap', () => {
    const classes = [
      { channel: 1, label: 20, minimum: 0.45 },
      { channel: 0, label: 10, minimum: 0.5, maximum: 0.89 },
    ]
    const by = (priority: string) => labelsAfter('threshold', p, { classes, priority })
    expect(by('first')).toEqual([10, 20, 20, 20])
    expect(by('last')).toEqual([10, 10, 20, 20])
    expect(by('highest')).toEqual([10, 20, 20, 20])
    expect(() => applyStep('threshold', p, { classes: [{ channel: 2, minimum: 0 }] })).toThrow(/channel 2, there are 2/)
    expect(() => applyStep('threshold', p, {})).toThrow(/either classes/)
    expect(() => applyStep('threshold', p, { classes, minimum: 0 })).toThrow(/either classes/)
  })

  it('says 1 or 0 of numbers', () => {
    expect(numbersAfter('threshold', numbersValue(0.2, 0.5, 0.9), { minimum: 0.5 })).toEqual([0, 1, 1])
    const classes = [
      { channel: 2, minimum: 0.95 },
      { channel: 0, maximum: 0.3 },
    ]
    expect(numbersAfter('threshold', numbersValue(0.2, 0.5, 0.9), { classes })).toEqual([0, 1])
  })
})

describe('calibration and regression', () => {
  it('temperature divides', () => {
    expect(numbersAfter('temperature', numbersValue(3, -1), { temperature: 2 })).toEqual([1.5, -0.5])
    expect(numbersAfter('temperature', logits, { temperature: 2 })).toEqual([
      0, 2.5, 0.5, 1, 0.5, 2, 0.5, 1, -0.5, 3, 0, 400,
    ])
  })

  it('platt is a logistic function of a score, or of the logit of a probability', () => {
    const options = { slope: [2, 1], intercept: -1 }
    const [a, b] = numbersAfter('platt', numbersValue(1, 0), options)
    expect(a).toBeCloseTo(1 / (1 + Math.exp(-1)), 12)
    expect(b).toBeCloseTo(1 / (1 + Math.exp(1)), 12)
    const identity = { slope: 1, intercept: 0, of: 'probability' }
    for (const [index, p] of numbersAfter('platt', numbersValue(0.2, 0.9, 0, 1), identity).entries())
      expect(p).toBeCloseTo([0.2, 0.9, 0, 1][index] as number, 6)
    const image = numbersAfter('platt', imageValue(grid, 2, [0, 0, 0, 0, 1, 1, 1, 1]), options)
    expect(image[0]).toBeCloseTo(1 / (1 + Math.exp(1)), 6)
    expect(image[4]).toBeCloseTo(0.5, 6)
    expect(() => applyStep('platt', numbersValue(1, 2, 3), options)).toThrow(/gives 2 numbers, there are 3 classes/)
  })

  it('regression scales, shifts and clamps', () => {
    const options = { scale: 10, offset: 5, minimum: 0, maximum: 120 }
    expect(numbersAfter('regression', numbersValue(1, -2, 50), options)).toEqual([15, 0, 120])
    expect(numbersAfter('regression', numbersValue(0, Math.log(3)), { exp: true, scale: [1, 2] })).toEqual([
      1,
      expect.closeTo(6, 12),
    ])
    expect(numbersAfter('regression', imageValue(grid, 1, [0, 1, 2, 3]), { offset: -1 })).toEqual([-1, 0, 1, 2])
  })

  it('select picks numbers and channels', () => {
    expect(numbersAfter('select', numbersValue(1, 2, 3), { indices: [2, 0] })).toEqual([3, 1])
    expect(numbersAfter('select', logits, { indices: [2] })).toEqual([-1, 6, 0, 800])
    expect(() => applyStep('select', logits, { indices: [3] })).toThrow(/asks for 3, there are 3/)
  })
})
