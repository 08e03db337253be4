import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type Chosen, chooseImage, drawThumbnail, type ThumbnailRequest } from '../worker-parts/thumbnail.ts'

/** The thread's script; null where the program runs from its sources, which threads cannot load. */
const script = import.meta.url.endsWith('.js')
  ? fileURLToPath(new URL('../worker-parts/thumbnail-thread.js', import.meta.url))
  : null
/** A picture that takes longer is none, ms. */
const deadlineMs = 60_000
/** An idle thread ends after so long, ms: its codecs take memory. */
const idleMs = 60_000
/** MiB of a thread's own memory. */
const memoryMb = 512
/** Requests that wait; more are not taken. */
const mostWaiting = 200

interface Waiting {
  request: ThumbnailRequest
  settle(value: unknown): void
}

/** Makes small pictures, one at a time, in a thread: whatever an image does to it, the node goes on. */
export class PictureThread {
  readonly #waiting: Waiting[] = []
  #worker: Worker | null = null
  #busy = false
  #idle: NodeJS.Timeout | undefined
  #closed = false

  /** null: there is no image to choose; undefined: that could not be found out now. */
  async choose(path: string): Promise<Chosen | null | undefined> {
    return (await this.#ask({ kind: 'choose', path })) as Chosen | null | undefined
  }

  /** null: there is nothing to draw; undefined: it could not be drawn now. */
  async draw(request: Omit<Extract<ThumbnailRequest, { kind: 'draw' }>, 'kind'>): Promise<Buffer | null | undefined> {
    const drawn = (await this.#ask({ kind: 'draw', ...request })) as Uint8Array | null | undefined
    return drawn && Buffer.from(drawn.buffer, drawn.byteOffset, drawn.byteLength)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    for (const { settle } of this.#waiting.splice(0)) settle(undefined)
    await this.#worker?.terminate()
  }

  #ask(request: ThumbnailRequest): Promise<unknown> {
    if (this.#closed || this.#waiting.length >= mostWaiting) return Promise.resolve(undefined)
    return new Promise((settle) => {
      this.#waiting.push({ request, settle })
      this.#next()
    })
  }

  #next(): void {
    if (this.#busy || this.#closed) return
    const next = this.#waiting.shift()
    if (!next) {
      this.#idle = setTimeout(() => this.#end(), idleMs)
      this.#idle.unref()
      return
    }
    clearTimeout(this.#idle)
    this.#busy = true
    void this.#perform(next.request).then((value) => {
      this.#busy = false
      next.settle(value)
      this.#next()
    })
  }

  async #perform(request: ThumbnailRequest): Promise<unknown> {
    if (script === null)
      return await (request.kind === 'choose' ? chooseImage(request.path) : drawThumbnail(request)).catch(() => null)
    const worker = (this.#worker ??= started(script))
    worker.ref()
    return await new Promise<unknown>((resolve) => {
      const done = (value: unknown, alive: boolean) => {
        clearTimeout(late)
        worker.off('message', onMessage).off('error', onEnd).off('exit', onEnd)
        // An idle thread does not keep the process alive; one that failed is not asked again.
        if (alive) worker.unref()
        else if (this.#worker === worker) this.#end()
        resolve(value)
      }
      const onMessage = ({ value }: { value: unknown }) => done(value, true)
      const onEnd = () => done(undefined, false)
      const late = setTimeout(onEnd, deadlineMs)
      worker.on('message', onMessage).on('error', onEnd).on('exit', onEnd)
      worker.postMessage(request, [])
    })
  }

  #end(): void {
    const worker = this.#worker
    this.#worker = null
    // What it says while it ends concerns nobody.
    worker?.on('error', () => {})
    void worker?.terminate()
  }
}

function started(file: string): Worker {
  return new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: memoryMb } })
}
