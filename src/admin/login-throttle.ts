/** After so many failures within the window there is a wait. */
const allowedFailures = { nameFromAddress: 5, address: 20, name: 50 } as const
const windowMs = 15 * 60 * 1000
const maximumKeys = 10_000

/**
 * Slows the guessing of passwords, in memory. A restart forgets what was counted, which costs a guesser more than it gains.
 *
 * Failures are counted for a name from an address, for an address, and for a name from everywhere. Nobody can lock somebody else out from another
 * machine: the last count holds only for addresses from which the name has not logged in before.
 */
export class LoginThrottle {
  readonly #failures = new Map<string, { count: number; since: number }>()
  readonly #known = new Map<string, true>()
  readonly #now: () => Date

  constructor(now: () => Date = () => new Date()) {
    this.#now = now
  }

  /** Seconds that this name has to wait at this address before another try; 0 where it need not. */
  waitSeconds(name: string, address: string): number {
    const pair = pairOf(name, address)
    const waits = [this.#wait(pair, allowedFailures.nameFromAddress)]
    if (!this.#known.has(pair)) {
      waits.push(this.#wait(`address ${address}`, allowedFailures.address))
      waits.push(this.#wait(`name ${name}`, allowedFailures.name))
    }
    return Math.max(...waits)
  }

  failed(name: string, address: string): void {
    for (const key of [pairOf(name, address), `address ${address}`, `name ${name}`]) this.#count(key)
  }

  /** Takes back what was counted for a try that turned out right. */
  succeeded(name: string, address: string): void {
    const pair = pairOf(name, address)
    this.#failures.delete(pair)
    this.#known.delete(pair)
    this.#known.set(pair, true)
    if (this.#known.size > maximumKeys) this.#known.delete(this.#known.keys().next().value as string)
    for (const key of [`address ${address}`, `name ${name}`]) {
      const found = this.#failures.get(key)
      if (found) found.count = Math.max(0, found.count - 1)
    }
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

function pairOf(name: string, address: string): string {
  return `name ${JSON.stringify(name)} from ${address}`
}
