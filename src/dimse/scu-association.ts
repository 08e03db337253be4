import type { Socket } from 'node:net'
import { smallestMaxPdu } from './association-negotiation.ts'
import {
  type AnsweredContext,
  type AssociationAnswer,
  encodeAssociateRequest,
  parseAssociateAccept,
} from './association-pdu.ts'
import type { CommandSet } from './command-set.ts'
import type { AcceptedContext } from './context-negotiation.ts'
import { DimseError, lostError, violation } from './error.ts'
import { abortReason, encodeAbort, encodeReleaseRequest, encodeReleaseResponse, PDU } from './pdu.ts'
import { type FragmentHead, PDUReader, type PDUSink } from './pdu-reader.ts'
import { rejectionError } from './rejection.ts'
import { encodeResponse } from './response.ts'
import { type Message, ScuMessages } from './scu-messages.ts'
import { acceptedContexts, defaultMaxPdu, defaultTimeoutMs, type ScuOptions, type ScuProposal } from './scu-options.ts'
import { connectTo } from './scu-socket.ts'
import { dimseStatus } from './status.ts'
import type { RoleSelection } from './user-information.ts'
import { messagePDUs, writePDUs } from './write-pdus.ts'

export type { Peer, ScuOptions, ScuProposal } from './scu-options.ts'

/** Something that is awaited from the peer. */
interface Awaited {
  resolve(value: unknown): void
  reject(error: DimseError): void
}

/** The requestor's side of an association: one request at a time. Whatever ends it makes what is awaited fail. */
export class ScuAssociation implements PDUSink {
  readonly #socket: Socket
  readonly #reader = new PDUReader(this)
  readonly #options: ScuOptions
  readonly #proposal: ScuProposal
  #messages: ScuMessages | null = null
  #awaited: { kind: 'answer' | 'response' | 'release'; who: Awaited } | null = null
  #ended: DimseError | null = null
  #connected = false
  #messageID = 0
  /** What the acceptor answered to each context; empty until it did. */
  contexts: ReadonlyMap<number, AnsweredContext> = new Map()
  /** Roles that the acceptor answered; what it left out has the default roles (PS3.7 D.3.3.4). */
  roles: readonly RoleSelection[] = []
  /** Bytes of a P-DATA-TF's variable part to send at most. */
  sendLength = 0

  /** Resolves when the association has ended, with what ended it. */
  readonly closed: Promise<DimseError>
  #onClosed: (error: DimseError) => void = () => undefined

