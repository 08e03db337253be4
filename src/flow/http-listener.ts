import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { HilumError } from '../errors.ts'

/** The node's HTTP server. It takes its port before there is anything to serve, because parts of the node have to know it. */
export class HttpListener {
  readonly #server: Server
  #host = '127.0.0.1'
  #serving = false

  constructor() {
    this.#server = createServer()
    // Instances of gigabytes over slow lines are no attack; a header that never ends is.
    this.#server.requestTimeout = 0
    this.#server.headersTimeout = 30_000
    // Longer than the minute after which proxies and clients give up idle connections: the side that knows should close them.
    this.#server.keepAliveTimeout = 75_000
    // A peer that is gone without a word would hold its request, and a half-written file, for ever. Streams of events have heartbeats.
    this.#server.timeout = 300_000
    this.#server.on('request', (req, res) => {
      if (this.#serving) return
      // A repair after a crash may take its time: the process lives, and must not be ended for that.
      if (req.url === '/healthz') res.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
      else res.writeHead(503, { 'retry-after': '1' }).end()
    })
  }

  /**
   * @returns the port
   * @throws HilumError `http-address-taken` with the address and the system's reason
   */
  async listen({ host, port }: { host: string; port: number }): Promise<number> {
    this.#host = host
    this.#server.listen(port, host)
    await once(this.#server, 'listening').catch((error: NodeJS.ErrnoException) => {
      throw new HilumError(
        'http-address-taken',
        `cannot listen for HTTP on ${host}:${port}: ${error.code ?? error.message}`,
      )
    })
    // From now on an error is a connection that could not be accepted, and that one's loss alone.
    this.#server.on('error', () => undefined)
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** The address by which the node reaches itself, ready for a URL. */
  get loopback(): string {
    if (this.#host === '0.0.0.0' || this.#host === '::' || this.#host === '') return '127.0.0.1'
    return this.#host.includes(':') ? `[${this.#host}]` : this.#host
  }

  serve(app: RequestListener): void {
    this.#serving = true
    this.#server.on('request', app)
  }

  /** Accepts no more connections, and ends those that are still open after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    const late = new AbortController()
    await Promise.race([closed, sleep(graceMs, undefined, { signal: late.signal }).catch(() => {})])
    late.abort()
    this.#server.closeAllConnections()
    await closed
  }
}
