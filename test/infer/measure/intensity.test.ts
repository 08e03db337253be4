import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderStatistic } from '../../../src/infer/measure/order-statistic.ts'
import { labelsFrom, random } from '../finish/apply-step.ts'
import { doubles, hasScipy, runScipy } from '../finish/scipy.ts'
import { ellipsoid, grid, measure, on, valueOf } from './shapes.ts'

describe('orderStatistic', () => {
  it('is what stands there when all are sorted', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 60 }), fc.nat(), (numbers, n) => {
        const values = Float32Array.from(numbers)
        const rank = 1 + (n % values.length)
        // -0 and 0 are equal.
        expect(orderStatistic(values, rank) + 0).toBe((values.slice().sort()[rank - 1] as number) + 0)
      }),
      { numRuns: 200 },
    )
  })
})

describe('statistics', () => {
  const of = grid([30, 20, 15], [1, 1, 2])
  const next = random(21)
  const labels = labelsFrom(of, () => Math.floor(next() * 4))
  const whole = Int16Array.from(labels.labels, () => Math.round(next() * 2000 - 1000))
  const names = ['mean', 'standard-deviation', 'minimum', 'maximum', 'median'] as const

  it('equal numpy’s, of whole numbers and of fractions', ({ skip }) => {
    if (!hasScipy()) skip()
    const fractions = Float32Array.from(whole, (x) => Math.fround(x / 7))
    const result = runScipy(
      `
for name in ('whole', 'fractions'):
    for labels in ([1], [2, 3]):
        v = inputs[name][np.isin(inputs['labels'], labels)].astype(float)
        p, _ = np.histogram(v, 64)
        p = p[p > 0] / len(v)
        outputs[name + str(len(labels))] = np.array([v.mean(), v.std(), v.min(), v.max(), np.median(v),
            np.percentile(v, 15, method='inverted_cdf'), 100 * (v < -20).mean(), 100 * (v > 40).mean(), -(p * np.log2(p)).sum()])
`,
      {
        labels: { size: of.size, data: labels.labels },
        whole: { size: of.size, data: Float32Array.from(whole) },
        fractions: { size: of.size, data: fractions },
      },
    )
    for (const [name, data] of [
      ['whole', whole],
      ['fractions', fractions],
    ] as const)
      for (const values of [[1], [2, 3]]) {
        const subject = on(labels, data, ...values)
        const ours = [
          ...names.map((quantity) => valueOf(quantity, subject)),
          valueOf('percentile', subject, { percent: 15 }),
          valueOf('fraction-below', subject, { limit: -20 }),
          valueOf('fraction-above', subject, { limit: 40 }),
          valueOf('entropy', subject),
        ]
        for (const [n, theirs] of doubles(result[`${name}${values.length}`]).entries())
          expect(ours[n], `${name} ${n}`).toBeCloseTo(theirs, 8)
      }
  })

  it('are the same for the same numbers in another type', () => {
    const [a, b] = [on(labels, whole, 1, 2), on(labels, Float32Array.from(whole), 1, 2)]
    for (const name of names) expect(valueOf(name, a), name).toBeCloseTo(valueOf(name, b), 9)
    for (const percent of [0, 1, 15, 50, 99, 100])
      expect(valueOf('percentile', a, { percent })).toBe(valueOf('percentile', b, { percent }))
  })

  it('take the channel and the unit that are asked for', () => {
    const two = Float32Array.from({ length: 2 * whole.length }, (_, i) => (i < whole.length ? 1 : 5))
    expect(measure('mean', on(labels, two, 1), { channel: 1 }, { unit: '{SUVbw}g/mL' })).toEqual([
      { value: 5, unit: '{SUVbw}g/mL' },
    ])
    expect(() => measure('mean', on(labels, two, 1), { channel: 2 })).toThrow(/channel 2 .* has 2/)
    expect(measure('fraction-above', on(labels, two, 1), { limit: 0 }, { unit: '1' })).toEqual([
      { value: 1, unit: '1' },
    ])
    const elsewhere = {
      ...on(labels, two, 1),
      image: { grid: { ...of, origin: [0, 0, 0] as const }, channels: 2, data: two },
    }
    expect(() => measure('mean', elsewhere)).toThrow(/different grids/)
  })

  it('are no numbers where there is nothing, or where a value is none', () => {
    for (const data of [whole, Float32Array.from(whole)])
      for (const name of [...names, 'entropy', 'suv-max', 'suv-peak', 'mass'])
        expect(valueOf(name, on(labels, data, 9)), name).toBeNaN()
    const broken = Float32Array.from(whole)
    broken[labels.labels.indexOf(1)] = Number.NaN
    for (const name of [...names, 'entropy', 'suv-max', 'suv-peak'])
      expect(valueOf(name, on(labels, broken, 1)), name).toBeNaN()
    expect(valueOf('fraction-below', on(labels, broken, 1), { limit: 0 })).toBeNaN()
  })

  it('entropy counts bins of one width', () => {
    const row = labelsFrom(grid([4, 1, 1], [1, 1, 1]), () => 1)
    expect(valueOf('entropy', on(row, Int16Array.of(0, 24, 25, 30)), { binWidth: 25 })).toBe(1)
    expect(valueOf('entropy', on(row, Int16Array.of(7, 7, 7, 7)))).toBe(0)
    expect(() => measure('entropy', on(row, Int16Array.of(0, 0, 0, 0)), { bins: 4, binWidth: 2 })).toThrow(/not both/)
  })
})

