/**
 * Keeps what was asked for most recently, up to a total weight. Two callers that ask for the same key at once share one making;
 * what failed is forgotten.
 */
export class BoundedCache<Value> {
  readonly #maximum: number
  readonly #weigh: (value: Value) => number
  readonly #entries = new Map<string, { value: Promise<Value>; weight: number }>()
  #weight = 0

  constructor(maximum: number, weigh: (value: Value) => number) {
    this.#maximum = maximum
    this.#weigh = weigh
  }

  /** Sum of the weights of what is held. */
  get weight(): number {
    return this.#weight
  }

  get(key: string, make: () => Promise<Value>): Promise<Value> {
    const held = this.#entries.get(key)
    if (held !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, held)
      return held.value
    }
    const entry = { value: make(), weight: 0 }
    this.#entries.set(key, entry)
    entry.value.then(
      (value) => {
        if (this.#entries.get(key) !== entry) return
        entry.weight = this.#weigh(value)
        this.#weight += entry.weight
        this.#shrink()
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key)
      },
    )
    return entry.value
  }

  #shrink(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#weight <= this.#maximum) return
      if (entry.weight === 0) continue // still being made
      this.#entries.delete(key)
      this.#weight -= entry.weight
    }
  }
}
