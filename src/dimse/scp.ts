import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Association, AssociationEnd } from './association.ts'
import { type AcceptedContext, type NegotiationPolicy, negotiate } from './association-negotiation.ts'
import { type AssociationRequest, encodeAssociateAccept, parseAssociateRequest } from './association-pdu.ts'
import { type CommandSet, commandField, encodeResponse, responseBit } from './command-set.ts'
import { Connection, type ConnectionOwner, type HoldReason } from './connection.ts'
import { violation } from './error.ts'
import {
  CEchoResponse,
  LibraryAssociation,
  type LibraryCEchoRequest,
  type LibraryCEchoResponse,
  type LibraryInternals,
  LibraryScp,
} from './library.ts'
import { MessageReader, type MessageSink } from './message-reader.ts'
import { abortReason, encodeAbort, encodeAssociateReject, encodeFragment, encodeReleaseResponse, PDU } from './pdu.ts'
import type { FragmentHead } from './pdu-reader.ts'
import { ProgressWatch, type TimeOuts } from './progress.ts'
import { dimseStatus } from './status.ts'
import { type BeginStore, StoreMessage } from './store-message.ts'

/** What a service class provider is made of. */
export interface ScpOptions extends TimeOuts {
  /** Bytes of a P-DATA-TF's variable part that we announce. */
  maxPdu: number
  log: Log
  admit(request: AssociationRequest, address: string): ReturnType<NegotiationPolicy['admit']>
  /** True when no further association may be opened. */
  isFull(): boolean
  beginStore: BeginStore
  onOpened(association: Association): void
  onRefused(request: AssociationRequest, address: string, reason: string): void
  /** Called once for each association that was opened, when nothing of it is under way any more. */
  onClosed(association: Association, how: AssociationEnd): void
  /** Called once for each connection. */
  onDisconnected(scp: HilumScp): void
  /** False: bytes come by `data` events. For tests; whether the reused buffer can be had is found out by itself. */
  reuseBuffer?: boolean
}

/** A request and the context that it came on. */
interface Request {
  command: CommandSet
  context: AcceptedContext
}

/**
 * The acceptor's side of one connection: dcmjs-dimse's Scp with its socket handling replaced. Association PDUs are read and
 * answered here, because the library's reading loses context IDs and its answer announces the wrong maximum length; C-STORE
 * goes fragment by fragment to a receiver; C-ECHO is handed on to the library.
 */
export class HilumScp extends LibraryScp implements ConnectionOwner, MessageSink {
  readonly #connection: Connection
  readonly #options: ScpOptions
  readonly #watch: ProgressWatch
  readonly #address: string
  readonly #openedAt = Date.now()
  #association: Association | null = null
  #messages: MessageReader | null = null
  #how: AssociationEnd | null = null
  #closed = false
  #store: StoreMessage | null = null
  /** The request whose data set is arriving. */
  #request: Request | null = null
  #finishing: Promise<void> = Promise.resolve()
  #finishingNow = false
  #endAfterMessage = false

  constructor(socket: Socket, options: ScpOptions) {
    super(socket, {})
    this.#options = options
    this.#watch = new ProgressWatch(options)
    this.#address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    this.on('networkError', (error: unknown) => this.#libraryFailed(error))
    this.#connection = new Connection(socket, this, { reuseBuffer: options.reuseBuffer ?? true })
  }

  /** The library's socket handling is left out: `Connection` reads instead. The library's constructor calls this. */
  _wrapSocket(): void {
    // Nothing: the library would gather PDUs without limit.
  }

  /** Starts reading. */
  start(): void {
    this.#connection.start()
  }

  /** True while the association counts against the limit. */
  get isOpen(): boolean {
    return this.#association !== null && !this.#closed
  }

  hold(reason: HoldReason): void {
    this.#connection.hold(reason)
  }

  release(reason: HoldReason): void {
    this.#connection.release(reason)
  }

