import { encodeFileMeta, type FileMeta } from '../dicom/part10.ts'
import type { Association } from '../dimse/association.ts'
import type { StoreReceiver, StoreRequest } from '../dimse/store-message.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { asIncomingError, type IncomingFile, type IncomingFolder } from '../store/incoming.ts'
import type { JournalPlace } from '../store/journal.ts'
import type { JournalWriter } from '../store/journal-writer.ts'
import { DataSetTap, headLength } from './data-set-tap.ts'
import { type DataSetToExamine, examineDataSet, headerOf } from './examine.ts'
import type { QuarantinedObject, ReceivedInstance, Sender } from './received.ts'
import type { SeriesSeen } from './series-seen.ts'

/** Where instances go, and who is told. */
export interface CStoreContext {
  folder: IncomingFolder
  /** Where small instances go; null: to files of the folder, as the others. */
  journal: JournalWriter | null
  series: SeriesSeen
  log: Log
  onReceived(instance: ReceivedInstance): void
  onQuarantined(object: QuarantinedObject): void
}

/** Who sent something over an association. */
export function senderOf(association: Association): Sender {
  const { callingAETitle, calledAETitle, address } = association
  return { callingAETitle, calledAETitle, address }
}

/**
 * One instance that arrives by C-STORE: its data set goes to a file as it comes, or to a journal when it is whole and small, and is
 * checked from its first and last bytes.
 * @throws {IncomingError} `out-of-space` before a byte is taken
 */
export function receiveInstance(request: StoreRequest, context: CStoreContext): StoreReceiver {
  return new ArrivingInstance(request, context)
}

/** An instance that is durable. */
interface Kept {
  file: string
  size: number
  journal?: JournalPlace
}

class ArrivingInstance implements StoreReceiver, DataSetToExamine {
  readonly #request: StoreRequest
  readonly #context: CStoreContext
  readonly #meta: FileMeta
  readonly #tap: DataSetTap
  /** Absent as long as all bytes fit into memory. */
  #file: IncomingFile | null = null

  constructor(request: StoreRequest, context: CStoreContext) {
    this.#request = request
    this.#context = context
    this.#meta = {
      mediaStorageSOPClassUID: request.sopClassUID.slice(0, 64),
      mediaStorageSOPInstanceUID: request.sopInstanceUID.slice(0, 64),
      transferSyntaxUID: request.context.transferSyntax,
      sourceApplicationEntityTitle: request.association.callingAETitle,
    }
    if (context.journal === null) this.#file = context.folder.begin(this.#meta)
    else context.folder.checkSpace()
    this.#tap = new DataSetTap()
  }

  write(bytes: Buffer): void {
    if (this.#file === null && this.#tap.size + bytes.length > headLength) this.#begin()
    this.#file?.write(bytes)
    this.#tap.take(bytes)
  }

  async end(): Promise<void> {
    try {
      await this.#keep()
    } finally {
      this.#tap.dispose()
      // What has become durable has ended already.
      this.#file?.discard()
    }
  }

  abandon(): void {
    this.#tap.dispose()
    try {
      this.#file?.discard()
    } catch (error) {
      // Called when a connection ends: there is nobody left to tell but the log. Recovery removes what stays behind.
      this.#context.log.error('an unfinished file could not be removed', { reason: messageOf(error) })
    }
  }

  // What is examined.

  /** What cannot be judged from its first and last bytes has to lie in a file. */
  get path(): string {
    return this.#begin().path
  }

  get transferSyntaxUID(): string {
    return this.#meta.transferSyntaxUID
  }

  get head(): Buffer {
    return this.#tap.head
  }

  get tail(): Buffer {
    return this.#tap.tail
  }

  get size(): number {
    return this.#tap.size
  }

  async #keep(): Promise<void> {
    const { facts, elements } = await this.#examine()
    // The head is read before the next instance may reuse what it lies in. Where it is not all of it, whoever writes the index reads the file.
    const head = this.#context.series.isNew(facts.seriesInstanceUID) ? elements() : null
    const kept: Kept = (await this.#keepInJournal()) ?? (await this.#begin().finish())
    const { file, size, journal } = kept
    const { association } = this.#request
    // Every property by name: gathering them with `...` takes longer than all of the examination.
    const instance: ReceivedInstance = {
      file,
      association: association.id,
      via: 'c-store',
      sender: senderOf(association),
      at: new Date().toISOString(),
      size,
      transferSyntaxUID: this.#meta.transferSyntaxUID,
      sopClassUID: facts.sopClassUID,
      sopInstanceUID: facts.sopInstanceUID,
      studyInstanceUID: facts.studyInstanceUID,
      seriesInstanceUID: facts.seriesInstanceUID,
      instanceNumber: facts.instanceNumber,
      rows: facts.rows,
      columns: facts.columns,
      bitsAllocated: facts.bitsAllocated,
      numberOfFrames: facts.numberOfFrames,
    }
    if (journal) instance.journal = journal
    if (head) instance.header = headerOf(head)
    this.#context.onReceived(instance)
  }

  async #examine(): Promise<Awaited<ReturnType<typeof examineDataSet>>> {
    try {
      return await examineDataSet(this, this.#request)
    } catch (error) {
      await this.#quarantine(error)
      throw error
    }
  }

  /** @returns null for what lies in a file, or has to */
  async #keepInJournal(): Promise<Kept | null> {
    const { journal, folder } = this.#context
    if (journal === null || this.#file !== null) return null
    const parts = [encodeFileMeta(this.#meta), this.#tap.head] as const
    const size = parts[0].length + parts[1].length
    const file = `${folder.nextId()}.dcm`
    folder.spend(size)
    try {
      const place = await journal.append({ file, at: Date.now(), parts })
      return place && { file, size, journal: place }
    } catch (error) {
      throw asIncomingError(error)
    }
  }

  /** The file, with all bytes that came. */
  #begin(): IncomingFile {
    if (this.#file !== null) return this.#file
    this.#file = this.#context.folder.begin(this.#meta)
    this.#file.write(this.#tap.head)
    return this.#file
  }

  /** Keeps the bytes and says why. Where that fails too, the refusal itself still reaches the sender. */
  async #quarantine(error: unknown): Promise<void> {
    const { association, sopClassUID, sopInstanceUID, context } = this.#request
    try {
      const { file, size } = await this.#begin().quarantine()
      this.#context.onQuarantined({
        file,
        at: new Date().toISOString(),
        size,
        code: error instanceof HilumError ? error.code : 'processing-failure',
        reason: error instanceof HilumError ? error.message : 'the data set could not be examined',
        via: 'c-store',
        sender: senderOf(association),
        sopClassUID: sopClassUID.slice(0, 64) || null,
        sopInstanceUID: sopInstanceUID.slice(0, 64) || null,
        transferSyntaxUID: context.transferSyntax,
      })
    } catch (failure) {
      this.#context.log.error('an object could not be kept in quarantine', { reason: messageOf(failure) })
    }
  }
}
