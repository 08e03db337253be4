import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Association } from './association.ts'
import { type CommandSet, commandField, encodeCommandSet, noDataSet, responseBit } from './command-set.ts'
import type { Connection } from './connection.ts'
import type { AcceptedContext } from './context-negotiation.ts'
import { violation } from './error.ts'
import { GatheredBytes, type MemoryBudget } from './gathered-bytes.ts'
import { MessageReader, type MessageSink } from './message-reader.ts'
import { MessageWriter } from './message-writer.ts'
import { OutgoingRequests } from './outgoing-requests.ts'
import { abortReason } from './pdu.ts'
import { performService, tooLongStatus } from './perform-service.ts'
import { encodeResponse, encodeServiceResponse } from './response.ts'
import { maximumRequestLength, type Responder, type ServiceProvider } from './service.ts'
import { dimseStatus } from './status.ts'
import { type BeginStore, StoreMessage } from './store-message.ts'
import { type FileToStore, storeOn } from './sub-operation.ts'

/** What the messages of an association need. */
export interface MessageOptions {
  association: Association
  connection: Connection
  beginStore: BeginStore
  services: readonly ServiceProvider[]
  /** Operations that may be under way at once. */
  window: number
  requestMemory: MemoryBudget
  /** What the operations of all associations take, but for the first of each. */
  operationMemory: MemoryBudget
  log: Log
  /** Has a C-ECHO answered; `echoed` is called when the next message may come. */
  performEcho(context: AcceptedContext, command: Buffer): void
  /** A message has come whole. */
  onMessageEnd(): void
  /** No operation is under way any more. */
  onIdle(): void
}

/** Bytes that an operation under way takes: the head of an instance, above all. */
export const memoryOfOperation = 64 * 1024

/** A request whose last response has not been written. */
interface Operation {
  command: CommandSet
  context: AcceptedContext
  cancel: AbortController | null
}

/** The message whose data set is arriving. */
type Arriving =
  | { kind: 'store'; operation: Operation; message: StoreMessage }
  | { kind: 'service'; operation: Operation; gathered: GatheredBytes }
  | { kind: 'ignored' }

/**
 * The DIMSE messages of an open association: as many operations at once as were negotiated, and as there is memory for; one
 * always. The next is not read before one of them has ended.
 */
export class AssociationMessages implements MessageSink {
  readonly reader: MessageReader
  readonly outgoing = new OutgoingRequests()
  readonly writer: MessageWriter
  readonly #options: MessageOptions
  readonly #operations = new Set<Operation>()
  #arriving: Arriving | null = null
  #waiting: { command: CommandSet; context: AcceptedContext } | null = null
  #echo: Operation | null = null
  #onEnd: (() => void) | null = null

  constructor(options: MessageOptions) {
    this.#options = options
    this.reader = new MessageReader(options.association.contexts, this)
    this.writer = new MessageWriter(options.connection, options.association.peerMaxPdu)
  }

  /** Operations that were begun and have not ended, the one that is arriving included. */
  get underWay(): number {
    return this.#operations.size
  }