  /** Cuts the association off, after the message under way if there is one. */
  endAfterMessage(): void {
    this.#endAfterMessage = true
    if (!this.#isReceiving && !this.#finishingNow) this.abortAssociation('the node is stopping')
  }

  /** A-ABORT by the service provider, now. */
  abortAssociation(sentence: string, reason: number = abortReason.notSpecified): void {
    if (this.#connection.isEnding) return
    this.#how ??= 'aborted'
    this.#options.log.warn('association aborted by us', { association: this.#association?.id ?? null, sentence })
    this.#connection.end(encodeAbort(2, reason))
    this.#associationEnded()
  }

  /** Aborts when the peer takes too long; called every second or so. */
  checkTimeOuts(now: number): void {
    if (this.#connection.isEnding || this.#how !== null) return
    const { lastBytesAt, bytesRead, isHeld } = this.#connection
    const doing = isHeld ? 'held' : !this.#association ? 'requesting' : this.#isReceiving ? 'receiving' : 'idle'
    const exceeded = this.#watch.exceeded(now, { doing, openedAt: this.#openedAt, lastBytesAt, bytesRead })
    if (exceeded !== null) this.abortAssociation(exceeded)
  }

  get #isReceiving(): boolean {
    return this.#connection.insidePDU || (this.#messages?.underWay ?? false)
  }

  // What the connection tells.

  onPDU(type: number, body: Buffer): void {
    if (type === PDU.associateRQ && this.#association === null) return this.#onAssociateRequest(body)
    if (type === PDU.abort) return this.#onAbort()
    if (type === PDU.releaseRQ && this.#association !== null && !this.#messages?.underWay) return this.#onRelease()
    throw violation(abortReason.unexpectedPDU, `PDU of type ${type} is not expected here`)
  }

  onFragmentStart(head: FragmentHead): void {
    if (this.#messages === null) throw violation(abortReason.unexpectedPDU, 'P-DATA-TF before an association is open')
    this.#messages.startFragment(head)
  }

  onFragmentBytes(bytes: Buffer): void {
    this.#messages?.fragmentBytes(bytes)
  }

  onFragmentEnd(): void {
    this.#messages?.endFragment()
  }

  onFailure(error: unknown): void {
    this.#how ??= 'aborted'
    this.#options.log.warn('protocol violation, association aborted', {
      association: this.#association?.id ?? null,
      address: this.#address,
      sentence: messageOf(error),
    })
    this.#associationEnded()
  }

  onClosed(): void {
    this.#associationEnded()
    this.#options.onDisconnected(this)
  }

  #onAssociateRequest(body: Buffer): void {
    const request = parseAssociateRequest(body)
    const { maxPdu, admit, isFull } = this.#options
    const outcome = negotiate(request, { admit: () => admit(request, this.#address), full: isFull() })
    if (outcome.kind === 'rejected') {
      this.#how = 'aborted'
      this.#options.onRefused(request, this.#address, outcome.rejection.sentence)
      return this.#connection.end(encodeAssociateReject(outcome.rejection))
    }
    this.#association = {
      id: randomUUID(),
      callingAETitle: request.callingAETitle,
      calledAETitle: request.calledAETitle,
      address: this.#address,
      contexts: outcome.contexts,
      peerMaxPdu: request.maxPdu,
    }
    this.#messages = new MessageReader(outcome.contexts, this)
    this.#tellLibrary(this.#association)
    this.#options.onOpened(this.#association)
    this.#connection.write(encodeAssociateAccept(request, { contexts: outcome.answers, maxPdu }))
  }

  /** The library needs the association to find contexts for its answers. It keeps IDs only when they come in ascending order. */
  #tellLibrary(association: Association): void {
    const theirs = new LibraryAssociation(association.callingAETitle, association.calledAETitle)
    theirs.setMaxPduLength(association.peerMaxPdu)
    for (const context of [...association.contexts.values()].sort((a, b) => a.id - b.id)) {
      theirs.addPresentationContext(context.abstractSyntax, context.id)
      theirs.getPresentationContext(context.id).setResult(0, context.transferSyntax)
    }
    const library = this as unknown as LibraryInternals
    library.association = theirs
  }

  #onRelease(): void {
    this.#how ??= 'released'
    this.#connection.write(encodeReleaseResponse())
    this.#connection.lingerUntilPeerCloses()
    this.#associationEnded()
  }

  #onAbort(): void {
    this.#how ??= 'aborted'
    this.#connection.end()
    this.#associationEnded()
  }

  /** Drops the data set that is arriving, and reports the end once the one that is being finished is. */
  #associationEnded(): void {
    this.#store?.abandon()
    this.#store = null
    this.#messages = null
    const association = this.#association
    if (this.#closed || association === null) return
    this.#closed = true
    const how = this.#how ?? 'lost'
    void this.#finishing.then(() => this.#options.onClosed(association, how))
  }

  // What the message reader tells.

  onCommand(command: CommandSet, context: AcceptedContext, bytes: Buffer): void {
    if (command.commandField & responseBit)
      throw violation(abortReason.unexpectedPDUParameter, 'a response, though nothing was requested')
    if (command.commandField === commandField.cStoreRQ && this.#association !== null) {
      this.#store = new StoreMessage(this.#options.beginStore, this.#association, context, command)
      this.#request = { command, context }
      if (!command.hasDataSet) this.onDataSetEnd()
      return
    }
    if (command.commandField === commandField.cEchoRQ && !command.hasDataSet) return this.#handOn(context, bytes)
    // A cancel request has no response; what it would cancel has been answered already.
    if (command.commandField === commandField.cCancelRQ) return
    this.#request = { command, context }
    if (!command.hasDataSet) this.onDataSetEnd()
  }

  onDataSetBytes(bytes: Buffer): void {
    this.#store?.write(bytes)
  }

  onDataSetEnd(): void {
    const store = this.#store
    const request = this.#request
    this.#store = null
    this.#request = null
    this.#watch.messageEnded()
    if (request === null) return
    if (store === null) return this.#respond(request, dimseStatus.unrecognizedOperation)
    this.#connection.hold('message')
    this.#finishingNow = true
    this.#finishing = this.#finishStore(store, request)
  }

  /** Never rejects: whatever goes wrong with an instance becomes the status of its response. */
  async #finishStore(store: StoreMessage, request: Request): Promise<void> {
    const { status, comment, failure } = await store.end()
    this.#finishingNow = false
    if (failure !== undefined)
      this.#options.log.warn('instance refused', {
        association: this.#association?.id ?? null,
        status,
        reason: messageOf(failure),
      })
    this.#respond(request, status, comment)
    if (this.#endAfterMessage) this.abortAssociation('the node is stopping')
    this.#connection.release('message')
  }

  #respond(request: Request, status: number, comment?: string): void {
    const value = encodeResponse(request.command, status, comment)
    this.#connection.write(encodeFragment({ contextID: request.context.id, command: true, last: true, value }))
  }

  // What the library does for us.

  /** Messages are handed on one at a time: nothing is read until the library has answered. */
  #handOn(context: AcceptedContext, command: Buffer): void {
    const library = this as unknown as LibraryInternals
    // After a message without data set the library would append the next command to this one's stream.
    library.dimseStream = undefined
    this.#connection.hold('message')
    const pdu = encodeFragment({ contextID: context.id, command: true, last: true, value: command })
    library._processPdu(pdu).catch((error: unknown) => this.#libraryFailed(error))
  }

  override cEchoRequest(request: LibraryCEchoRequest, callback: (response: LibraryCEchoResponse) => void): void {
    const response = CEchoResponse.fromRequest(request)
    response.setStatus(dimseStatus.success)
    callback(response)
    // A turn for everybody else: a peer that sends requests without end must not keep the process to itself.
    setImmediate(() => this.#connection.release('message'))
  }

  #libraryFailed(error: unknown): void {
    this.abortAssociation(`a message could not be performed: ${messageOf(error)}`)
  }
}
