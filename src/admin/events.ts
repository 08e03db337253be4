import type { Request, Response } from 'express'

/** Something changed; the listener asks the API for what. Never carries patient data. */
export interface NodeEvent {
  kind:
    | 'study'
    | 'job'
    | 'delivery'
    | 'quarantine'
    | 'remote'
    | 'disk'
    /** How far a running job has come. */
    | 'progress'
    /** An association began or ended, or brought something. */
    | 'arrival'
    /** Something was paused or resumed, or jobs changed without a study of their own to tell. */
    | 'queue'
    | 'pipeline'
    | 'destination'
    /** A child process was started, or ended. */
    | 'process'
    /** A notification was sent or given up. */
    | 'notification'
    /** A run of a schedule began or ended, or a schedule was changed. */
    | 'schedule'
    /** A verdict on the drift of a pipeline is another. */
    | 'drift'
  studyInstanceUID?: string
  /** Of `progress`. */
  job?: string
  stage?: string
  /** Of `progress`: 0 to 1. */
  fraction?: number
}

export interface EventHubOptions {
  heartbeatMs?: number
  /** Events of one moment are gathered for so long, and each is sent once. */
  coalesceMs?: number
  /** A client that is further behind is told to ask for everything anew. */
  maximumPending?: number
  maximumClients?: number
  /** A connection ends after so long: the browser connects again, and has to be logged in still. */
  lifetimeMs?: number
}

/** Tells browsers what changed (server-sent events). What a slow client costs is bounded. */
export class EventHub {
  readonly #options: Required<EventHubOptions>
  readonly #clients = new Set<Client>()
  #closed = false

  constructor(options: EventHubOptions = {}) {
    this.#options = {
      heartbeatMs: 15_000,
      coalesceMs: 250,
      maximumPending: 500,
      maximumClients: 200,
      lifetimeMs: 30 * 60_000,
      ...options,
    }
  }

  get clients(): number {
    return this.#clients.size
  }

  publish(event: NodeEvent): void {
    for (const client of this.#clients) client.add(event)
  }

  /** Answers a request with the stream of events, until either side ends it. @returns false where there are too many clients */
  attach(req: Request, res: Response): boolean {
    if (this.#closed || this.#clients.size >= this.#options.maximumClients) return false
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies must not gather what is meant for now.
      'x-accel-buffering': 'no',
    })
    const client = new Client(res, this.#options)
    this.#clients.add(client)
    const leave = () => {
      client.end()
      this.#clients.delete(client)
    }
    req.on('close', leave)
    res.on('close', leave)
    return true
  }

  /** Ends every stream; later ones are refused. */
  close(): void {
    this.#closed = true
    for (const client of this.#clients) client.end()
    this.#clients.clear()
  }
}

class Client {
  readonly #res: Response
  readonly #options: Required<EventHubOptions>
  readonly #pending = new Map<string, NodeEvent>()
  readonly #heartbeat: NodeJS.Timeout
  readonly #lifetime: NodeJS.Timeout
  #flush: NodeJS.Timeout | null = null
  #overflowed = false

  constructor(res: Response, options: Required<EventHubOptions>) {
    this.#res = res
    this.#options = options
    res.write('retry: 2000\n\nevent: ready\ndata: {}\n\n')
    this.#heartbeat = setInterval(() => {
      if (!res.writableNeedDrain) res.write(': heartbeat\n\n')
    }, options.heartbeatMs)
    this.#lifetime = setTimeout(() => this.end(), options.lifetimeMs)
    this.#heartbeat.unref()
    this.#lifetime.unref()
    res.on('drain', () => this.#schedule())
  }

  add(event: NodeEvent): void {
    if (this.#pending.size >= this.#options.maximumPending) {
      this.#pending.clear()
      this.#overflowed = true
    }
    if (!this.#overflowed) this.#pending.set(`${event.kind} ${event.job ?? event.studyInstanceUID ?? ''}`, event)
    this.#schedule()
  }

  end(): void {
    clearInterval(this.#heartbeat)
    clearTimeout(this.#lifetime)
    if (this.#flush) clearTimeout(this.#flush)
    if (!this.#res.writableEnded) this.#res.end()
  }

  #schedule(): void {
    if (this.#flush || this.#res.writableEnded) return
    this.#flush = setTimeout(() => this.#send(), this.#options.coalesceMs)
    this.#flush.unref()
  }

  #send(): void {
    this.#flush = null
    // A client that does not read gets nothing more until it has; what happens meanwhile is gathered, up to the limit.
    if (this.#res.writableNeedDrain || this.#res.writableEnded) return
    const lines = this.#overflowed ? ['event: resync\ndata: {}\n\n'] : [...this.#pending.values()].map(format)
    this.#overflowed = false
    this.#pending.clear()
    if (lines.length > 0) this.#res.write(lines.join(''))
  }
}

function format({ kind, ...data }: NodeEvent): string {
  return `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`
}
