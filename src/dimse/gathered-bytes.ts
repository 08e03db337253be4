/** Memory that the requests of all associations may take together. */
export class MemoryBudget {
  #left: number

  /** @param bytes how many there are */
  constructor(bytes: number) {
    this.#left = bytes
  }

  /** @returns false when there are not as many left */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

const firstCapacity = 4096

/**
 * Gathers the data set of one request in a buffer that doubles, up to a limit and within a budget. However it is cut into
 * fragments, it takes no more than twice its length. Beyond, what comes is dropped.
 */
export class GatheredBytes {
  readonly #limit: number
  readonly #budget: MemoryBudget
  #bytes = Buffer.alloc(0)
  #length = 0
  /** True once something was dropped. */
  overflowed = false

  /** @param limit bytes at most */
  constructor(limit: number, budget: MemoryBudget) {
    this.#limit = limit
    this.#budget = budget
  }

  /** Takes a copy of the bytes. */
  add(bytes: Buffer): void {
    if (this.overflowed) return
    const length = this.#length + bytes.length
    if (length > this.#limit || !this.#reserve(length)) {
      this.dispose()
      this.overflowed = true
      return
    }
    bytes.copy(this.#bytes, this.#length)
    this.#length = length
  }

  /** What was gathered; valid until `dispose`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Gives the memory back. */
  dispose(): void {
    this.#budget.give(this.#bytes.length)
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
  }

  #reserve(length: number): boolean {
    if (length <= this.#bytes.length) return true
    const capacity = Math.min(this.#limit, Math.max(length, 2 * this.#bytes.length, firstCapacity))
    if (!this.#budget.take(capacity - this.#bytes.length)) return false
    const grown = Buffer.allocUnsafeSlow(capacity)
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
    return true
  }
}
