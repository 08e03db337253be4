import { describe, expect, it } from 'vitest'
import { defaultRetryPolicy, nextAttempt, worstClass } from '../../src/deliver/retry-policy.ts'

describe('the retry policy', () => {
  it('never repeats a permanent failure', () => {
    expect(nextAttempt(1, 'permanent')).toBeNull()
  })

  it('doubles the bound with each attempt, up to the cap, and stays below it', () => {
    const longest = (attempt: number) => nextAttempt(attempt, 'transient', { random: () => 1 })
    expect([1, 2, 3, 9].map(longest)).toEqual([5_000, 10_000, 20_000, 600_000])
    expect(nextAttempt(3, 'ambiguous', { random: () => 0 })).toBe(2_000)
  })

  it('ends after its attempts', () => {
    expect(nextAttempt(defaultRetryPolicy.attempts, 'transient')).toBeNull()
  })

  it('tries again where any of several failures is worth it', () => {
    expect(worstClass(['permanent', 'transient'])).toBe('transient')
    expect(worstClass(['permanent', 'ambiguous', 'transient'])).toBe('ambiguous')
    expect(worstClass(['permanent'])).toBe('permanent')
  })
})