describe('mass and uptake', () => {
  const of = grid([31, 31, 21], [2, 2, 3])
  const ball = ellipsoid(of, [20, 20, 20])
  const millilitres = valueOf('volume', segmentOf())

  function segmentOf() {
    return { labels: ball, values: [1] }
  }

  it('weigh the volume by density or SUV', () => {
    const lung = on(ball, new Int16Array(ball.labels.length).fill(-800))
    expect(valueOf('mass', lung)).toBeCloseTo(0.2 * millilitres, 9)
    expect(measure('mass', lung, {}, { unit: 'kg' })[0]?.value).toBeCloseTo((0.2 * millilitres) / 1000, 9)
    const hot = on(ball, new Float32Array(ball.labels.length).fill(4.5))
    expect(valueOf('total-lesion-glycolysis', hot)).toBeCloseTo(4.5 * millilitres, 9)
  })

  it('the peak is the highest mean of a sphere of 1 mL around a voxel of the segment', () => {
    const next = random(5)
    const data = Float32Array.from(ball.labels, () => next() * 10)
    // A hot spot just outside of the segment counts for spheres inside of it.
    const at = (i: number, j: number, k: number) => (k * 31 + j) * 31 + i
    for (let i = 24; i < 28; i++) data[at(i, 15, 10)] = 300
    const radius = 10 * Math.cbrt(3 / (4 * Math.PI))
    let best = { value: 0, i: 0, j: 0, k: 0 }
    for (let k = 0; k < 21; k++)
      for (let j = 0; j < 31; j++)
        for (let i = 0; i < 31; i++) {
          if (ball.labels[at(i, j, k)] !== 1) continue
          let [sum, n] = [0, 0]
          for (let dk = -2; dk <= 2; dk++)
            for (let dj = -3; dj <= 3; dj++)
              for (let di = -3; di <= 3; di++) {
                if (Math.hypot(2 * di, 2 * dj, 3 * dk) > radius) continue
                const [x, y, z] = [i + di, j + dj, k + dk]
                if (x < 0 || y < 0 || z < 0 || x >= 31 || y >= 31 || z >= 21) continue
                sum += data[at(x, y, z)] as number
                n++
              }
          if (sum / n > best.value) best = { value: sum / n, i, j, k }
        }
    const [peak] = measure('suv-peak', on(ball, data))
    expect(peak?.value).toBeCloseTo(best.value, 9)
    expect(best.value).toBeGreaterThan(20)
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)]
    const [x, y] = [2 * best.i, 2 * best.j]
    expect(peak?.places?.[0]).toEqual(
      [10 + c * x - s * y, -20 + s * x + c * y, 30 + 3 * best.k].map((mm) => expect.closeTo(mm, 9)),
    )
    const [highest] = measure('suv-max', on(ball, data))
    expect(highest?.value).toBe(data.reduce((most, v, n) => (ball.labels[n] === 1 ? Math.max(most, v) : most), 0))
    expect(valueOf('suv-peak', on(ball, new Float32Array(data.length).fill(3)))).toBeCloseTo(3, 12)
  })
})
