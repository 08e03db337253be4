import type { Knex } from 'knex'
import { DimseError } from '../dimse/error.ts'
import type { EventReport } from '../dimse/sub-operation.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { commitmentReport } from '../receive/commitment-report.ts'
import { grouped } from '../receive/index-groups.ts'
import type { CommitmentOutcome, ReferencedInstance, RemoteAddress } from '../receive/questions.ts'
import type { Sender } from '../receive/received.ts'
import { allDone } from '../store/journal-files.ts'
import type { Objects } from '../store/objects.ts'
import { whyNotHeld } from '../view/held-instances.ts'

export interface CommitmentsOptions {
  database: Knex
  objects: Objects
  /** Ours. */
  aeTitle: string
  /** Resolves when everything that has arrived is indexed. */
  drained(): Promise<void>
  /** Where an application entity listens; null where that is not known. */
  remote(aeTitle: string): RemoteAddress | null
  /** Opens an association and reports; rejects with the reason when the report was not taken. */
  report(address: RemoteAddress, event: EventReport): Promise<void>
  log: Log
  now?: () => Date
}

const minuteMs = 60_000
/** Until then the receiving process has reported, or has said that it could not; if it did neither, it is gone. */
const firstAttemptMs = 2 * minuteMs
const secondAttemptMs = minuteMs / 2
const longestWaitMs = 60 * minuteMs
const giveUpMs = 24 * 60 * minuteMs
/** How long commitments that are done with stay listed. */
const rememberMs = 30 * giveUpMs

interface CommitmentRow {
  id: number
  transaction_uid: string
  calling_ae_title: string
  requested_at: string
  referenced: string
  failures: string | null
  state: string
  attempts: number
  next_attempt_at: string | null
}

type DueRow = Pick<CommitmentRow, 'id' | 'calling_ae_title'>

/** Whose transaction: its UID, and who asked. */
export interface Transaction {
  transactionUID: string
  sender: Sender
}

/**
 * Storage commitments from the request to the report (PS3.4 J.3). Both are in the database: a report that was owed when the node ended
 * is given by the next one. A report that nobody takes is tried for a day, with growing waits.
 */
export class Commitments {
  readonly #options: CommitmentsOptions
  readonly #now: () => Date
  #timer: NodeJS.Timeout | undefined
  #attempting: Promise<void> = Promise.resolve()
  #stopping = false

  constructor(options: CommitmentsOptions) {
    this.#options = options
    this.#now = options.now ?? (() => new Date())
  }

  /** Writes a request down. One that is repeated with its transaction UID is decided and reported anew. */
  async request({ transactionUID, sender }: Transaction, references: readonly ReferencedInstance[]): Promise<void> {
    const { database } = this.#options
    await this.#forgetOld()
    const row = {
      transaction_uid: transactionUID,
      calling_ae_title: sender.callingAETitle,
      called_ae_title: sender.calledAETitle,
      address: sender.address.slice(0, 64),
      requested_at: this.#now().toISOString(),
      instances: references.length,
      failed: null,
      referenced: JSON.stringify(references.map(({ sopClassUID, sopInstanceUID }) => [sopClassUID, sopInstanceUID])),
      failures: null,
      state: 'requested',
      attempts: 0,
      next_attempt_at: this.#in(firstAttemptMs),
      reported_at: null,
      error: null,
    }
    await database('commitments').insert(row).onConflict(['calling_ae_title', 'transaction_uid']).merge()
    await this.#schedule()
  }

  /**
   * What is to be reported: decided once, from the index and the objects, when all that had arrived by then is indexed.
   * @returns null for a transaction that was not requested
   */
  async outcome(transaction: Transaction): Promise<CommitmentOutcome | null> {
    const row = await this.#row(transaction)
    return row ? this.#outcomeOf(row) : null
  }

  /** The report was given on the association of the request, or it could not be: then it is tried on another one, now. */
  async reported(transaction: Transaction, reported: boolean): Promise<void> {
    const row = await this.#row(transaction)
    if (row?.state !== 'decided') return
    if (reported) await this.#done(row)
    else await this.#update(row, { next_attempt_at: this.#in(0) })
    await this.#schedule()
  }

  /** Reports from now on what is owed. */
  async start(): Promise<void> {
    await this.#schedule()
  }

