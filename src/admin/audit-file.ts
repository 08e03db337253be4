import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { AuditRow } from '../store/audit-chain.ts'
import { anchorOf, auditLine } from './audit-lines.ts'
import type { AuditSource } from './audit-message.ts'
import type { AuditOutlet } from './audit-outlets.ts'

export interface AuditFileOptions {
  folder: string
  source: AuditSource
  /** Days until a file is deleted; 0: never. */
  keepDays: number
}

const fileName = /^audit-(\d{4}-\d{2}-\d{2})\.jsonl$/
/** Of the end of a file, to find its last line, in bytes. */
const tailBytes = 256 * 1024

/** The files of the audit in a folder, the oldest first. */
export async function auditFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => fileName.test(name)).sort()
}

/** Writes the audit to a file a day (UTC), a line an entry, each on disk before the next batch. */
export class AuditFile implements AuditOutlet {
  readonly name = 'file'
  readonly from = 'beginning'
  readonly #options: AuditFileOptions
  /** The last entry in the files; null before they were looked at. */
  #last: number | null = null

  constructor(options: AuditFileOptions) {
    this.#options = options
  }

  async write(rows: readonly AuditRow[]): Promise<void> {
    const { folder, source } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    this.#last ??= await this.#lastWritten()
    const last = this.#last
    // After a crash the database may not know of the last lines.
    const fresh = rows.filter((row) => row.sequence > last)
    for (const [day, ofDay] of byDay(fresh)) {
      const lines = ofDay.map((row) => `${auditLine(row, source)}\n`).join('')
      const file = await open(path.join(folder, `audit-${day}.jsonl`), 'a', 0o600)
      try {
        await file.appendFile(lines)
        await file.datasync()
      } finally {
        await file.close()
      }
      this.#last = ofDay.at(-1)?.sequence ?? this.#last
    }
    await this.#deleteOld()
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }

  async #lastWritten(): Promise<number> {
    const newest = (await auditFiles(this.#options.folder)).at(-1)
    if (newest === undefined) return 0
    const file = await open(path.join(this.#options.folder, newest), 'r+')
    try {
      return await lastSequence(file)
    } finally {
      await file.close()
    }
  }

  async #deleteOld(): Promise<void> {
    const { folder, keepDays } = this.#options
    if (keepDays === 0) return
    const oldest = new Date(Date.now() - keepDays * 86_400_000).toISOString().slice(0, 10)
    for (const name of await auditFiles(folder))
      if ((fileName.exec(name)?.[1] ?? oldest) < oldest) await rm(path.join(folder, name), { force: true })
  }
}

/** The sequence of a file's last whole line; what a crash left of a further one is cut off. */
async function lastSequence(file: FileHandle): Promise<number> {
  const { size } = await file.stat()
  const start = Math.max(0, size - tailBytes)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
  const tail = buffer.subarray(0, bytesRead)
  const end = tail.lastIndexOf(0x0a) + 1
  if (end < tail.length) await file.truncate(start + end)
  const lines = tail.subarray(0, end).toString('utf8').trimEnd().split('\n')
  return anchorOf(lines.at(-1) ?? '')?.[0] ?? 0
}

function byDay(rows: readonly AuditRow[]): Map<string, AuditRow[]> {
  const days = new Map<string, AuditRow[]>()
  for (const row of rows) {
    const day = row.at.slice(0, 10)
    days.set(day, [...(days.get(day) ?? []), row])
  }
  return days
}
