import { randomBytes } from 'node:crypto'
import { mkdirSync, openSync } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import {
  encodeJournalHead,
  fitsJournal,
  type JournalEntry,
  type JournalPlace,
  journalLength,
  newGeneration,
} from './journal.ts'
import { OpenJournal } from './open-journal.ts'

export interface JournalWriterOptions {
  dataDir: string
  /** False: nothing is synced, so that a power loss may lose what was acknowledged. For measurements only. */
  sync: boolean
  /** A journal that nothing is written to any more, with the number of entries that were acknowledged. */
  onClosed(journal: string, records: number): void
  /** A journal could not be made; instances go to files of their own meanwhile. */
  onFailure(error: unknown): void
}

/** The folder of the journals inside the data folder. */
export const journalFolder = (dataDir: string): string => path.join(dataDir, 'journal')

/** ms without an entry after which a journal is closed, so that its instances become files. */
const idleMs = 1000
const lookMs = 250
/** Journals that wait to become files, at most: beyond them small instances get files of their own at once. */
const maximumUnsettled = 8
/** Bytes that are written at a time to allocate a journal. */
const fill = 1024 * 1024
/** ms after which a journal that could not be made is tried again. */
const retryMs = 10_000

/**
 * Takes small instances into journals: their syncs are shared by all that arrive at the same time, nothing is created, and nothing is
 * allocated. `<name>.taking` becomes `<name>.journal` when its first block is on disk; files that are no longer needed are `.spare`.
 */
export class JournalWriter {
  readonly #options: JournalWriterOptions
  readonly #folder: string
  readonly #writer = randomBytes(6).toString('hex')
  readonly #timer: NodeJS.Timeout
  readonly #closing = new Set<Promise<void>>()
  #current: OpenJournal | null = null
  #next: OpenJournal | null = null
  #preparing: Promise<void> | null = null
  #count = 0
  /** Reading of the monotonic clock, in ms, before which no further one is made. */
  #notBefore = 0
  #ended = false

  constructor(options: JournalWriterOptions) {
    this.#options = options
    this.#folder = journalFolder(options.dataDir)
    mkdirSync(this.#folder, { recursive: true })
    this.#timer = setInterval(() => this.#look(), lookMs)
    this.#timer.unref()
    this.#prepare()
  }

  /**
   * Makes an instance durable.
   * @returns null where no journal has room: it has to go to a file of its own
   * @throws what the file system says, by the promise
   */
  append(entry: JournalEntry): Promise<JournalPlace> | null {
    if (!fitsJournal(entry.file)) return null
    let length = 0
    for (const part of entry.parts) length += part.length
    if (this.#current?.hasRoomFor(length) !== true) this.#rotate()
    const current = this.#current
    return current?.hasRoomFor(length) ? current.append(entry, length) : null
  }

  /** Resolves when a journal can be written to, or cannot be made. */
  async ready(): Promise<void> {
    await this.#preparing
  }

  /** Closes every journal; `onClosed` has been called for each when it resolves. */
  async close(): Promise<void> {
    this.#ended = true
    clearInterval(this.#timer)
    await this.#preparing
    this.#retire(this.#current)
    this.#retire(this.#next)
    this.#current = null
    this.#next = null
    await Promise.all(this.#closing)
  }

  #look(): void {
    const current = this.#current
    if (current !== null && current.records > 0 && performance.now() - current.lastEntryAt > idleMs) this.#rotate()
    else if (this.#next === null) this.#prepare()
  }

  #rotate(): void {
    this.#retire(this.#current)
    this.#current = this.#next
    this.#next = null
    this.#prepare()
  }

  #retire(journal: OpenJournal | null): void {
    if (journal === null) return
    const closed = journal.close().then(() => {
      this.#closing.delete(closed)
      this.#options.onClosed(journal.name, journal.records)
    })
    this.#closing.add(closed)
  }

  #prepare(): void {
    if (this.#ended || performance.now() < this.#notBefore) return
    this.#preparing ??= this.#prepareNext()
      .catch((error: unknown) => {
        this.#notBefore = performance.now() + retryMs
        this.#options.onFailure(error)
      })
      .finally(() => {
        this.#preparing = null
      })
  }

  async #prepareNext(): Promise<void> {
    const { sync } = this.#options
    const names = await readdir(this.#folder)
    if (names.filter((name) => name.endsWith('.journal')).length >= maximumUnsettled) return
    const name = `${this.#writer}-${++this.#count}`
    const taking = path.join(this.#folder, `${name}.taking`)
    const journal = path.join(this.#folder, `${name}.journal`)
    const generation = newGeneration()
    const spare = names.find((other) => other.endsWith('.spare'))
    // Whoever can rename it has it for himself.
    const isSpare = spare !== undefined && (await renamed(path.join(this.#folder, spare), taking))
    try {
      await this.#writeHead(taking, generation, isSpare)
      await rename(taking, journal)
      if (sync) await syncFolder(this.#folder)
    } catch (error) {
      // A disk that is full is not made fuller by what nobody can use.
      await rm(taking, { force: true })
      throw error
    }
    const opened = new OpenJournal({ name, path: journal, generation, fd: openSync(journal, 'r+'), sync })
    if (this.#current === null) this.#current = opened
    else this.#next = opened
  }

  async #writeHead(taking: string, generation: Buffer, isSpare: boolean): Promise<void> {
    const file = await open(taking, isSpare ? 'r+' : 'wx', 0o640)
    try {
      if (!isSpare) await allocate(file)
      await file.write(encodeJournalHead(generation), 0, undefined, 0)
      if (this.#options.sync) await file.sync()
    } finally {
      await file.close()
    }
  }
}

/** Written, not reserved: a block that was written once can be written again without a change of the file system's own tables. */
async function allocate(file: FileHandle): Promise<void> {
  const zeros = Buffer.alloc(fill)
  for (let offset = 0; offset < journalLength; offset += fill) await file.write(zeros, 0, fill, offset)
}

async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
