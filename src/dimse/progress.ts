/** Bytes a window below which a peer counts as stuck: 16 KiB a minute by default. */
const minimumProgress = 16 * 1024

/** The limits of a connection's patience, in ms. */
export interface TimeOuts {
  /** From the connection to the end of the association request (the ARTIM timer of PS3.8 9.1.5). */
  associationTimeoutMs: number
  /** Without a message on an open association, and without the response to a request of ours. */
  idleTimeoutMs: number
  /** In which a message under way has to end, or bring 16 KiB; and in which a peer has to take 16 KiB of what waits for it. */
  pduTimeoutMs: number
}

/** What a connection is doing when its patience is looked at. */
export interface Activity {
  doing: 'requesting' | 'idle' | 'receiving' | 'held'
  openedAt: number
  lastBytesAt: number
  bytesRead: number
  /** Clock reading of our own request that waits for its response; null when none does. */
  waitingSince: number | null
  /** Bytes that the peer has taken. */
  bytesWritten: number
  /** Bytes that wait to be taken. */
  bytesUnwritten: number
}

/**
 * Finds out whether a peer takes too long. A sender that trickles is caught, because a message has to progress, and so is a
 * receiver that does not read; one that waits for us is not.
 */
export class ProgressWatch {
  readonly #limits: TimeOuts
  readonly #received = new Progress()
  readonly #taken = new Progress()

  constructor(limits: TimeOuts) {
    this.#limits = limits
  }

  /**
   * @param now clock reading in ms
   * @returns what was exceeded, as a sentence, or null
   */
  exceeded(now: number, activity: Activity): string | null {
    const { associationTimeoutMs, idleTimeoutMs, pduTimeoutMs } = this.#limits
    const { bytesWritten, bytesUnwritten, waitingSince } = activity
    if (activity.doing !== 'receiving') this.#received.restart()
    if (bytesUnwritten === 0) this.#taken.restart()
    else if (this.#taken.isStuck({ now, bytes: bytesWritten, expected: bytesUnwritten, withinMs: pduTimeoutMs }))
      return `nothing of our messages taken within ${pduTimeoutMs} ms`
    if (waitingSince !== null && bytesUnwritten === 0 && now - waitingSince >= idleTimeoutMs)
      return `no response to a request of ours within ${idleTimeoutMs} ms`
    switch (activity.doing) {
      case 'requesting':
        return now - activity.openedAt >= associationTimeoutMs
          ? `no association request within ${associationTimeoutMs} ms`
          : null
      case 'idle':
        return waitingSince === null && now - activity.lastBytesAt >= idleTimeoutMs
          ? `no message within ${idleTimeoutMs} ms`
          : null
      case 'receiving':
        return this.#received.isStuck({ now, bytes: activity.bytesRead, expected: Infinity, withinMs: pduTimeoutMs })
          ? `no progress of a message within ${pduTimeoutMs} ms`
          : null
      case 'held':
        return null
    }
  }

  /** A message has ended: the next one has a window of its own. */
  messageEnded(): void {
    this.#received.restart()
  }
}

/** Whether bytes go on in one direction, window by window. */
class Progress {
  #window: { since: number; bytes: number; expected: number } | null = null

  restart(): void {
    this.#window = null
  }

  /** @param expected bytes that there are to come: no more progress than them is asked for */
  isStuck(seen: { now: number; bytes: number; expected: number; withinMs: number }): boolean {
    const { now, bytes, expected, withinMs } = seen
    this.#window ??= { since: now, bytes, expected }
    if (now - this.#window.since < withinMs) return false
    if (bytes - this.#window.bytes < Math.min(minimumProgress, this.#window.expected)) return true
    this.#window = { since: now, bytes, expected }
    return false
  }
}
