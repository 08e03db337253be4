import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReceiverProcess } from '../../src/receive/receiver-process.ts'

/** What a process holds when nothing is under way. Bytes; `heap` and `external` only where the process tells them. */
export interface Measures {
  rss: number
  heap: number
  external: number
  descriptors: number
  threads: number
}

/** Sentence of the log line by which receiver-with-gc.mjs answers SIGUSR2. */
const memorySentence = 'memory after garbage collection'

/** Watches over a receiving process from outside (/proc), and asks it to collect its garbage before it is measured. */
export class ProcessWatch {
  readonly #receiver: ReceiverProcess
  readonly #timer: NodeJS.Timeout
  #told: { heapUsed: number; external: number } | null = null
  peakRss = 0
  longestStallMs = 0

  constructor(receiver: ReceiverProcess) {
    this.#receiver = receiver
    this.#timer = setInterval(() => {
      this.peakRss = Math.max(this.peakRss, this.#rss())
    }, 250)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** User and system time so far; Linux counts in hundredths. */
  cpuSeconds(): number {
    const { pid } = this.#receiver
    if (pid === undefined || !existsSync(`/proc/${pid}/stat`)) return 0
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }

  counted(counters: { longestStallMs: number }): void {
    this.longestStallMs = Math.max(this.longestStallMs, counters.longestStallMs)
  }

  /** @returns true when the line is the answer to our own question */
  logged(sentence: string, context: unknown): boolean {
    if (sentence !== memorySentence) return false
    this.#told = context as { heapUsed: number; external: number }
    return true
  }

  /** Waits until nothing is open and descriptors and memory have come to rest; garbage is collected before each look. */
  async settled(isQuiet: () => boolean): Promise<Measures> {
    for (let tries = 0; tries < 600 && !isQuiet(); tries++) await sleep(100)
    let best = await this.#measure()
    // Memory that was freed goes back to the system little by little; the lowest of a few looks is what is held.
    for (let looks = 0; looks < 6; looks++) {
      await sleep(500)
      const next = await this.#measure()
      if (next.rss < best.rss || next.descriptors < best.descriptors)
        best = { ...next, rss: Math.min(best.rss, next.rss), descriptors: Math.min(best.descriptors, next.descriptors) }
    }
    return best
  }

  async #measure(): Promise<Measures> {
    const pid = this.#receiver.pid
    this.#told = null
    if (pid !== undefined) process.kill(pid, 'SIGUSR2')
    for (let tries = 0; tries < 200 && this.#told === null; tries++) await sleep(25)
    const told = this.#told as { heapUsed: number; external: number } | null
    const status =
      pid !== undefined && existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : ''
    return {
      rss: this.#rss(),
      heap: told?.heapUsed ?? 0,
      external: told?.external ?? 0,
      descriptors: status === '' ? 0 : readdirSync(`/proc/${pid}/fd`).length,
      threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1] ?? 0),
    }
  }

  #rss(): number {
    const { pid } = this.#receiver
    if (pid === undefined || !existsSync(`/proc/${pid}/status`)) return 0
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  }
}
