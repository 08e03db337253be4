/** Time, and being woken at a time; tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back once after so many milliseconds; returns what cancels it. */
  after(ms: number, callback: () => void): () => void
}

/** The longest that a timer of Node takes; whoever is woken early looks at the clock again. */
const longestTimer = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 1), longestTimer))
    return () => clearTimeout(timer)
  },
}
