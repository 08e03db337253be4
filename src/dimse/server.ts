import { createServer, type Server, type Socket } from 'node:net'
import { DimseError } from './error.ts'
import { HilumScp, type ScpOptions } from './scp.ts'

/** What a listener is made of, beside what each of its associations is. */
export interface DimseServerOptions extends Omit<ScpOptions, 'isFull' | 'onDisconnected'> {
  host: string
  /** 0: any free port. */
  port: number
  /** Associations that may be open at a time; the next one gets A-ASSOCIATE-RJ, local limit exceeded. */
  maxAssociations: number
}

/** Connections beyond the associations: enough to answer the ones that are refused, not enough to run out of descriptors. */
const spareConnections = 64

/** Listens for associations, and watches over all of them. */
export class DimseServer {
  readonly #options: DimseServerOptions
  readonly #server: Server
  readonly #scps = new Set<HilumScp>()
  #sweep: NodeJS.Timeout | undefined
  #held = false
  #onEmpty: (() => void) | null = null

  constructor(options: DimseServerOptions) {
    this.#options = options
    this.#server = createServer({ pauseOnConnect: true }, (socket) => this.#accept(socket))
    this.#server.maxConnections = options.maxAssociations + spareConnections
  }

  /**
   * @returns the port listened on
   * @throws {DimseError} `connection-failed` when the port cannot be had
   */
  async listen(): Promise<number> {
    const { host, port, log } = this.#options
    await new Promise<void>((resolve, reject) => {
      // After the promise is settled an error is a connection that could not be accepted, and must not end the process.
      this.#server.on('error', (cause: NodeJS.ErrnoException) => {
        if (this.#server.listening) log.warn('a connection could not be accepted', { code: cause.code ?? null })
        reject(new DimseError('connection-failed', `cannot listen on ${host}:${port}: ${cause.code}`, { cause }))
      })
      this.#server.listen(port, host, () => resolve())
    })
    const { associationTimeoutMs, idleTimeoutMs, pduTimeoutMs } = this.#options
    const every = Math.max(20, Math.min(1000, Math.min(associationTimeoutMs, idleTimeoutMs, pduTimeoutMs) / 4))
    this.#sweep = setInterval(() => this.#checkTimeOuts(), every)
    this.#sweep.unref()
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  get openAssociations(): number {
    let open = 0
    for (const scp of this.#scps) if (scp.isOpen) open++
    return open
  }

  /** Stops reading from every connection, and from new ones, until `release`. */
  hold(): void {
    this.#held = true
    for (const scp of this.#scps) scp.hold('process')
  }

  release(): void {
    this.#held = false
    for (const scp of this.#scps) scp.release('process')
  }

  /**
   * Accepts nothing more and waits until every connection has ended. Associations may go on for `graceMs`; then each is
   * cut off after the message under way, and after `messageMs` more whatever it does.
   */
  async drain(graceMs: number, messageMs: number): Promise<void> {
    this.#server.close()
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    if (this.#scps.size === 0) return this.#close()
    const timers = [
      setTimeout(() => this.#each((scp) => scp.endAfterMessage()), graceMs),
      setTimeout(() => this.#each((scp) => scp.abortAssociation('the node is stopping')), graceMs + messageMs + 1),
    ]
    await empty
    for (const timer of timers) clearTimeout(timer)
    this.#close()
  }

  /** Aborts every association and closes. */
  async close(): Promise<void> {
    await this.drain(0, 0)
  }

  #close(): void {
    clearInterval(this.#sweep)
  }

  #accept(socket: Socket): void {
    const scp = new HilumScp(socket, {
      ...this.#options,
      isFull: () => this.openAssociations >= this.#options.maxAssociations,
      onDisconnected: (ended) => {
        this.#scps.delete(ended)
        if (this.#scps.size === 0) this.#onEmpty?.()
      },
    })
    this.#scps.add(scp)
    if (this.#held) scp.hold('process')
    scp.start()
  }

  #checkTimeOuts(): void {
    const now = Date.now()
    this.#each((scp) => scp.checkTimeOuts(now))
  }

  #each(act: (scp: HilumScp) => void): void {
    for (const scp of this.#scps) act(scp)
  }
}
