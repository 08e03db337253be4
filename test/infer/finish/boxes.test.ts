import { describe, expect, it } from 'vitest'
import type { Box, Value } from '../../../src/infer/value.ts'
import { applyStep, gridOf, imageValue, labelsAfter, labelsFrom, labelValue, random } from './apply-step.ts'

const plane = gridOf([100, 50, 1])
const space = gridOf([40, 30, 20], [1, 1, 3])

const tensor = (dims: number[], data: number[], grid = plane): Value => ({
  kind: 'tensor',
  grid,
  dims,
  data: Float32Array.from(data),
})

function boxesAfter(...call: Parameters<typeof applyStep>): readonly Box[] {
  const value = applyStep(...call)
  if (value.kind !== 'boxes') throw new Error(`boxes are expected: ${value.kind}`)
  return value.boxes
}

const box = (from: Box['from'], to: Box['to'], score = 1, classIndex = 0): Box => ({
  from,
  to,
  score,
  class: classIndex,
})

describe('decode-boxes', () => {
  /** Columns 10 to 19 and rows 5 to 24: from the corner of the first pixel, 10 to 20 and 5 to 25. */
  const expected = box([9.5, 4.5, 0], [19.5, 24.5, 0], 0.75, 1)

  it.each([
    ['xyxy', [10, 5, 20, 25], {}],
    ['xyxy', [9.5, 4.5, 19.5, 24.5], { origin: 'centre' }],
    ['xyxy', [0.1, 0.1, 0.2, 0.5], { coordinates: 'normalised' }],
    ['yxyx', [5, 10, 25, 20], {}],
    ['xywh', [10, 5, 10, 20], {}],
    ['cxcywh', [15, 15, 10, 20], {}],
    ['cxcywh', [0.15, 0.3, 0.1, 0.4], { coordinates: 'normalised' }],
  ] as const)('understands %s %j %j', (format, numbers, options) => {
    const [found, ...others] = boxesAfter('decode-boxes', tensor([1, 6], [...numbers, 0.25, 0.75]), {
      format,
      ...options,
    })
    expect(others).toEqual([])
    expect(found).toMatchObject({ score: 0.75, class: 1 })
    for (const end of ['from', 'to'] as const)
      for (const axis of [0, 1, 2] as const) expect(found?.[end][axis]).toBeCloseTo(expected[end][axis], 4)
  })

  it.each([
    ['xyzxyz', [1, 2, 3, 11, 12, 13]],
    ['zyxzyx', [3, 2, 1, 13, 12, 11]],
    ['xyxyzz', [1, 2, 11, 12, 3, 13]],
    ['cxcyczwhd', [6, 7, 8, 10, 10, 10]],
  ])('understands %s in space', (format, numbers) => {
    const found = boxesAfter('decode-boxes', tensor([1, 1, 7], [...numbers, 0.5], space), { format })
    expect(found).toEqual([box([0.5, 1.5, 2.5], [10.5, 11.5, 12.5], 0.5, 0)])
  })

  it('reads the columns of an output without anchors, [1, 4 + C, N]', () => {
    const rows = [
      [15, 15, 10, 20, 0.1, 0.9],
      [50, 25, 4, 4, 0.6, 0.02],
      [80, 25, 4, 4, 0.01, 0.03],
    ]
    const columns = rows[0]?.flatMap((_, c) => rows.map((row) => row[c] as number)) ?? []
    const options = { format: 'cxcywh', layout: 'columns', minimumScore: 0.1 }
    const found = boxesAfter('decode-boxes', tensor([1, 6, 3], columns), options)
    expect(found.map((b) => b.class)).toEqual([1, 0])
    expect(found[1]).toMatchObject({ from: [47.5, 22.5, 0], to: [51.5, 26.5, 0] })
    const every = boxesAfter('decode-boxes', tensor([1, 6, 3], columns), {
      ...options,
      minimumScore: 0.02,
      perRow: 'every',
    })
    expect(every).toHaveLength(5)
    expect(boxesAfter('decode-boxes', tensor([3, 6], rows.flat()), { format: 'cxcywh', minimumScore: 0.1 })).toEqual(
      found,
    )
  })

  it('multiplies objectness, applies activations, and leaves the background out', () => {
    const at = [10, 5, 20, 25]
    const one = (scores: number[], options: object) =>
      boxesAfter('decode-boxes', tensor([1, 4 + scores.length], [...at, ...scores]), { format: 'xyxy', ...options })[0]
    expect(one([0.5, 0.25, 0.75], { scores: 'objectness-classes' })).toMatchObject({ score: 0.375, class: 1 })
    expect(one([0, Math.log(3)], { activation: 'sigmoid' })).toMatchObject({ score: expect.closeTo(0.75, 6), class: 1 })
    const logits = [0, Math.log(2), Math.log(5)]
    expect(one(logits, { activation: 'softmax', background: 'last' })).toMatchObject({
      score: expect.closeTo(0.25, 6),
      class: 1,
    })
    expect(one(logits, { activation: 'softmax', background: 'first' })).toMatchObject({
      score: expect.closeTo(0.625, 6),
      class: 1,
    })
    expect(one([0.875, 7], { scores: 'score-class' })).toMatchObject({ score: 0.875, class: 7 })
  })

  it('takes scores and classes of other tensors', () => {
    const boxes = tensor([2, 4], [10, 5, 20, 25, 30, 5, 40, 25])
    const values = {
      scores: tensor([2], [0.5, 0.9]),
      names: tensor([1, 2], [1, 3]),
      logits: tensor([3, 2], [0, 1, 2, 0, -1, 3]),
    }
    const named = { format: 'xyxy', scores: { from: 'scores' }, classes: { from: 'names', first: 1 } }
    expect(boxesAfter('decode-boxes', boxes, named, { values }).map((b) => [b.class, b.from[0]])).toEqual([
      [2, 29.5],
      [0, 9.5],
    ])
    const columns = { format: 'xyxy', scores: { from: 'logits', layout: 'columns' } }
    expect(boxesAfter('decode-boxes', boxes, columns, { values }).map((b) => [b.class, b.score])).toEqual([
      [2, 3],
      [1, 2],
    ])
    const short = { ...values, scores: tensor([3], [1, 1, 1]) }
    expect(() =>
      applyStep('decode-boxes', boxes, { format: 'xyxy', scores: { from: 'scores' } }, { values: short }),
    ).toThrow(/scores is \[3\], for 2 boxes/)
  })

  it('places boxes of every slice, cuts them at the border, and drops those outside', () => {
    const grid = gridOf([100, 50, 2])
    const data = [-10, -10, 20, 20, 0.9, 200, 10, 220, 20, 0.9, 90, 40, 120, 60, 0.8, 10, 10, 10, 20, 0.9]
    const options = { format: 'xyxy' }
    expect(boxesAfter('decode-boxes', tensor([2, 2, 5], data, grid), options)).toEqual([
      box([-0.5, -0.5, 0], [19.5, 19.5, 0], expect.closeTo(0.9, 6) as unknown as number),
      box([89.5, 39.5, 1], [99.5, 49.5, 1], expect.closeTo(0.8, 6) as unknown as number),
    ])
    const whole = boxesAfter('decode-boxes', tensor([2, 2, 5], data, grid), { ...options, clip: false })
    expect(whole[0]?.from).toEqual([-10.5, -10.5, 0])
  })

  it('holds no more than the best so many, however many are let through', () => {
    const next = random(4)
    const rows = Array.from({ length: 100 }, () => [10, 5, 20, 25, next()])
    const found = boxesAfter('decode-boxes', tensor([100, 5], rows.flat()), {
      format: 'xyxy',
      maximum: 3,
      minimumScore: 0,
    })
    const best = rows.map((row) => Math.fround(row[4] as number)).sort((a, b) => b - a)
    expect(found.map(({ score }) => score)).toEqual(best.slice(0, 3))
  })

  it('says what does not fit', () => {
    expect(() => applyStep('decode-boxes', tensor([2, 2, 5], Array(20).fill(0)), { format: 'xyxy' })).toThrow(
      /holds 2 tables, the grid has 1 slices/,
    )
    expect(() => applyStep('decode-boxes', tensor([2, 4], Array(8).fill(0)), { format: 'xyxy' })).toThrow(
      /has 4 numbers a box/,
    )
    expect(() => applyStep('decode-boxes', tensor([1, 4], [0, 0, 0, 0]), { format: 'deltas' })).toThrow(
      /anchors are expected/,
    )
  })
})

