import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Knex } from 'knex'
import { readInstanceFile } from '../dicom/instance-file.ts'
import type { FileMeta } from '../dicom/part10.ts'
import { HilumError } from '../errors.ts'
import type { Log } from '../log.ts'
import { errorCode, isAboutValues, isConflict } from '../store/error.ts'
import type { IncomingFolder } from '../store/incoming.ts'
import { factsOf } from './examine.ts'
import {
  findQuarantineRow,
  forgetQuarantined,
  giveReason,
  markQuarantined,
  type QuarantineRow,
} from './quarantine-queries.ts'
import type { ReceivedInstance } from './received.ts'
import { SeriesSeen } from './series-seen.ts'
import { isAboutObject, takeIn } from './take-in.ts'

/**
 * Why an act on a quarantined object is refused.
 * - `not-found`: there is no such object
 * - `not-in-quarantine`: it was taken in again or discarded before
 * - `busy`: another act on it is under way
 * - `bytes-gone`: its file is no longer in the quarantine folder
 * - `not-acceptable-reason`: its reason is none that may be accepted
 * - `still-refused`: what is wrong with it still is
 */
export type QuarantineErrorCode =
  | 'not-found'
  | 'not-in-quarantine'
  | 'busy'
  | 'bytes-gone'
  | 'not-acceptable-reason'
  | 'still-refused'

export class QuarantineError extends HilumError<QuarantineErrorCode> {}

export interface QuarantinePorts {
  database: Knex
  incoming: Pick<IncomingFolder, 'begin' | 'beginRaw' | 'quarantineFolder'>
  /** Resolves when the instances are indexed. */
  indexWriter: { add(instances: readonly ReceivedInstance[]): Promise<void> }
  /** Told when something in quarantine has changed. */
  onChanged(): void
  log: Log
}

/** An object that was taken out of quarantine. */
export interface Reingested {
  studyInstanceUID: string
  seriesInstanceUID: string
  sopInstanceUID: string
}

/** What an operator may do about quarantined objects. */
export class QuarantineActs {
  readonly #ports: QuarantinePorts
  readonly #series = new SeriesSeen()
  readonly #busy = new Set<number>()

  constructor(ports: QuarantinePorts) {
    this.#ports = ports
  }

