import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ShownCells, withoutSmallCells } from '../../../src/store/insights/small-cells.ts'

/** What subtraction gives: solves the sums of rows and columns for what is withheld, by Gaussian elimination. */
function determined(shown: ShownCells): Map<string, number> {
  const grid = [
    ...shown.cells.map((row, r) => [...row, shown.rowTotals[r] ?? null]),
    [...shown.columnTotals, shown.total],
  ]
  const unknowns = grid.flatMap((row, r) => row.flatMap((cell, c) => (cell === null ? [`${r},${c}`] : [])))
  const line = (cells: [string, number | null][]) => {
    const equation = Array.from({ length: unknowns.length + 1 }, () => 0)
    for (const [n, [name, value]] of cells.entries()) {
      const sign = n === cells.length - 1 ? -1 : 1
      const at = unknowns.indexOf(name)
      if (at >= 0) equation[at] = sign
      else equation[unknowns.length] = (equation.at(-1) as number) - sign * (value ?? 0)
    }
    return equation
  }
  const rows = grid.map((row, r) => line(row.map((value, c) => [`${r},${c}`, value])))
  const columns = (grid[0] ?? []).map((_, c) => line(grid.map((row, r) => [`${r},${c}`, row[c] ?? null])))
  const equations = [...rows, ...columns]
  let rank = 0
  for (let column = 0; column < unknowns.length; column++) {
    const pivot = equations.findIndex((equation, n) => n >= rank && Math.abs(equation[column] as number) > 1e-9)
    if (pivot < 0) continue
    ;[equations[rank], equations[pivot]] = [equations[pivot] as number[], equations[rank] as number[]]
    const own = equations[rank] as number[]
    const by = own[column] as number
    for (let k = 0; k < own.length; k++) own[k] = (own[k] as number) / by
    for (const [n, equation] of equations.entries()) {
      const factor = equation[column] as number
      if (n !== rank && factor !== 0)
        for (let k = 0; k < own.length; k++) equation[k] = (equation[k] as number) - factor * (own[k] as number)
    }
    rank++
  }
  const found = new Map<string, number>()
  for (const equation of equations.slice(0, rank)) {
    const involved = unknowns.filter((_, n) => Math.abs(equation[n] as number) > 1e-9)
    if (involved.length === 1) found.set(involved[0] as string, equation.at(-1) as number)
  }
  return found
}

const isSmall = (count: number) => count > 0 && count < 5

describe('a table that leaves the page', () => {
  it('shows what is not small, as it is', () => {
    const shown = withoutSmallCells([
      [5, 0],
      [12, 7],
    ])
    expect(shown).toEqual({
      cells: [
        [5, 0],
        [12, 7],
      ],
      rowTotals: [5, 19],
      columnTotals: [17, 7],
      total: 24,
    })
  })

  it('withholds a small count with others, so that no sum gives it away', () => {
    const { cells } = withoutSmallCells([
      [30, 2, 50],
      [40, 60, 80],
      [70, 80, 90],
    ])
    expect(cells[0]?.[1]).toBeNull()
    expect(cells).toEqual([
      [null, null, 50],
      [null, null, 80],
      [70, 80, 90],
    ])
  })

  it('gives away no small count by any combination of sums', () => {
    const counts = fc.oneof(fc.nat(6), fc.nat(40))
    const table = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(counts, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
      )
    fc.assert(
      fc.property(table, (given) => {
        const shown = withoutSmallCells(given)
        const all = [...shown.cells.flat(), ...shown.rowTotals, ...shown.columnTotals, shown.total]
        expect(all.some((count) => count !== null && isSmall(count))).toBe(false)
        expect([...determined(shown).values()].filter((count) => isSmall(Math.round(count)))).toEqual([])
        for (const [r, row] of shown.cells.entries())
          for (const [c, cell] of row.entries()) if (cell !== null) expect(cell).toBe(given[r]?.[c])
      }),
      { numRuns: 300 },
    )
  })
})
