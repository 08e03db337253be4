import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import {
  addCounts,
  type CountedDay,
  countTotals,
  forgetDays,
  type RemoteCounts,
  type RemoteTotals,
} from '../store/remotes.ts'
import { type Sum, Volume } from './volume.ts'

/** What came from a remote: since it is counted, and lately. */
export interface RemoteTraffic extends RemoteTotals {
  lastMinute: Sum
  lastHour: Sum
  lastDay: Sum
}

export interface RemoteCountersOptions {
  database: Knex
  log: Log
  /** Whether an AE title is that of a remote: what others do is counted together, under ''. */
  isRemote(aeTitle: string): boolean
  now?: () => Date
}

/** ms between two writes of what was counted. */
const writeMs = 10_000
/** Days for which the counts of each day are kept. */
const keptDays = 400

/** Counts what each remote sends. Memory and rows are bounded by the number of remotes. */
export class RemoteCounters {
  readonly #options: RemoteCountersOptions
  readonly #now: () => Date
  /** Not written yet, by AE title and day. */
  #unwritten = new Map<string, CountedDay>()
  /** Of this process. */
  readonly #volumes = new Map<string, Volume>()
  #forgotBefore = ''
  #timer: NodeJS.Timeout | null = null

  constructor(options: RemoteCountersOptions) {
    this.#options = options
    this.#now = options.now ?? (() => new Date())
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.write(), writeMs)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    await this.write()
  }

  /** Counts something that came from a caller. */
  count(callingAETitle: string, counts: Partial<RemoteCounts>): void {
    const aeTitle = this.#options.isRemote(callingAETitle) ? callingAETitle : ''
    const now = this.#now()
    const day = this.#dayOf(aeTitle, now)
    for (const [what, n] of Object.entries(counts) as [keyof RemoteCounts, number][]) day[what] += n
    if (!counts.instances) return
    const volume = this.#volumes.get(aeTitle) ?? new Volume()
    this.#volumes.set(aeTitle, volume)
    volume.add(now.getTime(), { instances: counts.instances, bytes: counts.bytes ?? 0 })
  }

  /** What came from each remote; the entry '' is everybody else. */
  async traffic(): Promise<(aeTitle: string) => RemoteTraffic> {
    // Before the question, so that nothing is missed while it is answered; written meanwhile, it is not counted twice.
    await this.write()
    const totals = await countTotals(this.#options.database)
    const now = this.#now().getTime()
    return (aeTitle) => {
      const volume = this.#volumes.get(aeTitle) ?? new Volume()
      return { ...(totals.get(aeTitle) ?? nothing), ...volume.sums(now) }
    }
  }

  /** Writes what was counted. Never rejects: what cannot be written now is written with the next counts. */
  async write(): Promise<void> {
    const days = this.#unwritten
    this.#unwritten = new Map()
    const { database, log } = this.#options
    const today = this.#now().toISOString().slice(0, 10)
    try {
      await addCounts(database, [...days.values()])
      if (days.size === 0 || this.#forgotBefore === today) return
      this.#forgotBefore = today
      await forgetDays(database, new Date(this.#now().getTime() - keptDays * 86_400_000).toISOString().slice(0, 10))
    } catch (error) {
      log.warn('what remotes sent cannot be counted now', { reason: messageOf(error) })
      for (const [key, day] of days) this.#unwritten.set(key, added(day, this.#unwritten.get(key)))
    }
  }

  /** Forgets the volumes of AE titles that are no remotes any more. */
  forget(): void {
    for (const aeTitle of this.#volumes.keys())
      if (aeTitle !== '' && !this.#options.isRemote(aeTitle)) this.#volumes.delete(aeTitle)
  }

  #dayOf(aeTitle: string, now: Date): CountedDay {
    const at = now.toISOString()
    const day = at.slice(0, 10)
    const key = `${day} ${aeTitle}`
    const counted = this.#unwritten.get(key) ?? { aeTitle, day, ...nothing, lastSeenAt: at }
    this.#unwritten.set(key, counted)
    counted.lastSeenAt = at
    return counted
  }
}

const nothing = { associations: 0, refused: 0, instances: 0, bytes: 0, rejected: 0, lastSeenAt: null }

function added(one: CountedDay, other: CountedDay | undefined): CountedDay {
  if (other === undefined) return one
  return {
    ...other,
    associations: one.associations + other.associations,
    refused: one.refused + other.refused,
    instances: one.instances + other.instances,
    bytes: one.bytes + other.bytes,
    rejected: one.rejected + other.rejected,
  }
}
