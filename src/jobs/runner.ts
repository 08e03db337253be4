import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Job, JobEnd, JobKind } from './job.ts'
import type { JobQueue } from './queue.ts'

export interface JobRunnerOptions {
  kind: JobKind
  queue: JobQueue
  /** Jobs at the same time. */
  concurrency: number
  /**
   * Does a job and says how it ended; what it throws fails the job with that reason. When the signal is aborted the node stops, or
   * somebody ended the job: the handler ends soon, and a failure then parks or cancels it.
   */
  handler: (job: Job, signal: AbortSignal) => Promise<JobEnd>
  log: Log
  /** Told when a job begins and ends: its state has changed. */
  onChange?: (job: Job, end: JobEnd | null) => void
  /** How long it may take to notice a job that another process queued, in milliseconds. */
  pollMs?: number
  /** False: no job is started now, whatever is queued; `poke` when that has changed. */
  mayStart?: () => boolean
}

/** How long handlers get to end after the signal, before their jobs are parked without them. */
const abortGraceMs = 2_000

interface Running {
  job: Job
  ended: Promise<void>
  abort: AbortController
  /** Who wants it to end. */
  cancelledBy?: string
}

/** Runs the jobs of one kind, as they come due. */
export class JobRunner {
  readonly #options: JobRunnerOptions & Required<Pick<JobRunnerOptions, 'pollMs' | 'mayStart'>>
  readonly #running = new Map<string, Running>()
  #timer: NodeJS.Timeout | null = null
  #claiming: Promise<void> | null = null
  #again = false
  #stopped = true

  constructor(options: JobRunnerOptions) {
    this.#options = { pollMs: 15_000, mayStart: () => true, ...options }
  }

  /** Jobs that run now. */
  get running(): number {
    return this.#running.size
  }

  start(): void {
    this.#stopped = false
    this.poke()
  }

  /** Looks for jobs now: to be called after something was queued. */
  poke(): void {
    if (this.#stopped) return
    this.#again = true
    this.#claiming ??= this.#claimAll().finally(() => {
      this.#claiming = null
      // Something was queued while the loop was on its way out.
      if (this.#again && this.#running.size < this.#options.concurrency) this.poke()
    })
  }

  /**
   * Claims nothing more, lets running jobs end within `graceMs`, then signals them and parks what is left. A parked job is queued, and
   * starts anew with the next start of the node.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    await this.#claiming
    await within(graceMs, this.#allEnded())
    if (this.#running.size === 0) return
    for (const { abort } of this.#running.values()) abort.abort()
    await within(abortGraceMs, this.#allEnded())
    for (const { job } of this.#running.values()) await this.#options.queue.end(job, { kind: 'parked' })
  }

  /** Ends a job that runs here, as soon as it can be. @returns false where it does not run here */
  cancel(id: string, by: string): boolean {
    const running = this.#running.get(id)
    if (!running) return false
    running.cancelledBy ??= by
    running.abort.abort()
    return true
  }

  async #claimAll(): Promise<void> {
    const { queue, kind, concurrency, mayStart, log } = this.#options
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false
        while (this.#running.size < concurrency && !this.#stopped && mayStart()) {
          const job = await queue.claim(kind)
          if (job === null) break
          this.#begin(job)
        }
      }
      // At full concurrency the end of a job looks again.
      if (this.#running.size < concurrency) this.#sleepUntil(mayStart() ? await queue.nextDue(kind) : null)
    } catch (error) {
      log.error('the queue cannot be read', { kind, reason: messageOf(error) })
      this.#sleepUntil(null)
    }
  }

  #sleepUntil(due: string | null): void {
    if (this.#stopped) return
    const ms = due === null ? this.#options.pollMs : Math.max(1, Date.parse(due) - Date.now())
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.poke(), Math.min(ms, this.#options.pollMs))
  }

  #begin(job: Job): void {
    const running: Running = { job, abort: new AbortController(), ended: Promise.resolve() }
    this.#running.set(job.id, running)
    running.ended = this.#run(running).finally(() => {
      this.#running.delete(job.id)
      this.poke()
    })
  }

  async #run(running: Running): Promise<void> {
    const { queue, log } = this.#options
    const { job } = running
    this.#tell(job, null)
    const end = await this.#handle(running)
    try {
      if (await queue.end(job, end)) this.#tell(job, end)
      else log.warn('a job ended after it had been given up', { job: job.id, kind: job.kind })
    } catch (error) {
      await this.#failEnd(job, error)
    }
  }

  async #handle(running: Running): Promise<JobEnd> {
    const { handler, queue, log } = this.#options
    const { job, abort } = running
    let end: JobEnd
    try {
      end = await handler(job, abort.signal)
    } catch (error) {
      end = { kind: 'failed', reason: messageOf(error) }
      if (!abort.signal.aborted) log.error('a job failed', { job: job.id, kind: job.kind, reason: end.reason })
    }
    if (!abort.signal.aborted || end.kind === 'done' || end.kind === 'refused') return end
    if (running.cancelledBy === undefined || this.#stopped)
      // After the signal a failure is most likely the node's doing: the job is worth another run.
      return end.kind === 'failed' ? { kind: 'parked' } : end
    const cancelled = queue.cancelled(job, running.cancelledBy)
    // What the handler would have written of the attempt is true all the same.
    return end.kind === 'parked' ? cancelled : withCommitOf(cancelled, end)
  }

  /** The end's own rows could not be written: without them the job has not done what it says. */
  async #failEnd(job: Job, error: unknown): Promise<void> {
    const { queue, log } = this.#options
    log.error('the end of a job cannot be written', { job: job.id, kind: job.kind, reason: messageOf(error) })
    const end: JobEnd = { kind: 'failed', reason: `its results cannot be written: ${messageOf(error)}` }
    try {
      if (await queue.end(job, end)) this.#tell(job, end)
    } catch (again) {
      // It stays running in the database, and goes back to the queue with the next start.
      log.error('a job is left as running', { job: job.id, kind: job.kind, reason: messageOf(again) })
    }
  }

  #tell(job: Job, end: JobEnd | null): void {
    try {
      this.#options.onChange?.(job, end)
    } catch (error) {
      this.#options.log.error('a listener to jobs failed', { job: job.id, reason: messageOf(error) })
    }
  }

  async #allEnded(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }
}

function withCommitOf(cancelled: JobEnd, end: JobEnd): JobEnd {
  if (cancelled.kind !== 'cancelled' || end.kind === 'parked') return cancelled
  return {
    ...cancelled,
    commit: async (trx) => {
      await end.commit?.(trx)
      await cancelled.commit?.(trx)
    },
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const timeout = new AbortController()
  await Promise.race([work, sleep(ms, undefined, { signal: timeout.signal }).catch(() => {})])
  timeout.abort()
}
