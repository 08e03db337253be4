import type { Sender } from '../receive/received.ts'

/** An association that is open now, with what it has brought. */
export interface OpenArrival {
  association: string
  callingAETitle: string
  calledAETitle: string
  address: string
  /** ISO 8601 UTC. */
  since: string
  instances: number
  bytes: number
  /** When the last instance came. */
  lastAt: string | null
}

/** How often listeners are told of instances, ms. */
const tellMs = 1000

/** What arrives now over DICOM; nothing of it outlives the process. */
export class OpenArrivals {
  readonly #open = new Map<string, OpenArrival>()
  readonly #onNews: () => void
  #toldAt = 0

  /** @param onNews told when an association begins or ends, and about once a second while instances come */
  constructor(onNews: () => void = () => {}) {
    this.#onNews = onNews
  }

  opened(association: string, { callingAETitle, calledAETitle, address }: Sender, since: string): void {
    this.#open.set(association, {
      association,
      callingAETitle,
      calledAETitle,
      address,
      since,
      instances: 0,
      bytes: 0,
      lastAt: null,
    })
    this.#onNews()
  }

  received(instances: readonly { association: string; size: number; at: string }[]): void {
    for (const { association, size, at } of instances) {
      const open = this.#open.get(association)
      if (!open) continue
      open.instances++
      open.bytes += size
      open.lastAt = at
    }
    const now = performance.now()
    if (now - this.#toldAt < tellMs) return
    this.#toldAt = now
    this.#onNews()
  }

  closed(association: string): void {
    if (this.#open.delete(association)) this.#onNews()
  }

  /** The newest first. */
  list(): OpenArrival[] {
    return [...this.#open.values()].reverse()
  }
}