  /**
   * Takes an object in again, through the checks of an arrival. It stays in quarantine when they refuse it.
   * @param options.accept true: UIDs that differ from those of the C-STORE command are accepted, as the data set has them
   * @throws {QuarantineError}, and IncomingError where there is no space
   */
  reingest(id: number, options: { by: string; accept: boolean }): Promise<Reingested> {
    return this.#alone(id, async (row) => {
      const { database, indexWriter, log } = this.#ports
      const instance = await this.#takeIn(row, options.accept)
      // It is durable from here on. A crash in between leaves both, and taking it in again finds that they are the same.
      await indexWriter.add([instance]).catch((error: unknown) => this.#refusedByIndex(instance, error))
      const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = instance
      await markQuarantined(database, id, { state: 'reingested', by: options.by, sopInstanceUID })
      await this.#deleteBytes(row)
      log.info('a quarantined object was taken in again', { id, sopInstanceUID })
      return { studyInstanceUID, seriesInstanceUID, sopInstanceUID }
    })
  }

  /**
   * Deletes an object's bytes; that it was there, and who discarded it, stays.
   * @throws {QuarantineError}
   */
  discard(id: number, { by }: { by: string }): Promise<void> {
    return this.#alone(id, async (row) => {
      await this.#deleteBytes(row)
      await markQuarantined(this.#ports.database, id, { state: 'discarded', by })
      this.#ports.log.info('a quarantined object was discarded', { id, code: row.code })
    })
  }

  async #alone<T>(id: number, act: (row: QuarantineRow) => Promise<T>): Promise<T> {
    if (this.#busy.has(id)) throw new QuarantineError('busy', `quarantined object ${id} is being worked on`)
    this.#busy.add(id)
    try {
      const row = await findQuarantineRow(this.#ports.database, id)
      if (row === null) throw new QuarantineError('not-found', `there is no quarantined object ${id}`)
      if (row.state !== 'quarantined')
        throw new QuarantineError('not-in-quarantine', `quarantined object ${id} was ${pastTense[row.state]} before`)
      return await act(row)
    } finally {
      this.#busy.delete(id)
      this.#ports.onChanged()
    }
  }

  async #takeIn(row: QuarantineRow, accept: boolean): Promise<ReceivedInstance> {
    const { incoming, log, database } = this.#ports
    const file = this.#pathOf(row)
    const accepted = accept ? await this.#accepted(row) : null
    const { via, sender, sopClassUID, sopInstanceUID } = row
    // What came by C-STORE has to be what the command said. What a restart found has lost its command.
    const isCommanded = via === 'c-store' && sopClassUID !== null && sopInstanceUID !== null
    const taken = await takeIn(bytesOf(file), {
      incoming,
      series: this.#series,
      log,
      association: `quarantine-${row.id}`,
      via,
      sender,
      maximumBytes: Number.POSITIVE_INFINITY,
      study: null,
      expected: isCommanded && accepted === null ? { sopClassUID, sopInstanceUID } : null,
      replaceMeta: accepted,
    }).catch((error: unknown) => {
      throw isMissing(error) ? bytesGone(row) : error
    })
    if (taken.kind === 'kept') return taken.instance
    taken.file?.discard()
    const { error, named } = taken
    if (!isAboutObject(error)) throw error
    await giveReason(database, row.id, { code: error.code, reason: error.message, via, sender, ...named })
    throw new QuarantineError('still-refused', `${error.message} (${error.code})`, { cause: error })
  }

  /** What the database refuses to list was put into quarantine by the index once more: one of the two is enough. */
  async #refusedByIndex({ file }: ReceivedInstance, error: unknown): Promise<never> {
    if (!isAboutValues(error) || isConflict(error)) throw error
    const { database, incoming } = this.#ports
    await forgetQuarantined(database, file)
    await rm(path.join(incoming.quarantineFolder, file), { force: true })
    const code = errorCode(error) || 'unknown'
    throw new QuarantineError('still-refused', `the database refuses to list it (${code})`, { cause: error })
  }

  /** Meta information by the data set, for an object whose command named another one. */
  async #accepted(row: QuarantineRow): Promise<FileMeta> {
    if (row.code !== 'command-mismatch')
      throw new QuarantineError('not-acceptable-reason', `only command-mismatch may be accepted, not ${row.code}`)
    try {
      const { elements, transferSyntaxUID } = await readInstanceFile(this.#pathOf(row))
      const { sopClassUID, sopInstanceUID } = factsOf(elements)
      return {
        mediaStorageSOPClassUID: sopClassUID,
        mediaStorageSOPInstanceUID: sopInstanceUID,
        transferSyntaxUID,
        ...(row.sender.callingAETitle && { sourceApplicationEntityTitle: row.sender.callingAETitle }),
      }
    } catch (error) {
      if (isMissing(error)) throw bytesGone(row)
      if (!isAboutObject(error)) throw error
      throw new QuarantineError('still-refused', `${error.message} (${error.code})`, { cause: error })
    }
  }

  #pathOf(row: QuarantineRow): string {
    return path.join(this.#ports.incoming.quarantineFolder, row.file)
  }

  async #deleteBytes(row: QuarantineRow): Promise<void> {
    await rm(this.#pathOf(row), { force: true })
  }
}

const pastTense = { reingested: 'taken in again', discarded: 'discarded' } as const

function bytesOf(file: string): AsyncIterable<Buffer> {
  return createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function bytesGone(row: QuarantineRow): QuarantineError {
  return new QuarantineError('bytes-gone', `the bytes of quarantined object ${row.id} are no longer there`)
}
