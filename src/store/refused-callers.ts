import type { Knex } from 'knex'

/** A caller whose association was refused, as it is listed. */
export interface RefusedCaller {
  id: number
  callingAETitle: string
  calledAETitle: string
  address: string
  reason: string
  times: number
  firstAt: string
  lastAt: string
}

/** Refused callers, the last refused first. */
export async function listRefusedCallers(database: Knex, limit = 200): Promise<RefusedCaller[]> {
  return await database('refused_callers')
    .select<RefusedCaller[]>({
      id: 'id',
      callingAETitle: 'calling_ae_title',
      calledAETitle: 'called_ae_title',
      address: 'address',
      reason: 'reason',
      times: 'times',
      firstAt: 'first_at',
      lastAt: 'last_at',
    })
    .orderBy('last_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
}
