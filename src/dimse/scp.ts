import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { messageOf } from '../errors.ts'
import type { Association, AssociationEnd } from './association.ts'
import { AssociationMessages } from './association-messages.ts'
import { type Agreement, negotiate } from './association-negotiation.ts'
import { type AssociationRequest, encodeAssociateAccept, parseAssociateRequest } from './association-pdu.ts'
import { Connection, type ConnectionOwner, type HoldReason } from './connection.ts'
import type { AcceptedContext } from './context-negotiation.ts'
import { violation } from './error.ts'
import { identifyWithin } from './identify.ts'
import { LibraryEcho } from './library-echo.ts'
import { abortReason, encodeAbort, encodeAssociateReject, encodeReleaseResponse, PDU, type Rejection } from './pdu.ts'
import type { FragmentHead } from './pdu-reader.ts'
import { ProgressWatch } from './progress.ts'
import type { ScpOptions } from './scp-options.ts'
import { type EventReport, reportOn } from './sub-operation.ts'
import type { TLSPeer } from './tls-profile.ts'

/**
 * The acceptor's side of one connection. Association PDUs are read and answered here, because the library's reading loses
 * context IDs and its answer announces the wrong maximum length; messages go to `AssociationMessages`, from where C-ECHO is
 * handed on to the library.
 */
export class HilumScp implements ConnectionOwner {
  readonly #connection: Connection
  readonly #options: ScpOptions
  readonly #watch: ProgressWatch
  readonly #tls: TLSPeer | null
  readonly #openedAt = Date.now()
  /** The peer's IP address. */
  readonly address: string
  #requested = false
  #association: Association | null = null
  #messages: AssociationMessages | null = null
  #echo: LibraryEcho | null = null
  #how: AssociationEnd | null = null
  #closed = false
  #releasing = false
  #endAfterMessage = false

  /** @param tls the other side of the TLS connection; null without TLS */
  constructor(socket: Socket, options: ScpOptions, tls: TLSPeer | null = null) {
    this.#options = options
    this.#tls = tls
    this.#watch = new ProgressWatch(options)
    this.address = addressOf(socket)
    this.#connection = new Connection(socket, this, { reuseBuffer: options.reuseBuffer ?? true })
  }

  /** Starts reading. */
  start(): void {
    this.#connection.start()
  }

  /** True while the association counts against the limit, from its request on. */
  get isOpen(): boolean {
    return this.#requested && !this.#closed && !this.#connection.isEnding
  }

  /** The association's ID; null before it is open, and after its end. */
  get associationID(): string | null {
    return this.#closed ? null : (this.#association?.id ?? null)
  }

  hold(reason: HoldReason): void {
    this.#connection.hold(reason)
  }

  release(reason: HoldReason): void {
    this.#connection.release(reason)
  }

