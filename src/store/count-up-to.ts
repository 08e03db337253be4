import type { Knex } from 'knex'

/** How many rows there are; where there are more than were counted, `totalIsExact` is false. */
export interface Counted {
  total: number
  totalIsExact: boolean
}

/** Counts the rows of a query as far as that takes no time worth speaking of. */
export async function countUpTo(database: Knex, rows: Knex.QueryBuilder, most = 100_000): Promise<Counted> {
  const few = rows
    .clone()
    .select(database.raw('1'))
    .limit(most + 1)
  const [counted] = await database.from(few.as('counted')).count<{ n: number }[]>({ n: '*' })
  const n = counted?.n ?? 0
  return { total: Math.min(n, most), totalIsExact: n <= most }
}
