import { createHash } from 'node:crypto'
import type { Knex } from 'knex'

/** What a row of the audit says, beside its place in the chain. */
export interface AuditContent {
  /** ISO 8601, UTC. */
  at: string
  actor: string
  action: string
  subject: string | null
  outcome: string
  study_instance_uid: string | null
  /** JSON. */
  detail: string | null
}

export interface AuditRow extends AuditContent {
  id: number
  sequence: number
  previous_hash: string
  hash: string
}

/** Where the chain ends. */
export interface ChainHead {
  sequence: number
  hash: string
}

/** The hash that stands before the first entry. */
export const chainStart = '0'.repeat(64)

/** SHA-256, in hexadecimal, over the hash of the entry before and the whole content of this one. */
export function chainHash(previous: string, sequence: number, content: AuditContent): string {
  const { at, actor, action, subject, outcome, study_instance_uid, detail } = content
  const text = JSON.stringify([sequence, at, actor, action, subject, outcome, study_instance_uid, detail])
  return createHash('sha256').update(`${previous}\n${text}`, 'utf8').digest('hex')
}

/**
 * Adds an entry at the end of the chain. Several processes may do so at once: each waits until the one before has committed.
 * @param transaction of its own: the chain is locked until it ends
 */
export async function appendToChain(transaction: Knex.Transaction, content: AuditContent): Promise<ChainHead> {
  // A write comes first: in PostgreSQL it locks the row, in SQLite it makes this the one writer.
  await transaction('audit_head').where({ id: 1 }).increment('sequence', 1)
  const head = await transaction<ChainHead & { id: number }>('audit_head').where({ id: 1 }).first()
  if (!head) throw new Error('the audit has lost the end of its chain')
  const hash = chainHash(head.hash, head.sequence, content)
  await transaction('audit').insert({ ...content, sequence: head.sequence, previous_hash: head.hash, hash })
  await transaction('audit_head').where({ id: 1 }).update({ hash })
  return { sequence: head.sequence, hash }
}

/** What is wrong with the chain, and where. */
export interface ChainProblem {
  /** Of the entry; null for rows that have none. */
  sequence: number | null
  problem: string
}

export interface ChainReport {
  entries: number
  /** Where the chain ends by the entries themselves. */
  head: ChainHead
  problems: ChainProblem[]
}

/** Problems after which the rest is not named. */
const mostProblems = 100
const batch = 1000

/**
 * Looks at every entry of the audit: whether one was changed, taken out or put in.
 * @param anchors hashes of entries that were written elsewhere, by sequence
 */
export async function verifyChain(
  database: Knex,
  anchors: ReadonlyMap<number, string> = new Map(),
): Promise<ChainReport> {
  const problems: ChainProblem[] = []
  const say = (sequence: number | null, problem: string) => {
    if (problems.length < mostProblems) problems.push({ sequence, problem })
  }
  // The end is read first: what is added meanwhile comes after it.
  const end = await database<ChainHead & { id: number }>('audit_head').where({ id: 1 }).first()
  let entries = 0
  let last: ChainHead = { sequence: 0, hash: chainStart }
  for (;;) {
    const rows = await database<AuditRow>('audit')
      .where('sequence', '>', last.sequence)
      .orderBy('sequence')
      .limit(batch)
    if (rows.length === 0) break
    for (const row of rows) {
      entries++
      sayWhatIsWrong(row, last, say)
      const anchor = anchors.get(row.sequence)
      if (anchor !== undefined && anchor !== row.hash) say(row.sequence, 'is not the entry that was written elsewhere')
      last = { sequence: row.sequence, hash: row.hash }
    }
  }
  for (const { id } of await database('audit')
    .whereNull('sequence')
    .orWhere('sequence', '<', 1)
    .select('id')
    .limit(mostProblems))
    say(null, `row ${id} was put in beside the chain`)
  if (!end) say(null, 'the end of the chain is not recorded: its row was removed')
  else if (end.sequence > last.sequence)
    say(last.sequence + 1, `entries ${last.sequence + 1} to ${end.sequence}, the last ones, were removed`)
  else if (end.sequence === last.sequence && end.hash !== last.hash)
    say(last.sequence, 'is not the entry that was added last')
  const furthest = Math.max(0, ...anchors.keys())
  if (furthest > Math.max(last.sequence, end?.sequence ?? 0))
    say(furthest, `was written elsewhere, and the chain ends before it, at ${last.sequence}`)
  return { entries, head: last, problems }
}

function sayWhatIsWrong(row: AuditRow, last: ChainHead, say: (sequence: number, problem: string) => void): void {
  const { sequence } = row
  if (sequence === last.sequence + 2) say(last.sequence + 1, 'was removed')
  else if (sequence > last.sequence + 1)
    say(last.sequence + 1, `entries ${last.sequence + 1} to ${sequence - 1} were removed`)
  else if (row.previous_hash !== last.hash)
    say(sequence, 'does not follow the entry before it: one of the two was put in or changed')
  if (chainHash(row.previous_hash, sequence, row) !== row.hash) say(sequence, 'was changed')
}
