import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ByteRange, type InstanceFile, readFrame } from '../../dicom/instance-file.ts'
import { transferSyntax } from '../../dicom/transfer-syntax.ts'
import { InferError, type InferErrorCode } from '../error.ts'
import { decodeFrame, type FrameFormat, loadCodecs, type StoredValues } from './decode.ts'
import { reading } from './frame.ts'

/** A frame in its file; or that all frames of a file were given, so that what is kept of it can go. */
export type FrameBytes =
  | { index: number; file: InstanceFile; ranges: ByteRange[]; format: FrameFormat }
  | { done: InstanceFile }

/** What a decoding thread is told, and what it answers. */
export interface DecodeRequest {
  bytes: Uint8Array
  format: FrameFormat
}
export type DecodeAnswer = { stored: StoredValues } | { code: InferErrorCode; message: string } | { internal: string }

/**
 * Decodes frames and gives each to `use`, in no fixed order. Compressed frames are decoded by threads of their own, where there are several
 * cores; a few frames are in memory at a time.
 * @throws {InferError} the first that a frame fails with
 */
export async function decodeAll(
  frames: AsyncIterable<FrameBytes>,
  threads: number,
  use: (index: number, stored: StoredValues) => void,
): Promise<void> {
  const pool = new DecodePool(threads)
  const memory = new FrameMemory()
  const running = new Set<Promise<void>>()
  let failure: unknown = null
  try {
    for await (const frame of frames) {
      if (failure !== null) break
      if ('done' in frame) {
        if (frame.done.inflated) await Promise.all(running)
        delete frame.done.inflated
        continue
      }
      // Files are read while the frames before are decoded.
      const settled = decode(frame, pool, memory, use)
        .catch((error: unknown) => {
          failure ??= error
        })
        .then(() => void running.delete(settled))
      running.add(settled)
      if (running.size >= threads * 2) await Promise.race(running)
    }
    await Promise.all(running)
  } finally {
    pool.release()
  }
  if (failure !== null) throw failure
}

async function decode(
  { index, file, ranges, format }: Exclude<FrameBytes, { done: InstanceFile }>,
  pool: DecodePool,
  memory: FrameMemory,
  use: (index: number, stored: StoredValues) => void,
): Promise<void> {
  const [range] = ranges
  const into = memory.take(range && ranges.length === 1 ? range.length : 0)
  const bytes = await reading(readFrame(file, ranges, into))
  if (pool.takes(format)) use(index, await pool.decode({ bytes, format }))
  else {
    if (transferSyntax(format.transferSyntaxUID).encapsulated) await loadCodecs()
    use(index, decodeFrame(bytes, format, { writable: bytes.buffer === into.buffer }))
  }
  memory.give(into)
}

/** Memory for the bytes of frames, used again for frames of the same length, as native ones are. */
class FrameMemory {
  readonly #free: Buffer[] = []

  take(length: number): Buffer {
    const fitting = this.#free.findIndex((buffer) => buffer.length === length)
    return fitting >= 0 ? (this.#free.splice(fitting, 1)[0] as Buffer) : Buffer.from(new ArrayBuffer(length))
  }

  give(buffer: Buffer): void {
    if (this.#free[0]?.length !== buffer.length) this.#free.length = 0
    this.#free.push(buffer)
  }
}

/** The thread's script; null where the program runs from its sources, which threads cannot load. */
const script = import.meta.url.endsWith('.js') ? fileURLToPath(new URL('./decode-thread.js', import.meta.url)) : null

interface Thread {
  worker: Worker
  settle: ((answer: DecodeAnswer) => void) | null
}

/** Threads that wait for the next series: their codecs are loaded. */
const idle: Thread[] = []

/** Threads that decode frames. */
class DecodePool {
  readonly #limit: number
  readonly #threads: Thread[] = []
  readonly #waiting: { request: DecodeRequest; settle: (answer: DecodeAnswer) => void }[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Native frames are no work. */
  takes({ transferSyntaxUID }: FrameFormat): boolean {
    return script !== null && this.#limit > 1 && transferSyntax(transferSyntaxUID).encapsulated
  }

  async decode(request: DecodeRequest): Promise<StoredValues> {
    const answer = await new Promise<DecodeAnswer>((settle) => {
      this.#waiting.push({ request, settle })
      this.#serve()
    })
    if ('stored' in answer) return answer.stored
    if ('internal' in answer) throw new Error(answer.internal)
    throw new InferError(answer.code, answer.message)
  }

  /** Keeps the threads for the next series. */
  release(): void {
    for (const thread of this.#threads) if (thread.settle === null) idle.push(thread)
  }

  #serve(): void {
    const free = this.#threads.find((thread) => thread.settle === null) ?? this.#add()
    const next = free && this.#waiting.shift()
    if (!free || !next) return
    free.worker.ref()
    free.settle = (answer) => {
      free.settle = null
      // A thread that waits does not keep the process alive.
      free.worker.unref()
      next.settle(answer)
      this.#serve()
    }
    // The bytes are copied: they may be a part of a larger buffer, which a transfer would take away.
    free.worker.postMessage(next.request, [])
  }

  #add(): Thread | undefined {
    if (script === null || this.#threads.length >= this.#limit) return undefined
    const thread = idle.pop() ?? started(script)
    this.#threads.push(thread)
    return thread
  }
}

function started(file: string): Thread {
  const worker = new Worker(file)
  const thread: Thread = { worker, settle: null }
  worker.on('message', (answer: DecodeAnswer) => thread.settle?.(answer))
  worker.on('error', (error) => thread.settle?.({ internal: error.name }))
  worker.unref()
  return thread
}
