import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log.ts'
import { deferred } from './deferred.ts'
import { endingWithParent } from './runtime/isolation.ts'
import type { InferOutcome, InferTask } from './task.ts'
import { type RunLimits, WorkerProcess, type WorkerState } from './worker-process.ts'

export interface WorkerPoolOptions {
  /** Path of the compiled worker (dist/worker.js). */
  entry: string
  /** Processes, and so tasks at once. */
  slots: number
  log: Log
  /** MiB of resident memory that a process may take; above, the job fails. An idle process above half of it is replaced. */
  memoryLimitMb?: number
  /** Tasks after which a process is replaced by a fresh one: native libraries leak slowly. */
  recycleAfter?: number
}

export interface SlotState {
  pid: number | null
  state: WorkerState
  jobId: string | null
  tasks: number
  /** Bytes, as last seen. */
  rss: number
  /** ISO 8601 UTC; null before the first process. */
  startedAt: string | null
  /** How many processes the slot had before this one. */
  restarts: number
}

interface Waiting {
  take: (worker: WorkerProcess) => void
  giveUp: (outcome: InferOutcome) => void
}

/** After a death, a slot waits before it starts again: 0.25 s, doubled with every death in a row. */
const respawn = { first: 250, longest: 30_000 }
/** So many processes in a row that end before they are ready mean that none will start. */
const failedStarts = 3

/**
 * Inference processes, started before they are needed. Each takes one task at a time; whoever overstays its deadline or memory is killed
 * and replaced. Tasks beyond the number of slots wait in order; a task's deadline begins when a process takes it.
 */
export class WorkerPool {
  private readonly options: WorkerPoolOptions
  private readonly workers: (WorkerProcess | null)[]
  private readonly waiting: Waiting[] = []
  private readonly stopping = new AbortController()
  private startsFailed = 0
  private readonly spawned: number[]

  constructor(options: WorkerPoolOptions) {
    this.options = options
    this.workers = Array.from({ length: options.slots }, () => null)
    this.spawned = Array.from({ length: options.slots }, () => 0)
  }

  /** Starts the processes, and resolves when each is ready or its first start has failed. */
  async start(): Promise<void> {
    await Promise.all(this.workers.map((_, slot) => this.spawn(slot, 0)))
  }

  /**
   * Runs a task in the next free process. Never rejects: whatever happens is an outcome. `worker-died`, `deadline`, `aborted` and
   * `worker-start` are transient; `memory-limit` is permanent.
   */
  async run(task: InferTask, limits: RunLimits): Promise<InferOutcome> {
    const { promise, resolve } = deferred<InferOutcome>()
    const waiting: Waiting = {
      take: (worker) => {
        limits.signal?.removeEventListener('abort', onAbort)
        void worker.run(task, limits).then((outcome) => {
          resolve(outcome)
          this.afterRun(worker)
        })
      },
      giveUp: resolve,
    }
    const onAbort = (): void => {
      const index = this.waiting.indexOf(waiting)
      if (index >= 0) this.waiting.splice(index, 1)
      resolve(failed('aborted', 'the job was stopped before it began'))
    }
    if (this.stopping.signal.aborted || limits.signal?.aborted) onAbort()
    else {
      limits.signal?.addEventListener('abort', onAbort)
      this.waiting.push(waiting)
      this.serve()
    }
    const outcome = await promise
    limits.signal?.removeEventListener('abort', onAbort)
    return outcome
  }

  /**
   * Ends the processes. What waits is given back at once; what runs may go on for `graceMs`, then is killed. Both end as transient failures.
   */
  async stop(graceMs: number): Promise<void> {
    this.stopping.abort()
    for (const { giveUp } of this.waiting.splice(0)) giveUp(failed('aborted', 'the node stopped before the job began'))
    const graceEnds = Date.now() + graceMs
    const busy = (): boolean => this.workers.some((worker) => worker?.state === 'busy')
    while (busy() && Date.now() < graceEnds) await sleep(Math.min(50, graceEnds - Date.now()))
    await Promise.all(
      this.workers.map(async (worker) => {
        if (worker?.state === 'busy') worker.kill('the node stops')
        await worker?.retire(2000)
      }),
    )
  }

  state(): SlotState[] {
    return this.workers.map((worker, slot) => ({
      pid: worker?.pid ?? null,
      state: worker?.state ?? 'starting',
      jobId: worker?.jobId ?? null,
      tasks: worker?.tasks ?? 0,
      rss: worker?.rss ?? 0,
      startedAt: worker?.startedAt ?? null,
      restarts: Math.max(0, (this.spawned[slot] ?? 0) - 1),
    }))
  }

  /** Gives waiting tasks to free processes. */
  private serve(): void {
    for (const worker of this.workers) {
      if (worker?.state !== 'ready') continue
      const next = this.waiting.shift()
      if (!next) return
      next.take(worker)
    }
  }

  private async spawn(slot: number, deaths: number): Promise<void> {
    // A run may block a process for long: it would not notice that this one is gone.
    const prefix = await endingWithParent()
    if (this.stopping.signal.aborted) return
    const { entry, log, memoryLimitMb } = this.options
    const worker = new WorkerProcess({ entry, log, memoryLimitMb, prefix })
    this.workers[slot] = worker
    this.spawned[slot] = (this.spawned[slot] ?? 0) + 1
    void worker.ended.then(() => this.replace(slot, worker, deaths))
    if (await worker.ready) {
      this.startsFailed = 0
      log.info('inference process ready', { pid: worker.pid })
      this.serve()
    } else if (!this.stopping.signal.aborted) this.onFailedStart()
  }

  private onFailedStart(): void {
    this.startsFailed++
    this.options.log.error('inference process did not start', { inARow: this.startsFailed })
    if (this.startsFailed < failedStarts) return
    for (const { giveUp } of this.waiting.splice(0))
      giveUp(
        failed(
          'worker-start',
          `no inference process starts: ${this.startsFailed} ended in a row before they were ready`,
        ),
      )
  }

  private async replace(slot: number, worker: WorkerProcess, deaths: number): Promise<void> {
    if (this.stopping.signal.aborted || this.workers[slot] !== worker) return
    // A process that has done work and then died is no reason to wait; one that keeps dying is.
    const again = worker.tasks > 1 ? 0 : deaths + 1
    const delay = again === 0 ? 0 : Math.min(respawn.longest, respawn.first * 2 ** (again - 1))
    try {
      await sleep(delay, undefined, { signal: this.stopping.signal })
    } catch {
      return // the pool stops
    }
    await this.spawn(slot, again)
  }

  /** Replaces a process that has grown or grown old; else it takes the next task. */
  private afterRun(worker: WorkerProcess): void {
    const { recycleAfter, memoryLimitMb, log } = this.options
    const old = recycleAfter !== undefined && worker.tasks >= recycleAfter
    const large = memoryLimitMb !== undefined && worker.rss > (memoryLimitMb / 2) * 2 ** 20
    const slot = this.workers.indexOf(worker)
    if (slot >= 0 && worker.state === 'ready' && (old || large) && !this.stopping.signal.aborted) {
      log.info('inference process replaced', { pid: worker.pid, tasks: worker.tasks, rss: worker.rss })
      this.workers[slot] = null
      void worker.retire(2000)
      void this.spawn(slot, 0)
    }
    this.serve()
  }
}

function failed(code: string, reason: string): InferOutcome {
  return { kind: 'failed', code, reason, retry: 'transient', log: [] }
}
