import type { Knex } from 'knex'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Clock } from './clock.ts'
import type { ArchiveAnswer } from './due.ts'

/** An archive that can say how many instances a study has. */
export interface CountingArchive {
  /** For reasons, such as `pacs`. */
  name: string
  /** The destination under which the node delivers to it; null where that is not known: any may be. */
  destination: string | null
  /**
   * Number of Study Related Instances (0020,1208); null where the archive does not know the study, or does not say.
   * @param signal aborted when nobody waits any more
   */
  count(studyInstanceUID: string, signal: AbortSignal): Promise<number | null>
}

/** A study whose count is asked for. */
export interface CountedStudy {
  id: number
  study_instance_uid: string
  source_instances: number
  last_instance_at: string
}

export interface ArchiveCountsOptions {
  database: Knex
  /** In order: the first that knows a study decides. */
  archives: readonly CountingArchive[]
  clock: Clock
  log: Log
  /** Called when an answer has come. */
  onAnswer: () => void
}

/** ms after which an archive is not waited for. */
const timeOutMs = 10_000
/** ms for which an archive that gave no answer is not asked again: else each of many studies would wait for it. */
const pauseMs = 30_000
/** Studies that are asked for at a time; the others wait, each its own time-out at most. */
const mostAtOnce = 8

/** Asks archives for the number of a study's instances: in the background, in parallel, and once for each state of its content. */
export class ArchiveCounts {
  readonly #options: ArchiveCountsOptions
  readonly #answers = new Map<number, { state: string; answer: ArchiveAnswer | null }>()
  /** When an archive that gave no answer may be asked again. */
  readonly #pausedUntil = new Map<string, number>()
  readonly #waiting: (() => void)[] = []
  #underWay = 0
  /** Comparisons of what was answered, one after the other. */
  #comparing: Promise<unknown> = Promise.resolve()

  constructor(options: ArchiveCountsOptions) {
    this.#options = options
  }

  /** True where there is an archive to ask. */
  get any(): boolean {
    return this.#options.archives.length > 0
  }

  /** What they said of a study as it is now; null: not asked yet, or no answer yet. */
  answerOn(study: CountedStudy): ArchiveAnswer | null {
    const known = this.#answers.get(study.id)
    return known?.state === stateOf(study) ? known.answer : null
  }

  /** Asks, unless they have been asked about the study as it is now. */
  ask(study: CountedStudy): void {
    const state = stateOf(study)
    if (this.#answers.get(study.id)?.state === state) return
    this.#answers.set(study.id, { state, answer: null })
    void this.#answer(study).then((answer) => {
      if (this.#answers.get(study.id)?.state !== state) return
      this.#answers.set(study.id, { state, answer })
      this.#options.onAnswer()
    })
  }

  /** Resolves when everything that archives have answered so far was compared. */
  async settled(): Promise<void> {
    await this.#comparing
  }

  /** Forgets every study but these. */
  keepOnly(studyIds: ReadonlySet<number>): void {
    for (const id of this.#answers.keys()) if (!studyIds.has(id)) this.#answers.delete(id)
  }

  /** Never rejects. */
  async #answer(study: CountedStudy): Promise<ArchiveAnswer> {
    const { archives, log } = this.#options
    const asked = await Promise.all(
      archives.map(async (archive) => ({ archive, said: await this.#askOne(archive, study.study_instance_uid) })),
    )
    const failures = asked.flatMap(({ said }) => (typeof said === 'string' ? [said] : []))
    const knowing = asked.find(({ said }) => typeof said === 'number')
    if (knowing === undefined) return { counted: null, failures }
    const { archive, said } = knowing
    const comparison = this.#comparing.then(() => this.#resultsAt(archive, study.id))
    this.#comparing = comparison.catch(() => undefined)
    try {
      const present = study.source_instances + (await comparison)
      return { counted: { expected: said as number, present, by: `archive ${archive.name} counts` }, failures }
    } catch (error) {
      log.error('what an archive counts cannot be compared now', { archive: archive.name, reason: messageOf(error) })
      return { counted: null, failures: [`what archive ${archive.name} counts could not be compared`] }
    }
  }

  /** A number; null where the archive does not know the study; a sentence where it gave no answer. */
  async #askOne(archive: CountingArchive, studyInstanceUID: string): Promise<number | null | string> {
    const { clock, log } = this.#options
    const { name } = archive
    if (clock.now() < (this.#pausedUntil.get(name) ?? 0)) return `archive ${name} has not answered lately`
    const timeOut = new AbortController()
    let cancel = (): void => undefined
    const tooLate = new Promise<never>((_, reject) => {
      cancel = clock.after(timeOutMs, () => {
        reject(new HilumError('time-out', 'no answer in time'))
        timeOut.abort()
      })
    })
    try {
      return await Promise.race([
        tooLate,
        this.#inTurn(() => archive.count(studyInstanceUID, timeOut.signal), timeOut.signal),
      ])
    } catch (error) {
      this.#pausedUntil.set(name, clock.now() + pauseMs)
      const code = codeOf(error)
      log.warn('an archive did not say how many instances a study has', { archive: name, studyInstanceUID, code })
      return timeOut.signal.aborted
        ? `archive ${name} did not answer within ${timeOutMs / 1000} s`
        : `archive ${name} could not be asked (${code})`
    } finally {
      cancel()
    }
  }

  async #inTurn(act: () => Promise<number | null>, signal: AbortSignal): Promise<number | null> {
    if (this.#underWay >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#underWay++
    try {
      return signal.aborted ? null : await act()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#underWay--
    }
  }

  /** Results of ours that the archive counts as well. */
  async #resultsAt(archive: CountingArchive, studyId: number): Promise<number> {
    const query = this.#options
      .database('deliveries')
      .join('results', 'results.id', 'deliveries.result_id')
      .where('results.study_id', studyId)
      .whereIn('deliveries.state', ['sent', 'verified'])
    if (archive.destination === null) query.whereNot('deliveries.destination', 'self')
    else query.where('deliveries.destination', archive.destination)
    const row = await query.countDistinct<{ n: number }[]>({ n: 'results.id' })
    return row[0]?.n ?? 0
  }
}

const stateOf = (study: CountedStudy): string => `${study.last_instance_at} ${study.source_instances}`

/** What a peer says may hold anything: only codes are told. */
const codeOf = (error: unknown): string => (error instanceof HilumError ? error.code : 'unexpected')
