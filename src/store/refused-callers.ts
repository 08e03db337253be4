import type { Knex } from 'knex'
import { insertRows } from './insert-rows.ts'

/** A caller whose association was refused, as it is listed. */
export interface RefusedCaller {
  id: number
  /** Empty where the entry stands for several callers. */
  callingAETitle: string
  calledAETitle: string
  address: string
  reason: string
  times: number
  firstAt: string
  lastAt: string
}

const columns = {
  id: 'id',
  callingAETitle: 'calling_ae_title',
  calledAETitle: 'called_ae_title',
  address: 'address',
  reason: 'reason',
  times: 'times',
  firstAt: 'first_at',
  lastAt: 'last_at',
}

/** Refused callers, the last refused first. */
export async function listRefusedCallers(database: Knex, limit = 200): Promise<RefusedCaller[]> {
  return await database('refused_callers')
    .select<RefusedCaller[]>(columns)
    .orderBy('last_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
}

/** One refused caller, or null. */
export async function findRefusedCaller(database: Knex, id: number): Promise<RefusedCaller | null> {
  return (await database('refused_callers').where({ id }).select<RefusedCaller[]>(columns))[0] ?? null
}

/** Forgets one refused caller. @returns false where there is none of that id */
export async function forgetRefusedCaller(database: Knex, id: number): Promise<boolean> {
  return (await database('refused_callers').where({ id }).delete()) > 0
}

/** Forgets every refusal of an AE title at an address. */
export async function forgetRefusalsOf(
  database: Knex,
  { callingAETitle, address }: Pick<RefusedCaller, 'callingAETitle' | 'address'>,
): Promise<void> {
  await database('refused_callers').where({ calling_ae_title: callingAETitle, address }).delete()
}

/** Adds refusals in one statement: the same caller, address and reason again only counts. No two may be of one kind. */
export async function addRefusedCallers(database: Knex, callers: readonly Omit<RefusedCaller, 'id'>[]): Promise<void> {
  await insertRows(database, {
    table: 'refused_callers',
    columns: ['calling_ae_title', 'called_ae_title', 'address', 'reason', 'times', 'first_at', 'last_at'],
    rows: callers.map((one) => [
      one.callingAETitle,
      one.calledAETitle,
      one.address,
      one.reason,
      one.times,
      one.firstAt,
      one.lastAt,
    ]),
    suffix: `on conflict ("calling_ae_title", "called_ae_title", "address", "reason") do update set
      "times" = "refused_callers"."times" + excluded."times", "last_at" = excluded."last_at"`,
  })
}

/** Forgets the refused callers beyond a number of them, those that were refused longest ago. */
export async function trimRefusedCallers(database: Knex, keep: number): Promise<void> {
  const kept = database('refused_callers')
    .select('id')
    .orderBy([
      { column: 'last_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(keep)
  await database('refused_callers').whereNotIn('id', kept).delete()
}
