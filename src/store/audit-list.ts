import type { Knex } from 'knex'
import type { AuditRow } from './audit-chain.ts'
import { countUpTo } from './count-up-to.ts'

export interface AuditSearch {
  /** ISO 8601, UTC: at this time or later. */
  from?: string | undefined
  /** Before this time. */
  to?: string | undefined
  /** Whole, or the beginning with a `*` at its end. */
  actor?: string | undefined
  action?: string | undefined
  outcome?: string | undefined
  studyInstanceUID?: string | undefined
  subject?: string | undefined
  /** Only entries with a smaller id. */
  before?: number | undefined
  limit: number
}

/** Entries of the audit, the newest first, and how many there are in all (as far as is counted). */
export async function searchAudit(database: Knex, search: AuditSearch) {
  const matching = database<AuditRow>('audit')
  if (search.from !== undefined) matching.where('at', '>=', search.from)
  if (search.to !== undefined) matching.where('at', '<', search.to)
  if (search.actor?.endsWith('*')) {
    const beginning = search.actor.slice(0, -1).replace(/[\\%_]/g, '\\$&')
    matching.whereRaw("actor like ? escape '\\'", [`${beginning}%`])
  } else if (search.actor !== undefined) matching.where('actor', search.actor)
  if (search.action !== undefined) matching.where('action', search.action)
  if (search.outcome !== undefined) matching.where('outcome', search.outcome)
  if (search.subject !== undefined) matching.where('subject', search.subject)
  if (search.studyInstanceUID !== undefined) matching.where('study_instance_uid', search.studyInstanceUID)
  const counted = await countUpTo(database, matching.clone())
  if (search.before !== undefined) matching.where('id', '<', search.before)
  return { ...counted, rows: await matching.orderBy('id', 'desc').limit(search.limit) }
}

/**
 * Entries after a place in the chain, in their order.
 * @param between ISO 8601, UTC: from this time on, and before that one
 */
export async function auditAfter(
  database: Knex,
  sequence: number,
  limit: number,
  between: { from?: string | undefined; to?: string | undefined } = {},
): Promise<AuditRow[]> {
  const rows = database<AuditRow>('audit').where('sequence', '>', sequence)
  if (between.from !== undefined) rows.where('at', '>=', between.from)
  if (between.to !== undefined) rows.where('at', '<', between.to)
  return await rows.orderBy('sequence').limit(limit)
}

/** The entry at a place in the chain. */
export async function auditEntryAt(database: Knex, sequence: number): Promise<AuditRow | null> {
  return (await database<AuditRow>('audit').where({ sequence }).first()) ?? null
}

/** The names of the acts that the audit tells of. */
export async function auditActions(database: Knex): Promise<string[]> {
  const rows: { action: string }[] = await database('audit').distinct('action').orderBy('action')
  return rows.map(({ action }) => action)
}
