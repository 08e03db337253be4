import { isStorageSOPClass } from '../dicom/sop-class.ts'
import { HilumError } from '../errors.ts'
import type { Association } from './association.ts'
import type { AcceptedContext } from './association-negotiation.ts'
import type { CommandSet } from './command-set.ts'
import { dimseStatus, statusOf } from './status.ts'

/** A C-STORE request whose data set is about to arrive. */
export interface StoreRequest {
  association: Association
  context: AcceptedContext
  /** As the command says, not checked: what the data set says is for the receiver to compare. */
  sopClassUID: string
  sopInstanceUID: string
}

/** Where one C-STORE's data set goes. */
export interface StoreReceiver {
  /** The next bytes: a view that is valid during the call only. A throw refuses the instance; the rest is not given. */
  write(bytes: Buffer): void
  /** The data set is whole: resolves when the instance is durable (Success), rejects with the reason of its refusal. */
  end(): Promise<void>
  /** The data set will never be whole, or `write` threw. */
  abandon(): void
}

/** Opens a receiver. @throws {HilumError} the instance is refused before its bytes are taken */
export type BeginStore = (request: StoreRequest) => StoreReceiver

/** One C-STORE from its command to its status. A refused instance's bytes are taken from the wire and thrown away. */
export class StoreMessage {
  #receiver: StoreReceiver | null = null
  #failure: unknown = null

  constructor(begin: BeginStore, association: Association, context: AcceptedContext, command: CommandSet) {
    const request = {
      association,
      context,
      sopClassUID: command.sopClassUID ?? '',
      sopInstanceUID: command.sopInstanceUID ?? '',
    }
    try {
      checkRequest(request, command)
      this.#receiver = begin(request)
    } catch (error) {
      this.#failure = error
    }
  }

  write(bytes: Buffer): void {
    if (this.#receiver === null) return
    try {
      this.#receiver.write(bytes)
    } catch (error) {
      this.#failure = error
      this.abandon()
    }
  }

  /** @returns the response's status, and a comment where it is no Success; `failure` is what refused the instance */
  async end(): Promise<{ status: number; comment?: string; failure?: unknown }> {
    const receiver = this.#receiver
    if (receiver === null) return { ...statusOf(this.#failure), failure: this.#failure }
    this.#receiver = null
    try {
      await receiver.end()
      return { status: dimseStatus.success }
    } catch (error) {
      return { ...statusOf(error), failure: error }
    }
  }

  abandon(): void {
    const receiver = this.#receiver
    this.#receiver = null
    receiver?.abandon()
  }
}

function checkRequest(request: StoreRequest, command: CommandSet): void {
  const { abstractSyntax } = request.context
  for (const uid of [abstractSyntax, request.sopClassUID])
    if (isStorageSOPClass(uid) === false)
      throw new HilumError('sop-class-not-supported', `C-STORE of SOP class ${uid}: a storage SOP class is expected`)
  if (!command.hasDataSet) throw new HilumError('no-data-set', 'C-STORE without a data set')
}
