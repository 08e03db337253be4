import type { ValueOf } from '../value.ts'
import { FinishError } from './error.ts'

/** A tensor's numbers as rows, one for each box or point. */
export interface Table {
  rows: number
  columns: number
  at(row: number, column: number): number
}

/**
 * The tables of a tensor [..., N, A] (`rows`) or [..., A, N] (`columns`): one, or one for each slice where the leading dimensions hold several.
 * A tensor [N] is one column.
 * @param rows the number of rows where it is known: a tensor with one number for each is one column, whatever its dimensions
 * @throws {FinishError} `wrong-value` where the tensor has no dimension
 */
export function tableOf(
  { dims, data }: Pick<ValueOf<'tensor'>, 'dims' | 'data'>,
  layout: 'rows' | 'columns',
  { who, rows: known, tables: expected = 1 }: { who: string; rows?: number; tables?: number },
): Table[] {
  const last = dims[dims.length - 1]
  if (last === undefined)
    throw new FinishError('wrong-value', `${who}: a tensor without dimensions holds no boxes or points`)
  if (dims.length === 1 || (known !== undefined && data.length === known * expected))
    return slicesOf(data, dims.length === 1 ? last : (known as number), 1, (row) => row)
  const second = dims[dims.length - 2] as number
  return layout === 'rows'
    ? slicesOf(data, second, last, (row, column) => row * last + column)
    : slicesOf(data, last, second, (row, column) => column * last + row)
}

/** Several tables must be one for each slice. @throws {FinishError} `wrong-value` where they are more or fewer */
export function requireSlices(tables: readonly Table[], { grid, dims }: ValueOf<'tensor'>, who: string): void {
  if (tables.length === 1 || tables.length === grid.size[2]) return
  throw new FinishError(
    'wrong-value',
    `${who}: the tensor [${dims.join(', ')}] holds ${tables.length} tables, the grid has ${grid.size[2]} slices`,
  )
}

function slicesOf(
  data: Float32Array,
  rows: number,
  columns: number,
  index: (row: number, column: number) => number,
): Table[] {
  const elements = rows * columns
  const count = elements === 0 ? 1 : data.length / elements
  return Array.from({ length: count }, (_, n) => ({
    rows,
    columns,
    at: (row: number, column: number) => data[n * elements + index(row, column)] as number,
  }))
}
