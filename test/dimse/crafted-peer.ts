import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type AssociationAnswer,
  encodeAssociateRequest,
  type ProposedContext,
  parseAssociateAccept,
} from '../../src/dimse/association-pdu.ts'
import { type CommandSet, encodeCommandSet, parseCommandSet } from '../../src/dimse/command-set.ts'
import type { UserInformation } from '../../src/dimse/user-information.ts'

export const implicitVR = '1.2.840.10008.1.2'
export const explicitVR = '1.2.840.10008.1.2.1'
export const ctImage = '1.2.840.10008.5.1.4.1.1.2'
export const verification = '1.2.840.10008.1.1'

export interface ReceivedPDU {
  type: number
  body: Buffer
}

/** A peer that sends exactly the bytes it is told to, and collects whole PDUs. */
export class CraftedPeer {
  readonly socket: Socket
  readonly pdus: ReceivedPDU[] = []
  /** The answer to the association request. */
  answer: AssociationAnswer | null = null
  #bytes = Buffer.alloc(0)
  #wake: (() => void)[] = []
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.closed = true
      this.#wakeAll()
    })
  }

  static async connect(port: number): Promise<CraftedPeer> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new CraftedPeer(socket)
  }

  /** A connection that was made already. */
  static over(socket: Socket): CraftedPeer {
    return new CraftedPeer(socket)
  }

  /** Connects and opens an association; the answer is the first PDU. */
  static async associate(port: number, options: AssociateOptions = {}): Promise<CraftedPeer> {
    const peer = await CraftedPeer.connect(port)
    peer.send(associateRequest(options))
    const answer = await peer.next()
    if (answer?.type !== 2) throw new Error(`the association was not accepted: PDU type ${answer?.type}`)
    peer.answer = parseAssociateAccept(answer.body)
    return peer
  }

  send(...bytes: Buffer[]): void {
    this.socket.write(Buffer.concat(bytes))
  }

  /** The next PDU, or null when the connection ends before one comes. */
  async next(): Promise<ReceivedPDU | null> {
    while (this.pdus.length === 0 && !this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve))
    return this.pdus.shift() ?? null
  }

  /** The next response; its command set. */
  async response(): Promise<CommandSet> {
    const pdu = await this.next()
    if (pdu?.type !== 4) throw new Error(`a response was expected, not PDU type ${pdu?.type}`)
    return parseCommandSet(pdu.body.subarray(6))
  }

  /** The data set fragments that come next, put together; latin1. */
  async dataSet(): Promise<string> {
    for (let text = ''; ; ) {
      const body = (await this.next())?.body
      if (body === undefined) throw new Error('the association ended inside a data set')
      text += body.toString('latin1', 6)
      if ((body[5] ?? 0) & 2) return text
    }
  }

  /** Waits until the other side has closed. */
  async end(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    while (this.#bytes.length >= 6 && this.#bytes.length >= 6 + this.#bytes.readUInt32BE(2)) {
      const length = this.#bytes.readUInt32BE(2)
      this.pdus.push({ type: this.#bytes[0] as number, body: this.#bytes.subarray(6, 6 + length) })
      this.#bytes = this.#bytes.subarray(6 + length)
    }
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

export interface AssociateOptions
  extends Partial<Pick<UserInformation, 'asynchronousOperations' | 'roles' | 'extended' | 'userIdentity'>> {
  calledAETitle?: string
  callingAETitle?: string
  contexts?: ProposedContext[]
  maxPdu?: number
}

export const storageContext = (id = 1, transferSyntax = explicitVR, abstractSyntax = ctImage): ProposedContext => ({
  id,
  abstractSyntax,
  transferSyntaxes: [transferSyntax],
})

export function associateRequest(options: AssociateOptions = {}): Buffer {
  return encodeAssociateRequest({
    ...options,
    calledAETitle: options.calledAETitle ?? 'HILUM',
    callingAETitle: options.callingAETitle ?? 'CRAFTED',
    contexts: options.contexts ?? [storageContext()],
    maxPdu: options.maxPdu ?? 16384,
  })
}

/** A P-DATA-TF PDU with a whole command set. */
export const commandPDU = (value: Buffer, context = 1): Buffer => dataPDU({ context, command: true, last: true, value })

/** Several PDVs in one P-DATA-TF. */
export function dataPDU(...pdvs: { context?: number; command?: boolean; last?: boolean; value: Uint8Array }[]): Buffer {
  const parts = pdvs.map(({ context = 1, command = false, last = false, value }) => {
    const head = Buffer.alloc(6)
    head.writeUInt32BE(value.length + 2, 0)
    head[4] = context
    head[5] = (command ? 1 : 0) | (last ? 2 : 0)
    return Buffer.concat([head, value])
  })
  const body = Buffer.concat(parts)
  const head = Buffer.from([4, 0, 0, 0, 0, 0])
  head.writeUInt32BE(body.length, 2)
  return Buffer.concat([head, body])
}

export const rawPDU = (type: number, body: Uint8Array): Buffer => {
  const head = Buffer.from([type, 0, 0, 0, 0, 0])
  head.writeUInt32BE(body.length, 2)
  return Buffer.concat([head, body])
}

export const releaseRQ = rawPDU(5, new Uint8Array(4))

export function storeCommand(sopInstanceUID: string, options: { sopClass?: string; messageID?: number } = {}): Buffer {
  return encodeCommandSet([
    [0x0002, options.sopClass ?? ctImage],
    [0x0100, 0x0001],
    [0x0110, options.messageID ?? 1],
    [0x0700, 0],
    [0x0800, 1],
    [0x1000, sopInstanceUID],
  ])
}

export const echoCommand = (messageID: number): Buffer =>
  encodeCommandSet([
    [0x0002, verification],
    [0x0100, 0x0030],
    [0x0110, messageID],
    [0x0800, 0x0101],
  ])

/** A response without data set to a request of the other side. */
export const responsePDU = (field: number, messageID: number, status: number, context = 1): Buffer =>
  dataPDU({
    context,
    command: true,
    last: true,
    value: encodeCommandSet([
      [0x0100, field],
      [0x0120, messageID],
      [0x0800, 0x0101],
      [0x0900, status],
    ]),
  })

/** A whole C-STORE in two PDUs. */
export function storePDUs(
  sopInstanceUID: string,
  dataSet: Buffer,
  options: { context?: number; messageID?: number; sopClass?: string } = {},
): Buffer {
  const context = options.context ?? 1
  return Buffer.concat([
    dataPDU({ context, command: true, last: true, value: storeCommand(sopInstanceUID, options) }),
    dataPDU({ context, last: true, value: dataSet }),
  ])
}
