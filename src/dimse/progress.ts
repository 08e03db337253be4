/** Bytes a window below which a sender counts as stuck: 16 KiB a minute by default. */
const minimumProgress = 16 * 1024

/** The limits of a connection's patience, in ms. */
export interface TimeOuts {
  /** From the connection to the end of the association request (the ARTIM timer of PS3.8 9.1.5). */
  associationTimeoutMs: number
  /** Without a message, on an open association. */
  idleTimeoutMs: number
  /** In which a message under way has to end, or bring 16 KiB. */
  pduTimeoutMs: number
}

/** What a connection is doing when its patience is looked at. */
export interface Activity {
  doing: 'requesting' | 'idle' | 'receiving' | 'held'
  openedAt: number
  lastBytesAt: number
  bytesRead: number
}

/**
 * Finds out whether a peer takes too long. A sender that trickles is caught, because a message has to progress; one that waits
 * for us is not.
 */
export class ProgressWatch {
  readonly #limits: TimeOuts
  #window: { since: number; bytes: number } | null = null

  constructor(limits: TimeOuts) {
    this.#limits = limits
  }

  /**
   * @param now clock reading in ms
   * @returns what was exceeded, as a sentence, or null
   */
  exceeded(now: number, activity: Activity): string | null {
    const { associationTimeoutMs, idleTimeoutMs, pduTimeoutMs } = this.#limits
    if (activity.doing !== 'receiving') this.#window = null
    switch (activity.doing) {
      case 'requesting':
        return now - activity.openedAt >= associationTimeoutMs
          ? `no association request within ${associationTimeoutMs} ms`
          : null
      case 'idle':
        return now - activity.lastBytesAt >= idleTimeoutMs ? `no message within ${idleTimeoutMs} ms` : null
      case 'receiving':
        return this.#isStuck(now, activity.bytesRead) ? `no progress of a message within ${pduTimeoutMs} ms` : null
      case 'held':
        return null
    }
  }

  /** A message has ended: the next one has a window of its own. */
  messageEnded(): void {
    this.#window = null
  }

  #isStuck(now: number, bytes: number): boolean {
    this.#window ??= { since: now, bytes }
    if (now - this.#window.since < this.#limits.pduTimeoutMs) return false
    if (bytes - this.#window.bytes < minimumProgress) return true
    this.#window = { since: now, bytes }
    return false
  }
}
