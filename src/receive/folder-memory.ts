import { createHash } from 'node:crypto'
import type { Knex } from 'knex'

/** What became of a file of a watched folder. */
export type FileOutcome = 'taken' | 'quarantined' | 'ignored'

/** A file as it was seen: another size or time makes it another file. */
export interface FileVersion {
  /** Path inside the folder. */
  relative: string
  size: number
  /** Nanoseconds since 1970, as text. */
  modified: string
}

/** Remembers across restarts which files of a watched folder were dealt with and are still there. */
export class FolderMemory {
  readonly #database: Knex
  readonly #folder: string

  /** @param folder absolute path */
  constructor(database: Knex, folder: string) {
    this.#database = database
    this.#folder = folder
  }

  /** Outcomes of those files that were dealt with as they are now, by path. */
  async outcomes(files: readonly FileVersion[]): Promise<Map<string, FileOutcome>> {
    if (files.length === 0) return new Map()
    const rows = await this.#database('folder_files')
      .whereIn(
        'key',
        files.map(({ relative }) => this.#keyOf(relative)),
      )
      .select<{ path: string; size: number; modified: string; outcome: FileOutcome }[]>(
        'path',
        'size',
        'modified',
        'outcome',
      )
    const known = new Map(rows.map((row) => [row.path, row]))
    const outcomes = new Map<string, FileOutcome>()
    for (const { relative, size, modified } of files) {
      const row = known.get(relative)
      if (row && row.size === size && row.modified === modified) outcomes.set(relative, row.outcome)
    }
    return outcomes
  }

  async remember({ relative, size, modified }: FileVersion, outcome: FileOutcome): Promise<void> {
    const row = { size, modified, outcome, at: new Date().toISOString() }
    await this.#database('folder_files')
      .insert({ key: this.#keyOf(relative), folder_key: hashOf(this.#folder), path: relative, ...row })
      .onConflict('key')
      .merge(row)
  }

  async forget(relative: string): Promise<void> {
    await this.#database('folder_files')
      .where({ key: this.#keyOf(relative) })
      .delete()
  }

  /**
   * Forgets files that are gone.
   * @param isGone told of each remembered path
   */
  async prune(isGone: (relative: string) => Promise<boolean>): Promise<void> {
    for (let last = 0; ; ) {
      const rows = await this.#database('folder_files')
        .where({ folder_key: hashOf(this.#folder) })
        .andWhere('id', '>', last)
        .orderBy('id')
        .limit(200)
        .select<{ id: number; path: string }[]>('id', 'path')
      if (rows.length === 0) return
      for (const { id, path } of rows) {
        last = id
        if (await isGone(path)) await this.#database('folder_files').where({ id }).delete()
      }
    }
  }

  #keyOf(relative: string): string {
    return hashOf(`${this.#folder}\0${relative}`)
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
