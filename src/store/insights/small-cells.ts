import { smallestCount } from './small-counts.ts'

/** A table of counts with the sums of its rows and columns; null for what is withheld. */
export interface ShownCells {
  cells: (number | null)[][]
  rowTotals: (number | null)[]
  columnTotals: (number | null)[]
  total: number | null
}

/**
 * Withholds small counts (1 to 4) of a table that is shown with its sums, small sums among them, and as many further counts as it takes
 * that none of the small ones can be had by subtraction: in no row and column alone, and in no combination of them. Where a line's sum is
 * shown, what is withheld of it sums up to no small count. Zeros speak of nobody and are shown, unless nothing else is left.
 * @param counts rows of one length
 */
export function withoutSmallCells(counts: readonly (readonly number[])[]): ShownCells {
  const columns = counts[0]?.length ?? 0
  // Sums are a further row and column: then every line, sums included, is an equation of cells of one grid.
  const withSums = (row: readonly number[]) => [...row, sum(row)]
  const grid = [...counts, Array.from({ length: columns }, (_, at) => sum(counts.map((row) => row[at] ?? 0)))].map(
    withSums,
  )
  const withheld = new Grid(grid)
  withheld.protect()
  const shown = withheld.shown()
  const last = shown.pop() ?? []
  return {
    cells: shown.map((row) => row.slice(0, -1)),
    rowTotals: shown.map((row) => row.at(-1) ?? null),
    columnTotals: last.slice(0, -1),
    total: last.at(-1) ?? null,
  }
}

type Cell = readonly [row: number, column: number]

/** What it costs to withhold a count: those that tell most last. Zeros tell what is of no use to who subtracts. */
const costs = { sum: 1e6, zero: 1e9 } as const

/**
 * Counts with their sums. Withheld ones are the edges of a graph between rows and columns: what is shown determines an edge exactly where
 * it is in no circle, that is, where its ends fall apart without it.
 */
class Grid {
  readonly #counts: readonly (readonly number[])[]
  readonly #withheld: boolean[][]
  /** Those that have to stay unknown: of others that are withheld for their sake it does no harm. */
  readonly #small: Cell[] = []

  constructor(counts: readonly (readonly number[])[]) {
    this.#counts = counts
    this.#withheld = counts.map((row, r) =>
      row.map((count, c) => {
        const isSmall = count > 0 && count < smallestCount
        if (isSmall) this.#small.push([r, c])
        return isSmall
      }),
    )
  }

  shown(): (number | null)[][] {
    return this.#counts.map((row, r) => row.map((count, c) => (this.#withheld[r]?.[c] ? null : count)))
  }

  /** Withholds what it takes, until no small count can be had. */
  protect(): void {
    for (let hasChanged = true; hasChanged; ) {
      hasChanged = false
      for (const cell of this.#small) hasChanged = this.#close(cell) || this.#widen(cell) || hasChanged
    }
  }

  /** Withholds the cheapest circle through a cell. @returns false where it is in one already */
  #close([row, column]: Cell): boolean {
    const path = this.#pathBeside([row, column])
    const open = path.filter(([r, c]) => !this.#withheld[r]?.[c])
    for (const [r, c] of open) (this.#withheld[r] as boolean[])[c] = true
    return open.length > 0
  }

  /** Cells that lead from a cell's row to its column by other rows and columns, at the least cost (Dijkstra). */
  #pathBeside([row, column]: Cell): Cell[] {
    const rows = this.#counts.length
    const columns = this.#counts[0]?.length ?? 0
    const cost = Array.from({ length: rows + columns }, () => Number.POSITIVE_INFINITY)
    const by: (Cell | null)[] = cost.map(() => null)
    const from: number[] = cost.map(() => -1)
    const open = new Set(cost.keys())
    cost[row] = 0
    while (open.size > 0) {
      const node = [...open].reduce((best, one) => ((cost[one] as number) < (cost[best] as number) ? one : best))
      open.delete(node)
      const isRow = node < rows
      for (const other of isRow ? this.#columnNodes(rows, columns) : Array.from({ length: rows }, (_, r) => r)) {
        const cell: Cell = isRow ? [node, other - rows] : [other, node - rows]
        if (!open.has(other) || (cell[0] === row && cell[1] === column)) continue
        const reached = (cost[node] as number) + this.#costOf(cell)
        if (reached >= (cost[other] as number)) continue
        cost[other] = reached
        by[other] = cell
        from[other] = node
      }
    }
    const path: Cell[] = []
    for (let node = rows + column; node !== row && node >= 0; node = from[node] as number) {
      const cell = by[node]
      if (!cell) return []
      path.push(cell)
    }
    return path
  }

  #columnNodes(rows: number, columns: number): number[] {
    return Array.from({ length: columns }, (_, c) => rows + c)
  }

  #costOf([row, column]: Cell): number {
    if (this.#withheld[row]?.[column]) return 0
    const count = this.#counts[row]?.[column] ?? 0
    const isSum = row === this.#counts.length - 1 || column === (this.#counts[0]?.length ?? 0) - 1
    return 1 + count + (isSum ? costs.sum : 0) + (count === 0 ? costs.zero : 0)
  }

  /**
   * Withholds one more count of the row or column of a cell, where its sum is shown and what is withheld of it is a small count together.
   * @returns false where that is not so
   */
  #widen([row, column]: Cell): boolean {
    const [lastRow, lastColumn] = [this.#counts.length - 1, (this.#counts[0]?.length ?? 0) - 1]
    const parts = {
      row: Array.from({ length: lastColumn }, (_, c): Cell => [row, c]),
      column: Array.from({ length: lastRow }, (_, r): Cell => [r, column]),
    }
    const inRow = column !== lastColumn && this.#widenLine(parts.row, [row, lastColumn])
    return (row !== lastRow && this.#widenLine(parts.column, [lastRow, column])) || inRow
  }

  #widenLine(parts: readonly Cell[], total: Cell): boolean {
    const isHidden = ([r, c]: Cell) => this.#withheld[r]?.[c] === true
    const hidden = sum(parts.filter(isHidden).map(([r, c]) => this.#counts[r]?.[c] ?? 0))
    if (isHidden(total) || hidden === 0 || hidden >= smallestCount) return false
    const cheapest = [...parts, total]
      .filter((cell) => !isHidden(cell))
      .reduce((best, cell) => (this.#costOf(cell) < this.#costOf(best) ? cell : best), total)
    ;(this.#withheld[cheapest[0]] as boolean[])[cheapest[1]] = true
    return true
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
