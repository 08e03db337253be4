import { type ChildProcess, fork } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log.ts'
import type { InferOutcome, InferTask, WorkerMessage } from './task.ts'

export interface WorkerPoolOptions {
  /** The worker's program. */
  entry: string
  /** Tasks at once, each in a process of its own. */
  slots: number
  log: Log
  /** MiB of resident memory at which a worker is killed; none by default. */
  memoryLimitMb?: number
  /** Tasks after which a worker is replaced: sessions leak slowly. */
  recycleAfter?: number
  /** Arguments for Node, such as `--max-old-space-size`. */
  execArgv?: string[]
}

export interface RunOptions {
  /** The worker is killed when it takes longer. */
  deadlineMs: number
  /** Aborted: the worker is killed and the task counts as given up. */
  signal: AbortSignal
  onProgress?: (stage: string, fraction: number) => void
}

/** One process that runs tasks, one at a time. */
interface Worker {
  child: ChildProcess
  ready: Promise<boolean>
  tasks: number
  /** Ends the task that runs, when the process says how, or dies. */
  settle: ((outcome: InferOutcome, rss: number) => void) | null
  onProgress: RunOptions['onProgress']
}

const memoryLookMs = 500
/** A worker that dies young is not replaced at once: what kills it would kill the next as well. */
const youngMs = 2_000
const respawnDelayMs = 1_000

/** Runs inference in processes that can be killed: a hanging or dying run costs its own task and nothing else. */
export class WorkerPool {
  readonly #options: Required<Omit<WorkerPoolOptions, 'memoryLimitMb'>> & Pick<WorkerPoolOptions, 'memoryLimitMb'>
  readonly #idle: Worker[] = []
  readonly #all = new Set<Worker>()
  readonly #waiting: ((worker: Worker | null) => void)[] = []
  #stopping = false

  constructor(options: WorkerPoolOptions) {
    this.#options = { recycleAfter: 50, execArgv: [], ...options }
  }

