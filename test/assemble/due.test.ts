import { describe, expect, it } from 'vitest'
import { completionDue, type Expectation, nothingExpected, type Receiving } from '../../src/assemble/due.ts'

const settings = { quietSeconds: 20, releaseSeconds: 5, longestSeconds: 300 }
const study: Receiving = { lastInstanceAt: 100_000, releasedAt: null, listeningSince: 0 }
const released = { ...study, releasedAt: 101_000 }
const slowRoute = { seconds: 60, because: 'route slow-scanner' }
const knowing = (known: Partial<Expectation>): Expectation => ({ ...nothingExpected, ...known })
const due = (known: Partial<Expectation>, of: Receiving = released, override: typeof slowRoute | null = null) =>
  completionDue(of, settings, override, knowing(known))

describe('a study of which nothing is known', () => {
  it('waits for quiet after the last instance while an association is open', () => {
    expect(due({}, study)).toMatchObject({ at: 120_000, reason: 'quiet 20 s after the last instance' })
  })

  it('waits shorter after association release', () => {
    expect(due({})).toMatchObject({ at: 106_000, reason: 'quiet 5 s after association release' })
  })

  it('never waits longer because of a late release', () => {
    const late = { ...study, releasedAt: 118_000 }
    expect(due({}, late)).toMatchObject({ at: 120_000, reason: 'quiet 20 s after the last instance' })
  })

  it("takes a route's quiet time for both, and names the route", () => {
    const reason = 'quiet 60 s after the last instance (route slow-scanner)'
    expect(due({}, released, slowRoute)).toMatchObject({ at: 160_000, reason })
  })

  it('does not take the time in which the node was down for quiet', () => {
    const restarted = { ...study, listeningSince: 500_000 }
    expect(due({}, restarted)).toMatchObject({ at: 520_000, reason: 'quiet 20 s after the node started' })
    expect(due({}, { ...restarted, releasedAt: 101_000 }).at).toBe(505_000)
  })

  it('has its archives asked when it would be complete', () => {
    expect(due({}).asksArchives).toBe(true)
  })
})

describe('a study whose instances are listed', () => {
  const listed = { expected: 143, present: 143, by: 'MPPS 1.2.3 lists', isNews: true }

  it('is complete at once when all of them are here, whatever is open or wanted', () => {
    const reason = 'all 143 instances that MPPS 1.2.3 lists are here'
    const found = { at: 100_000, reason, asksArchives: false }
    expect(due({ listed }, study)).toEqual(found)
    expect(due({ listed, missingSeries: 'route a has no series for its input "b"' }, study, slowRoute)).toEqual(found)
    expect(due({ listed: { ...listed, expected: 1, present: 1 } }).reason).toBe(
      'the one instance that MPPS 1.2.3 lists is here',
    )
  })

  it('waits for those that are missing, and says how many there were', () => {
    const reason = '300 s after the last instance: 120 of 143 instances that MPPS 1.2.3 lists'
    const found = due({ listed: { ...listed, present: 120 } })
    expect(found).toEqual({ at: 400_000, reason, asksArchives: false })
  })

  it('waits as usual where the newest revision had them all already', () => {
    expect(due({ listed: { ...listed, isNews: false } })).toMatchObject({ at: 106_000, asksArchives: true })
  })

  it('waits for a step in progress, whatever another one lists', () => {
    const reason = '300 s after the last instance: MPPS 1.2.4 is still in progress'
    expect(due({ listed, inProgress: 'MPPS 1.2.4' })).toEqual({ at: 400_000, reason, asksArchives: false })
  })

  it('waits from the start of the node where that was later', () => {
    const restarted = { ...released, listeningSince: 500_000 }
    const reason = '300 s after the node started: MPPS 1.2.4 is still in progress'
    expect(due({ inProgress: 'MPPS 1.2.4' }, restarted)).toMatchObject({ at: 800_000, reason })
  })

  it('is not complete sooner than by quiet, however short the longest wait is', () => {
    const short = { ...settings, longestSeconds: 2 }
    const missing = knowing({ listed: { ...listed, present: 120 } })
    expect(completionDue(released, short, null, missing)).toMatchObject({
      at: 106_000,
      reason: 'quiet 5 s after association release; 120 of 143 instances that MPPS 1.2.3 lists',
    })
  })
})

describe('a study of which nothing more is to come', () => {
  const ended = { sentence: 'MPPS 1.2.3 was discontinued', final: true }

  it('is complete after association release, although a route wants another quiet time or a series', () => {
    const reason = 'quiet 5 s after association release; MPPS 1.2.3 was discontinued'
    const missingSeries = 'route a has no series for its input "b"'
    expect(due({ ended, missingSeries }, released, slowRoute)).toEqual({ at: 106_000, reason, asksArchives: false })
  })

  it('waits for quiet while an association is open', () => {
    expect(due({ ended }, study).at).toBe(120_000)
    expect(due({ ended }, study, slowRoute).at).toBe(160_000)
  })

  it('may still be known better by an archive, unless that is final', () => {
    expect(due({ ended: { ...ended, final: false } }).asksArchives).toBe(true)
    const counted = { expected: 143, present: 120, by: 'archive pacs counts' }
    expect(due({ ended: { ...ended, final: false }, archives: { counted, failures: [] } }).at).toBe(400_000)
  })
})

describe('a study of which a route lacks a series', () => {
  it('waits for it, and names the route', () => {
    const missingSeries = 'route brain has no series for its input "flair"'
    const reason = `300 s after the last instance: ${missingSeries}`
    expect(due({ missingSeries })).toEqual({ at: 400_000, reason, asksArchives: false })
  })
})

describe('a study that an archive was asked about', () => {
  const counted = { expected: 143, present: 120, by: 'archive pacs counts' }

  it('waits for what the archive has more', () => {
    const reason = '300 s after the last instance: 120 of 143 instances that archive pacs counts'
    expect(due({ archives: { counted, failures: [] } })).toEqual({ at: 400_000, reason, asksArchives: false })
  })

  it('is complete as usual where the archive has no more, and says so', () => {
    const reason = 'quiet 5 s after association release; all 143 instances that archive pacs counts are here'
    for (const present of [143, 150]) {
      const archives = { counted: { ...counted, present }, failures: ['archive old did not answer within 10 s'] }
      expect(due({ archives })).toEqual({ at: 106_000, reason, asksArchives: false })
    }
  })

  it('is complete as usual where no archive answered, and says so', () => {
    const archives = { counted: null, failures: ['archive pacs did not answer within 10 s'] }
    const reason = 'quiet 5 s after association release; archive pacs did not answer within 10 s'
    expect(due({ archives })).toEqual({ at: 106_000, reason, asksArchives: false })
  })

  it('is complete as usual where no archive knows it', () => {
    const reason = 'quiet 5 s after association release'
    expect(due({ archives: { counted: null, failures: [] } })).toEqual({ at: 106_000, reason, asksArchives: false })
  })
})
