import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { isAboutValues, isConflict } from '../store/error.ts'
import type { IndexedBatch, Indexer } from './indexer.ts'
import type { ReceivedInstance } from './received.ts'

export interface IndexWriterOptions {
  indexer: Pick<Indexer, 'index'>
  log: Log
  /** Told of every batch after its commit, before the promises of `add` are resolved. */
  onIndexed?: (batch: IndexedBatch) => void
  /** Takes an instance that the database refuses for its values, for good. Without it, or when it throws, the instance is tried again. */
  setAside?: (instance: ReceivedInstance, refusal: unknown) => Promise<void>
  /** Instances in one transaction at most. At 250 a batch takes a fraction of 50 ms, unless each is a study of its own. */
  batchSize?: number
  /** After how long instances that could not be indexed are tried again; doubled with every failure, up to ten minutes. */
  retryMs?: number
}

const longestRetryMs = 600_000

/** The instances of one call of `add`. */
interface Call {
  left: number
  error: unknown
  settle: () => void
}

interface Waiting {
  instance: ReceivedInstance
  /** Absent for those that are tried again: their call was answered. */
  call?: Call
}

/**
 * The one way into the index: gathers what arrives while a batch is being written, and writes batch after batch. What cannot be
 * indexed is said to the caller, stays in the incoming folder, and is tried again until it can.
 */
export class IndexWriter {
  readonly #options: Required<Pick<IndexWriterOptions, 'batchSize' | 'retryMs'>> & IndexWriterOptions
  #waiting: Waiting[] = []
  readonly #calls = new Set<Promise<void>>()
  #failed: ReceivedInstance[] = []
  #retry: NodeJS.Timeout | null = null
  #retryMs: number
  #running: Promise<void> | null = null

  constructor(options: IndexWriterOptions) {
    this.#options = { batchSize: 250, retryMs: 10_000, ...options }
    this.#retryMs = this.#options.retryMs
  }

  /** Instances that wait, the failed ones included. */
  get pending(): number {
    return this.#waiting.length + this.#failed.length
  }

  /**
   * Resolves when the instances are indexed and committed.
   * @throws the first error when some could not be indexed; they are set aside, or will be tried again
   */
  add(instances: readonly ReceivedInstance[]): Promise<void> {
    if (instances.length === 0) return Promise.resolve()
    const done = new Promise<void>((resolve, reject) => {
      const call: Call = {
        left: instances.length,
        error: null,
        settle: () => (call.error === null ? resolve() : reject(call.error)),
      }
      for (const instance of instances) this.#waiting.push({ instance, call })
    })
    const settled = done.then(
      () => {},
      () => {},
    )
    this.#calls.add(settled)
    void settled.then(() => this.#calls.delete(settled))
    this.#run()
    return done
  }

  /** Resolves when everything that was added before is indexed, or has failed. */
  async drained(): Promise<void> {
    await Promise.all(this.#calls)
  }

  /** Finishes what was added; what failed stays in the incoming folder for the next start. */
  async stop(): Promise<void> {
    await this.drained()
    if (this.#retry) clearTimeout(this.#retry)
    this.#retry = null
    await this.#running
  }

  #run(): void {
    this.#running ??= this.#loop().finally(() => {
      this.#running = null
      if (this.#waiting.length > 0) this.#run()
    })
  }

  async #loop(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#write(this.#waiting.splice(0, this.#options.batchSize))
      // Whatever else the process does (HTTP, IPC) gets its turn between two batches.
      await nextTurn()
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    let indexed: IndexedBatch
    try {
      indexed = await this.#options.indexer.index(batch.map(({ instance }) => instance))
    } catch (error) {
      if (isAboutValues(error) && batch.length > 1) {
        // One instance whose values the database refuses must not hold up the others.
        const half = batch.length >> 1
        await this.#write(batch.slice(0, half))
        await this.#write(batch.slice(half))
        return
      }
      if (!(await this.#setAside(batch, error))) this.#fail(batch, error)
      return
    }
    this.#retryMs = this.#options.retryMs
    this.#tell(indexed)
    for (const { call } of batch) settleOne(call, null)
  }

  /** @returns true when nothing of the batch has to be tried again */
  async #setAside(batch: readonly Waiting[], error: unknown): Promise<boolean> {
    const { setAside, log } = this.#options
    const [only] = batch
    if (!setAside || !only || batch.length > 1 || !isAboutValues(error) || isConflict(error)) return false
    try {
      await setAside(only.instance, error)
    } catch (failure) {
      log.error('an instance cannot be put into quarantine', { file: only.instance.file, reason: messageOf(failure) })
      return false
    }
    settleOne(only.call, error)
    return true
  }

  #tell(indexed: IndexedBatch): void {
    try {
      this.#options.onIndexed?.(indexed)
    } catch (error) {
      this.#options.log.error('a listener to the index failed', { reason: messageOf(error) })
    }
  }

  #fail(batch: readonly Waiting[], error: unknown): void {
    const { log } = this.#options
    log.error('instances cannot be indexed now', {
      instances: batch.length,
      reason: messageOf(error),
      retryMs: this.#retryMs,
    })
    for (const { instance, call } of batch) {
      this.#failed.push(instance)
      settleOne(call, error)
    }
    if (this.#retry !== null) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      for (const instance of this.#failed.splice(0)) this.#waiting.push({ instance })
      this.#run()
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
    this.#retry.unref()
  }
}

function settleOne(call: Call | undefined, error: unknown): void {
  if (call === undefined) return
  if (error !== null) call.error ??= error
  if (--call.left === 0) call.settle()
}
