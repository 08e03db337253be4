import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

/** What has been started, to be ended in reverse order. */
export class Disposal {
  readonly #log: Log
  readonly #parts: { name: string; end: () => unknown }[] = []
  #disposing: Promise<void> | null = null
  readonly disposed: Promise<void>
  #resolve: () => void = () => {}

  constructor(log: Log) {
    this.#log = log
    this.disposed = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  add(name: string, end: () => unknown): void {
    this.#parts.push({ name, end })
  }

  dispose(): Promise<void> {
    this.#disposing ??= this.#endAll().then(this.#resolve)
    return this.#disposing
  }

  async #endAll(): Promise<void> {
    for (const { name, end } of this.#parts.reverse()) {
      try {
        await end()
      } catch (error) {
        this.#log.error('a part did not end in order', { part: name, reason: messageOf(error) })
      }
    }
  }
}
