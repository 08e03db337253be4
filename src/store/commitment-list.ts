import type { Knex } from 'knex'

/** A storage commitment, as it is listed. Times are ISO 8601 UTC. */
export interface ListedCommitment {
  id: number
  transactionUID: string
  callingAETitle: string
  address: string
  requestedAt: string
  /** Instances that were asked for. */
  instances: number
  /** Those of them that are not committed; null until it is decided. */
  failed: number | null
  /** unreported: nobody took the report within a day. */
  state: 'requested' | 'decided' | 'reported' | 'unreported'
  /** Reports tried on an association that the node opened. */
  attempts: number
  nextAttemptAt: string | null
  reportedAt: string | null
  /** Why the last attempt failed. */
  error: string | null
}

/** Storage commitments, the last requested first. */
export async function listCommitments(database: Knex, limit = 200): Promise<ListedCommitment[]> {
  return await database('commitments')
    .select<ListedCommitment[]>({
      id: 'id',
      transactionUID: 'transaction_uid',
      callingAETitle: 'calling_ae_title',
      address: 'address',
      requestedAt: 'requested_at',
      instances: 'instances',
      failed: 'failed',
      state: 'state',
      attempts: 'attempts',
      nextAttemptAt: 'next_attempt_at',
      reportedAt: 'reported_at',
      error: 'error',
    })
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
}
