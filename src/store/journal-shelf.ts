import { closeSync, existsSync, fdatasync, fsync, futimesSync, openSync, readdirSync, writeSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { type JournalPlace, type ReadRecord, readJournal, voidOffset } from './journal.ts'
import { allDone, closed, createFile, readRange, unlessMissing } from './journal-files.ts'
import { journalFolder } from './journal-writer.ts'

/** An instance whose bytes lie in a journal. */
export interface Shelved extends JournalPlace {
  /** Name of the file that it becomes. */
  file: string
  /** Bytes of the Part 10 file. */
  length: number
}

interface Journal {
  path: string
  /** Those that are to become files. */
  instances: Map<string, Shelved>
  /** Those that are indexed, or in quarantine. */
  dealtWith: Set<string>
  /** How many there are in all, once nothing more is written to it. */
  records: number | null
  settle: (() => void) | null
}

/** What was found in journals that nobody writes to any more. */
export interface Replayed {
  /** Records that became files of the incoming folder. */
  records: number
  /** Names of files that were put into the quarantine folder because their bytes are not those that were written. */
  damaged: string[]
}

const maximumSpares = 2
const filesAtOnce = 16

/**
 * The journals that wait to become files, seen from the process that keeps the index. An instance is indexed while its bytes lie in a
 * journal; when all of a closed journal's are, they become files of the objects store, and the journal can be used again.
 */
export class JournalShelf {
  readonly #folder: string
  readonly #targetOf: (file: string) => string
  readonly #journals = new Map<string, Journal>()
  readonly #instances = new Map<string, Shelved>()
  #work: Promise<unknown> = Promise.resolve()

  /** @param targetOf the path that an instance's file has in the end */
  constructor(dataDir: string, targetOf: (file: string) => string) {
    this.#folder = journalFolder(dataDir)
    this.#targetOf = targetOf
  }

  /** Says where an instance lies that is about to be indexed. */
  expect(instance: Shelved): void {
    const { journal, file } = instance
    const known = this.#find(journal)
    if (known === null || known.dealtWith.has(file)) return
    known.instances.set(file, instance)
    this.#instances.set(file, instance)
  }

  /** Bytes of an instance that lies in a journal; null where it does not. */
  sizeOf(file: string): number | null {
    return this.#instances.get(file)?.length ?? null
  }

  /** As `sizeOf`, but null as well where the journal is gone: nobody may answer for an instance that is only spoken of. */
  presentSizeOf(file: string): number | null {
    const instance = this.#instances.get(file)
    const journal = instance && this.#journals.get(instance.journal)
    return instance !== undefined && journal !== undefined && existsSync(journal.path) ? instance.length : null
  }

  /** Makes a file of an instance that somebody wants to read before its turn. Does nothing for others. */
  materialise(file: string): void {
    const instance = this.#instances.get(file)
    const target = this.#targetOf(file)
    if (instance === undefined || existsSync(target)) return
    const bytes = this.#read(instance)
    closeSync(this.#create(target, bytes))
  }

  /**
   * Takes an instance back: it becomes no file, also not after a crash. Does nothing for others.
   * @throws what the file system says
   */
  async drop(file: string): Promise<void> {
    const instance = this.#instances.get(file)
    const journal = instance && this.#journals.get(instance.journal)
    if (instance === undefined || journal === undefined) return
    this.#instances.delete(file)
    journal.instances.delete(file)
    const fd = openSync(journal.path, 'r+')
    writeSync(fd, Buffer.from([1, 0, 0, 0]), 0, 4, instance.offset + voidOffset)
    await closed(fd, fdatasync)
  }

  /**
   * Moves the bytes of an instance elsewhere, durably.
   * @returns false where it lies in no journal
   */
  async moveTo(file: string, target: string): Promise<boolean> {
    const instance = this.#instances.get(file)
    if (instance === undefined) return false
    await closed(this.#create(target, this.#read(instance)), fsync)
    await this.drop(file)
    return true
  }

  /** An instance is indexed, or in quarantine: its journal does not have to be kept for it. */
  dealtWith({ journal, file }: Pick<Shelved, 'journal' | 'file'>): void {
    const known = this.#find(journal)
    if (known === null) return
    known.dealtWith.add(file)
    if (known.records !== null && known.dealtWith.size >= known.records) known.settle?.()
  }

  /**
   * Nothing more is written to a journal: when all of its instances are dealt with, they become files.
   * @returns when they are, durably; never for a journal whose instances are not dealt with
   * @throws what the file system says; the call may be repeated
   */
  async close(journal: string, records: number): Promise<void> {
    const known = this.#find(journal)
    if (known === null) return
    await new Promise<void>((resolve) => {
      known.settle = resolve
      known.records = records
      if (known.dealtWith.size >= records) resolve()
    })
    await this.#inTurn(() => this.#settle(journal, known))
  }

  /** Names of the journals that are there now. */
  names(): string[] {
    const names = existsSync(this.#folder) ? readdirSync(this.#folder) : []
    return names.filter((name) => /\.(journal|replay)$/.test(name)).map((name) => path.parse(name).name)
  }

  /** Removes what a crash has left unfinished. Only while nobody writes journals. */
  async tidy(): Promise<void> {
    for (const name of (await readdir(this.#folder).catch(unlessMissing)) ?? [])
      if (/\.(part|taking)$/.test(name)) await rm(path.join(this.#folder, name), { force: true })
  }

  /**
   * Makes files of the incoming folder of what lies in journals whose writer is dead: what is known of files there holds for them, too.
   * @throws what the file system says; the call may be repeated
   */
  replay(journals: readonly string[], folders: { incoming: string; quarantine: string }): Promise<Replayed> {
    return this.#inTurn(async () => {
      const replayed: Replayed = { records: 0, damaged: [] }
      for (const journal of journals) await this.#replay(journal, folders, replayed)
      return replayed
    })
  }

  /** Resolves when what is being made into files is. */
  async settled(): Promise<void> {
    await this.#work
  }

  async #settle(name: string, journal: Journal): Promise<void> {
    // It was replayed while it waited for its turn.
    if (this.#journals.get(name) !== journal) return
    const { instances } = journal
    const fd = openSync(journal.path, 'r')
    try {
      const all = [...instances.values()]
      for (let start = 0; start < all.length; start += filesAtOnce) {
        // One that was taken back meanwhile is none of them any more.
        const some = all.slice(start, start + filesAtOnce).filter(({ file }) => instances.has(file))
        await allDone(
          some.map(async ({ file, offset, length }) =>
            closed(this.#create(this.#targetOf(file), readRange(fd, offset, length)), fsync),
          ),
        )
      }
    } finally {
      closeSync(fd)
    }
    await this.#retire(name, journal.path)
  }

  async #replay(name: string, folders: { incoming: string; quarantine: string }, replayed: Replayed): Promise<void> {
    const place = path.join(this.#folder, `${name}.replay`)
    // Without its name, whoever still writes it acknowledges nothing more.
    await rename(this.#pathOf(name), place).catch(unlessMissing)
    const known = this.#journals.get(name)
    if (known) known.path = place
    const handle = await open(place, 'r').catch(unlessMissing)
    if (handle === null) return
    try {
      let suspect: ReadRecord | null = null
      let group: (() => Promise<void>)[] = []
      for await (const record of readJournal(handle)) {
        // The last one may be one that was being written. One before others was acknowledged.
        if (suspect !== null) {
          const damaged = suspect
          group.push(() => this.#replayOne(damaged, folders.quarantine))
          replayed.damaged.push(suspect.file)
        }
        suspect = record.isWhole ? null : record
        if (record.isWhole) {
          group.push(() => this.#replayOne(record, folders.incoming))
          replayed.records++
        }
        if (group.length < filesAtOnce) continue
        await allDone(group.map((act) => act()))
        group = []
      }
      await allDone(group.map((act) => act()))
    } finally {
      await handle.close()
    }
    await this.#retire(name, place)
  }

  async #replayOne({ file, at, bytes }: ReadRecord, folder: string): Promise<void> {
    const fd = this.#create(path.join(folder, file), bytes)
    futimesSync(fd, at / 1000, at / 1000)
    await closed(fd, fsync)
  }

  /** All of it are files now. The journal is kept for another use, unless there are enough. */
  async #retire(name: string, place: string): Promise<void> {
    for (const file of this.#journals.get(name)?.instances.keys() ?? []) this.#instances.delete(file)
    this.#journals.delete(name)
    const spares = (await readdir(this.#folder)).filter((other) => other.endsWith('.spare'))
    if (spares.length < maximumSpares) await rename(place, path.join(this.#folder, `${name}.spare`))
    else await rm(place, { force: true })
  }

  /** Null for one that was dealt with: what is told of it comes too late. */
  #find(name: string): Journal | null {
    const known = this.#journals.get(name)
    if (known) return known
    const place = this.#pathOf(name)
    if (!existsSync(place)) return null
    const found = { path: place, instances: new Map(), dealtWith: new Set<string>(), records: null, settle: null }
    this.#journals.set(name, found)
    return found
  }

  #pathOf(journal: string): string {
    return path.join(this.#folder, `${journal}.journal`)
  }

  #read({ journal, offset, length }: Shelved): Buffer {
    const fd = openSync(this.#journals.get(journal)?.path ?? this.#pathOf(journal), 'r')
    try {
      return readRange(fd, offset, length)
    } finally {
      closeSync(fd)
    }
  }

  #create(target: string, bytes: Buffer): number {
    return createFile(target, bytes, path.join(this.#folder, `${path.basename(target)}.part`))
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#work.then(act)
    this.#work = done.catch(() => {})
    return done
  }
}
