import { accessSync, closeSync, fdatasync, writevSync } from 'node:fs'
import {
  blockLength,
  encodeRecordHeader,
  type JournalEntry,
  type JournalPlace,
  journalLength,
  nextBlock,
  recordHeaderLength,
} from './journal.ts'

/** A journal that may be written to, with its first block on disk and the rest of it allocated. */
export interface PreparedJournal {
  name: string
  path: string
  generation: Buffer
  fd: number
  sync: boolean
}

interface Waiting {
  entry: JournalEntry
  length: number
  resolve(place: JournalPlace): void
  reject(error: unknown): void
}

/**
 * A journal that is being written. Entries that come while others are on their way to the disk wait, and then go together: one write
 * and one sync for all of them.
 */
export class OpenJournal {
  readonly name: string
  /** Entries that were acknowledged. */
  records = 0
  /** True once something went wrong: what the kernel has told of once, it does not tell again. */
  failed = false
  /** Reading of the monotonic clock, in ms, when the last entry came. */
  lastEntryAt = 0
  readonly #journal: PreparedJournal
  #position = blockLength
  #waiting: Waiting[] = []
  /** Bytes that wait, with their headers. */
  #waitingLength = 0
  #scheduled = false
  #writing = false
  #onIdle: (() => void) | null = null

  constructor(journal: PreparedJournal) {
    this.#journal = journal
    this.name = journal.name
  }

  /** True where an entry of so many bytes fits behind what waits. */
  hasRoomFor(length: number): boolean {
    return (
      !this.failed && nextBlock(this.#position) + this.#waitingLength + recordHeaderLength + length <= journalLength
    )
  }

  /**
   * Makes an entry durable; there must be room for it.
   * @throws what the file system says: nothing may be acknowledged then
   */
  append(entry: JournalEntry, length: number): Promise<JournalPlace> {
    this.lastEntryAt = performance.now()
    this.#waitingLength += recordHeaderLength + length
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, length, resolve, reject })
      this.#schedule()
    })
  }

  /** Closes the file behind the last entry. Nothing must be appended afterwards. */
  async close(): Promise<void> {
    if (this.#writing || this.#scheduled)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    closeSync(this.#journal.fd)
  }

  /** After the reading of what lies ready on all connections: what they bring at one time goes in one group. */
  #schedule(): void {
    if (this.#writing || this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#writeGroup()
    })
  }

  #writeGroup(): void {
    const group = this.#waiting
    this.#waiting = []
    this.#waitingLength = 0
    const places: JournalPlace[] = []
    if (this.failed) return this.#end(group, places, new Error('an earlier write to the journal failed'))
    try {
      const parts: Buffer[] = []
      const start = nextBlock(this.#position)
      let offset = start
      for (const { entry, length } of group) {
        offset += recordHeaderLength
        parts.push(encodeRecordHeader(this.#journal.generation, entry, length), ...entry.parts)
        places.push({ journal: this.name, offset })
        offset += length
      }
      const written = writevSync(this.#journal.fd, parts, start)
      if (written !== offset - start) throw new Error(`${written} of ${offset - start} bytes were written`)
      this.#position = offset
    } catch (error) {
      this.#end(group, places, error)
      return
    }
    if (!this.#journal.sync) return this.#end(group, places, null)
    this.#writing = true
    fdatasync(this.#journal.fd, (error) => {
      this.#writing = false
      this.#end(group, places, error)
    })
  }

  #end(group: readonly Waiting[], places: readonly JournalPlace[], failure: unknown): void {
    let error = failure
    try {
      // Whoever reads the journal because this process is thought dead takes its name away first: then nobody is told Success any more.
      if (error === null) accessSync(this.#journal.path)
    } catch (gone) {
      error = gone
    }
    if (error === null) {
      this.records += group.length
      group.forEach(({ resolve }, i) => resolve(places[i] as JournalPlace))
    } else this.#fail(group, error)
    if (this.#waiting.length > 0) this.#writeGroup()
    else this.#onIdle?.()
  }

  /** What waits fails as well: behind a group that may be missing on the disk, nobody would find it after a crash. */
  #fail(group: readonly Waiting[], error: unknown): void {
    this.failed = true
    for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(error)
  }
}
