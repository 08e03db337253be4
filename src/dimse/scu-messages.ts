import type { CommandSet } from './command-set.ts'
import { commandField, responseBit } from './command-set.ts'
import type { AcceptedContext } from './context-negotiation.ts'
import { violation } from './error.ts'
import { GatheredBytes, MemoryBudget } from './gathered-bytes.ts'
import { MessageReader, type MessageSink } from './message-reader.ts'
import { abortReason } from './pdu.ts'
import { maximumRequestLength } from './service.ts'

/** A message from the acceptor, whole. */
export interface Message {
  command: CommandSet
  context: AcceptedContext
  /** In the context's transfer syntax; null where there is none. */
  dataSet: Buffer | null
}

/** Messages that may wait to be taken; beyond them nothing is read. */
const maximumWaiting = 16

/**
 * What the acceptor of an association sends: responses, which wait until they are taken in their order, and requests of its
 * own.
 */
export class ScuMessages implements MessageSink {
  readonly reader: MessageReader
  readonly #onRequest: (message: Message) => void
  readonly #onFlow: (reading: boolean) => void
  readonly #budget = new MemoryBudget(2 * maximumRequestLength)
  readonly #waiting: Message[] = []
  #arriving: { command: CommandSet; context: AcceptedContext; gathered: GatheredBytes } | null = null
  #taker: ((message: Message) => void) | null = null

  /**
   * @param handlers.onRequest is given the acceptor's own requests
   * @param handlers.onFlow is told to stop reading, and to go on
   */
  constructor(
    contexts: ReadonlyMap<number, AcceptedContext>,
    handlers: { onRequest(message: Message): void; onFlow(reading: boolean): void },
  ) {
    this.reader = new MessageReader(contexts, this)
    this.#onRequest = handlers.onRequest
    this.#onFlow = handlers.onFlow
  }

  /** The next response, if one has come already. */
  take(): Message | null {
    const message = this.#waiting.shift() ?? null
    if (this.#waiting.length === maximumWaiting - 1) this.#onFlow(true)
    return message
  }

  /** Has the next response handed over when it comes; only where `take` has none. */
  onNext(taker: (message: Message) => void): void {
    this.#taker = taker
  }

  onCommand(command: CommandSet, context: AcceptedContext): void {
    this.#arriving = { command, context, gathered: new GatheredBytes(maximumRequestLength, this.#budget) }
    if (!command.hasDataSet) this.onDataSetEnd()
  }

  onDataSetBytes(bytes: Buffer): void {
    this.#arriving?.gathered.add(bytes)
  }

  onDataSetEnd(): void {
    const arriving = this.#arriving
    this.#arriving = null
    if (arriving === null) return
    const { command, context, gathered } = arriving
    if (gathered.overflowed)
      throw violation(
        abortReason.notSpecified,
        `a data set beyond ${maximumRequestLength} bytes, which is the longest taken`,
      )
    const message = { command, context, dataSet: command.hasDataSet ? gathered.bytes : null }
    gathered.dispose()
    if (command.commandField & responseBit) this.#give(message)
    else if (command.commandField !== commandField.cCancelRQ) this.#onRequest(message)
  }

  #give(message: Message): void {
    const taker = this.#taker
    this.#taker = null
    if (taker) return taker(message)
    this.#waiting.push(message)
    if (this.#waiting.length === maximumWaiting) this.#onFlow(false)
  }
}