  /** Cuts the association off, after the operations under way if there are any. */
  endAfterMessage(): void {
    this.#endAfterMessage = true
    this.#messages?.cancelAll()
    if (!this.#isReceiving && !this.#messages?.underWay) this.abortAssociation('the node is stopping')
  }

  /** A-ABORT by the service provider, now. */
  abortAssociation(sentence: string, reason: number = abortReason.notSpecified): void {
    if (this.#connection.isEnding) return
    this.#how ??= 'aborted'
    this.#options.log.warn('association aborted by us', { association: this.#association?.id ?? null, sentence })
    this.#connection.end(encodeAbort(2, reason))
    this.#associationEnded()
  }

  /**
   * Sends N-EVENT-REPORT on the association.
   * @returns the status of its response; null where no accepted context fits
   * @throws {DimseError} `association-lost`
   */
  async reportEvent(event: EventReport): Promise<number | null> {
    if (this.#association === null || this.#messages === null) return null
    return await reportOn(this.#association, event, this.#messages)
  }

  /** Aborts when the peer takes too long; called every second or so. */
  checkTimeOuts(now: number): void {
    if (this.#connection.isEnding || this.#how !== null) return
    const { lastBytesAt, bytesRead, socket } = this.#connection
    const exceeded = this.#watch.exceeded(now, {
      doing: this.#doing,
      openedAt: this.#openedAt,
      lastBytesAt,
      bytesRead,
      waitingSince: this.#messages?.outgoing.waitingSince ?? null,
      bytesWritten: socket.bytesWritten - socket.writableLength,
      bytesUnwritten: socket.writableLength,
    })
    if (exceeded !== null) this.abortAssociation(exceeded)
  }

  get #doing(): 'held' | 'requesting' | 'receiving' | 'idle' {
    if (this.#connection.isHeld) return 'held'
    if (this.#association === null) return 'requesting'
    if (this.#isReceiving) return 'receiving'
    return this.#messages?.underWay ? 'held' : 'idle'
  }

  /** The release is answered: until the peer closes, what still comes is ignored (PS3.8 table 9-10, Sta13). */
  get #isReleased(): boolean {
    return this.#releasing && this.#closed
  }

  get #isReceiving(): boolean {
    return this.#connection.insidePDU || (this.#messages?.reader.underWay ?? false)
  }

  // What the connection tells.

  onPDU(type: number, body: Buffer): void {
    if (type === PDU.associateRQ && !this.#requested) return this.#onAssociateRequest(body)
    if (type === PDU.abort) return this.#onAbort()
    if (this.#isReleased && type !== PDU.associateRQ) return
    if (type === PDU.releaseRQ && this.#messages && !this.#messages.reader.underWay) return this.#onReleaseRequest()
    throw violation(abortReason.unexpectedPDU, `PDU of type ${type} is not expected here`)
  }

  onFragmentStart(head: FragmentHead): void {
    if (this.#isReleased) return
    if (this.#messages === null) throw violation(abortReason.unexpectedPDU, 'P-DATA-TF before an association is open')
    this.#messages.reader.startFragment(head)
  }

  onFragmentBytes(bytes: Buffer): void {
    this.#messages?.reader.fragmentBytes(bytes)
  }

  onFragmentEnd(): void {
    this.#messages?.reader.endFragment()
  }

  onFailure(error: unknown): void {
    this.#how ??= 'aborted'
    this.#options.log.warn('protocol violation, association aborted', {
      association: this.#association?.id ?? null,
      address: this.address,
      sentence: messageOf(error),
    })
    this.#associationEnded()
  }

  onClosed(): void {
    this.#associationEnded()
    this.#options.onDisconnected()
  }

  #onAssociateRequest(body: Buffer): void {
    const request = { ...parseAssociateRequest(body), tls: this.#tls }
    const { admit, identify, isFull, associationTimeoutMs } = this.#options
    const policy = { ...this.#options, admit: () => admit(request, this.address), full: isFull() }
    this.#requested = true
    this.#options.onRequested?.()
    const outcome = negotiate(request, policy)
    if (outcome.kind === 'rejected') return this.#reject(request, outcome.rejection)
    if (identify === undefined) return this.#accept(request, outcome, null)
    this.#connection.hold('message')
    const question = { request, address: this.address, withinMs: associationTimeoutMs }
    void identifyWithin(identify, question).then((answer) => {
      if (this.#connection.isEnding || this.#connection.socket.destroyed) return
      try {
        if ('rejection' in answer) this.#reject(request, answer.rejection)
        else this.#accept(request, outcome, answer.response)
      } catch (error) {
        // Nobody above catches it here, as the connection does where there is nothing to wait for.
        return this.abortAssociation(`the association request cannot be answered: ${messageOf(error)}`)
      }
      this.#connection.release('message')
    })
  }

  #reject(request: AssociationRequest, rejection: Rejection): void {
    this.#how = 'aborted'
    this.#options.onRefused(request, this.address, rejection.sentence)
    this.#connection.end(encodeAssociateReject(rejection))
  }

  #accept(request: AssociationRequest, agreement: Agreement, userIdentityResponse: Buffer | null): void {
    const { contexts, permissions, answers, roles, extended, asynchronousOperations } = agreement
    const { maxPdu } = this.#options
    const answer = { contexts: answers, maxPdu, roles, extended, asynchronousOperations, userIdentityResponse }
    // First of all: an answer that does not fit its items opens nothing.
    const pdu = encodeAssociateAccept(request, answer)
    const association = {
      id: randomUUID(),
      callingAETitle: request.callingAETitle,
      calledAETitle: request.calledAETitle,
      address: this.address,
      contexts,
      peerMaxPdu: request.maxPdu,
      permissions,
      tls: this.#tls,
    }
    this.#association = association
    this.#messages = new AssociationMessages({
      ...this.#options,
      association,
      connection: this.#connection,
      services: this.#options.services ?? [],
      window: asynchronousOperations?.invoked ?? 1,
      performEcho: (context, command) => this.#performEcho(association, context, command),
      onMessageEnd: () => this.#watch.messageEnded(),
      onIdle: () => this.#onIdle(),
    })
    this.#options.onOpened(association)
    this.#connection.write(pdu)
  }

  /**
   * Operations under way are ended first: their responses go before that of the release. Responses to our own requests cannot
   * come any more (PS3.8 table 9-10, Sta7).
   */
  #onReleaseRequest(): void {
    this.#releasing = true
    this.#connection.hold('message')
    this.#messages?.outgoing.end()
    if (this.#messages?.underWay) this.#messages.cancelAll()
    else this.#release()
  }

  #onIdle(): void {
    if (this.#closed) return
    if (this.#releasing) this.#release()
    else if (this.#endAfterMessage && !this.#isReceiving) this.abortAssociation('the node is stopping')
  }

  #release(): void {
    this.#how ??= 'released'
    this.#connection.write(encodeReleaseResponse())
    this.#connection.lingerUntilPeerCloses()
    this.#associationEnded()
    this.#connection.release('message')
  }

  #onAbort(): void {
    this.#how ??= 'aborted'
    this.#connection.end()
    this.#associationEnded()
  }

  /** Drops the data set that is arriving, and reports the end once the operations under way have ended. */
  #associationEnded(): void {
    const messages = this.#messages
    const association = this.#association
    if (this.#closed || association === null || messages === null) return
    this.#closed = true
    this.#messages = null
    const how = this.#how ?? 'lost'
    void messages.end().then(() => this.#options.onClosed(association, how))
  }

  /** The library's Scp is made when the first C-ECHO comes: most associations have none. */
  #performEcho(association: Association, context: AcceptedContext, command: Buffer): void {
    this.#echo ??= new LibraryEcho(this.#connection.socket, association, {
      onAnswer: (pdu) => this.#messages?.writer.writeWhole(pdu),
      onEchoed: () => this.#messages?.echoed(),
      onEchoFailed: (reason) => this.abortAssociation(`a message could not be performed: ${reason}`),
    })
    this.#echo.perform(context.id, command)
  }
}

/** The peer's IP address; IPv4 as such. */
export const addressOf = (socket: Socket): string => (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
