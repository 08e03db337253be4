import { describe, expect, it } from 'vitest'
import { type Calendar, calendarSchema, defaultCalendar, offPeakAt } from '../../src/route/calendar.ts'

const berlin: Calendar = {
  timeZone: 'Europe/Berlin',
  windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '20:00', to: '06:00' }],
  exceptions: [
    { date: '2026-12-25', open: 'all-day' },
    { date: '2026-12-28', open: 'closed' },
    { date: '2026-12-29', open: [{ from: '12:00', to: '13:00' }] },
  ],
}
const at = (text: string) => {
  const { opens, closes } = offPeakAt(berlin, new Date(text))
  return [opens?.toISOString().slice(0, 16), closes?.toISOString().slice(0, 16)]
}

describe('the off-peak calendar', () => {
  it('is open in its windows, over midnight, in its time zone', () => {
    expect(at('2026-11-21T20:00:00Z')).toEqual(['2026-11-21T20:00', '2026-11-22T05:00'])
    expect(at('2026-11-22T04:59:00Z')).toEqual(['2026-11-22T04:59', '2026-11-22T05:00'])
    expect(at('2026-11-22T05:00:00Z')).toEqual(['2026-11-22T19:00', undefined])
    expect(at('2026-07-01T12:00:00Z')).toEqual(['2026-07-01T18:00', undefined])
  })

  it('keeps local times when the clocks change', () => {
    // 2026-10-25 at 03:00 summer time ends: the window is eleven hours long.
    expect(at('2026-10-24T18:00:00Z')).toEqual(['2026-10-24T18:00', '2026-10-25T05:00'])
    expect(at('2026-03-28T19:00:00Z')).toEqual(['2026-03-28T19:00', '2026-03-29T04:00'])
  })

  it('follows its exceptions: a day that is open, one that is closed, one with hours of its own', () => {
    // From 20:00 of the 24th through the 25th: the windows of the 25th are replaced, and end at its midnight.
    expect(at('2026-12-25T11:00:00Z')).toEqual(['2026-12-25T11:00', '2026-12-25T23:00'])
    // The window of the 27th goes on in the morning of the 28th, which begins none; nor does the evening of the 29th.
    expect(at('2026-12-28T04:00:00Z')).toEqual(['2026-12-28T04:00', '2026-12-28T05:00'])
    expect(at('2026-12-28T10:00:00Z')).toEqual(['2026-12-29T11:00', undefined])
    expect(at('2026-12-29T12:00:00Z')).toEqual(['2026-12-30T19:00', undefined])
  })

  it('joins windows that touch, and says where none comes', () => {
    const weekend = { ...defaultCalendar, timeZone: 'UTC' }
    const { closes } = offPeakAt(weekend, new Date('2026-11-20T21:00:00Z')) // a Friday
    expect(closes?.toISOString()).toBe('2026-11-23T07:00:00.000Z')
    const over: Calendar = { windows: [], exceptions: [{ date: '2020-01-01', open: 'all-day' }] }
    expect(offPeakAt(over, new Date())).toEqual({ opens: null, closes: null })
  })

  it('refuses what would never open, and zones that are not there', () => {
    expect(calendarSchema.safeParse({ windows: [] }).success).toBe(false)
    expect(calendarSchema.safeParse({ ...defaultCalendar, timeZone: 'Mars/Olympus' }).success).toBe(false)
    expect(calendarSchema.safeParse(defaultCalendar).success).toBe(true)
  })
})
