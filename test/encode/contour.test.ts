import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { outline } from '../../src/encode/contour.ts'

function maskOf(...lines: string[]): { mask: Uint8Array; rows: number; columns: number } {
  const columns = lines[0]?.length ?? 0
  return { mask: Uint8Array.from(lines.join(''), (c) => (c === '#' ? 1 : 0)), rows: lines.length, columns }
}

const trace = ({ mask, rows, columns }: ReturnType<typeof maskOf>, maximumPoints = 200) =>
  outline(mask, { rows, columns, maximumPoints })

/** Shoelace formula. */
function area(points: readonly number[]): number {
  let twice = 0
  for (let i = 0; i + 3 < points.length; i += 2)
    twice += (points[i] ?? 0) * (points[i + 3] ?? 0) - (points[i + 2] ?? 0) * (points[i + 1] ?? 0)
  return Math.abs(twice) / 2
}

describe('the outline of a mask', () => {
  it('runs along the edges of the pixels, closed', () => {
    expect(trace(maskOf('....', '.##.', '.##.', '....'))).toEqual([1, 1, 3, 1, 3, 3, 1, 3, 1, 1])
    expect(trace(maskOf('#'))).toEqual([0, 0, 1, 0, 1, 1, 0, 1, 0, 0])
  })

  it('takes the largest part and does not cross to pixels that touch at a corner only', () => {
    expect(trace(maskOf('##...', '##...', '..###', '..###'))).toEqual([2, 2, 5, 2, 5, 4, 2, 4, 2, 2])
    expect(area(trace(maskOf('##.', '#.#', '###')))).toBe(7)
  })

  it('is empty for an empty mask', () => {
    expect(trace(maskOf('...', '...'))).toEqual([])
  })

  it('encloses every pixel of a part without holes, however it is shaped', () => {
    const column = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(column, (heights) => {
        const lines = Array.from({ length: 9 }, (_, row) => heights.map((h) => (9 - row <= h ? '#' : '.')).join(''))
        const found = trace(maskOf(...lines))
        expect(area(found)).toBe(heights.reduce((sum, h) => sum + h, 0))
        expect(found.slice(0, 2)).toEqual(found.slice(-2))
      }),
    )
  })

  it('keeps to the number of points that is allowed, and to the shape', () => {
    const size = 400
    const mask = new Uint8Array(size * size)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        if (Math.hypot(x - 200, y - 200) < 150 + 20 * Math.sin(x / 3)) mask[y * size + x] = 1
    const pixels = mask.reduce((sum, v) => sum + v, 0)
    const full = outline(mask, { rows: size, columns: size, maximumPoints: 1e6 })
    const few = outline(mask, { rows: size, columns: size, maximumPoints: 200 })
    expect(full.length / 2).toBeGreaterThan(200)
    expect(few.length / 2).toBeLessThanOrEqual(200)
    expect(few.slice(0, 2)).toEqual(few.slice(-2))
    expect(Math.abs(area(few) / pixels - 1)).toBeLessThan(0.05)
  })
})
