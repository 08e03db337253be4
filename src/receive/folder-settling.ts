import { versionOf } from './folder-file.ts'
import type { FileVersion } from './folder-memory.ts'

interface Candidate extends FileVersion {
  /** ms, when it has been unchanged for long enough. */
  dueAt: number
}

/**
 * Files that may still be written: each is handed on when its size and time have been the same for a while. How old its time says that
 * it is does not count, because copying programs set it.
 */
export class Settling {
  readonly #root: string
  readonly #settleMs: number
  readonly #limit: number
  readonly #onSettled: (file: FileVersion) => void
  readonly #onTrouble: (relative: string, error: unknown) => void
  /** In the order of `dueAt`: the time is the same for all. */
  readonly #candidates = new Map<string, Candidate>()
  #timer: NodeJS.Timeout | null = null
  #stopped = false
  #isLooking = false

  constructor(options: {
    root: string
    settleMs: number
    /** Files that are waited for at once. */
    limit: number
    onSettled: (file: FileVersion) => void
    onTrouble: (relative: string, error: unknown) => void
  }) {
    this.#root = options.root
    this.#settleMs = options.settleMs
    this.#limit = options.limit
    this.#onSettled = options.onSettled
    this.#onTrouble = options.onTrouble
  }

  get size(): number {
    return this.#candidates.size
  }

  /** @returns false where no more files can be waited for now */
  add(file: FileVersion): boolean {
    const known = this.#candidates.get(file.relative)
    if (known && known.size === file.size && known.modified === file.modified) return true
    if (!known && this.#candidates.size >= this.#limit) return false
    this.#candidates.delete(file.relative)
    this.#candidates.set(file.relative, { ...file, dueAt: performance.now() + this.#settleMs })
    this.#wait()
    return true
  }

  stop(): void {
    this.#stopped = true
    this.#candidates.clear()
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #wait(): void {
    if (this.#timer !== null || this.#isLooking || this.#stopped) return
    for (const { dueAt } of this.#candidates.values()) {
      this.#timer = setTimeout(() => void this.#look(), Math.max(0, dueAt - performance.now()))
      return
    }
  }

  async #look(): Promise<void> {
    this.#timer = null
    this.#isLooking = true
    for (const [relative, candidate] of this.#candidates) {
      if (candidate.dueAt > performance.now() || this.#stopped) break
      await this.#lookAt(relative, candidate)
    }
    this.#isLooking = false
    this.#wait()
  }

  async #lookAt(relative: string, candidate: Candidate): Promise<void> {
    try {
      const now = await versionOf(this.#root, relative)
      // It was seen to have changed while this was asked.
      if (this.#candidates.get(relative) !== candidate) return
      this.#candidates.delete(relative)
      if (now === null) return
      if (now.size === candidate.size && now.modified === candidate.modified) this.#onSettled(now)
      else this.add(now)
    } catch (error) {
      this.#candidates.delete(relative)
      this.#onTrouble(relative, error)
    }
  }
}
