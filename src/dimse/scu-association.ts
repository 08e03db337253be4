import { connect, type Socket } from 'node:net'
import { smallestMaxPdu } from './association-negotiation.ts'
import {
  type AnsweredContext,
  encodeAssociateRequest,
  type ProposedContext,
  parseAssociateAccept,
} from './association-pdu.ts'
import { type CommandSet, parseCommandSet } from './command-set.ts'
import { DimseError, violation } from './error.ts'
import { abortReason, encodeAbort, encodeReleaseRequest, PDU } from './pdu.ts'
import { type FragmentHead, PDUReader, type PDUSink } from './pdu-reader.ts'

/** Whom to call, and as whom. */
export interface Peer {
  host: string
  port: number
  callingAETitle: string
  calledAETitle: string
}

export interface ScuOptions extends Peer {
  /** Bytes of a P-DATA-TF's variable part: what we take, and send at most. */
  maxPdu?: number
  /** ms without a byte in either direction while something is awaited. */
  timeoutMs?: number
  signal?: AbortSignal
}

export const defaultMaxPdu = 256 * 1024
const defaultTimeoutMs = 60_000

/** Something that is awaited from the peer. */
interface Awaited {
  resolve(value: unknown): void
  reject(error: DimseError): void
}

/** The requestor's side of an association: one request at a time. Whatever ends it makes what is awaited fail. */
export class ScuAssociation implements PDUSink {
  readonly #socket: Socket
  readonly #peer: Peer
  readonly #reader = new PDUReader(this)
  readonly #options: ScuOptions
  #awaited: { kind: 'answer' | 'response' | 'release'; who: Awaited } | null = null
  #early: CommandSet | null = null
  #parts: Buffer[] = []
  #fragment: FragmentHead | null = null
  #ended: DimseError | null = null
  #connected = false
  /** What the acceptor answered to each context; empty until it did. */
  contexts: ReadonlyMap<number, AnsweredContext> = new Map()
  /** Bytes of a P-DATA-TF's variable part to send at most. */
  sendLength = 0