  private constructor(options: ScuOptions, proposal: ScuProposal) {
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
    this.#options = options
    this.#proposal = proposal
    this.#socket = connectTo(options, () => {
      this.#connected = true
    })
    this.#socket.setTimeout(options.timeoutMs ?? defaultTimeoutMs)
    this.#socket.on('timeout', () => {
      if (this.#awaited !== null || !this.#connected || this.#socket.writableLength > 0)
        this.#fail(new DimseError('time-out', `${this.#name} did not answer in time`, { retry: 'ambiguous' }))
    })
    this.#socket.on('data', (bytes) => this.#read(bytes))
    this.#socket.on('error', (cause: NodeJS.ErrnoException) => this.#lost(cause.code ?? cause.message, cause))
    this.#socket.on('close', () => this.#lost('the connection was closed'))
    options.signal?.addEventListener('abort', this.#cancel)
  }

  /**
   * Connects and requests an association.
   * @throws {DimseError} `connection-failed`, `association-rejected`, `association-lost`, `time-out`, `cancelled`
   */
  static async open(options: ScuOptions, proposal: ScuProposal): Promise<ScuAssociation> {
    const association = new ScuAssociation(options, proposal)
    const maxPdu = options.maxPdu ?? defaultMaxPdu
    if (options.signal?.aborted) association.#cancel()
    const answered = association.#await('answer')
    const { contexts, roles = [] } = proposal
    association.#send(
      encodeAssociateRequest({ ...options, userIdentity: options.userIdentity ?? null, contexts, roles, maxPdu }),
    )
    association.#onAnswer((await answered) as AssociationAnswer, maxPdu)
    return association
  }

  #onAnswer(answer: AssociationAnswer, maxPdu: number): void {
    if (answer.maxPdu === 0 || answer.maxPdu >= smallestMaxPdu) {
      this.sendLength = answer.maxPdu === 0 ? maxPdu : Math.min(answer.maxPdu, maxPdu)
      return
    }
    this.abort()
    throw new DimseError(
      'association-rejected',
      `${this.#name} takes PDUs of ${answer.maxPdu} bytes: at least ${smallestMaxPdu} are expected`,
    )
  }

  get #name(): string {
    return `${this.#options.calledAETitle}@${this.#options.host}:${this.#options.port}`
  }

  /** True until either side ended the association. */
  get isOpen(): boolean {
    return this.#ended === null
  }

  /** The Message ID of the next request, from 1 to 65535, over and over. */
  nextMessageID(): number {
    this.#messageID = (this.#messageID % 0xffff) + 1
    return this.#messageID
  }

  /**
   * The accepted context of an abstract syntax.
   * @throws {DimseError} `association-rejected` when the acceptor took none
   */
  contextFor(abstractSyntax: string): AcceptedContext {
    for (const context of acceptedContexts(this.#proposal, this.contexts).values())
      if (context.abstractSyntax === abstractSyntax) return context
    throw new DimseError('association-rejected', `${this.#name} does not support SOP class ${abstractSyntax}`)
  }

  /**
   * Writes PDUs.
   * @returns when the system has taken them: the buffers may be used again, and nothing piles up
   * @throws {DimseError} what ended the association
   */
  write(...pdus: Buffer[]): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended)
    return writePDUs(this.#socket, pdus, (how) => this.#ended ?? lostError(this.#name, how))
  }

  /** Writes a message whose data set is small. @throws {DimseError} what ended the association */
  async writeMessage(contextID: number, command: Buffer, dataSet?: Buffer): Promise<void> {
    await this.write(...messagePDUs({ contextID, command, dataSet }, this.sendLength))
  }

  /**
   * The next response to the last request, with its data set. One to another request must not be taken for it: an instance would
   * count as stored on the word of the one before.
   * @throws {DimseError} what ended the association
   */
  async next(): Promise<Message> {
    const message = this.#messages?.take() ?? (await this.#arrival())
    const answered = message.command.messageIDBeingRespondedTo
    if (answered === this.#messageID) return message
    const error = lostError(this.#name, `a response to message ${answered} came instead of one to ${this.#messageID}`)
    this.#fail(error)
    throw error
  }

  async #arrival(): Promise<Message> {
    const awaited = this.#await('response')
    this.#messages?.onNext((next) => this.#settle(next))
    return (await awaited) as Message
  }

  /** The command set of the next response. @throws {DimseError} what ended the association */
  async response(): Promise<CommandSet> {
    return (await this.next()).command
  }

  /** Releases the association in order (PS3.8 7.2); a peer that does not answer is cut off. */
  async release(): Promise<void> {
    if (this.#ended) return
    const released = this.#await('release')
    this.#send(encodeReleaseRequest())
    this.#flow(true)
    await released.catch(() => undefined)
    this.#end(lostError(this.#name, 'the association was released'))
    this.#socket.end()
    this.#socket.destroySoon()
  }

  /** A-ABORT by the service user. */
  abort(): void {
    this.#fail(lostError(this.#name, 'aborted by us'))
  }

  onPDU(type: number, body: Buffer): void {
    if (type === PDU.associateAC && this.#awaited?.kind === 'answer') return this.#accepted(body)
    if (type === PDU.associateRJ && this.#awaited?.kind === 'answer') return this.#rejected(body)
    if (type === PDU.releaseRP && this.#awaited?.kind === 'release') return this.#settle(null)
    if (type === PDU.releaseRQ && this.#messages) return this.#onReleaseRequest()
    if (type === PDU.abort)
      return this.#lost(`it aborted the association (source ${body[2] ?? 0}, reason ${body[3] ?? 0})`)
    throw violation(abortReason.unexpectedPDU, `${this.#name} sent a PDU of type ${type}, which was not expected`)
  }

  onFragmentStart(head: FragmentHead): void {
    if (this.#messages === null)
      throw violation(abortReason.unexpectedPDU, `${this.#name} sent data before an association was open`)
    this.#messages.reader.startFragment(head)
  }

  onFragmentBytes(bytes: Buffer): void {
    this.#messages?.reader.fragmentBytes(bytes)
  }

  onFragmentEnd(): void {
    this.#messages?.reader.endFragment()
  }

  /** The acceptor releases, which it may; where both do, each answers the other (PS3.8 9.2). */
  #onReleaseRequest(): void {
    this.#send(encodeReleaseResponse())
    if (this.#awaited?.kind === 'release') return
    this.#end(lostError(this.#name, 'it released the association'))
    this.#socket.end()
  }

  /** The contexts are set here, because messages may lie behind the answer in the same bytes. */
  #accepted(body: Buffer): void {
    const answer = parseAssociateAccept(body)
    this.contexts = new Map(answer.contexts.map((context) => [context.id, context]))
    this.roles = answer.roles
    this.#messages = new ScuMessages(acceptedContexts(this.#proposal, this.contexts), {
      onRequest: (message) => void this.#perform(message),
      onFlow: (reading) => this.#flow(reading),
    })
    this.#settle(answer)
  }

  /** Responses that nobody takes any more must not keep the answer to a release from being read. */
  #flow(reading: boolean): void {
    if (reading || this.#ended || this.#awaited?.kind === 'release') this.#socket.resume()
    else this.#socket.pause()
  }

  /** Never rejects: what goes wrong becomes the status of the response. */
  async #perform(message: Message): Promise<void> {
    const { onRequest } = this.#proposal
    const status = onRequest
      ? await onRequest(message).catch(() => dimseStatus.processingFailure)
      : dimseStatus.unrecognizedOperation
    await this.writeMessage(message.context.id, encodeResponse(message.command, status)).catch(() => undefined)
  }

  #read(bytes: Buffer): void {
    try {
      this.#reader.read(bytes)
    } catch (error) {
      this.#fail(error instanceof DimseError ? error : lostError(this.#name, 'its answer could not be read'))
    }
  }

  #send(pdu: Buffer): void {
    // A failure to write is told by 'error' or 'close'.
    this.write(pdu).catch(() => undefined)
  }

  #await(kind: 'answer' | 'response' | 'release'): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#awaited = { kind, who: { resolve, reject } }
    })
  }

  #settle(value: unknown): void {
    const awaited = this.#awaited
    this.#awaited = null
    awaited?.who.resolve(value)
  }

  #rejected(body: Buffer): void {
    this.#end(rejectionError(this.#name, body))
    this.#socket.destroy()
  }

  readonly #cancel = (): void => {
    this.#fail(new DimseError('cancelled', 'the operation was cancelled', { retry: 'ambiguous' }))
  }

  #lost(how: string, cause?: unknown): void {
    this.#end(
      !this.#connected
        ? new DimseError('connection-failed', `${this.#name} cannot be reached: ${how}`, { retry: 'transient', cause })
        : lostError(this.#name, how, cause),
    )
    this.#socket.destroy()
  }

  /** Ends the association with an A-ABORT, if there is anybody to hear it. */
  #fail(error: DimseError): void {
    if (this.#ended) return
    this.#end(error)
    if (this.#connected) this.#socket.end(encodeAbort(0, abortReason.notSpecified))
    else this.#socket.destroy()
    this.#socket.resume()
    setTimeout(() => this.#socket.destroy(), 500).unref()
  }

  #end(error: DimseError): void {
    if (this.#ended) return
    this.#ended = error
    this.#options.signal?.removeEventListener('abort', this.#cancel)
    const awaited = this.#awaited
    this.#awaited = null
    awaited?.who.reject(error)
    this.#onClosed(error)
  }
}
