/** After so many failures within the window a name, or an address, has to wait. */
const allowedFailures = { name: 5, address: 20 } as const
const windowMs = 15 * 60 * 1000
const maximumKeys = 10_000

/**
 * Slows the guessing of passwords: counts failures by user name and by address, in memory. A restart forgets them, which costs a
 * guesser more than it gains.
 */
export class LoginThrottle {
  readonly #failures = new Map<string, { count: number; since: number }>()
  readonly #now: () => Date

  constructor(now: () => Date = () => new Date()) {
    this.#now = now
  }

  /** Seconds that this name and address have to wait before another try; 0 where they need not. */
  waitSeconds(name: string, address: string): number {
    return Math.max(
      this.#wait(`name ${name}`, allowedFailures.name),
      this.#wait(`address ${address}`, allowedFailures.address),
    )
  }

  failed(name: string, address: string): void {
    this.#count(`name ${name}`)
    this.#count(`address ${address}`)
  }

  /** Takes back what was counted for a try that turned out right. */
  succeeded(name: string, address: string): void {
    this.#failures.delete(`name ${name}`)
    const found = this.#failures.get(`address ${address}`)
    if (found) found.count = Math.max(0, found.count - 1)
  }

  #wait(key: string, allowed: number): number {
    const found = this.#failures.get(key)
    if (!found || found.count < allowed) return 0
    const left = found.since + windowMs - this.#now().getTime()
    if (left > 0) return Math.ceil(left / 1000)
    this.#failures.delete(key)
    return 0
  }

  #count(key: string): void {
    const now = this.#now().getTime()
    const found = this.#failures.get(key)
    if (found && now - found.since < windowMs) found.count++
    else this.#failures.set(key, { count: 1, since: now })
    // The oldest entry goes first: a Map keeps the order of insertion.
    if (this.#failures.size > maximumKeys) this.#failures.delete(this.#failures.keys().next().value as string)
  }
}
