import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import {
  chiSquare,
  kolmogorovSmirnov,
  quantileOfSorted,
  stabilityOfCategories,
  stabilityOfNumbers,
  wilsonInterval,
} from '../../../src/store/insights/drift-statistics.ts'
import { withoutSmallCounts } from '../../../src/store/insights/small-counts.ts'

/** A fixed sequence, the same for both sides of a comparison. */
function numbers(count: number, seed: number, scale = 1, shift = 0): number[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return shift + scale * (state / 2_147_483_648)
  })
}

describe('quantiles', () => {
  it('lie between the neighbours', () => {
    expect(quantileOfSorted([1, 2, 3, 4], 0.5)).toBe(2.5)
    expect(quantileOfSorted([1, 2, 3, 4], 0.1)).toBeCloseTo(1.3, 12)
    expect(quantileOfSorted([], 0.5)).toBeNaN()
  })
})

describe('the population stability index', () => {
  it('is zero for the same values, however many there are', () => {
    const values = numbers(500, 7)
    expect(stabilityOfNumbers(values, values)?.index).toBe(0)
    expect(stabilityOfNumbers(values, values)?.bins).toHaveLength(10)
  })

  it('grows with the distance, and stays finite where a bin is empty', () => {
    const reference = numbers(500, 7)
    const near = stabilityOfNumbers(reference, numbers(500, 11, 1, 0.05))?.index ?? Number.NaN
    const far = stabilityOfNumbers(reference, numbers(500, 11, 1, 2))?.index ?? Number.NaN
    expect(near).toBeGreaterThan(0)
    expect(near).toBeLessThan(0.25)
    expect(far).toBeGreaterThan(2)
    expect(far).toBeLessThan(50)
  })

  it('has as many bins as the reference tells apart', () => {
    expect(stabilityOfNumbers([1, 1, 1, 1, 2], [1, 2, 2, 2])?.bins).toEqual([
      { label: '≤ 1', reference: 4, window: 1 },
      { label: '> 1', reference: 1, window: 3 },
    ])
    expect(stabilityOfNumbers([3, 3, 3], [3])?.bins).toEqual([{ label: 'all', reference: 3, window: 1 }])
    expect(stabilityOfNumbers([], [1])).toBeNull()
  })

  it('of categories is as by hand', () => {
    const index = stabilityOfCategories(
      new Map([
        ['A', 8],
        ['B', 2],
      ]),
      new Map([
        ['A', 2],
        ['B', 8],
      ]),
    )?.index
    const [p, q] = [8.5 / 11, 2.5 / 11]
    expect(index).toBeCloseTo(2 * (p - q) * Math.log(p / q), 12)
  })
})

const scipy = spawnSync('/usr/bin/python3', ['-c', 'import scipy']).status === 0

describe('tests of differences', () => {
  it.runIf(scipy || process.env.CI === 'true')('are those of SciPy', () => {
    const pairs = [
      [numbers(60, 3), numbers(45, 5)],
      [numbers(200, 3), numbers(300, 5, 1.1, 0.1)],
      [numbers(40, 3).map((x) => Math.round(x * 5)), numbers(50, 9).map((x) => Math.round(x * 5))],
    ] as const
    const tables = [
      [
        [12, 30, 9],
        [20, 10, 15],
      ],
      [
        [1, 2],
        [3, 4],
      ],
      [
        [400, 20, 3, 9],
        [410, 60, 1, 2],
      ],
    ] as const
    const script = `
import json, sys, math
from scipy import stats, special
given = json.load(sys.stdin)
ks = []
for a, b in given['pairs']:
    d = stats.ks_2samp(a, b).statistic
    ks.append([d, special.kolmogorov(d * math.sqrt(len(a) * len(b) / (len(a) + len(b))))])
chi = [list(stats.chi2_contingency(t, correction=False)[:3]) for t in given['tables']]
print(json.dumps({'ks': ks, 'chi': chi}))`
    const run = spawnSync('/usr/bin/python3', ['-c', script], {
      input: JSON.stringify({ pairs, tables }),
      encoding: 'utf8',
    })
    expect(run.status, run.stderr).toBe(0)
    const expected = JSON.parse(run.stdout) as { ks: [number, number][]; chi: [number, number, number][] }
    for (const [index, [a, b]] of pairs.entries()) {
      const found = kolmogorovSmirnov(a, b)
      expect(found?.statistic).toBeCloseTo(expected.ks[index]?.[0] ?? Number.NaN, 12)
      expect(found?.probability).toBeCloseTo(expected.ks[index]?.[1] ?? Number.NaN, 10)
    }
    const counts = (row: readonly number[]) => new Map(row.map((count, at) => [String(at), count]))
    for (const [index, [r, w]] of tables.entries()) {
      const found = chiSquare(counts(r), counts(w))
      expect(found?.statistic).toBeCloseTo(expected.chi[index]?.[0] ?? Number.NaN, 10)
      expect(found?.probability).toBeCloseTo(expected.chi[index]?.[1] ?? Number.NaN, 10)
      expect(found?.degreesOfFreedom).toBe(expected.chi[index]?.[2])
    }
  })

  it('say nothing of nothing', () => {
    expect(kolmogorovSmirnov([], [1])).toBeNull()
    expect(chiSquare(new Map(), new Map([['A', 1]]))).toBeNull()
    expect(chiSquare(new Map([['A', 3]]), new Map([['A', 1]]))).toBeNull()
  })
})

describe('Wilson’s interval', () => {
  it('is as published, and stays within 0 and 1', () => {
    // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20.
    expect(wilsonInterval(81, 263)).toMatchObject({ low: expect.closeTo(0.2553, 4), high: expect.closeTo(0.3662, 4) })
    expect(wilsonInterval(15, 148)).toMatchObject({ low: expect.closeTo(0.0624, 4), high: expect.closeTo(0.1605, 4) })
    expect(wilsonInterval(0, 20)).toMatchObject({ low: 0, high: expect.closeTo(0.1611, 4) })
    expect(wilsonInterval(0, 0)).toBeNull()
  })
})

describe('small counts', () => {
  it('are withheld, and cannot be had from the total', () => {
    expect(withoutSmallCounts([10, 0, 20])).toEqual([10, 0, 20])
    expect(withoutSmallCounts([3, 50, 20])).toEqual([null, 50, null])
    expect(withoutSmallCounts([3, 4, 50])).toEqual([null, null, 50])
    expect(withoutSmallCounts([1, 1, 50, 9])).toEqual([null, null, 50, null])
    expect(withoutSmallCounts([2])).toEqual([null])
  })
})
