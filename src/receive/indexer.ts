import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { isConflict } from '../store/error.ts'
import type { Objects } from '../store/objects.ts'
import type { IndexedStudy } from './index-commit.ts'
import { commitBatch } from './index-commit.ts'
import { rounds } from './index-groups.ts'
import type { PreparedInstance, Verdict } from './index-preparation.ts'
import { prepare } from './index-preparation.ts'
import type { ReceivedInstance } from './received.ts'

export interface IndexerOptions {
  database: Knex
  objects: Objects
  /** Where the received files lie until they are indexed. */
  incomingFolder: string
  log: Log
  now?: () => Date
}

/** What became of a batch. */
export interface IndexedBatch {
  /** Instances of the batch by what became of them; `known` ones were indexed before, by the same file. */
  counts: Record<Verdict, number>
  studies: IndexedStudy[]
}

/** How many files are moved or deleted at once. */
const filesAtOnce = 8
const conflictAttempts = 3

/**
 * Writes received instances into the index, a batch in one transaction, and moves their files out of the incoming folder afterwards:
 * a crash in between is repaired by `recoverIncoming`. Calls that overlap are done one after the other.
 */
export class Indexer {
  readonly #options: IndexerOptions
  readonly #now: () => Date
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: IndexerOptions) {
    this.#options = options
    this.#now = options.now ?? (() => new Date())
  }

  /**
   * @param batch up to about 250 instances, in the order of their arrival
   * @throws what the database or the file system says; then nothing of the (rest of the) batch is indexed, and its files are where they were
   */
  index(batch: readonly ReceivedInstance[]): Promise<IndexedBatch> {
    const indexed = this.#last.then(() => this.#index(batch))
    this.#last = indexed.catch(() => {})
    return indexed
  }

  async #index(batch: readonly ReceivedInstance[]): Promise<IndexedBatch> {
    for (const received of batch) this.#expect(received)
    const total: IndexedBatch = { counts: { new: 0, known: 0, identical: 0, different: 0 }, studies: [] }
    for (const round of rounds(batch)) {
      const { instances, studies } = await this.#write(round)
      await this.#moveFiles(instances)
      for (const { verdict } of instances) total.counts[verdict]++
      total.studies = mergeStudies(total.studies, studies)
    }
    return total
  }

  async #write(
    batch: readonly ReceivedInstance[],
  ): Promise<{ instances: PreparedInstance[]; studies: IndexedStudy[] }> {
    const { database } = this.#options
    for (let attempt = 1; ; attempt++) {
      const preparation = await prepare(batch, this.#options)
      try {
        const studies = await database.transaction((trx) => commitBatch(trx, preparation, this.#now().toISOString()))
        return { instances: preparation.instances, studies }
      } catch (error) {
        if (!isConflict(error) || attempt === conflictAttempts) throw error
      }
    }
  }

  /** Moves the files where they belong, each by itself; what lies in journals needs that for repeated instances only. */
  async #moveFiles(instances: readonly PreparedInstance[]): Promise<void> {
    const { journals } = this.#options.objects
    const left: PreparedInstance[] = []
    for (const instance of instances) {
      const { file, journal } = instance.received
      // What lies in a journal becomes a file together with the others there.
      const stays = journal !== undefined && instance.verdict !== 'identical' && journals.sizeOf(file) !== null
      if (stays) journals.dealtWith({ ...journal, file })
      else left.push(instance)
    }
    const mover = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) await this.#moveFile(next)
    }
    await Promise.all(Array.from({ length: filesAtOnce }, mover))
  }

  #expect({ journal, file, size }: ReceivedInstance): void {
    if (journal) this.#options.objects.journals.expect({ ...journal, file, length: size })
  }

  async #moveFile({ received, key, verdict }: PreparedInstance): Promise<void> {
    const { objects, incomingFolder } = this.#options
    const { file, journal } = received
    try {
      if (verdict === 'identical') await this.#forget(key, file)
      else await objects.put(key, path.join(incomingFolder, file))
      if (journal) objects.journals.dealtWith({ ...journal, file })
    } catch (error) {
      // The index is right, and the object is found in the incoming folder; the next start moves it.
      this.#options.log.error('an indexed instance stays in the incoming folder', {
        file,
        reason: messageOf(error),
      })
    }
  }

  async #forget(key: string, file: string): Promise<void> {
    const { objects, incomingFolder } = this.#options
    if (objects.journals.sizeOf(file) === null) await rm(path.join(incomingFolder, file), { force: true })
    else await objects.remove(key)
  }
}

/** Studies of two batches as one list. */
export function mergeStudies(a: readonly IndexedStudy[], b: readonly IndexedStudy[]): IndexedStudy[] {
  const merged = new Map<number, IndexedStudy>()
  for (const study of [...a, ...b]) {
    const before = merged.get(study.id)
    if (before === undefined) merged.set(study.id, study)
    else
      merged.set(study.id, {
        ...before,
        changed: before.changed || study.changed,
        associations: [...new Set([...before.associations, ...study.associations])],
      })
  }
  return [...merged.values()]
}
