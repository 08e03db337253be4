import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync, unlinkSync } from 'node:fs'
import path from 'node:path'
import type { ReceivedInstance } from '../../src/receive/received.ts'
import type { Played } from './player.ts'

/**
 * What was sent, acknowledged and kept: SHA-256 of data sets by SOP Instance UID. It stands in for the index: what it was told of is
 * taken from the data folder.
 */
export class Ledger {
  readonly #dataDir: string
  /** Sent to the last byte. */
  readonly #sent = new Map<string, Set<string>>()
  readonly #acknowledged = new Map<string, Set<string>>()
  readonly #kept = new Map<string, Set<string>>()
  readonly #journals = new Map<string, { records: number | null; taken: number }>()
  readonly counts = { acknowledged: 0, received: 0, quarantined: 0 }

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  note({ possible, answered }: Played): void {
    for (const request of possible)
      if (request.commandField === 1 && request.hasDataSet) add(this.#sent, request.sopInstance, request.digest)
    for (const { request, response } of answered) {
      if (request.commandField !== 1 || response.status !== 0) continue
      this.counts.acknowledged++
      add(this.#acknowledged, request.sopInstance, request.digest)
    }
  }

  received(instance: ReceivedInstance): void {
    this.counts.received++
    add(this.#kept, instance.sopInstanceUID, digestOf(this.#take(instance)))
  }

  quarantined(file: string): void {
    this.counts.quarantined++
    this.#takeFile('quarantine', file)
  }

  journalClosed(name: string, records: number): void {
    this.#journalOf(name).records = records
    this.#removeJournal(name)
  }

  /** What does not agree, as sentences. */
  *differences(): Generator<string> {
    for (const [uid, digests] of this.#acknowledged)
      for (const digest of digests)
        if (!this.#kept.get(uid)?.has(digest)) yield `${uid} was acknowledged, and is not kept as it was sent`
    for (const [uid, digests] of this.#kept)
      for (const digest of digests) if (!this.#sent.get(uid)?.has(digest)) yield `${uid} is kept, and was not sent so`
  }

  #take({ file, journal, size }: ReceivedInstance): Buffer {
    if (journal === undefined) return this.#takeFile('incoming', file)
    const bytes = Buffer.alloc(size)
    const fd = openSync(this.#journalPath(journal.journal), 'r')
    readSync(fd, bytes, 0, size, journal.offset)
    closeSync(fd)
    this.#journalOf(journal.journal).taken++
    this.#removeJournal(journal.journal)
    return bytes
  }

  #takeFile(folder: string, file: string): Buffer {
    const where = path.join(this.#dataDir, folder, file)
    const bytes = readFileSync(where)
    unlinkSync(where)
    return bytes
  }

  #journalPath(name: string): string {
    return path.join(this.#dataDir, 'journal', `${name}.journal`)
  }

  #journalOf(name: string): { records: number | null; taken: number } {
    const known = this.#journals.get(name) ?? { records: null, taken: 0 }
    this.#journals.set(name, known)
    return known
  }

  /** A journal is done with when it is closed and all that it holds has been taken. */
  #removeJournal(name: string): void {
    const { records, taken } = this.#journalOf(name)
    if (records === null || taken < records) return
    this.#journals.delete(name)
    unlinkSync(this.#journalPath(name))
  }
}

function add(to: Map<string, Set<string>>, uid: string, digest: string): void {
  const found = to.get(uid)
  if (found) found.add(digest)
  else to.set(uid, new Set([digest]))
}

/** Of the data set, which begins after the preamble and group 0002, whose group length the node wrote itself. */
function digestOf(file: Buffer): string {
  const offset = 132 + 12 + file.readUInt32LE(140)
  return createHash('sha256').update(file.subarray(offset)).digest('hex')
}
