import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import {
  addRefusedCallers,
  listRefusedCallers,
  type RefusedCaller,
  trimRefusedCallers,
} from '../store/refused-callers.ts'
import { clipped } from './index-header.ts'
import type { Sender } from './received.ts'

export interface RefusedCallersOptions {
  database: Knex
  log: Log
  /** Told when refusals have been written. */
  onWritten?: () => void
  /** Refusals are gathered for so long, ms. */
  gatherMs?: number
}

/** A refusal to be remembered. */
export interface AssociationRefusal {
  sender: Sender
  /** ISO 8601 UTC. */
  at: string
  reason: string
}

type NewRefusal = Omit<RefusedCaller, 'id'>
/** By what tells rows apart. */
type Gathered = Map<string, NewRefusal>

/** Rows that are kept; the oldest beyond them are forgotten. */
const maximumRows = 1000
/** Different callers, called titles and reasons that are remembered of one address; more count together in one row. */
const rowsOfAddress = 20
/** Rows that one write may touch; refusals of yet other addresses count together in one row. */
const rowsOfWrite = 200

/**
 * Remembers refused callers. Written at most once in a while and by few rows, however many associations are refused meanwhile, and
 * whatever AE titles and addresses they make up.
 */
export class RefusedCallers {
  readonly #options: RefusedCallersOptions
  #waiting: Gathered = new Map()
  /** Keys of the rows by address, as far as they are known here. */
  #known: Map<string, Set<string>> | null = null
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(options: RefusedCallersOptions) {
    this.#options = options
  }

  /** Remembers a refusal; it is written within a second or so. */
  add({ sender, at, reason }: AssociationRefusal): void {
    const caller = {
      callingAETitle: clipped(sender.callingAETitle, 16),
      calledAETitle: clipped(sender.calledAETitle, 16),
      address: clipped(sender.address, 64),
      reason: clipped(reason, 255),
      times: 1,
      firstAt: at,
      lastAt: at,
    }
    count(this.#waiting, this.#waitingFor(caller))
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.gatherMs ?? 1000)
  }

  /** Writes what waits, now. Never rejects: what cannot be written is counted as lost in the log. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  /** To be called when rows were removed: their address gets room for others again. */
  forgotten(): void {
    this.#known = null
  }

  async #write(): Promise<void> {
    if (this.#waiting.size === 0) return
    const { database, log, onWritten } = this.#options
    const gathered = [...this.#waiting.values()]
    this.#waiting = new Map()
    try {
      const known = (this.#known ??= await this.#load())
      // Those of an address that has enough rows come together again, in its one row for all others.
      const rows: Gathered = new Map()
      for (const caller of gathered) count(rows, roomFor(caller, known) ? caller : summed(caller, caller.address))
      await addRefusedCallers(database, [...rows.values()])
      if ([...known.values()].reduce((sum, keys) => sum + keys.size, 0) > maximumRows) {
        await trimRefusedCallers(database, maximumRows)
        this.#known = null
      }
      onWritten?.()
    } catch (error) {
      this.#known = null
      log.error('refused callers cannot be remembered now', { callers: gathered.length, reason: messageOf(error) })
    }
  }

  async #load(): Promise<Map<string, Set<string>>> {
    const known = new Map<string, Set<string>>()
    for (const caller of await listRefusedCallers(this.#options.database, maximumRows)) roomFor(caller, known)
    return known
  }

  /** The caller itself, or where too many wait already what stands for it. */
  #waitingFor(caller: NewRefusal): NewRefusal {
    const { size } = this.#waiting
    if (size < rowsOfWrite || this.#waiting.has(keyOf(caller))) return caller
    const ofAddress = summed(caller, caller.address)
    return size < 2 * rowsOfWrite || this.#waiting.has(keyOf(ofAddress)) ? ofAddress : summed(caller, '')
  }
}

function count(gathered: Gathered, caller: NewRefusal): void {
  const there = gathered.get(keyOf(caller))
  if (there === undefined) {
    gathered.set(keyOf(caller), { ...caller })
    return
  }
  there.times += caller.times
  if (caller.lastAt > there.lastAt) there.lastAt = caller.lastAt
}

/** True where the caller has a row, or its address gets one more; it is then known. */
function roomFor(caller: NewRefusal, known: Map<string, Set<string>>): boolean {
  const keys = known.get(caller.address) ?? new Set()
  known.set(caller.address, keys)
  if (keys.has(keyOf(caller))) return true
  if (keys.size >= rowsOfAddress && caller.callingAETitle !== '') return false
  keys.add(keyOf(caller))
  return true
}

/** The row that stands for all callers of an address that have none of their own; address '': for all others. */
function summed(caller: NewRefusal, address: string): NewRefusal {
  const reason =
    address === ''
      ? 'more different callers at once than are remembered one by one'
      : `more than ${rowsOfAddress} different callers, called AE titles or reasons from this address`
  return { ...caller, callingAETitle: '', calledAETitle: '', address, reason }
}

function keyOf({ callingAETitle, calledAETitle, address, reason }: NewRefusal): string {
  return JSON.stringify([callingAETitle, calledAETitle, address, reason])
}
