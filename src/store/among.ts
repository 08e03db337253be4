import type { Knex } from 'knex'
import { isSQLite } from './database.ts'

/**
 * The condition that a column has one of many values. One binding instead of one for each: knex spends more on thousands of bindings than
 * the database on the query, and the statement stays the same whatever their number.
 * @param column a name of ours, with its table where it needs one
 */
export function among(database: Knex, column: string, values: readonly string[]): Knex.Raw {
  if (isSQLite(database))
    return database.raw('?? in (select value from json_each(?))', [column, JSON.stringify(values)])
  return database.raw('?? = any(?)', [column, values as unknown as string])
}