describe('deltas from anchors', () => {
  const options = {
    format: 'deltas',
    anchors: {
      levels: [
        {
          stride: [50, 25],
          shapes: [
            [20, 10],
            [40, 20],
          ],
        },
        { stride: [100, 50], shapes: [[80, 40]] },
      ],
    },
  }

  /** Rows in the order of torchvision: levels, then rows y, columns x, then the anchors of a position. */
  const anchors = [
    ...[0, 25].flatMap((y) =>
      [0, 50].flatMap((x) => [
        [x, y, 20, 10],
        [x, y, 40, 20],
      ]),
    ),
    [0, 0, 80, 40],
  ]

  it('move and grow the anchors', () => {
    const data = anchors.flatMap((_, n) => [
      n === 4 ? 0.5 : 0,
      n === 4 ? -0.25 : 0,
      n === 4 ? Math.log(2) : 0,
      n === 4 ? 50 : 0,
      n === 4 ? 1 : 0,
    ])
    const [found, ...others] = boxesAfter('decode-boxes', tensor([1, anchors.length, 5], data), {
      ...options,
      clip: false,
    })
    expect(others).toEqual([])
    // The fifth anchor: 20 x 10 at (0, 25). Its height would grow by e^50: at most by 1000 / 16.
    const [cx, cy, w, h] = [10, 22.5, 40, 625]
    expect(found?.from[0]).toBeCloseTo(cx - w / 2 - 0.5, 4)
    expect(found?.to[0]).toBeCloseTo(cx + w / 2 - 0.5, 4)
    expect(found?.from[1]).toBeCloseTo(cy - h / 2 - 0.5, 3)
    expect(found?.to[1]).toBeCloseTo(cy + h / 2 - 0.5, 3)
  })

  it('come back as the boxes that they were made of', () => {
    const next = random(3)
    const weights = [10, 10, 5, 5]
    const truth = anchors.map((_, n) => [n * 8, n * 3, n * 8 + 4 + 10 * next(), n * 3 + 2 + 10 * next()])
    const data = anchors.flatMap(([ax = 0, ay = 0, aw = 0, ah = 0], n) => {
      const [x0, y0, x1, y1] = truth[n] as [number, number, number, number]
      return [
        (10 * ((x0 + x1) / 2 - ax)) / aw,
        (10 * ((y0 + y1) / 2 - ay)) / ah,
        5 * Math.log((x1 - x0) / aw),
        5 * Math.log((y1 - y0) / ah),
        1 - n / 100,
      ]
    })
    const found = boxesAfter('decode-boxes', tensor([anchors.length, 5], data), {
      ...options,
      anchors: { ...options.anchors, weights },
      clip: false,
    })
    expect(found).toHaveLength(anchors.length)
    for (const [n, { from, to }] of found.entries())
      for (const [index, value] of [from[0], from[1], to[0], to[1]].entries())
        expect(value + 0.5).toBeCloseTo(truth[n]?.[index] as number, 3)
  })

  it('stand in the middle of positions, and in another order, in space', () => {
    const grid = gridOf([4, 4, 2])
    const anchors3d = { levels: [{ stride: [2, 2, 2], shapes: [[1, 1, 1]] }], offset: 0.5, fastest: 'last' }
    const data = [0, 1, 2, 3].flatMap((n) => [0, 0, 0, 0, 0, 0, 1 - n / 10])
    const found = boxesAfter('decode-boxes', tensor([4, 7], data, grid), { format: 'deltas-3d', anchors: anchors3d })
    expect(found.map(({ from }) => from)).toEqual([
      [0, 0, 0],
      [0, 2, 0],
      [2, 0, 0],
      [2, 2, 0],
    ])
    const three = tensor([3, 7], Array(21).fill(0), grid)
    expect(() => applyStep('decode-boxes', three, { format: 'deltas-3d', anchors: anchors3d })).toThrow(
      /4 anchors, and 3 rows/,
    )
  })
})

