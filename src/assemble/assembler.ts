import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { ArchiveCounts, type CountingArchive } from './archive-counts.ts'
import { OpenAssociations } from './associations.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import type { Completion, ReceivingRow, StudyRevision } from './complete-study.ts'
import { completeStudy, findUnroutedRevisions, receivingRows } from './complete-study.ts'
import type { Due, QuietSettings } from './due.ts'
import { completionDue } from './due.ts'
import { Expectations, type Known, type RouteWishes } from './expectation.ts'

export interface AssemblerOptions extends RouteWishes {
  database: Knex
  log: Log
  settings: QuietSettings
  /** Archives that are asked how many instances a study has, before it is completed. */
  archives?: readonly CountingArchive[]
  /**
   * Called after a revision's commit; sets `revisions.routed` when every decision and job is stored. A revision that stays unrouted is
   * offered again, after a failure and at the next start: it may come twice.
   */
  onRevision: (revision: StudyRevision) => Promise<void>
  clock?: Clock
}

/** How soon what is known of a study is looked at after something arrived, and how soon what failed is tried again. */
const lookAgainMs = 1_000
const retryMs = 10_000

/** Completes studies when they are due. All that it acts on is in the database; a restart goes on where it was. */
export class Assembler {
  readonly #options: AssemblerOptions
  readonly #clock: Clock
  readonly #associations = new OpenAssociations()
  readonly #archives: ArchiveCounts
  readonly #expectations: Expectations
  /** Revisions that are being offered to `onRevision`. */
  readonly #offered = new Set<number>()
  #listeningSince = 0
  #cancel: (() => void) | null = null
  /** Cancels the one timer after which unrouted revisions are offered again. */
  #cancelOffer: (() => void) | null = null
  #wakeAt = Number.POSITIVE_INFINITY
  #work: Promise<void> = Promise.resolve()
  #started = false

  constructor(options: AssemblerOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const { database, log, archives = [] } = options
    this.#archives = new ArchiveCounts({ database, archives, clock: this.#clock, log, onAnswer: () => this.#wakeIn(0) })
    this.#expectations = new Expectations({ ...options, archives: this.#archives })
  }

  /** Offers the revisions that a crash left unrouted, and begins to wait for the studies that are being received. */
  async start(): Promise<void> {
    this.#started = true
    this.#listeningSince = this.#clock.now()
    await this.#offerUnrouted()
    await this.completeDue()
  }

  /** Ends what it is doing; completes nothing more. */
  async stop(): Promise<void> {
    this.#started = false
    this.#cancel?.()
    this.#cancel = null
    this.#cancelOffer?.()
    this.#cancelOffer = null
    this.#wakeAt = Number.POSITIVE_INFINITY
    await this.#work
  }

  /** Resolves when everything that has come due is done. */
  async settled(): Promise<void> {
    await this.#archives.settled()
    await this.#work
  }

  /** An association, or a STOW-RS request, has begun. */
  associationOpened(association: string): void {
    this.#associations.opened(association)
  }

  /** An association's instances were indexed: to be called after every batch, with the ids of the studies whose content changed. */
  touched(association: string, studyIds: readonly number[]): void {
    this.#associations.touched(association, studyIds)
    this.#wakeIn(Math.min(lookAgainMs, this.#options.settings.quietSeconds * 1000))
  }

  /** Something new is known of what studies should hold. */
  hinted(): void {
    this.#wakeIn(0)
  }

  /**
   * An association was released, or a STOW-RS request has ended; all that it brought has been indexed and `touched` before.
   * @param at ISO 8601 UTC
   */
  async associationClosed(association: string, at: string): Promise<void> {
    const released = this.#associations.closed(association)
    if (released.length === 0) return
    await this.#options.database('studies').whereIn('id', released).andWhere({ changed: 1 }).update({ released_at: at })
    this.#wakeIn(0)
  }

  /** An association was aborted or broke off: that says nothing of completeness, so the quiet time goes on. */
  async associationLost(association: string): Promise<void> {
    const touched = this.#associations.closed(association)
    // An earlier release does not count any more either: the sender has begun something since, and not finished it.
    if (touched.length > 0) await this.#options.database('studies').whereIn('id', touched).update({ released_at: null })
    this.#wakeIn(0)
  }

  /**
   * Completes a study without waiting, on an operator's word.
   * @param by name of the operator
   * @returns null for a study that is unknown, or whose content has not changed since its newest revision
   */
  async completeNow(studyInstanceUID: string, by: string): Promise<StudyRevision | null> {
    const { database } = this.#options
    const study = await database('studies')
      .where({ study_instance_uid: studyInstanceUID })
      .first<{ id: number } | undefined>('id')
    if (study === undefined) return null
    const completion = await this.#complete(study.id, () => `completed by ${by}`)
    return completion.kind === 'revision' ? completion.revision : null
  }

