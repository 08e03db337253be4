import type { InsightRow } from './rows.ts'

/** What inferences can be grouped by. */
export type Dimension =
  | 'age'
  | 'sex'
  | 'modality'
  | 'scanner'
  | 'bodyPart'
  | 'hour'
  | 'weekday'
  | 'day'
  | 'week'
  | 'month'
  | 'pipeline'
  | 'version'
  | 'route'

/** A group of those that have something in common; `key` orders them, as text. */
export interface GroupName {
  key: string
  label: string
}

const unknown: GroupName = { key: '~', label: 'not known' }
const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

/** Bands of ten years; from 90 on one. */
export function ageBand(age: number): GroupName {
  const from = Math.min(90, Math.floor(age / 10) * 10)
  return { key: String(from).padStart(3, '0'), label: from === 90 ? '90 and older' : `${from} to ${from + 9}` }
}

type Grouped = Pick<
  InsightRow,
  'age' | 'sex' | 'modality' | 'scanner' | 'bodyPart' | 'hour' | 'weekday' | 'at' | 'pipeline' | 'version' | 'route'
>

/** The group that an inference belongs to. Days, weeks (from Monday) and months are those of UTC in which it ended. */
export function groupOf(row: Grouped, by: Dimension): GroupName {
  switch (by) {
    case 'age':
      return row.age === null ? unknown : ageBand(row.age)
    case 'hour':
      return row.hour === null ? unknown : { key: String(row.hour).padStart(2, '0'), label: `${row.hour}:00` }
    case 'weekday':
      return row.weekday === null
        ? unknown
        : { key: String(row.weekday), label: weekdays[row.weekday - 1] ?? unknown.label }
    case 'day':
    case 'week':
    case 'month':
      return periodOf(row.at, by)
    case 'version':
      return named(row.version === null ? null : `${row.pipeline} ${row.version}`)
    case 'route':
      return row.route === null ? { key: '~', label: 'run by hand' } : named(row.route)
    case 'sex':
      return row.sex === null ? unknown : { key: row.sex, label: sexes[row.sex] ?? row.sex }
    case 'modality':
    case 'scanner':
    case 'bodyPart':
    case 'pipeline':
      return named(row[by])
  }
}

const sexes: Readonly<Record<string, string>> = { F: 'female', M: 'male', O: 'other' }

function named(text: string | null): GroupName {
  return text === null ? unknown : { key: text, label: text }
}

const dayMs = 86_400_000

/** The day, week or month of a time; its key is its first day. */
export function periodOf(at: string, by: 'day' | 'week' | 'month'): GroupName {
  const day = at.slice(0, 10)
  if (by === 'day') return { key: day, label: day }
  if (by === 'month') return { key: `${day.slice(0, 7)}-01`, label: day.slice(0, 7) }
  const ms = Date.parse(day)
  const monday = new Date(ms - ((new Date(ms).getUTCDay() + 6) % 7) * dayMs).toISOString().slice(0, 10)
  return { key: monday, label: `week of ${monday}` }
}

/** Periods from the first to the last of some, without a gap. @param keys first days, ascending; @param most of all */
export function everyPeriod(keys: readonly string[], by: 'day' | 'week' | 'month', most = 1000): GroupName[] {
  const [first, last] = [keys[0], keys.at(-1)]
  if (first === undefined || last === undefined) return []
  const periods: GroupName[] = []
  for (let key = first; key <= last && periods.length < most; ) {
    const period = periodOf(key, by)
    periods.push(period)
    key = following(period.key, by)
  }
  return periods
}

function following(key: string, by: 'day' | 'week' | 'month'): string {
  const date = new Date(key)
  if (by === 'month') date.setUTCMonth(date.getUTCMonth() + 1)
  else date.setUTCDate(date.getUTCDate() + (by === 'day' ? 1 : 7))
  return date.toISOString().slice(0, 10)
}

export function isPeriod(by: Dimension): by is 'day' | 'week' | 'month' {
  return by === 'day' || by === 'week' || by === 'month'
}
