import type { Knex } from 'knex'
import { isSQLite } from './database.ts'

export interface RowsToInsert {
  table: string
  columns: readonly string[]
  /** Values in the order of the columns. */
  rows: readonly (readonly (string | number | null)[])[]
  /** What follows the values: `on conflict …`, `returning …`. */
  suffix?: string
}

/**
 * Inserts many rows: in one statement; in a transaction of SQLite, where nothing has to travel, by one prepared statement for all of
 * them, which costs a third of a statement of their own. Written out because knex turns many rows into a chain of aliased selects for
 * SQLite, which costs more than the insertion itself.
 * @returns what the suffix's `returning` names
 */
export async function insertRows<Row>(database: Knex, insertion: RowsToInsert): Promise<Row[]> {
  const { columns, rows, suffix = '' } = insertion
  if (rows.length === 0) return []
  if (isSQLite(database) && database.isTransaction) return await insertOneByOne(database, insertion)
  const row = `(${columns.map(() => '?').join(', ')})`
  const values = Array.from(rows, () => row).join(', ')
  return rowsOf<Row>(await database.raw(`${begin(insertion)} values ${values} ${suffix}`, rows.flat()))
}

function begin({ table, columns }: RowsToInsert): string {
  return `insert into "${table}" (${columns.map((column) => `"${column}"`).join(', ')})`
}

/** What is used of better-sqlite3, which knex hands through. */
interface Statement {
  readonly reader: boolean
  run(...values: unknown[]): unknown
  get(...values: unknown[]): unknown
}
interface Connection {
  prepare(sql: string): Statement
}

const statements = new WeakMap<Connection, Map<string, Statement>>()

async function insertOneByOne<Row>(trx: Knex, insertion: RowsToInsert): Promise<Row[]> {
  // Within a transaction this is the transaction's own connection, and knex gives it back at its end.
  const connection = (await trx.client.acquireConnection()) as Connection
  const values = insertion.columns.map(() => '?').join(', ')
  const statement = prepared(connection, `${begin(insertion)} values (${values}) ${insertion.suffix ?? ''}`)
  const returned: Row[] = []
  for (const row of insertion.rows) {
    if (!statement.reader) statement.run(...row)
    else returned.push(statement.get(...row) as Row)
  }
  return returned
}

function prepared(connection: Connection, sql: string): Statement {
  const known = statements.get(connection) ?? new Map<string, Statement>()
  statements.set(connection, known)
  const statement = known.get(sql) ?? connection.prepare(sql)
  known.set(sql, statement)
  return statement
}

/** `raw` gives the rows themselves in SQLite, and an object that holds them in PostgreSQL. */
function rowsOf<Row>(answer: unknown): Row[] {
  if (Array.isArray(answer)) return answer as Row[]
  if (typeof answer === 'object' && answer !== null && 'rows' in answer) return answer.rows as Row[]
  return []
}