describe('non-maximum-suppression', () => {
  const boxes: Box[] = [
    box([0, 0, 0], [10, 10, 0], 0.8),
    box([0, 0, 0], [10, 8, 0], 0.9),
    box([0, 0, 0], [10, 8.1, 0], 0.7, 1),
    box([0, 0, 1], [10, 10, 1], 0.6),
    box([2, 2, 0], [4, 4, 0], 0.5),
    box([50, 20, 0], [60, 30, 0], 0.1),
  ]
  const value: Value = { kind: 'boxes', grid: gridOf([100, 50, 2]), boxes }
  const scores = (options: object) => boxesAfter('non-maximum-suppression', value, options).map((b) => b.score)

  it('keeps the best of those that overlap by more than the limit, in one slice and of one class', () => {
    expect(scores({})).toEqual([0.9, 0.7, 0.6, 0.5, 0.1])
    // The first two share 80 of 100.
    expect(scores({ overlap: 0.8 })).toEqual([0.9, 0.8, 0.7, 0.6, 0.5, 0.1])
    expect(scores({ overlap: 0.79 })).toEqual([0.9, 0.7, 0.6, 0.5, 0.1])
    expect(scores({ perClass: false })).toEqual([0.9, 0.6, 0.5, 0.1])
    expect(scores({ over: 'smaller' })).toEqual([0.9, 0.7, 0.6, 0.1])
    expect(scores({ minimumScore: 0.55, maximum: 2 })).toEqual([0.9, 0.7])
    expect(scores({ candidates: 2, overlap: 0.9 })).toEqual([0.9, 0.8])
  })

  it('looks at the third axis in space', () => {
    const stack: Value = {
      kind: 'boxes',
      grid: space,
      boxes: [box([0, 0, 0], [10, 10, 10], 0.9), box([0, 0, 6], [10, 10, 16], 0.8), box([0, 0, 2], [10, 10, 12], 0.7)],
    }
    expect(boxesAfter('non-maximum-suppression', stack).map((b) => b.score)).toEqual([0.9, 0.8])
  })
})

