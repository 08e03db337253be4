import type { Knex } from 'knex'

/** An act that must be accounted for. `subject` is a name, an id or a UID, never a patient's. */
export interface AuditedAct {
  actor: string
  action: string
  subject?: string | undefined
  outcome: 'success' | 'failure'
}

export interface AuditEntry {
  id: number
  at: string
  actor: string
  action: string
  subject: string | null
  outcome: string
}

/** Who did what, and when. Rows are only ever added. */
export class Audit {
  readonly #knex: Knex
  readonly #now: () => Date

  constructor(knex: Knex, now: () => Date = () => new Date()) {
    this.#knex = knex
    this.#now = now
  }

  async record(act: AuditedAct): Promise<void> {
    await this.#knex('audit').insert({
      at: this.#now().toISOString(),
      actor: act.actor.slice(0, 255),
      action: act.action,
      subject: act.subject?.slice(0, 255) ?? null,
      outcome: act.outcome,
    })
  }

  /** The newest entries first. */
  async list({ limit, before }: { limit: number; before?: number | undefined }): Promise<AuditEntry[]> {
    const rows = this.#knex<AuditEntry>('audit').orderBy('id', 'desc').limit(limit)
    if (before !== undefined) rows.where('id', '<', before)
    return rows
  }
}
