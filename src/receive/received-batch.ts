import type { ReceivedInstance } from './received.ts'

const batchLength = 250
const batchMs = 200

/** Gathers received instances, so that one message and one transaction serve many. */
export class ReceivedBatch {
  readonly #emit: (instances: ReceivedInstance[]) => void
  #waiting: ReceivedInstance[] = []
  #timer: NodeJS.Timeout | null = null

  /** @param emit called with at most 250 instances, at latest 200 ms after the first of them */
  constructor(emit: (instances: ReceivedInstance[]) => void) {
    this.#emit = emit
  }

  add(instance: ReceivedInstance): void {
    this.#waiting.push(instance)
    if (this.#waiting.length >= batchLength) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), batchMs)
  }

  /** Emits what waits, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#waiting.length === 0) return
    const instances = this.#waiting
    this.#waiting = []
    this.#emit(instances)
  }
}