describe('boxes and labels', () => {
  const map = labelsFrom(space, (i, j, k) => {
    if (i >= 3 && i < 8 && j >= 4 && j < 6 && k >= 1 && k < 4) return 2
    return i === 20 && j === 10 && k === 10 ? 2 : i === 30 && j === 20 && k === 15 ? 1 : 0
  })

  it('components become boxes, scored by an image', () => {
    const data = new Float32Array(40 * 30 * 20).fill(0.25)
    data[(2 * 30 + 5) * 40 + 4] = 0.75
    data[(15 * 30 + 20) * 40 + 30] = 0.5
    const values = { p: imageValue(space, 1, data) }
    const found = boxesAfter('components-to-boxes', labelValue(map), { scores: 'p' }, { values })
    expect(found).toEqual([
      box([2.5, 3.5, 0.5], [7.5, 5.5, 3.5], 0.75, 1),
      box([29.5, 19.5, 14.5], [30.5, 20.5, 15.5], 0.5, 0),
      box([19.5, 9.5, 9.5], [20.5, 10.5, 10.5], 0.25, 1),
    ])
    const mean = boxesAfter(
      'components-to-boxes',
      labelValue(map),
      { scores: 'p', statistic: 'mean', maximum: 2 },
      { values },
    )
    expect(mean.map((b) => b.score)).toEqual([0.5, expect.closeTo((29 * 0.25 + 0.75) / 30, 9)])
    expect(boxesAfter('components-to-boxes', labelValue(map), { minimumVolume: 0.09 })).toHaveLength(1)
    expect(boxesAfter('components-to-boxes', labelValue(map), { within: 'slice', labels: [2] })).toEqual([
      ...[1, 2, 3].map((k) => box([2.5, 3.5, k], [7.5, 5.5, k], 1, 1)),
      box([19.5, 9.5, 10], [20.5, 10.5, 10], 1, 1),
    ])
  })

  it('boxes become labels again, the best on top', () => {
    const boxes = applyStep('components-to-boxes', labelValue(map))
    expect(labelsAfter('boxes-to-labels', boxes)).toEqual([...map.labels])
    const two: Value = {
      kind: 'boxes',
      grid: gridOf([6, 1, 1]),
      boxes: [box([-0.5, -0.5, 0], [3.5, 0.5, 0], 0.9, 4), box([1.5, -0.5, 0], [9, 0.5, 0], 0.8, 1)],
    }
    expect(labelsAfter('boxes-to-labels', two)).toEqual([5, 5, 5, 5, 2, 2])
    expect(labelsAfter('boxes-to-labels', two, { labels: [0, 7, 0, 0, 0] })).toEqual([0, 0, 7, 7, 7, 7])
    expect(labelsAfter('boxes-to-labels', two, { minimumScore: 0.85 })).toEqual([5, 5, 5, 5, 0, 0])
    expect(() => applyStep('boxes-to-labels', two, { labels: [1, 2] })).toThrow(/no label for class 4/)
  })
})
