import { z } from 'zod'

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'a time such as 19:30 is expected')
const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const hours = z.strictObject({
  from: time.describe('Local time.'),
  to: time.describe('Local time; not later than from: of the next day.'),
})

/** When jobs of off-peak routes may begin. */
export const calendarSchema = z
  .strictObject({
    timeZone: z
      .string()
      .min(1)
      .max(64)
      .refine(isTimeZone, 'a time zone of the IANA list is expected, such as Europe/Berlin')
      .optional()
      .describe('Left out: that of the machine.'),
    windows: z
      .array(hours.extend({ days: z.array(z.enum(weekdays)).min(1).max(7).describe('On which a window begins.') }))
      .max(50)
      .describe('The windows of every week.'),
    exceptions: z
      .array(
        z.strictObject({
          date: z.string().regex(/^\d{4}-\d\d-\d\d$/, 'a date such as 2026-12-25 is expected'),
          open: z
            .union([z.enum(['all-day', 'closed']), z.array(hours).min(1).max(10)])
            .describe('Instead of the windows that begin on this day of the week; windows of the day before go on.'),
          comment: z.string().max(200).optional(),
        }),
      )
      .max(500)
      .default([])
      .describe('Days that differ, such as holidays.'),
  })
  .refine(({ windows, exceptions }) => windows.length > 0 || exceptions.some(({ open }) => open !== 'closed'), {
    path: ['windows'],
    message: 'at least one window: else off-peak jobs would never run',
  })
  .describe('When jobs of off-peak routes run.')

export type Calendar = z.output<typeof calendarSchema>

/** Every night, and the weekend. */
export const defaultCalendar: Calendar = {
  windows: [
    { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '19:00', to: '07:00' },
    { days: ['sat', 'sun'], from: '00:00', to: '24:00' },
    { days: ['sun'], from: '19:00', to: '07:00' },
  ],
  exceptions: [],
}

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** How far ahead a window is looked for, in days. */
const horizon = 400

/** Minutes of a day from midnight to where a window begins and ends; more than 1440 on the next day. */
type Span = [from: number, to: number]

/**
 * Whether off-peak jobs may begin now, and when they may next.
 * @returns `opens`: the given instant where a window is open, else the beginning of the next one; null where none begins within 400 days.
 *   `closes`: the end of the open window, null where none is open
 */
export function offPeakAt(calendar: Calendar, at: Date): { opens: Date | null; closes: Date | null } {
  const clock = new LocalClock(calendar.timeZone)
  const today = clock.dayOf(at)
  const open = clock.spansAround(calendar, today).find(([from, to]) => from <= at.getTime() && at.getTime() < to)
  if (open) return { opens: at, closes: new Date(lastEnd(clock, calendar, today, open[1])) }
  for (let day = today; day <= today + horizon; day++) {
    const begins = clock
      .spans(calendar, day)
      .map(([from]) => from)
      .filter((from) => from > at.getTime())
    if (begins.length > 0) return { opens: new Date(Math.min(...begins)), closes: null }
  }
  return { opens: null, closes: null }
}

/** Windows that touch are one: the end of the last of those that follow each other, within eight days. */
function lastEnd(clock: LocalClock, calendar: Calendar, today: number, end: number): number {
  let last = end
  for (let day = today; day <= today + 8; day++)
    for (const [from, to] of clock.spans(calendar, day).sort((a, b) => a[0] - b[0]))
      if (from <= last && to > last) last = to
  return last
}

/** Days of a time zone, counted from 1970-01-01, and the instants of their times. */
class LocalClock {
  readonly #format: Intl.DateTimeFormat

  constructor(timeZone: string | undefined) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      ...(timeZone !== undefined && { timeZone }),
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** The local time as if it were UTC, in milliseconds. */
  #local(at: number): number {
    const part = Object.fromEntries(this.#format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
    return Date.UTC(year, month - 1, day, hour, minute, second)
  }

  dayOf(at: Date): number {
    return Math.floor(this.#local(at.getTime()) / 86_400_000)
  }

  /** The instant of a local time. One that the change to summer time leaves out is taken an hour later. */
  #instant(day: number, minutes: number): number {
    const local = day * 86_400_000 + minutes * 60_000
    let instant = local
    for (let i = 0; i < 3; i++) instant += local - this.#local(instant)
    return instant
  }

  /** The windows that begin on a day. */
  spans(calendar: Calendar, day: number): Span[] {
    const date = new Date(day * 86_400_000)
    const iso = date.toISOString().slice(0, 10)
    const exception = calendar.exceptions.find((one) => one.date === iso)?.open
    const weekday = weekdays[(date.getUTCDay() + 6) % 7]
    const begin =
      exception === 'closed'
        ? []
        : exception === 'all-day'
          ? [{ from: '00:00', to: '24:00' }]
          : (exception ?? calendar.windows.filter(({ days }) => weekday !== undefined && days.includes(weekday)))
    return begin.map(({ from, to }) => {
      const [first, last] = [minutesOf(from), minutesOf(to)]
      return [this.#instant(day, first), this.#instant(day, last <= first ? last + 1440 : last)]
    })
  }

  /** Those of a day and of the day before, which may go on. */
  spansAround(calendar: Calendar, day: number): Span[] {
    return [...this.spans(calendar, day - 1), ...this.spans(calendar, day)]
  }
}

function minutesOf(text: string): number {
  const [hour = 0, minute = 0] = text.split(':').map(Number)
  return hour * 60 + minute
}
