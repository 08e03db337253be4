import type { RetryClass } from '../errors.ts'

export interface RetryPolicy {
  /** Milliseconds: the upper bound of the first pause; it doubles with each attempt. */
  baseMs: number
  /** Milliseconds: no pause is longer. */
  capMs: number
  /** After so many attempts the delivery has failed. */
  attempts: number
}

/** Pauses of up to 5 s, 10 s, 20 s … 10 min: twelve attempts span about 45 minutes on average. */
export const defaultRetryPolicy: RetryPolicy = { baseMs: 5_000, capMs: 600_000, attempts: 12 }

/**
 * How long to wait before the next attempt: exponential with full jitter, so that a server that comes back is not met by every sender
 * at the same moment.
 * @param attempt how many attempts have been made, from 1
 * @returns milliseconds, or null where there must be no other attempt: a permanent error, or the attempts are used up
 */
export function nextAttempt(
  attempt: number,
  retry: RetryClass,
  { policy = defaultRetryPolicy, random = Math.random }: { policy?: RetryPolicy; random?: () => number } = {},
): number | null {
  if (retry === 'permanent' || attempt >= policy.attempts) return null
  const bound = Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1))
  // At least a tenth of the bound: a pause of zero would be no pause.
  return Math.round(bound * (0.1 + 0.9 * random()))
}

/** The class of several failures together: worth another attempt when any of them is. */
export function worstClass(classes: readonly RetryClass[]): RetryClass {
  if (classes.includes('ambiguous')) return 'ambiguous'
  return classes.includes('transient') ? 'transient' : 'permanent'
}