  /** C-CANCEL for everything that can be cancelled. */
  cancelAll(): void {
    for (const operation of this.#operations) operation.cancel?.abort()
  }

  /** The association has ended. @returns when nothing of it is under way any more */
  end(): Promise<void> {
    const arriving = this.#arriving
    this.#arriving = null
    this.#waiting = null
    if (arriving?.kind === 'store') arriving.message.abandon()
    if (arriving?.kind === 'service') arriving.gathered.dispose()
    if (arriving && arriving.kind !== 'ignored') this.#forget(arriving.operation)
    if (this.#echo) this.#forget(this.#echo)
    this.cancelAll()
    this.outgoing.end()
    return new Promise((resolve) => {
      this.#onEnd = resolve
      if (this.#operations.size === 0) resolve()
    })
  }

  onCommand(command: CommandSet, context: AcceptedContext): void {
    if (command.commandField & responseBit) return this.#onResponse(command)
    if (command.commandField === commandField.cCancelRQ) return this.#onCancel(command)
    if (this.#takeRoom()) return this.#begin(command, context)
    // Beyond the window: what follows is left unread until an operation has ended.
    this.#waiting = { command, context }
    this.#options.connection.hold('message')
  }

  onDataSetBytes(bytes: Buffer): void {
    if (this.#arriving?.kind === 'store') this.#arriving.message.write(bytes)
    else if (this.#arriving?.kind === 'service') this.#arriving.gathered.add(bytes)
  }

  onDataSetEnd(): void {
    const arriving = this.#arriving
    this.#arriving = null
    this.#options.onMessageEnd()
    if (arriving?.kind === 'store') void this.#finishStore(arriving.operation, arriving.message)
    if (arriving?.kind === 'service') this.#perform(arriving.operation, arriving.gathered)
  }

  /** The C-ECHO under way has been answered. */
  echoed(): void {
    const echo = this.#echo
    this.#echo = null
    if (echo) this.#ended(echo)
    this.#options.connection.release('message')
  }

  #onResponse(command: CommandSet): void {
    if (!this.outgoing.answer(command))
      throw violation(abortReason.unexpectedPDUParameter, 'a response, though nothing was requested')
    if (command.hasDataSet) this.#arriving = { kind: 'ignored' }
    else this.#options.onMessageEnd()
  }

  /** It has no response of its own; where it is about nothing that is under way, that has been answered already. */
  #onCancel(command: CommandSet): void {
    for (const operation of this.#operations)
      if (operation.command.messageID === command.messageIDBeingRespondedTo) operation.cancel?.abort()
    if (command.hasDataSet) this.#arriving = { kind: 'ignored' }
    else this.#options.onMessageEnd()
  }

  #begin(command: CommandSet, context: AcceptedContext): void {
    const operation: Operation = { command, context, cancel: null }
    const isDuplicate = this.#isUnderWay(command)
    this.#operations.add(operation)
    if (isDuplicate) return this.#refuse(operation, dimseStatus.duplicateInvocation)
    if (command.commandField === commandField.cEchoRQ && !command.hasDataSet) return this.#beginEcho(operation)
    if (command.commandField === commandField.cStoreRQ) return this.#beginStore(operation)
    operation.cancel = new AbortController()
    const gathered = new GatheredBytes(maximumRequestLength, this.#options.requestMemory)
    this.#arriving = { kind: 'service', operation, gathered }
    if (!command.hasDataSet) this.onDataSetEnd()
  }

  #isUnderWay(command: CommandSet): boolean {
    for (const operation of this.#operations) if (operation.command.messageID === command.messageID) return true
    return false
  }

  /** Answers at once; a data set that follows is read and dropped. */
  #refuse(operation: Operation, status: number): void {
    this.#arriving = { kind: 'ignored' }
    this.#respond(operation, status)
    if (!operation.command.hasDataSet) this.onDataSetEnd()
    this.#ended(operation)
  }

  /**
   * The library answers one message at a time: nothing is read until it has. It is given a command set of our own making,
   * because it never answers one with a wrong group length, and answers one without Message ID without a status.
   */
  #beginEcho(operation: Operation): void {
    this.#echo = operation
    this.#options.connection.hold('message')
    this.#options.onMessageEnd()
    const { command, context } = operation
    const normalised = encodeCommandSet([
      [0x0002, context.abstractSyntax],
      [0x0100, commandField.cEchoRQ],
      [0x0110, command.messageID ?? 0],
      [0x0800, noDataSet],
    ])
    this.#options.performEcho(context, normalised)
  }

  #beginStore(operation: Operation): void {
    const { command, context } = operation
    const mayStore = this.#options.association.permissions.has('store') && context.roles?.scu !== false
    if (!mayStore) return this.#refuse(operation, dimseStatus.notAuthorized)
    const message = new StoreMessage(this.#options.beginStore, this.#options.association, context, command)
    this.#arriving = { kind: 'store', operation, message }
    if (!command.hasDataSet) this.onDataSetEnd()
  }

  /** Never rejects: whatever goes wrong with an instance becomes the status of its response. */
  async #finishStore(operation: Operation, message: StoreMessage): Promise<void> {
    const { status, comment, failure } = await message.end()
    if (failure !== undefined)
      this.#options.log.warn('instance refused', {
        association: this.#options.association.id,
        status,
        reason: messageOf(failure),
      })
    this.#respond(operation, status, comment)
    this.#ended(operation)
  }

  #perform(operation: Operation, gathered: GatheredBytes): void {
    const { command, context } = operation
    if (gathered.overflowed) {
      this.#respond(operation, tooLongStatus(command), 'the data set is longer than can be held')
      return this.#ended(operation)
    }
    const { association, services, log } = this.#options
    const request = { association, context, command, dataSet: command.hasDataSet ? gathered.bytes : null }
    void performService(request, this.#responderFor(operation), { services, log }).finally(() => {
      gathered.dispose()
      this.#ended(operation)
    })
  }

  #responderFor(operation: Operation): Responder {
    const { command, context, cancel } = operation
    return {
      signal: (cancel as AbortController).signal,
      respond: (response) => this.writer.send(context.id, encodeServiceResponse(command, response), response.dataSet),
      store: (file: FileToStore) => storeOn(this.#options.association, file, this),
    }
  }

  #respond(operation: Operation, status: number, comment?: string): void {
    this.writer.write(operation.context.id, encodeResponse(operation.command, status, comment))
  }

  /** True where one more operation may begin; the memory for it is taken then. */
  #takeRoom(): boolean {
    const { window, operationMemory } = this.#options
    if (this.#operations.size === 0) return true
    return this.#operations.size < window && operationMemory.take(memoryOfOperation)
  }

  /** @returns false when it was forgotten already */
  #forget(operation: Operation): boolean {
    if (!this.#operations.delete(operation)) return false
    if (this.#operations.size > 0) this.#options.operationMemory.give(memoryOfOperation)
    return true
  }

  #ended(operation: Operation): void {
    if (!this.#forget(operation)) return
    // The peer had nothing to send while it waited for us.
    this.#options.connection.lastBytesAt = Date.now()
    const waiting = this.#waiting
    // There is always room for what waits: the one that has ended has left it.
    if (waiting && this.#takeRoom()) {
      this.#waiting = null
      this.#begin(waiting.command, waiting.context)
      if (this.#echo === null) this.#options.connection.release('message')
    }
    if (this.#operations.size > 0) return
    this.#options.onIdle()
    this.#onEnd?.()
  }
}
