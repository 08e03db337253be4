import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { StoreError } from './error.ts'
import { JournalShelf } from './journal-shelf.ts'
import type { Objects } from './objects.ts'
import { keyOf, validKey } from './objects.ts'

/**
 * Objects as files below the data folder: `objects/aa/bb/name.dcm`, `results/…`, and those that still wait in `incoming/` or lie in
 * journals.
 */
export class DiskObjects implements Objects {
  readonly #dataDir: string
  readonly #incoming: string
  readonly journals: JournalShelf

  constructor(dataDir: string) {
    this.#dataDir = dataDir
    this.#incoming = path.join(dataDir, 'incoming')
    this.journals = new JournalShelf(dataDir, (file) => this.#target(keyOf(file)))
  }

  async put(key: string, fromPath: string): Promise<void> {
    const target = this.#target(key)
    // It becomes a file together with the others of its journal.
    if (this.journals.sizeOf(path.basename(key)) !== null) return
    try {
      await moveInto(target, fromPath)
    } catch (error) {
      // A crash may have come between the move and whatever the caller did next.
      if (!isMissing(error) || (await sizeOf(target)) === null) throw error
      return
    }
    // A received file is found again in either place, a result only here: its name has to be on disk before it is spoken of.
    if (isResult(key)) await syncFolder(path.dirname(target))
  }

  async pathOf(key: string): Promise<string> {
    const target = this.#target(key)
    if ((await sizeOf(target)) !== null) return target
    this.journals.materialise(path.basename(key))
    for (const place of this.#places(key)) if ((await sizeOf(place)) !== null) return place
    throw new StoreError('object-missing', `nothing is stored under ${key}`, { detail: { key } })
  }

  async stat(key: string): Promise<{ size: number } | null> {
    const shelved = this.journals.presentSizeOf(path.basename(key))
    if (shelved !== null) return { size: shelved }
    for (const place of this.#places(key)) {
      const size = await sizeOf(place)
      if (size !== null) return { size }
    }
    return null
  }

  async remove(key: string): Promise<void> {
    await this.journals.drop(path.basename(key))
    for (const place of new Set(this.#places(key))) await rm(place, { force: true })
  }

  #target(key: string): string {
    validKey(key)
    return isResult(key) ? path.join(this.#dataDir, key) : path.join(this.#dataDir, 'objects', key)
  }

  /** The target is looked at twice: the object may move while the incoming folder is looked at. */
  #places(key: string): string[] {
    const target = this.#target(key)
    return isResult(key) ? [target] : [target, path.join(this.#incoming, path.basename(key)), target]
  }
}

function isResult(key: string): boolean {
  return key.startsWith('results/')
}

async function moveInto(target: string, fromPath: string): Promise<void> {
  try {
    await rename(fromPath, target)
  } catch (error) {
    if (!isMissing(error)) throw error
    // Most often the folder exists; only a miss pays for making it.
    await mkdir(path.dirname(target), { recursive: true })
    await rename(fromPath, target)
  }
}

async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if (isMissing(error)) return null
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

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
