import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { packageRoot } from '../config.ts'
import { HilumError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ReplayRequest, ReplayResult } from './replay.ts'
import type { ReplayNews, ReplayWork } from './replay-worker.ts'

/** A replay, as far as it is. */
export interface ReplayState {
  id: string
  route: string
  days: number
  startedBy: string
  startedAt: string
  state: 'running' | 'done' | 'failed' | 'cancelled'
  /** Studies. */
  done: number
  total: number
  result: ReplayResult | null
  error: string | null
}

/** Replays that run at a time: each takes a processor. */
const mostRunning = 2
/** Replays that are remembered; they are gone when the node ends. */
const mostKept = 30

export interface ReplaysOptions {
  database: { url: string; dataDir: string }
  log: Log
}

/** Replays in threads of their own, so that the node goes on as if there were none. */
export class Replays {
  readonly #options: ReplaysOptions
  readonly #states = new Map<string, ReplayState>()
  readonly #workers = new Map<string, Worker>()

  constructor(options: ReplaysOptions) {
    this.#options = options
  }

  /** @throws HilumError `replays-busy` */
  start(request: ReplayRequest, startedBy: string): ReplayState {
    if (this.#workers.size >= mostRunning)
      throw new HilumError('replays-busy', `${mostRunning} replays are running: wait for one of them, or cancel it`)
    const id = randomUUID()
    const state: ReplayState = {
      id,
      route: request.definition.name,
      days: request.days,
      startedBy,
      startedAt: request.now,
      state: 'running',
      done: 0,
      total: 0,
      result: null,
      error: null,
    }
    this.#states.set(id, state)
    this.#forgetOldest()
    const workerData: ReplayWork = { ...this.#options.database, request }
    const worker = new Worker(path.join(packageRoot, 'dist', 'flow', 'replay-worker.js'), { workerData })
    this.#workers.set(id, worker)
    worker.on('message', (news: ReplayNews) => this.#hear(state, news))
    worker.on('error', (error) => this.#fail(state, error.message))
    worker.on('exit', () => {
      this.#workers.delete(id)
      this.#fail(state, 'the replay ended before its time')
    })
    return { ...state }
  }

  /** null where none is called so, or it is long ago. */
  get(id: string): ReplayState | null {
    const state = this.#states.get(id)
    return state ? { ...state } : null
  }

  /** Ends a replay; one that has ended stays as it is. */
  async cancel(id: string): Promise<ReplayState | null> {
    const state = this.#states.get(id)
    if (state?.state === 'running') state.state = 'cancelled'
    await this.#workers.get(id)?.terminate()
    return this.get(id)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workers.keys()].map((id) => this.cancel(id)))
  }

  #hear(state: ReplayState, news: ReplayNews): void {
    if (state.state !== 'running') return
    if (news.kind === 'progress') Object.assign(state, { done: news.done, total: news.total })
    else if (news.kind === 'failed') this.#fail(state, news.reason)
    else {
      const { result } = news
      Object.assign(state, { state: 'done', done: result.studies, total: result.studies, result })
    }
  }

  #fail(state: ReplayState, reason: string): void {
    if (state.state !== 'running') return
    Object.assign(state, { state: 'failed', error: reason })
    this.#options.log.warn('a replay failed', { route: state.route, reason })
  }

  #forgetOldest(): void {
    for (const [id, { state }] of this.#states)
      if (this.#states.size > mostKept && state !== 'running') this.#states.delete(id)
  }
}
