import type { Audit } from '../admin/audit.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ReceivedInstance } from '../receive/received.ts'

/** Nothing more came of a study for so long: what came is one act, ms. */
const quietMs = 60_000
const longestMs = 10 * 60_000
const mostKept = 5_000

interface Gathered {
  first: ReceivedInstance
  instances: Record<string, number>
  since: number
  last: number
}

/** Tells the audit what has arrived: one entry for what a sender has sent of a study, over however many associations. */
export class ArrivalAudit {
  readonly #audit: Pick<Audit, 'record'>
  readonly #log: Log
  readonly #gathered = new Map<string, Gathered>()
  readonly #timer: NodeJS.Timeout
  #written: Promise<void> = Promise.resolve()

  constructor(audit: Pick<Audit, 'record'>, log: Log) {
    this.#audit = audit
    this.#log = log
    this.#timer = setInterval(() => this.#sweep(Date.now() - quietMs, Date.now() - longestMs), quietMs / 4)
    this.#timer.unref()
  }

  add(instances: readonly ReceivedInstance[]): void {
    const now = Date.now()
    for (const instance of instances) {
      const { sender, via, studyInstanceUID, sopClassUID } = instance
      const key = `${via} ${sender.callingAETitle} ${sender.address} ${studyInstanceUID}`
      let gathered = this.#gathered.get(key)
      if (!gathered) {
        gathered = { first: instance, instances: {}, since: now, last: now }
        this.#gathered.set(key, gathered)
      }
      gathered.last = now
      gathered.instances[sopClassUID] = (gathered.instances[sopClassUID] ?? 0) + 1
    }
    if (this.#gathered.size > mostKept) this.#sweep(now, now)
  }

  /** Records everything that was gathered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#sweep(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    await this.#written
  }

  #sweep(lastBefore: number, sinceBefore: number): void {
    const due = [...this.#gathered].filter(([, { last, since }]) => last <= lastBefore || since <= sinceBefore)
    for (const [key] of due) this.#gathered.delete(key)
    if (due.length === 0) return
    this.#written = this.#written
      .then(() => this.#record(due.map(([, gathered]) => gathered)))
      .catch((error: unknown) => {
        this.#log.error('arrivals cannot be recorded in the audit', { reason: messageOf(error) })
      })
  }

  async #record(gathered: readonly Gathered[]): Promise<void> {
    for (const { first, instances, last } of gathered) {
      const { sender, via, studyInstanceUID } = first
      const fromFolder = via === 'folder'
      await this.#audit.record({
        actor: `aet:${sender.callingAETitle}`,
        action: fromFolder ? 'study-import' : 'study-store',
        subject: via,
        outcome: 'success',
        studyInstanceUID,
        detail: {
          ...(fromFolder ? {} : { address: sender.address, aeTitle: sender.callingAETitle }),
          instances,
          until: new Date(last).toISOString(),
        },
      })
    }
  }
}
