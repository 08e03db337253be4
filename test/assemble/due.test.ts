import { expect, it } from 'vitest'
import { completionDue } from '../../src/assemble/due.ts'

const settings = { quietSeconds: 20, releaseSeconds: 5 }
const study = { lastInstanceAt: 100_000, releasedAt: null, listeningSince: 0 }

it('waits for quiet after the last instance while an association is open', () => {
  expect(completionDue(study, settings, null)).toEqual({ at: 120_000, reason: 'quiet 20 s after the last instance' })
})

it('waits shorter after association release', () => {
  const due = completionDue({ ...study, releasedAt: 101_000 }, settings, null)
  expect(due).toEqual({ at: 106_000, reason: 'quiet 5 s after association release' })
})

it('never waits longer because of a late release', () => {
  const due = completionDue({ ...study, releasedAt: 118_000 }, settings, null)
  expect(due).toEqual({ at: 120_000, reason: 'quiet 20 s after the last instance' })
})

it("takes a route's quiet time for both, and names the route", () => {
  const due = completionDue({ ...study, releasedAt: 101_000 }, settings, { seconds: 60, because: 'route slow-scanner' })
  expect(due).toEqual({ at: 160_000, reason: 'quiet 60 s after the last instance (route slow-scanner)' })
})

it('does not take the time in which the node was down for quiet', () => {
  const restarted = { ...study, listeningSince: 500_000 }
  expect(completionDue(restarted, settings, null)).toEqual({ at: 520_000, reason: 'quiet 20 s after the node started' })
  expect(completionDue({ ...restarted, releasedAt: 101_000 }, settings, null).at).toBe(505_000)
})
