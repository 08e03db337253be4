import { createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { memoryOfOperation } from './association-messages.ts'
import { DimseError } from './error.ts'
import { MemoryBudget } from './gathered-bytes.ts'
import { HilumScp } from './scp.ts'
import type { ScpOptions } from './scp-options.ts'
import { SilentConnections } from './silent-connections.ts'
import type { EventReport } from './sub-operation.ts'
import { createTLSServer, type TLSOptions } from './tls-listener.ts'
import type { TLSPeer } from './tls-profile.ts'

/** What a listener is made of, beside what each of its associations is. */
export interface DimseServerOptions
  extends Omit<ScpOptions, 'isFull' | 'onDisconnected' | 'onRequested' | 'requestMemory' | 'operationMemory'> {
  host: string
  /** 0: any free port. */
  port: number
  /** Associations that may be open at a time; the next one gets A-ASSOCIATE-RJ, local limit exceeded. */
  maxAssociations: number
  /** A second listener, with TLS. Both share the limit and everything else. */
  tls?: (TLSOptions & { port: number }) | undefined
}

/**
 * Connections that have not requested an association, or as many as there may be associations where those are more: all of them may
 * come in one burst, before a byte is read. Beyond them the oldest of the address with the most is cut off.
 */
const minimumSilent = 64
/** Bytes that the data sets of requests other than C-STORE may take, all associations together. */
const requestMemoryLength = 64 * 1024 * 1024
/** Bytes for the operations that associations have under way beside their first, all associations together: 256 of them. */
const operationMemoryLength = 256 * memoryOfOperation

/** Listens for associations, with and without TLS, and watches over all of them. */
export class DimseServer {
  readonly #options: DimseServerOptions
  readonly #listeners: Server[] = []
  readonly #closers: (() => void)[] = []
  readonly #scps = new Set<HilumScp>()
  readonly #silent: SilentConnections
  readonly #requestMemory = new MemoryBudget(requestMemoryLength)
  readonly #operationMemory = new MemoryBudget(operationMemoryLength)
  #tlsPort: number | null = null
  #sweep: NodeJS.Timeout | undefined
  #held = false
  #onEmpty: (() => void) | null = null

  constructor(options: DimseServerOptions) {
    this.#options = options
    this.#silent = new SilentConnections(maximumSilent(options))
  }

  /**
   * @returns the port listened on without TLS
   * @throws {DimseError} `connection-failed` when a port cannot be had, or the certificate files cannot be used
   */
  async listen(): Promise<number> {
    const { port, tls, associationTimeoutMs, idleTimeoutMs, pduTimeoutMs } = this.#options
    const plain = createServer({ pauseOnConnect: true }, (socket) => this.#accept(socket, null))
    const listening = await this.#listenOn(plain, port)
    if (tls) {
      try {
        this.#tlsPort = await this.#listenOn(this.#makeTLSServer(tls), tls.port)
      } catch (error) {
        plain.close()
        for (const close of this.#closers) close()
        throw error
      }
    }
    const every = Math.max(20, Math.min(1000, Math.min(associationTimeoutMs, idleTimeoutMs, pduTimeoutMs) / 4))
    this.#sweep = setInterval(() => this.#checkTimeOuts(), every)
    this.#sweep.unref()
    return listening
  }

  /** The port of the listener with TLS; null where there is none. */
  get tlsPort(): number | null {
    return this.#tlsPort
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
   * Sends N-EVENT-REPORT to the requestor of an open association.
   * @returns the status of its response; null when that association is gone, goes away meanwhile, or has no fitting context
   */
  async reportEvent(associationID: string, event: EventReport): Promise<number | null> {
    try {
      for (const scp of this.#scps) if (scp.associationID === associationID) return await scp.reportEvent(event)
      return null
    } catch (error) {
      if (error instanceof DimseError && error.code === 'association-lost') return null
      throw error
    }
  }

  /**
   * Accepts nothing more and waits until every connection has ended. Associations may go on for `graceMs`; then each is
   * cut off after the message under way, and after `messageMs` more whatever it does.
   */
  async drain(graceMs: number, messageMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.close()
    for (const close of this.#closers) close()
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
    this.#silent.destroyAll()
  }

  #makeTLSServer(tls: TLSOptions): Server {
    const { server, close } = createTLSServer({
      ...tls,
      log: this.#options.log,
      handshakeTimeoutMs: this.#options.associationTimeoutMs,
      onHandshake: (socket) => this.#silent.add(socket),
      onSecure: (socket: TLSSocket, peer) => this.#accept(socket, peer),
    })
    this.#closers.push(close)
    return server
  }

  async #listenOn(server: Server, port: number): Promise<number> {
    const { host, log, maxAssociations } = this.#options
    // Far above what is meant: the oldest silent connection gives way before a new one would be dropped.
    server.maxConnections = maxAssociations + 2 * maximumSilent(this.#options)
    this.#listeners.push(server)
    await new Promise<void>((resolve, reject) => {
      // After the promise is settled an error is a connection that could not be accepted, and must not end the process.
      server.on('error', (cause: NodeJS.ErrnoException) => {
        if (server.listening) log.warn('a connection could not be accepted', { code: cause.code ?? null })
        reject(new DimseError('connection-failed', `cannot listen on ${host}:${port}: ${cause.code}`, { cause }))
      })
      server.listen(port, host, () => resolve())
    })
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  #accept(socket: Socket, tls: TLSPeer | null): void {
    this.#silent.add(socket)
    const scp: HilumScp = new HilumScp(
      socket,
      {
        ...this.#options,
        requestMemory: this.#requestMemory,
        operationMemory: this.#operationMemory,
        isFull: () => this.openAssociations >= this.#options.maxAssociations,
        onRequested: () => this.#silent.delete(socket),
        onDisconnected: () => {
          this.#scps.delete(scp)
          if (this.#scps.size === 0) this.#onEmpty?.()
        },
      },
      tls,
    )
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

const maximumSilent = ({ maxAssociations }: DimseServerOptions): number => Math.max(minimumSilent, maxAssociations)
