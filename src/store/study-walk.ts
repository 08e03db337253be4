import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Knex } from 'knex'

/** How many rows a request may look at, and has looked at: what no index answers must end all the same. */
export interface Effort {
  rows: number
  readonly most: number
  /** True where the search ended for want of effort, not of rows. */
  exhausted: boolean
}

/** @param most SQLite looks at one to two millions a second */
export function effort(most = 1_000_000): Effort {
  return { rows: 0, most, exhausted: false }
}

/** Counts rows that were looked at. False where no more may be. */
export function spend(spent: Effort, rows: number): boolean {
  spent.rows += rows
  if (spent.rows >= spent.most) spent.exhausted = true
  return !spent.exhausted
}

export interface StudyWalk {
  /** By which column the studies are walked, from its greatest value down; all have an index, and no nulls. */
  order: 'search_date' | 'updated_at' | 'last_instance_at'
  /** Adds conditions that bound the way itself: on the order's column, or on `state` where the order is `updated_at`. */
  bounds?: (slice: Knex.QueryBuilder) => void
  /** Adds the conditions that studies must satisfy; columns are `studies.…`. */
  conditions: (studies: Knex.QueryBuilder) => void
}

interface Place {
  id: number
  at: string
}

/** What a slice should take, in milliseconds: SQLite answers on the thread that everything else waits for. */
const sliceMs = { least: 4, most: 15 }
/** Studies; they take about a millisecond. */
const leastSlice = 250

/**
 * Walks the studies in an index's order, a slice at a time, and gives the ids of those that satisfy the conditions. One statement looks
 * at one slice only, however few match, and between two of them everything else has its turn.
 */
export async function* walkStudies(database: Knex, walk: StudyWalk, spent: Effort): AsyncGenerator<number[]> {
  let size = leastSlice
  let after: Place | null = null
  for (;;) {
    const begun = performance.now()
    const slice = sliceAfter(database, walk, after)
    const last: Place | undefined = await slice
      .clone()
      .offset(size - 1)
      .first()
    const ids: number[] = await matching(database, walk, slice.limit(size))
    const ms = performance.now() - begun
    yield ids
    if (last === undefined) return
    if (!spend(spent, size)) return
    after = last
    if (ms < sliceMs.least) size = Math.min(size * 2, 8000)
    else if (ms > sliceMs.most) size = Math.max(size >> 1, leastSlice)
    await nextTurn()
  }
}

function sliceAfter(database: Knex, { order, bounds }: StudyWalk, after: Place | null): Knex.QueryBuilder {
  const slice = database('studies').select({ id: 'id', at: order })
  bounds?.(slice)
  if (after !== null) slice.whereRaw('(??, id) < (?, ?)', [order, after.at, after.id])
  return slice.orderBy([
    { column: order, order: 'desc' },
    { column: 'id', order: 'desc' },
  ])
}

async function matching(database: Knex, { conditions }: StudyWalk, slice: Knex.QueryBuilder): Promise<number[]> {
  // A cross join is never reordered by SQLite: it would else start from an index of the conditions, and leave the slice.
  const query = database
    .from(slice.as('slice'))
    .joinRaw('cross join studies')
    .whereRaw('studies.id = slice.id')
    .orderBy([
      { column: 'slice.at', order: 'desc' },
      { column: 'slice.id', order: 'desc' },
    ])
  conditions(query)
  return await query.pluck('slice.id')
}