  /** Starts every slot's process, so that the first task finds it warm. Resolves when all are ready or have died. */
  async start(): Promise<void> {
    for (let slot = this.#all.size; slot < this.#options.slots; slot++) this.#offer(this.#spawn())
    await Promise.all([...this.#all].map((worker) => worker.ready))
  }

  /** Tasks that run and processes that there are. */
  state(): { running: number; workers: number; waiting: number } {
    return { running: this.#all.size - this.#idle.length, workers: this.#all.size, waiting: this.#waiting.length }
  }

  /** Runs a task; waits for a free slot. Never rejects: whatever happens is an outcome. */
  async run(task: InferTask, options: RunOptions): Promise<InferOutcome> {
    const worker = await this.#take()
    if (worker === null || options.signal.aborted) {
      if (worker) this.#offer(worker)
      return givenUp
    }
    if (!(await worker.ready)) return died('it ended before it was ready')
    return new Promise((resolve) => this.#runOn(worker, task, options, resolve))
  }

  /** Kills what still runs after `graceMs`, and ends the idle processes. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    for (const waiter of this.#waiting.splice(0)) waiter(null)
    const end = Date.now() + graceMs
    while (this.#all.size > this.#idle.length && Date.now() < end) await sleep(50)
    const exits = [...this.#all].map((worker) => exitOf(worker.child))
    for (const { child } of this.#all) child.kill('SIGKILL')
    await Promise.all(exits)
  }

  #runOn(worker: Worker, task: InferTask, options: RunOptions, resolve: (outcome: InferOutcome) => void): void {
    const kill = (outcome: InferOutcome): void => {
      worker.settle?.(outcome, Number.POSITIVE_INFINITY)
      worker.child.kill('SIGKILL')
    }
    const deadline = setTimeout(() => kill(overdue(options.deadlineMs)), options.deadlineMs)
    const onAbort = (): void => kill(givenUp)
    options.signal.addEventListener('abort', onAbort, { once: true })
    const watch = this.#watchMemory(worker, kill)
    worker.onProgress = options.onProgress
    worker.tasks++
    worker.settle = (outcome, rss) => {
      clearTimeout(deadline)
      clearInterval(watch)
      options.signal.removeEventListener('abort', onAbort)
      worker.settle = null
      worker.onProgress = undefined
      const limit = (this.#options.memoryLimitMb ?? Number.POSITIVE_INFINITY) * 2 ** 20
      if (rss > limit / 2 || worker.tasks >= this.#options.recycleAfter) worker.child.kill('SIGKILL')
      else this.#offer(worker)
      resolve(outcome)
    }
    worker.child.send(task, (error) => {
      if (error) worker.child.kill('SIGKILL')
    })
  }

  /** The kernel's own figure: a worker that allocates without end answers no question. */
  #watchMemory(worker: Worker, kill: (outcome: InferOutcome) => void): NodeJS.Timeout | undefined {
    const limit = this.#options.memoryLimitMb
    if (limit === undefined) return undefined
    return setInterval(() => {
      void residentMb(worker.child.pid).then((mb) => {
        if (mb > limit && worker.settle) kill(tooLarge(mb, limit))
      })
    }, memoryLookMs)
  }

  #take(): Promise<Worker | null> {
    const worker = this.#idle.pop()
    if (worker) return Promise.resolve(worker)
    if (this.#stopping) return Promise.resolve(null)
    if (this.#all.size < this.#options.slots) return Promise.resolve(this.#spawn())
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #offer(worker: Worker): void {
    const waiter = this.#waiting.shift()
    if (waiter) waiter(worker)
    else this.#idle.push(worker)
  }

  #spawn(): Worker {
    const { entry, execArgv, log } = this.#options
    const child = fork(entry, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
    const spawnedAt = Date.now()
    let becameReady: (ready: boolean) => void = () => {}
    const ready = new Promise<boolean>((resolve) => {
      becameReady = resolve
    })
    const worker: Worker = { child, ready, tasks: 0, settle: null, onProgress: undefined }
    this.#all.add(worker)
    child.on('message', (message: WorkerMessage) => {
      if (message.kind === 'ready') becameReady(true)
      else if (message.kind === 'progress') worker.onProgress?.(message.stage, message.fraction)
      else worker.settle?.(message.outcome, message.rss)
    })
    child.on('error', (error) => log.error('an inference process cannot be started', { reason: error.message }))
    child.on('exit', (code, signal) => {
      becameReady(false)
      this.#all.delete(worker)
      const place = this.#idle.indexOf(worker)
      if (place >= 0) this.#idle.splice(place, 1)
      // Infinity: a dead worker does not go back among the idle ones.
      worker.settle?.(died(`it ended with ${signal ?? `exit code ${code}`}`), Number.POSITIVE_INFINITY)
      if (!this.#stopping) void this.#respawn(Date.now() - spawnedAt)
    })
    return worker
  }

  async #respawn(livedMs: number): Promise<void> {
    if (livedMs < youngMs) await sleep(respawnDelayMs, undefined, { ref: false })
    if (!this.#stopping && this.#all.size < this.#options.slots) this.#offer(this.#spawn())
  }
}

const givenUp: InferOutcome = {
  kind: 'failed',
  code: 'given-up',
  reason: 'the node stopped',
  retry: 'transient',
  log: [],
}

function overdue(deadlineMs: number): InferOutcome {
  const reason = `the inference process was ended at its deadline of ${deadlineMs / 1000} s`
  return { kind: 'failed', code: 'deadline', reason, retry: 'transient', log: [] }
}

function died(how: string): InferOutcome {
  return {
    kind: 'failed',
    code: 'worker-died',
    reason: `the inference process died: ${how}`,
    retry: 'transient',
    log: [],
  }
}

function tooLarge(mb: number, limit: number): InferOutcome {
  const reason = `the inference process was ended: it held ${Math.round(mb)} MiB, the limit is ${limit} MiB`
  return { kind: 'failed', code: 'memory-limit', reason, retry: 'transient', log: [] }
}

function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

/** Resident memory of a process, MiB; 0 where the system does not tell (only Linux has /proc). */
async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024
}
