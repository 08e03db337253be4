import { describe, expect, it } from 'vitest'
import { cielab } from '../../src/encode/colour.ts'

describe('a recommended display colour', () => {
  it('is white, black and red where sRGB is', () => {
    expect(cielab([255, 255, 255])).toEqual([65535, 32896, 32896])
    expect(cielab([0, 0, 0])).toEqual([0, 32896, 32896])
    // L* 54.29, a* 80.81, b* 69.89 under D50
    const [l = 0, a = 0, b = 0] = cielab([255, 0, 0])
    expect((l / 65535) * 100).toBeCloseTo(54.29, 1)
    expect((a / 65535) * 255 - 128).toBeCloseTo(80.81, 1)
    expect((b / 65535) * 255 - 128).toBeCloseTo(69.89, 1)
  })
})
