import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timeScale } from '../../../src/admin/ui/pages/study/time-scale.ts'

const day = 86_400_000

test('what follows at once is to scale', () => {
  const { place, breaks, ticks } = timeScale([
    { from: 1000, to: 3000 },
    { from: 3000, to: 11_000 },
  ])
  expect(breaks).toEqual([])
  expect([place(1000), place(6000), place(11_000)]).toEqual([0, 0.5, 1])
  expect(ticks[0]).toEqual({ place: 0, at: 1000 })
  expect(ticks.length).toBeGreaterThan(3)
})

test('a pause of days is cut short, and says how long it was', () => {
  const { place, breaks } = timeScale([
    { from: 0, to: 10_000 },
    { from: 3 * day, to: 3 * day + 10_000 },
  ])
  expect(breaks).toHaveLength(1)
  expect(breaks[0]?.ms).toBe(3 * day - 10_000)
  expect(place(10_000)).toBeCloseTo(0.475)
  expect(place(3 * day)).toBeCloseTo(0.525)
  expect(place(3 * day + 10_000)).toBeCloseTo(1)
})

test('whatever happened, places are in order and inside of the picture', () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 30 * day }), fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100_000 })))
    .map(([from, length]) => ({ from, to: from + length }))
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 40 }), (spans) => {
      const { place, ticks, breaks } = timeScale(spans)
      const moments = spans.flatMap(({ from, to }) => [from, to]).sort((a, b) => a - b)
      const places = moments.map(place)
      expect(places).toEqual([...places].sort((a, b) => a - b))
      for (const at of [
        ...places,
        ...ticks.map((tick) => tick.place),
        ...breaks.flatMap(({ from, to }) => [from, to]),
      ]) {
        expect(at).toBeGreaterThanOrEqual(0)
        expect(at).toBeLessThanOrEqual(1)
      }
    }),
  )
})
