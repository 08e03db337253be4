import type { Knex } from 'knex'

export interface RowsToInsert {
  table: string
  columns: readonly string[]
  /** Values in the order of the columns. */
  rows: readonly (readonly (string | number | null)[])[]
  /** What follows the values: `on conflict …`, `returning …`. */
  suffix?: string
}

/**
 * One `insert` of many rows. Written out because knex turns many rows into a chain of aliased selects for SQLite, which costs more
 * than the insertion itself.
 * @returns what the suffix's `returning` names
 */
export async function insertRows<Row>(database: Knex, { table, columns, rows, suffix }: RowsToInsert): Promise<Row[]> {
  if (rows.length === 0) return []
  const names = columns.map((column) => `"${column}"`).join(', ')
  const row = `(${columns.map(() => '?').join(', ')})`
  const values = Array.from(rows, () => row).join(', ')
  const answer: unknown = await database.raw(
    `insert into "${table}" (${names}) values ${values} ${suffix ?? ''}`,
    rows.flat(),
  )
  return rowsOf<Row>(answer)
}

/** `raw` gives the rows themselves in SQLite, and an object that holds them in PostgreSQL. */
function rowsOf<Row>(answer: unknown): Row[] {
  if (Array.isArray(answer)) return answer as Row[]
  if (typeof answer === 'object' && answer !== null && 'rows' in answer) return answer.rows as Row[]
  return []
}