  /** Completes every study that is due, and waits for the next one. Called by itself; calls follow each other. */
  completeDue(): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (!this.#started) return
      try {
        await this.#completeAllDue()
      } catch (error) {
        this.#options.log.error('studies cannot be completed now', { reason: messageOf(error) })
        this.#wakeIn(retryMs)
      }
    })
    return this.#work
  }

  async #completeAllDue(): Promise<void> {
    const rows = await receivingRows(this.#options.database).where('studies.changed', 1)
    await this.#expectations.look(rows)
    for (const row of rows) {
      if (!this.#started) return
      const due = this.#dueOf(row, await this.#expectations.of(row, { isExact: false }))
      if (due.at <= this.#clock.now()) await this.#completeIfStillDue(row)
      else this.#wakeIn(due.at - this.#clock.now())
    }
  }

  /** Completes a study that seems to be due, once all that is to be known of it is known. */
  async #completeIfStillDue(row: ReceivingRow): Promise<void> {
    try {
      const known = await this.#expectations.of(row, { isExact: true })
      const due = this.#dueOf(row, known)
      if (due.at > this.#clock.now()) return this.#wakeIn(due.at - this.#clock.now())
      if (due.asksArchives && this.#archives.any) return this.#archives.ask(row)
      await this.#complete(row.id, (now) => this.#reasonFor(now, { seen: row, known }))
    } catch (error) {
      // The others must not wait for this one.
      const reason = messageOf(error)
      this.#options.log.error('a study cannot be completed now', { studyId: row.id, reason })
      this.#wakeIn(retryMs)
    }
  }

  /** @returns null where the study is not due any more: something has come since */
  #reasonFor(now: ReceivingRow, { seen, known }: { seen: ReceivingRow; known: Known }): string | null {
    const isSame = now.last_instance_at === seen.last_instance_at && now.source_instances === seen.source_instances
    const due = isSame ? this.#dueOf(now, known) : null
    if (due !== null && due.at <= this.#clock.now()) return due.reason
    this.#wakeIn(due === null ? 0 : due.at - this.#clock.now())
    return null
  }

  #dueOf(row: ReceivingRow, { override, expectation }: Known): Due {
    // An association that touched the study and is open again speaks against the release of an earlier one.
    const released = row.released_at === null || this.#associations.holds(row.id) ? null : Date.parse(row.released_at)
    const study = {
      lastInstanceAt: Date.parse(row.last_instance_at),
      releasedAt: released,
      listeningSince: this.#listeningSince,
    }
    return completionDue(study, this.#options.settings, override, expectation)
  }

  async #complete(studyId: number, reasonFor: (row: ReceivingRow) => string | null): Promise<Completion> {
    const { database, log } = this.#options
    const now = new Date(this.#clock.now()).toISOString()
    const completion = await completeStudy(database, { studyId, now, reasonFor })
    if (completion.kind !== 'revision') return completion
    const { studyInstanceUID, number, instances, reason } = completion.revision
    log.info('study complete', { studyInstanceUID, revision: number, instances, reason })
    await this.#offer(completion.revision)
    return completion
  }

  async #offerUnrouted(): Promise<void> {
    for (const revision of await findUnroutedRevisions(this.#options.database)) await this.#offer(revision)
  }

  async #offer(revision: StudyRevision): Promise<void> {
    if (this.#offered.has(revision.id)) return
    this.#offered.add(revision.id)
    try {
      await this.#options.onRevision(revision)
    } catch (error) {
      const { studyInstanceUID, number } = revision
      this.#options.log.error('a revision cannot be routed now', {
        studyInstanceUID,
        revision: number,
        reason: messageOf(error),
      })
      this.#offerLater()
    } finally {
      this.#offered.delete(revision.id)
    }
  }

  /** One timer, however many revisions fail: each look offers all of them. */
  #offerLater(): void {
    if (!this.#started || this.#cancelOffer !== null) return
    this.#cancelOffer = this.#clock.after(retryMs, () => {
      this.#cancelOffer = null
      this.#work = this.#work.then(async () => {
        if (!this.#started) return
        await this.#offerUnrouted().catch((error: unknown) => {
          this.#options.log.error('unrouted revisions cannot be found now', { reason: messageOf(error) })
          this.#offerLater()
        })
      })
    })
  }

  /** One timer, to the earliest of the times that are asked for. */
  #wakeIn(ms: number): void {
    const at = this.#clock.now() + Math.max(0, ms)
    if (!this.#started || at >= this.#wakeAt) return
    this.#cancel?.()
    this.#wakeAt = at
    this.#cancel = this.#clock.after(Math.max(0, ms), () => {
      this.#cancel = null
      this.#wakeAt = Number.POSITIVE_INFINITY
      void this.completeDue()
    })
  }
}