  private constructor(options: ScuOptions) {
    this.#options = options
    this.#peer = options
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true })
    this.#socket.setTimeout(options.timeoutMs ?? defaultTimeoutMs)
    this.#socket.on('timeout', () =>
      this.#fail(new DimseError('time-out', `${this.#name} did not answer in time`, { retry: 'ambiguous' })),
    )
    this.#socket.on('connect', () => {
      this.#connected = true
    })
    this.#socket.on('data', (bytes) => this.#read(bytes))
    this.#socket.on('error', (cause: NodeJS.ErrnoException) => this.#lost(cause.code ?? cause.message, cause))
    this.#socket.on('close', () => this.#lost('the connection was closed'))
    options.signal?.addEventListener('abort', this.#cancel)
  }

  /**
   * Connects and requests an association.
   * @param contexts at most 128, with odd IDs
   * @throws {DimseError} `connection-failed`, `association-rejected`, `association-lost`, `time-out`, `cancelled`
   */
  static async open(options: ScuOptions, contexts: readonly ProposedContext[]): Promise<ScuAssociation> {
    const association = new ScuAssociation(options)
    const maxPdu = options.maxPdu ?? defaultMaxPdu
    if (options.signal?.aborted) association.#cancel()
    const answered = association.#await('answer')
    association.#write(encodeAssociateRequest({ ...options, contexts, maxPdu }))
    const body = (await answered) as Buffer
    const answer = parseAssociateAccept(body)
    if (answer.maxPdu !== 0 && answer.maxPdu < smallestMaxPdu) {
      association.abort()
      throw new DimseError(
        'association-rejected',
        `${association.#name} takes PDUs of ${answer.maxPdu} bytes: at least ${smallestMaxPdu} are expected`,
      )
    }
    association.contexts = new Map(answer.contexts.map((context) => [context.id, context]))
    association.sendLength = answer.maxPdu === 0 ? maxPdu : Math.min(answer.maxPdu, maxPdu)
    return association
  }

  get #name(): string {
    return `${this.#peer.calledAETitle}@${this.#peer.host}:${this.#peer.port}`
  }

  /** True until either side ended the association. */
  get isOpen(): boolean {
    return this.#ended === null
  }

  /**
   * Writes PDUs.
   * @returns when the system has taken them: the buffers may be used again, and nothing piles up
   * @throws {DimseError} what ended the association
   */
  write(...pdus: Buffer[]): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      const taken = (error: Error | null | undefined): void => {
        if (error) reject(this.#ended ?? lostError(this.#name, error.message))
        else resolve()
      }
      this.#socket.cork()
      for (const [index, pdu] of pdus.entries()) {
        if (index === pdus.length - 1) this.#socket.write(pdu, taken)
        else this.#socket.write(pdu)
      }
      this.#socket.uncork()
    })
  }

  /** The response to the request that was written. @throws {DimseError} */
  async response(): Promise<CommandSet> {
    const early = this.#early
    this.#early = null
    return early ?? ((await this.#await('response')) as CommandSet)
  }

  /** Releases the association in order (PS3.8 7.2); a peer that does not answer is cut off. */
  async release(): Promise<void> {
    if (this.#ended) return
    const released = this.#await('release')
    this.#write(encodeReleaseRequest())
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
    if (type === PDU.associateAC && this.#awaited?.kind === 'answer') return this.#settle(body)
    if (type === PDU.associateRJ && this.#awaited?.kind === 'answer') return this.#rejected(body)
    if (type === PDU.releaseRP && this.#awaited?.kind === 'release') return this.#settle(null)
    if (type === PDU.abort)
      return this.#lost(`it aborted the association (source ${body[2] ?? 0}, reason ${body[3] ?? 0})`)
    throw violation(abortReason.unexpectedPDU, `${this.#name} sent a PDU of type ${type}, which was not expected`)
  }

  onFragmentStart(head: FragmentHead): void {
    if (!head.command)
      throw violation(abortReason.unexpectedPDUParameter, `${this.#name} sent a data set nobody asked for`)
    this.#fragment = head
  }

  onFragmentBytes(bytes: Buffer): void {
    this.#parts.push(Buffer.from(bytes))
  }

  onFragmentEnd(): void {
    if (!this.#fragment?.last) return
    const command = parseCommandSet(Buffer.concat(this.#parts))
    this.#parts = []
    // A peer may refuse an instance before it has seen all of it.
    if (this.#awaited?.kind === 'response') this.#settle(command)
    else this.#early = command
  }

  #read(bytes: Buffer): void {
    try {
      this.#reader.read(bytes)
    } catch (error) {
      this.#fail(error instanceof DimseError ? error : lostError(this.#name, 'its answer could not be read'))
    }
  }

  #write(pdu: Buffer): void {
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
    const [, result = 1, source = 0, reason = 0] = body
    this.#end(
      new DimseError(
        'association-rejected',
        `${this.#name} rejected the association: ${describeRejection(source, reason)}`,
        {
          retry: result === 2 ? 'transient' : 'permanent',
          detail: { result, source, reason },
        },
      ),
    )
    this.#socket.destroy()
  }

  readonly #cancel = (): void => {
    this.#fail(new DimseError('cancelled', 'the sending was cancelled', { retry: 'ambiguous' }))
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
    if (!this.#socket.connecting) this.#socket.end(encodeAbort(0, abortReason.notSpecified))
    setTimeout(() => this.#socket.destroy(), 500).unref()
    if (this.#socket.connecting) this.#socket.destroy()
  }

  #end(error: DimseError): void {
    if (this.#ended) return
    this.#ended = error
    this.#options.signal?.removeEventListener('abort', this.#cancel)
    const awaited = this.#awaited
    this.#awaited = null
    awaited?.who.reject(error)
  }
}

function lostError(name: string, how: string, cause?: unknown): DimseError {
  return new DimseError('association-lost', `the association with ${name} ended: ${how}`, { retry: 'ambiguous', cause })
}

/** PS3.8 table 9-21. */
function describeRejection(source: number, reason: number): string {
  const names: Readonly<Record<string, string>> = {
    '1.1': 'no reason given',
    '1.2': 'application context name not supported',
    '1.3': 'calling AE title not recognized',
    '1.7': 'called AE title not recognized',
    '2.1': 'no reason given',
    '2.2': 'protocol version not supported',
    '3.1': 'temporary congestion',
    '3.2': 'local limit exceeded',
  }
  return names[`${source}.${reason}`] ?? `source ${source}, reason ${reason}`
}
