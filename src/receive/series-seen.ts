/** Remembers the series met last, so that each one's header is told once. A header told twice does no harm. */
export class SeriesSeen {
  readonly #limit: number
  readonly #seen = new Set<string>()

  /** @param limit series that are remembered */
  constructor(limit = 1000) {
    this.#limit = limit
  }

  /** True when the series was not met lately; it counts as met afterwards. */
  isNew(seriesInstanceUID: string): boolean {
    const known = this.#seen.delete(seriesInstanceUID)
    this.#seen.add(seriesInstanceUID)
    if (this.#seen.size > this.#limit) for (const oldest of this.#seen) return this.#forget(oldest, known)
    return !known
  }

  #forget(oldest: string, known: boolean): boolean {
    this.#seen.delete(oldest)
    return !known
  }
}
