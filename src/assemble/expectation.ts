import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ArchiveCounts } from './archive-counts.ts'
import type { ReceivingRow } from './complete-study.ts'
import type { Expectation, QuietOverride } from './due.ts'
import type { StudyHint } from './hint.ts'
import { countPresent, hintsOfStudies, type ListedCount } from './hint-rows.ts'

/** What routes have to say about the completeness of a study as far as it has arrived. */
export interface RouteWishes {
  /** A route's own quiet time, or null. */
  quietFor?: (studyId: number) => Promise<QuietOverride | null>
  /** Which route waits for which of its inputs, as a sentence, or null. */
  missingFor?: (studyId: number) => Promise<string | null>
}

export interface ExpectationsOptions extends RouteWishes {
  database: Knex
  log: Log
  archives: ArchiveCounts
}

/** Everything that is known of a study beside its times. */
export interface Known {
  override: QuietOverride | null
  expectation: Expectation
}

/** What is known of the studies that are being received. What costs queries is looked up once for each state of their content. */
export class Expectations {
  readonly #options: ExpectationsOptions
  readonly #wishes = new Map<number, { asOf: string; override: QuietOverride | null; missingSeries: string | null }>()
  readonly #present = new Map<number, ListedCount & { asOf: string }>()
  #hints: ReadonlyMap<string, StudyHint[]> = new Map()

  constructor(options: ExpectationsOptions) {
    this.#options = options
  }

  /** To be called with the studies that are being received, before they are asked for one by one. */
  async look(rows: readonly ReceivingRow[]): Promise<void> {
    const ids = new Set(rows.map((row) => row.id))
    for (const kept of [this.#wishes, this.#present]) for (const id of kept.keys()) if (!ids.has(id)) kept.delete(id)
    this.#options.archives.keepOnly(ids)
    this.#hints = await hintsOfStudies(this.#options.database, rows)
  }

  /**
   * @param isExact false: where instances are certainly missing, their lists are not read, and the number of those present is a guess
   */
  async of(row: ReceivingRow, { isExact }: { isExact: boolean }): Promise<Known> {
    const { override, missingSeries } = await this.#wishesOn(row)
    const hints = this.#hints.get(row.study_instance_uid) ?? []
    const steps = hints.filter(({ kind }) => kind === 'mpps')
    const inProgress = steps.find(({ state }) => state === 'in-progress')
    const expectation: Expectation = {
      inProgress: inProgress ? nameOf(inProgress) : null,
      listed: await this.#listed(row, hints.filter(isExpecting), isExact),
      ended: endedBy(hints),
      missingSeries,
      archives: this.#options.archives.answerOn(row),
    }
    return { override, expectation }
  }

  async #listed(row: ReceivingRow, lists: readonly StudyHint[], isExact: boolean): Promise<Expectation['listed']> {
    if (lists.length === 0) return null
    const by =
      lists.length === 1
        ? `${nameOf(lists[0] as StudyHint)} lists`
        : `${lists.length} MPPS and availability notifications list`
    const { expected, present, inStudy } = await this.#count(row, lists, isExact)
    return { expected, present, by, isNews: row.newest_instances === null || row.newest_instances < inStudy }
  }

  async #count(row: ReceivingRow, lists: readonly StudyHint[], isExact: boolean): Promise<ListedCount> {
    const most = Math.max(...lists.map(({ listed }) => listed))
    // A list of a step for several studies names instances of all of them: the number in this one tells nothing.
    const isShared = lists.some(({ subjects }) => subjects > 1)
    const isShort = !isShared && row.source_instances < most
    if (isShort && !isExact) return { expected: most, present: row.source_instances, inStudy: row.source_instances }
    const asOf = [stateOf(row), ...lists.map(({ id, updatedAt }) => `${id} ${updatedAt}`)].join('|')
    const known = this.#present.get(row.id)
    // Where instances of another study are listed as well, that they have come does not show in this one's state.
    if (known?.asOf === asOf && !isExact && !isShared) return known
    const counted = await countPresent(
      this.#options.database,
      lists.map(({ id }) => id),
      row.id,
    )
    this.#present.set(row.id, { asOf, ...counted })
    return counted
  }

  async #wishesOn(row: ReceivingRow): Promise<{ override: QuietOverride | null; missingSeries: string | null }> {
    const { quietFor, missingFor, log } = this.#options
    const asOf = `${row.updated_at} ${stateOf(row)}`
    const known = this.#wishes.get(row.id)
    if (known?.asOf === asOf) return known
    try {
      const wishes = {
        asOf,
        override: (await quietFor?.(row.id)) ?? null,
        missingSeries: (await missingFor?.(row.id)) ?? null,
      }
      this.#wishes.set(row.id, wishes)
      return wishes
    } catch (error) {
      log.error('what routes wait for is unknown, the default is taken', { studyId: row.id, reason: messageOf(error) })
      return { override: null, missingSeries: null }
    }
  }
}

const stateOf = (row: ReceivingRow): string => `${row.last_instance_at} ${row.source_instances}`

/** A list of a step that was discontinued is no promise. */
function isExpecting({ kind, state, listed }: StudyHint): boolean {
  return listed > 0 && (kind === 'availability' || (kind === 'mpps' && state === 'completed'))
}

function endedBy(hints: readonly StudyHint[]): Expectation['ended'] {
  const discontinued = hints.find(({ state }) => state === 'discontinued')
  if (discontinued) return { sentence: `${nameOf(discontinued)} was discontinued`, final: true }
  const unlisted = hints.find(({ kind, state, listed }) => kind === 'mpps' && state === 'completed' && listed === 0)
  if (unlisted) return { sentence: `${nameOf(unlisted)} is completed`, final: false }
  const completed = hints.some(({ kind, state }) => kind === 'order' && state === 'completed')
  return completed ? { sentence: 'HL7 says that the order is completed', final: false } : null
}

function nameOf({ kind, reference }: StudyHint): string {
  return kind === 'mpps' ? `MPPS ${reference}` : 'an availability notification'
}
