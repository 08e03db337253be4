import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { AuditRow } from '../store/audit-chain.ts'
import { auditAfter } from '../store/audit-list.ts'

/** Where the audit is written to, beside the database. */
export interface AuditOutlet {
  name: string
  /** Where an outlet that is new begins: with the first entry there ever was, or with what is recorded from now on. */
  from: 'beginning' | 'now'
  /** Writes entries; resolves when they are there, as far as the other side lets one know. They may come again after a failure. */
  write(rows: readonly AuditRow[]): Promise<void>
  close(): Promise<void>
}

export interface OutletStatus {
  name: string
  sequence: number
  waiting: number
  trouble: string | null
}

export interface AuditOutletsOptions {
  database: Knex
  outlets: readonly AuditOutlet[]
  log: Log
}

interface OutletRow {
  name: string
  sequence: number
  holder: string | null
  held_until: string | null
}

const batch = 500
/** Entries of other processes are looked for so often, ms. */
const lookMs = 5_000
/** A process that has stopped leaves its outlets to another after so long, ms. */
const heldMs = 60_000
const longestWaitMs = 60_000

/**
 * Writes the audit to its outlets, each entry in its turn. What an outlet has not got is what the database says it has not got: an outlet that is
 * away for days holds nothing up, and gets everything afterwards. Of several processes with one database, one writes to an outlet.
 */
export class AuditOutlets {
  readonly #options: AuditOutletsOptions
  readonly #holder = randomUUID()
  readonly #troubles = new Map<string, string>()
  readonly #wakes = new Set<() => void>()
  readonly #stop = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: AuditOutletsOptions) {
    this.#options = options
  }

  /** Begins to write; an outlet that is new begins with what is recorded once this has resolved. */
  async start(): Promise<void> {
    for (const outlet of this.#options.outlets) await this.#register(outlet)
    this.#running = Promise.all(this.#options.outlets.map((outlet) => this.#run(outlet)))
  }

  /** Something was recorded. */
  poke(): void {
    for (const wake of this.#wakes) wake()
  }

  /** Writes what can be written now, and ends. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.poke()
    await this.#running
    for (const outlet of this.#options.outlets) {
      await outlet.close()
      await this.#row(outlet.name).where({ holder: this.#holder }).update({ holder: null, held_until: null })
    }
  }

  /** How far each outlet is. */
  async status(): Promise<OutletStatus[]> {
    const { database, outlets } = this.#options
    const head = await database('audit_head').where({ id: 1 }).first<{ sequence: number } | undefined>('sequence')
    const rows = await database<OutletRow>('audit_outlets')
    return outlets.map(({ name }) => {
      const sequence = rows.find((row) => row.name === name)?.sequence ?? 0
      const waiting = Math.max(0, (head?.sequence ?? 0) - sequence)
      return { name, sequence, waiting, trouble: this.#troubles.get(name) ?? null }
    })
  }

  async #run(outlet: AuditOutlet): Promise<void> {
    let failures = 0
    for (;;) {
      const stopping = this.#stop.signal.aborted
      try {
        const written = await this.#writeNext(outlet)
        failures = 0
        if (this.#troubles.delete(outlet.name))
          this.#options.log.info('the audit is written again', { to: outlet.name })
        if (written === batch) continue
      } catch (error) {
        failures++
        const reason = messageOf(error)
        if (this.#troubles.get(outlet.name) !== reason && !stopping)
          this.#options.log.warn('the audit cannot be written now; the database keeps it', { to: outlet.name, reason })
        this.#troubles.set(outlet.name, reason)
      }
      if (stopping) return
      await this.#sleep(failures === 0 ? lookMs : Math.min(longestWaitMs, 500 * 2 ** failures), failures === 0)
    }
  }

  /** @returns how many entries were written */
  async #writeNext(outlet: AuditOutlet): Promise<number> {
    const sequence = await this.#take(outlet)
    if (sequence === null) return 0
    const rows = await auditAfter(this.#options.database, sequence, batch)
    const last = rows.at(-1)
    if (last === undefined) return 0
    await outlet.write(rows)
    await this.#row(outlet.name).update({ sequence: last.sequence })
    return rows.length
  }

  async #register({ name, from }: AuditOutlet): Promise<void> {
    const { database } = this.#options
    if (await this.#row(name).first()) return
    const head = await database('audit_head').where({ id: 1 }).first<{ sequence: number } | undefined>('sequence')
    const sequence = from === 'now' ? (head?.sequence ?? 0) : 0
    await database<OutletRow>('audit_outlets').insert({ name, sequence }).onConflict('name').ignore()
  }

  /** @returns how far the outlet is, or null where another process writes to it */
  async #take({ name }: AuditOutlet): Promise<number | null> {
    const now = Date.now()
    const held = { holder: this.#holder, held_until: new Date(now + heldMs).toISOString() }
    const mine = await this.#row(name)
      .where((free) => {
        void free
          .whereNull('holder')
          .orWhere('holder', this.#holder)
          .orWhere('held_until', '<', new Date(now).toISOString())
      })
      .update(held)
    return mine === 0 ? null : ((await this.#row(name).first())?.sequence ?? 0)
  }

  #row(name: string): Knex.QueryBuilder<OutletRow, OutletRow[]> {
    return this.#options.database<OutletRow>('audit_outlets').where({ name })
  }

  async #sleep(ms: number, mayWake: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        if (!mayWake && !this.#stop.signal.aborted) return
        clearTimeout(timer)
        this.#wakes.delete(wake)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#wakes.delete(wake)
        resolve()
      }, ms)
      timer.unref()
      this.#wakes.add(wake)
    })
  }
}
