import type { CommandSet } from './command-set.ts'
import { DimseError } from './error.ts'

interface Pending {
  since: number
  resolve(response: CommandSet): void
  reject(error: DimseError): void
}

/**
 * Requests of ours on an association that a peer opened: sub-operations of C-GET and N-EVENT-REPORT. One is under way at a
 * time, because no window was asked for; responses are matched by message ID.
 */
export class OutgoingRequests {
  readonly #pending = new Map<number, Pending>()
  #tail: Promise<unknown> = Promise.resolve()
  #messageID = 0
  #ended: DimseError | null = null

  /**
   * Sends a request and waits for its response.
   * @param send writes the request with the message ID given
   * @throws {DimseError} `association-lost`; and what `send` throws
   */
  request(send: (messageID: number) => Promise<void>): Promise<CommandSet> {
    const answered = this.#tail.then(() => this.#request(send))
    this.#tail = answered.catch(() => undefined)
    return answered
  }

  async #request(send: (messageID: number) => Promise<void>): Promise<CommandSet> {
    if (this.#ended) throw this.#ended
    this.#messageID = (this.#messageID % 0xffff) + 1
    const messageID = this.#messageID
    const response = new Promise<CommandSet>((resolve, reject) => {
      this.#pending.set(messageID, { since: Date.now(), resolve, reject })
    })
    // Awaited below, after the request is written; until then a failure must not count as unhandled.
    response.catch(() => undefined)
    try {
      await send(messageID)
      const pending = this.#pending.get(messageID)
      if (pending) pending.since = Date.now()
      return await response
    } finally {
      this.#pending.delete(messageID)
    }
  }

  /** @returns false when nothing with this message ID was requested */
  answer(response: CommandSet): boolean {
    const pending = this.#pending.get(response.messageIDBeingRespondedTo ?? 0)
    pending?.resolve(response)
    return pending !== undefined
  }

  /** Clock reading of the request that is waiting for its response, in ms; null when none is. */
  get waitingSince(): number | null {
    for (const { since } of this.#pending.values()) return since
    return null
  }

  /** The association has ended: what is waiting fails, and so does what comes. */
  end(): void {
    this.#ended = new DimseError('association-lost', 'the association ended before the response', {
      retry: 'ambiguous',
    })
    for (const { reject } of this.#pending.values()) reject(this.#ended)
    this.#pending.clear()
  }
}
