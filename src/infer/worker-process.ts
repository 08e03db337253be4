import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Log } from '../log.ts'
import { deferred } from './deferred.ts'
import { killTree } from './runtime/process-tree.ts'
import type { InferOutcome, InferTask, WorkerMessage } from './task.ts'

export interface WorkerProcessOptions {
  /** Path of the script that speaks `WorkerMessage`. */
  entry: string
  log: Log
  /** Program and arguments that start it in place of this process's own. */
  prefix?: readonly string[] | undefined
  /** Resident memory, MiB, above which the process is ended; undefined: no limit. */
  memoryLimitMb?: number | undefined
}

export interface RunLimits {
  deadlineMs: number
  signal?: AbortSignal | undefined
  onProgress?: ((stage: string, fraction: number) => void) | undefined
}

export type WorkerState = 'starting' | 'ready' | 'busy' | 'ended'

/** How often a busy process's memory is looked at, ms. */
const memoryInterval = 250
/** How long a process may take to start, ms: ONNX Runtime's library is large, and disks may be cold. */
const startLimit = 60_000
/** Bytes of a page, as /proc/<pid>/statm counts. */
const pageBytes = 4096

interface Running {
  task: InferTask
  limits: RunLimits
  resolve: (outcome: InferOutcome) => void
  stop: () => void
}

/** One inference child process: one task at a time, killed when it overstays its deadline or memory. */
export class WorkerProcess {
  state: WorkerState = 'starting'
  /** ISO 8601 UTC. */
  readonly startedAt = new Date().toISOString()
  /** Tasks that it has ended. */
  tasks = 0
  /** Bytes, as last seen. */
  rss = 0
  /** Resolves when the process takes tasks, or has ended before. */
  readonly ready: Promise<boolean>
  readonly ended: Promise<void>
  private readonly child: ChildProcess
  private readonly options: WorkerProcessOptions
  private running: Running | null = null

  constructor(options: WorkerProcessOptions) {
    this.options = options
    // Standard output belongs to the node's own answers.
    const start = [...(options.prefix ?? []), process.execPath]
    this.child = fork(options.entry, [], {
      stdio: ['ignore', 2, 2, 'ipc'],
      execPath: start[0],
      // What it works on are few large arrays: the space for young objects would only grow while modules are loaded, and stay so.
      execArgv: [...start.slice(1), '--semi-space-growth-factor=1'],
    })
    const ended = deferred<void>()
    const ready = deferred<boolean>()
    this.ended = ended.promise
    this.ready = ready.promise
    const late = setTimeout(() => this.kill('it did not start in time'), startLimit)
    this.child.on('message', (message) => {
      if ((message as WorkerMessage).kind === 'ready' && this.state === 'starting') {
        clearTimeout(late)
        this.state = 'ready'
        ready.resolve(true)
      } else this.onMessage(message as WorkerMessage)
    })
    let over = false
    const onEnd = (how: string): void => {
      if (over) return
      over = true
      clearTimeout(late)
      this.state = 'ended'
      ready.resolve(false)
      this.finish({
        kind: 'failed',
        code: 'worker-died',
        reason: `the inference process ended (${how})`,
        retry: 'transient',
        log: [],
      })
      ended.resolve()
    }
    this.child.on('error', (error) => onEnd((error as NodeJS.ErrnoException).code ?? 'it could not be started'))
    this.child.on('exit', (code, signal) => onEnd(signal === null ? `exit code ${code}` : `signal ${signal}`))
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  get jobId(): string | null {
    return this.running?.task.jobId ?? null
  }

  /** Runs a task; never rejects. The process must be ready. After a kill, the outcome comes at once. */
  run(task: InferTask, limits: RunLimits): Promise<InferOutcome> {
    const { promise, resolve } = deferred<InferOutcome>()
    const fail = (code: string, reason: string, retry: 'transient' | 'permanent'): void => {
      this.finish({ kind: 'failed', code, reason, retry, log: [] })
      this.kill(code)
    }
    const deadline = setTimeout(
      () => fail('deadline', `the job was ended at its deadline of ${limits.deadlineMs / 1000} s`, 'transient'),
      limits.deadlineMs,
    )
    const onAbort = (): void => fail('aborted', 'the job was stopped', 'transient')
    const memory = setInterval(() => {
      this.rss = residentBytes(this.pid) ?? this.rss
      const limit = this.options.memoryLimitMb
      if (limit !== undefined && this.rss > limit * 2 ** 20)
        fail(
          'memory-limit',
          `the job took ${Math.round(this.rss / 2 ** 20)} MiB of memory, ${limit} MiB is allowed`,
          'permanent',
        )
    }, memoryInterval)
    const stop = (): void => {
      clearTimeout(deadline)
      clearInterval(memory)
      limits.signal?.removeEventListener('abort', onAbort)
    }
    this.running = { task, limits, resolve, stop }
    this.state = 'busy'
    if (limits.signal?.aborted) onAbort()
    else {
      limits.signal?.addEventListener('abort', onAbort)
      // A failed send is followed by the process's end, which ends the run.
      this.child.send(task, () => {})
    }
    return promise
  }

  /** Ends the process without asking it: a run cannot be interrupted otherwise. */
  kill(why: string): void {
    if (this.state === 'ended') return
    this.options.log.warn('inference process killed', { pid: this.pid, why })
    this.state = 'ended'
    // With the programs that run for it.
    if (this.child.pid === undefined) this.child.kill('SIGKILL')
    else killTree(this.child.pid)
  }

  /** Lets an idle process go by itself; it is killed when it does not. */
  async retire(graceMs: number): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    if (this.child.connected) this.child.disconnect()
    const late = setTimeout(() => this.child.kill('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(late)
  }

  private onMessage(message: WorkerMessage): void {
    if (message.kind === 'ready' || message.jobId !== this.running?.task.jobId) return
    if (message.kind === 'progress') {
      this.running.limits.onProgress?.(message.stage, message.fraction)
      return
    }
    this.rss = message.rss
    this.finish(message.outcome)
  }

  private finish(outcome: InferOutcome): void {
    const running = this.running
    if (!running) return
    this.running = null
    running.stop()
    this.tasks++
    if (this.state === 'busy') this.state = 'ready'
    running.resolve(outcome)
  }
}

/** Resident memory of a process, bytes; null where the system has no /proc. */
function residentBytes(pid: number | undefined): number | null {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1])
    return Number.isFinite(pages) ? pages * pageBytes : null
  } catch {
    // No /proc, or the process is gone: what the worker itself reports remains.
    return null
  }
}
