import { type BlockList, createServer, isIP, type Server, type Socket } from 'node:net'
import { acknowledge } from '../assemble/hl7-acknowledgement.ts'
import { frameHl7, type Hl7Frame, Hl7FrameReader } from '../assemble/hl7-frames.ts'
import { decodeHl7, type Hl7Head, readHl7Head } from '../assemble/hl7-head.ts'
import { Hl7Error, type Hl7Order, readOrders } from '../assemble/hl7-order.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { addressList } from './address-list.ts'

export interface Hl7ListenerOptions {
  host: string
  /** 0: any free port. */
  port: number
  /** IP addresses and blocks that may send; empty: this machine only. */
  addresses: readonly string[]
  /** Keeps what a message says; answered with AA when it resolves, with AE when it rejects. */
  onOrders: (orders: readonly Hl7Order[], from: { type: string; address: string }) => Promise<void>
  log: Log
  /** Bytes of the longest message. Default 1 MiB. */
  maximumLength?: number
  /** Default 32. */
  maximumConnections?: number
  /** ms in which a message that has begun has to be whole. Default 30,000. */
  messageTimeoutMs?: number
  /** ms that a connection may be idle. Default one hour: senders keep their connections. */
  idleTimeoutMs?: number
}

const defaults = {
  maximumLength: 1024 * 1024,
  maximumConnections: 32,
  messageTimeoutMs: 30_000,
  idleTimeoutMs: 3_600_000,
}

/**
 * Listens for HL7 v2 messages over MLLP. Every message is answered on its connection, in order; of what it holds only codes and numbers
 * are looked at, and nothing is logged but its length and how it was answered.
 */
export class Hl7Listener {
  readonly #options: Hl7ListenerOptions & typeof defaults
  readonly #allowed: BlockList
  readonly #server: Server
  readonly #connections = new Set<Hl7Connection>()

  constructor(options: Hl7ListenerOptions) {
    this.#options = { ...defaults, ...options }
    this.#allowed = addressList(options.addresses.length > 0 ? options.addresses : ['127.0.0.0/8', '::1'])
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /**
   * @returns the port listened on
   * @throws HilumError `hl7-listener-failed` when the port cannot be had
   */
  async start(): Promise<number> {
    const { host, port, log } = this.#options
    await new Promise<void>((resolve, reject) => {
      // Later errors are connections that could not be accepted: they must not end the process.
      this.#server.on('error', (cause: NodeJS.ErrnoException) => {
        if (this.#server.listening) log.warn('an HL7 connection could not be accepted', { code: cause.code ?? null })
        reject(new HilumError('hl7-listener-failed', `cannot listen on ${host}:${port}: ${cause.code}`, { cause }))
      })
      this.#server.listen(port, host, resolve)
    })
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** Takes nothing more; a message that is being kept is answered before its connection ends. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await Promise.all([...this.#connections].map((connection) => connection.end()))
    await closed
  }

  #accept(socket: Socket): void {
    const { log, maximumConnections } = this.#options
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    socket.on('error', () => socket.destroy())
    const version = isIP(address)
    if (version === 0 || !this.#allowed.check(address, version === 6 ? 'ipv6' : 'ipv4')) {
      log.warn('an HL7 connection was refused: the address is not among assemble.hl7.addresses', { address })
      return void socket.destroy()
    }
    if (this.#connections.size >= maximumConnections) {
      log.warn('an HL7 connection was refused: there are too many', { address, maximumConnections })
      return void socket.destroy()
    }
    const connection = new Hl7Connection(socket, address, this.#options)
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
  }
}

/** One sender: reads while nothing waits for its answer. */
class Hl7Connection {
  readonly #socket: Socket
  readonly #address: string
  readonly #options: Hl7ListenerOptions & typeof defaults
  readonly #reader: Hl7FrameReader
  #messageTimer: NodeJS.Timeout | undefined
  #answering: Promise<void> = Promise.resolve()
  #ended = false

  constructor(socket: Socket, address: string, options: Hl7ListenerOptions & typeof defaults) {
    this.#socket = socket
    this.#address = address
    this.#options = options
    this.#reader = new Hl7FrameReader(options.maximumLength)
    socket.setKeepAlive(true, 60_000)
    socket.setTimeout(options.idleTimeoutMs, () => socket.destroy())
    socket.on('data', (bytes) => {
      socket.pause()
      this.#answering = this.#take(bytes).finally(() => socket.resume())
    })
    socket.on('end', () => void this.#answering.finally(() => socket.end()))
    socket.on('close', () => clearTimeout(this.#messageTimer))
  }

  /** Answers what it is at, and ends the connection. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#answering
    this.#socket.destroySoon()
  }

  /** Never rejects: whatever goes wrong becomes an answer, or the end of the connection. */
  async #take(bytes: Buffer): Promise<void> {
    for (const frame of this.#reader.read(bytes)) {
      if (this.#ended) return
      const answer = await this.#answerTo(frame)
      if (answer !== null && this.#socket.writable) this.#socket.write(frameHl7(answer))
      if (frame.kind === 'message') continue
      this.#socket.destroySoon()
      return
    }
    this.#watch()
  }

  #watch(): void {
    if (!this.#reader.underWay) {
      clearTimeout(this.#messageTimer)
      this.#messageTimer = undefined
      return
    }
    this.#messageTimer ??= setTimeout(() => {
      this.#options.log.warn('an HL7 message did not end in time', { address: this.#address })
      this.#socket.destroy()
    }, this.#options.messageTimeoutMs)
  }

  async #answerTo(frame: Hl7Frame): Promise<Buffer | null> {
    const { log } = this.#options
    const address = this.#address
    // The next one begins its own time.
    clearTimeout(this.#messageTimer)
    this.#messageTimer = undefined
    if (frame.kind === 'garbage') {
      log.warn('what came is no HL7: the connection is ended', { address })
      return null
    }
    const head = readHl7Head(frame.bytes)
    const { code, text } = await this.#judge(frame, head)
    const context = { address, bytes: frame.bytes.length, answer: code }
    if (code === 'AA') log.debug('HL7 message taken', context)
    else log.warn('HL7 message not taken', { ...context, reason: text })
    return acknowledge(head, code, text, new Date())
  }

  async #judge(
    frame: Exclude<Hl7Frame, { kind: 'garbage' }>,
    head: Hl7Head | null,
  ): Promise<{ code: 'AA' | 'AE' | 'AR'; text: string }> {
    if (frame.kind === 'too-long')
      return { code: 'AR', text: `the message is longer than ${this.#options.maximumLength} bytes` }
    if (!frame.whole) return { code: 'AR', text: 'the message did not end before the next one began' }
    if (head === null) return { code: 'AR', text: 'the message does not begin with an MSH segment' }
    try {
      const orders = readOrders(head, decodeHl7(frame.bytes, head))
      await this.#options.onOrders(orders, { type: head.type, address: this.#address })
      return { code: 'AA', text: '' }
    } catch (error) {
      if (error instanceof Hl7Error) return { code: error.acknowledgement, text: error.message }
      this.#options.log.error('what an HL7 message says cannot be kept now', { reason: messageOf(error) })
      return { code: 'AE', text: 'it cannot be kept now; send it again later' }
    }
  }
}
