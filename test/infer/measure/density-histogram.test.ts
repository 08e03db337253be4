import { describe, expect, it } from 'vitest'
import {
  densityHistogram,
  fractionBelow,
  meanDensity,
  percentileDensity,
  sumHistograms,
} from '../../../src/infer/measure/density-histogram.ts'

describe('what is measured on a histogram', () => {
  const density = Int16Array.of(-1000, -951, -950, -900, -800, 40, -32768, 32767)
  const labels = Uint8Array.of(3, 3, 3, 3, 3, 4, 4, 4)
  const lung = densityHistogram(density, labels, 3)

  it('is the plain mean of the voxels', () => {
    expect(meanDensity(lung)).toBeCloseTo((-1000 - 951 - 950 - 900 - 800) / 5, 12)
    expect(meanDensity(sumHistograms([lung, densityHistogram(density, labels, 4)]))).toBeCloseTo(
      density.reduce((a, b) => a + b, 0) / 8,
      9,
    )
  })

  it('counts strictly below the limit', () => {
    expect(fractionBelow(lung, -950)).toBe(40)
    expect(fractionBelow(lung, -949)).toBe(60)
  })

  it('takes the lowest density that the percentage lies at or below', () => {
    expect(percentileDensity(lung, 15)).toBe(-1000)
    expect(percentileDensity(lung, 20)).toBe(-1000)
    expect(percentileDensity(lung, 21)).toBe(-951)
    expect(percentileDensity(lung, 100)).toBe(-800)
  })

  it('is not a number where there is nothing', () => {
    const none = densityHistogram(density, labels, 9)
    expect([meanDensity(none), percentileDensity(none, 15), fractionBelow(none, -950)]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ])
  })
})
