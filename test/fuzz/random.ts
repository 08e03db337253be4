/** A seeded source of random decisions (mulberry32): the same seed gives the same decisions on every machine. */
export class Random {
  #state: number

  /** @param seeds mixed together, so that case 17 of seed 1 has nothing to do with case 1 of seed 17 */
  constructor(...seeds: number[]) {
    this.#state = 0x9e3779b9
    for (const seed of seeds) {
      this.#state = (this.#state ^ seed) >>> 0
      this.next()
      this.#state = Math.imul(this.#state ^ (this.#state >>> 15), 0x85ebca6b) >>> 0
    }
  }

  /** 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor((this.next() / 2 ** 32) * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.next() / 2 ** 32 < probability
  }

  pick<T>(from: readonly T[]): T {
    return from[this.between(0, from.length - 1)] as T
  }

  /** One of the names, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][]
    let left = (this.next() / 2 ** 32) * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return (entries.at(-1) as [K, number])[0]
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    let at = 0
    for (; at + 4 <= length; at += 4) bytes.writeUInt32LE(this.next(), at)
    for (; at < length; at++) bytes[at] = this.next()
    return bytes
  }

  /** Lengths that parsers get wrong: around a value, around powers of two, and the largest there are. */
  evilLength(around: number, bits: 16 | 32): number {
    const most = bits === 16 ? 0xffff : 0xffffffff
    const candidates = [
      0,
      1,
      2,
      3,
      Math.max(0, around - 1),
      around + 1,
      Math.max(0, around - 2),
      around + 2,
      around * 2,
      around + this.between(1, 300),
      0x7fff,
      0x8000,
      0xffff,
    ]
    if (bits === 32) candidates.push(0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffe, 0xffffffff)
    return Math.min(most, this.pick(candidates))
  }
}
