import type { Knex } from 'knex'
import { countUpTo } from './count-up-to.ts'

/** How deliveries to a destination went lately. */
export interface DeliveryHealth {
  /** ISO 8601 UTC. */
  lastSuccessAt: string | null
  lastFailureAt: string | null
  /** Of the last failure, where that is later than the last success. */
  lastError: string | null
  /** Objects that are not there yet. */
  pending: number
  /** Objects that were given up. */
  failed: number
}

/** Answered by an index, whatever was delivered there before. */
export async function deliveryHealth(database: Knex, destination: string): Promise<DeliveryHealth> {
  const of = (state: string) => database('deliveries').where({ destination, state })
  const newest = async (state: string) =>
    of(state)
      .orderBy('updated_at', 'desc')
      .first<{ updated_at: string; error: string | null } | undefined>('updated_at', 'error')
  const success = await newest('verified')
  // What will be tried again has failed, too.
  const tried = await of('pending')
    .whereNotNull('error')
    .orderBy('updated_at', 'desc')
    .first<{ updated_at: string; error: string | null } | undefined>('updated_at', 'error')
  const gaveUp = await newest('failed')
  const [failure] = [tried, gaveUp].flatMap((row) => row ?? []).sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1))
  const since = failure && (success === undefined || failure.updated_at > success.updated_at)
  return {
    lastSuccessAt: success?.updated_at ?? null,
    lastFailureAt: failure?.updated_at ?? null,
    lastError: since ? failure.error : null,
    pending: (await countUpTo(database, of('pending'))).total + (await countUpTo(database, of('sent'))).total,
    failed: (await countUpTo(database, of('failed'))).total,
  }
}
