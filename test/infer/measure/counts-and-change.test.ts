import { describe, expect, it } from 'vitest'
import { inUnit } from '../../../src/infer/measure/units.ts'
import { grid, measure, valueOf } from './shapes.ts'

describe('boxes', () => {
  const of = grid([100, 50, 10], [0.5, 1, 3])
  const subject = {
    grid: of,
    boxes: [
      { from: [9.5, 4.5, 2], to: [19.5, 24.5, 2], score: 0.4, class: 1 },
      { from: [9.5, 4.5, 1.5], to: [29.5, 14.5, 4.5], score: 0.9, class: 0 },
    ],
  }

  it('have sizes, scores and numbers, the best first', () => {
    expect(measure('box-size', subject).map(({ part, value }) => [part, value])).toEqual([
      ['x', 10],
      ['y', 10],
      ['z', 9],
    ])
    expect(measure('box-size', subject, { index: 1 }, { unit: 'cm' }).map(({ part, value }) => [part, value])).toEqual([
      ['x', 0.5],
      ['y', 2],
    ])
    expect(measure('box-size', subject, { class: 1 }).map(({ value }) => value)).toEqual([5, 20])
    expect(valueOf('box-size', subject, { index: 2 })).toBeNaN()
    expect([
      valueOf('box-score', subject),
      valueOf('box-score', subject, { class: 1 }),
      valueOf('box-score', subject, { class: 2 }),
    ]).toEqual([0.9, 0.4, 0])
    expect([
      valueOf('box-count', subject),
      valueOf('box-count', subject, { minimumScore: 0.5 }),
      valueOf('box-count', subject, { class: 1 }),
    ]).toEqual([2, 1, 1])
  })
})

describe('numbers', () => {
  const numbers = { numbers: Float64Array.of(0.25, 63.5) }

  it('are measured as they are, or in per cent', () => {
    expect(measure('number', numbers, { index: 1 }, { unit: 'a' })).toEqual([{ value: 63.5, unit: 'a' }])
    expect(measure('probability', numbers)).toEqual([{ value: 0.25, unit: '1' }])
    expect(measure('probability', numbers, {}, { unit: '%' })).toEqual([{ value: 25, unit: '%' }])
    expect(() => measure('number', numbers, { index: 2 })).toThrow(/number 2 is to be measured, there are 2/)
  })
})

describe('change since the prior study', () => {
  const of = (now: number, before: number, days: number | null = 100) => ({ now, before, days })

  it('is absolute and relative', () => {
    expect(measure('absolute-change', of(12, 8), {}, { unit: 'mL' })).toEqual([{ value: 4, unit: 'mL' }])
    expect(measure('relative-change', of(12, 8))).toEqual([{ value: 50, unit: '%' }])
    expect(measure('relative-change', of(6, 8), {}, { unit: '1' })).toEqual([{ value: -0.25, unit: '1' }])
    expect(valueOf('relative-change', of(6, 0))).toBeNaN()
  })

  it('is the time of doubling', () => {
    expect(valueOf('doubling-time', of(200, 100))).toBeCloseTo(100, 12)
    expect(valueOf('doubling-time', of(800, 100, 300))).toBeCloseTo(100, 12)
    expect(valueOf('doubling-time', of(50, 100))).toBeCloseTo(-100, 12)
    // Half as long again in diameter: 3.375 times the volume.
    expect(valueOf('doubling-time', of(15, 10), { of: 'diameter' })).toBeCloseTo(
      valueOf('doubling-time', of(3.375, 1)),
      12,
    )
    expect(measure('doubling-time', of(4, 1, 28), {}, { unit: 'wk' })[0]).toEqual({ value: 2, unit: 'wk' })
    for (const [now, before, days] of [
      [100, 100, 9],
      [0, 100, 9],
      [100, 0, 9],
      [200, 100, null],
      [200, 100, 0],
    ] as const)
      expect(valueOf('doubling-time', of(now, before, days))).toBeNaN()
    expect(valueOf('growth-per-year', of(200, 100, 365.25))).toBeCloseTo(100, 9)
    expect(valueOf('growth-per-year', of(2, 1, 365.25), { of: 'diameter' })).toBeCloseTo(700, 9)
  })
})

describe('units', () => {
  it('are converted within their dimension', () => {
    expect(inUnit(2500, 'mm3', 'mL')).toEqual({ value: 2.5, unit: 'mL' })
    expect(inUnit(25, 'mm', 'cm')).toEqual({ value: 2.5, unit: 'cm' })
    expect(inUnit(7, 'furlong', undefined)).toEqual({ value: 7, unit: 'furlong' })
    expect(() => inUnit(1, 'mm', 'L')).toThrow(/unit L cannot be given for what is measured in mm: mm, cm, m, um can/)
  })
})
