/** Instances, and their bytes. */
export interface Sum {
  instances: number
  bytes: number
}

/** How much came in the last minute, hour and day. Its memory does not depend on how much that is. */
export class Volume {
  readonly #minute = new Ring(60, 1000)
  readonly #hour = new Ring(60, 60_000)
  readonly #day = new Ring(48, 1_800_000)

  /** @param at ms since 1970 */
  add(at: number, sum: Sum): void {
    for (const ring of [this.#minute, this.#hour, this.#day]) ring.add(at, sum)
  }

  /** Sums up to a time, exact to a second, a minute and half an hour. @param now ms since 1970 */
  sums(now: number): { lastMinute: Sum; lastHour: Sum; lastDay: Sum } {
    return { lastMinute: this.#minute.sum(now), lastHour: this.#hour.sum(now), lastDay: this.#day.sum(now) }
  }
}

/** Sums of the last slots of time, each of one length. */
class Ring {
  readonly #slots: { index: number; instances: number; bytes: number }[]
  readonly #slotMs: number

  constructor(slots: number, slotMs: number) {
    this.#slots = Array.from({ length: slots }, () => ({ index: -1, instances: 0, bytes: 0 }))
    this.#slotMs = slotMs
  }

  add(at: number, { instances, bytes }: Sum): void {
    const index = Math.floor(at / this.#slotMs)
    const slot = this.#slots[index % this.#slots.length]
    if (slot === undefined) return
    if (slot.index !== index) Object.assign(slot, { index, instances: 0, bytes: 0 })
    slot.instances += instances
    slot.bytes += bytes
  }

  sum(now: number): Sum {
    const newest = Math.floor(now / this.#slotMs)
    const recent = this.#slots.filter(({ index }) => index > newest - this.#slots.length && index <= newest)
    return {
      instances: recent.reduce((sum, slot) => sum + slot.instances, 0),
      bytes: recent.reduce((sum, slot) => sum + slot.bytes, 0),
    }
  }
}