  /** Waits for a report under way; the others stay owed. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    await this.#attempting
  }

  async #schedule(): Promise<void> {
    if (this.#stopping) return
    const [next]: { at: string | null }[] = await this.#options
      .database('commitments')
      .whereIn('state', ['requested', 'decided'])
      .min({ at: 'next_attempt_at' })
    clearTimeout(this.#timer)
    if (this.#stopping || next?.at == null) return
    const wait = Math.max(0, Date.parse(next.at) - this.#now().getTime())
    this.#timer = setTimeout(() => this.#attemptDue(), Math.min(wait, longestWaitMs))
    this.#timer.unref()
  }

  #attemptDue(): void {
    this.#attempting = this.#attempting.then(async () => {
      try {
        const due = await this.#options
          .database('commitments')
          .whereIn('state', ['requested', 'decided'])
          .where('next_attempt_at', '<=', this.#now().toISOString())
          .orderBy('next_attempt_at')
          .limit(1000)
          .select<DueRow[]>('id', 'calling_ae_title')
        const byRemote = grouped(due, (row) => row.calling_ae_title)
        await allDone([...byRemote.values()].map((rows) => this.#attemptAll(rows)))
        await this.#schedule()
      } catch (error) {
        this.#options.log.error('storage commitments cannot be reported now', { reason: messageOf(error) })
        if (!this.#stopping) this.#timer = setTimeout(() => this.#attemptDue(), secondAttemptMs).unref()
      }
    })
  }

  /** Reports to one remote, one after the other. Where it cannot be reached, the others of this time are not tried. */
  async #attemptAll(due: readonly DueRow[]): Promise<void> {
    let unreachable: DimseError | null = null
    for (const { id } of due) {
      if (this.#stopping) return
      const row: CommitmentRow | undefined = await this.#options.database('commitments').where({ id }).first()
      if (row?.next_attempt_at != null && row.next_attempt_at <= this.#now().toISOString())
        unreachable = await this.#attempt(row, unreachable)
    }
  }

  /**
   * @param unreachable why the remote could not be reached a moment ago; null: it is called
   * @returns why it cannot be reached; null where it was
   */
  async #attempt(row: CommitmentRow, unreachable: DimseError | null): Promise<DimseError | null> {
    const { aeTitle, remote, report, log } = this.#options
    const outcome = await this.#outcomeOf(row)
    const context = { callingAETitle: row.calling_ae_title, transactionUID: row.transaction_uid }
    try {
      if (unreachable) throw unreachable
      const address = remote(row.calling_ae_title)
      if (address === null) throw new Error(`${row.calling_ae_title} is no remote with a host`)
      await report(address, commitmentReport(row.transaction_uid, outcome, aeTitle))
      await this.#done(row)
      log.info('storage commitment reported', context)
      return null
    } catch (error) {
      const attempts = row.attempts + 1
      const given = this.#now().getTime() - Date.parse(row.requested_at) >= giveUpMs
      const wait = Math.min(secondAttemptMs * 2 ** Math.min(attempts - 1, 20), longestWaitMs)
      const reason = messageOf(error)
      await this.#update(row, {
        attempts,
        error: reason.slice(0, 1000),
        ...(given ? { state: 'unreported', next_attempt_at: null } : { next_attempt_at: this.#in(wait) }),
      })
      log.warn(given ? 'storage commitment given up' : 'storage commitment not reported', {
        ...context,
        attempts,
        reason,
      })
      return error instanceof DimseError ? error : null
    }
  }

  async #outcomeOf(row: CommitmentRow): Promise<CommitmentOutcome> {
    const { database, objects, drained } = this.#options
    const references = (JSON.parse(row.referenced) as [string, string][]).map(([sopClassUID, sopInstanceUID]) => ({
      sopClassUID,
      sopInstanceUID,
    }))
    if (row.failures !== null) return outcomeFrom(references, JSON.parse(row.failures) as [number, number][])
    await drained()
    const reasons = await whyNotHeld(database, objects, references)
    const failures = reasons.flatMap((reason, index): [number, number][] => (reason === null ? [] : [[index, reason]]))
    const decided = { failed: failures.length, failures: JSON.stringify(failures), state: 'decided' }
    await this.#update(row, decided)
    row.state = 'decided'
    return outcomeFrom(references, failures)
  }

  async #row({ transactionUID, sender }: Transaction): Promise<CommitmentRow | null> {
    const row: CommitmentRow | undefined = await this.#options
      .database('commitments')
      .where({ calling_ae_title: sender.callingAETitle, transaction_uid: transactionUID })
      .first()
    return row ?? null
  }

  async #done(row: CommitmentRow): Promise<void> {
    const at = this.#now().toISOString()
    await this.#update(row, { state: 'reported', reported_at: at, next_attempt_at: null, error: null })
  }

  async #update(row: CommitmentRow, change: Record<string, string | number | null>): Promise<void> {
    // Not one that was requested anew meanwhile: its report is another one.
    await this.#options.database('commitments').where({ id: row.id, requested_at: row.requested_at }).update(change)
  }

  async #forgetOld(): Promise<void> {
    const before = new Date(this.#now().getTime() - rememberMs).toISOString()
    await this.#options
      .database('commitments')
      .where('requested_at', '<', before)
      .whereIn('state', ['reported', 'unreported'])
      .delete()
  }

  #in(ms: number): string {
    return new Date(this.#now().getTime() + ms).toISOString()
  }
}

function outcomeFrom(references: readonly ReferencedInstance[], failures: [number, number][]): CommitmentOutcome {
  const reasons = new Map(failures)
  const outcome: CommitmentOutcome = { committed: [], failed: [] }
  for (const [index, reference] of references.entries()) {
    const reason = reasons.get(index)
    if (reason === undefined) outcome.committed.push(reference)
    else outcome.failed.push({ ...reference, reason })
  }
  return outcome
}
