import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { IncomingFolder } from '../store/incoming.ts'
import { deleteVersion, hasDicomName, readVersion } from './folder-file.ts'
import type { FileOutcome, FileVersion, FolderMemory } from './folder-memory.ts'
import { findSameInQuarantine, giveReason } from './quarantine-queries.ts'
import type { QuarantinedObject, ReceivedInstance, Sender } from './received.ts'
import { SeriesSeen } from './series-seen.ts'
import { type IntakeContext, quarantineRefused, type TakenIn, takeIn } from './take-in.ts'

/** What a watched folder is connected with. */
export interface FolderPorts {
  database: Knex
  incoming: Pick<IncomingFolder, 'begin' | 'beginRaw' | 'quarantineFolder'>
  /** Resolves when the instances are indexed. */
  indexWriter: { add(instances: readonly ReceivedInstance[]): Promise<void> }
  /** Resolves when the object has its row: its file is deleted afterwards. */
  onQuarantined(object: QuarantinedObject): Promise<void>
  /** A batch of files is one association for whoever asks when a study is complete. */
  onBatch?: {
    began(association: string): void
    /** The folder is quiet; what the batch brought is indexed. */
    ended(association: string): Promise<void>
    /** The folder went away: whether it was all is not known. */
    lost(association: string): Promise<void>
  }
  log: Log
}

export interface TakeOptions {
  /** Real path of the folder. */
  root: string
  afterwards: 'delete' | 'keep'
  callingAETitle: string
  memory: FolderMemory
  ports: FolderPorts
  isStopping: () => boolean
}

/** SOP class of a DICOMDIR (PS3.3 F.2): it lists instances and is none. */
const mediaStorageDirectory = '1.2.840.10008.1.3.10'

/**
 * Takes files of one folder in: copied and synced like any other arrival, checked, indexed, and only then deleted or remembered. What is
 * broken goes to quarantine; what is no DICOM stays where it is.
 */
export class FolderTaker {
  readonly #options: TakeOptions
  readonly #series = new SeriesSeen()

  constructor(options: TakeOptions) {
    this.#options = options
  }

  /**
   * @param association id of the batch
   * @throws {FolderFileError}, IncomingError and what the file system says; the file is as it was then
   */
  async take(file: FileVersion, association: string): Promise<FileOutcome> {
    const { root, isStopping, ports } = this.#options
    const context = this.#contextOf(file, association)
    const taken = await takeIn(readVersion(root, file, isStopping), context)
    if (taken.kind === 'kept') {
      // It is durable: an index that cannot be written now is written later, from the same file.
      await ports.indexWriter.add([taken.instance]).catch((error: unknown) => {
        ports.log.error('an instance of a watched folder cannot be indexed now', { reason: messageOf(error) })
      })
      return this.#finish(file, 'taken')
    }
    const { error, named } = taken
    if (error.code === 'not-dicom' || named.sopClassUID === mediaStorageDirectory) {
      taken.file?.discard()
      return this.#ignore(file)
    }
    if (error.code === 'out-of-space') throw error
    if (!(await this.#quarantine(taken, context))) throw error
    return this.#finish(file, 'quarantined')
  }

  /** Deletes a file that was dealt with before and could not be deleted then. */
  async deleteAgain(file: FileVersion): Promise<void> {
    const { root, memory } = this.#options
    await deleteVersion(root, file)
    await memory.forget(file.relative)
  }

  #contextOf(file: FileVersion, association: string): IntakeContext {
    const { ports, callingAETitle } = this.#options
    const sender: Sender = { callingAETitle, calledAETitle: '', address: 'folder' }
    return {
      incoming: ports.incoming,
      series: this.#series,
      log: ports.log,
      association,
      via: 'folder',
      sender,
      maximumBytes: Number.POSITIVE_INFINITY,
      study: null,
      dicomOnly: !hasDicomName(file.relative),
    }
  }

  /** @returns false where the bytes could not be kept */
  async #quarantine(taken: Extract<TakenIn, { kind: 'refused' }>, context: IntakeContext): Promise<boolean> {
    const { ports } = this.#options
    if (taken.file === null) return false
    // A node that ended between keeping the bytes and deleting the file finds both.
    const same = await findSameInQuarantine(ports.database, {
      folder: ports.incoming.quarantineFolder,
      path: taken.file.path,
      size: taken.file.size,
    })
    if (same !== null) {
      taken.file.discard()
      const { error, named } = taken
      await giveReason(ports.database, same, { code: error.code, reason: error.message, ...named, ...context })
      return true
    }
    const object = await quarantineRefused(taken, context)
    if (object !== null) await ports.onQuarantined(object)
    return object !== null
  }

  async #finish(file: FileVersion, outcome: FileOutcome): Promise<FileOutcome> {
    const { root, afterwards, memory, ports } = this.#options
    if (afterwards === 'keep') {
      await memory.remember(file, outcome)
      return outcome
    }
    try {
      await deleteVersion(root, file)
    } catch (error) {
      // It must not come again with every look at the folder.
      await memory.remember(file, outcome)
      ports.log.warn('a file of a watched folder was taken in and cannot be deleted', { reason: codeOf(error) })
    }
    return outcome
  }

  async #ignore(file: FileVersion): Promise<FileOutcome> {
    await this.#options.memory.remember(file, 'ignored')
    return 'ignored'
  }
}

/** A new id for a batch of files. */
export function newBatch(): string {
  return `folder-${randomUUID()}`
}

/** The file system's code for an error: its messages hold paths, and names of files may name patients. */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code)
  return error instanceof Error ? error.name : 'unknown'
}
