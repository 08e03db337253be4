/** Words and numbers for people. */

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const exactFormat = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
  hourCycle: 'h23',
})

/** `1,204`: with thousands, and at most so many decimals. */
export function number(value: number, decimals = 0): string {
  return value.toLocaleString('en-GB', { maximumFractionDigits: decimals })
}

/** `1 study`, `3 studies`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}

/** Bytes as people write them: `1.4 GiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)))
  const value = count / 1024 ** unit
  return `${number(value, unit > 0 && value < 10 ? 1 : 0)} ${units[unit]}`
}

/** `310 ms`, `4.1 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${number(ms / 1000, 1)} s`
  const seconds = Math.round(ms / 1000)
  const pair = (a: number, one: string, b: number, other: string) =>
    b === 0 ? `${a} ${one}` : `${a} ${one} ${b} ${other}`
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

/** `just now`, `4 min ago`, `in 2 h`, `14:05`, `yesterday, 14:05`, `3 Nov 2026`. @param now ms since the epoch */
export function timeAgo(at: string, now: number): string {
  const date = new Date(at)
  const seconds = Math.round((now - date.getTime()) / 1000)
  const away = Math.abs(seconds)
  const side = (words: string) => (seconds >= 0 ? `${words} ago` : `in ${words}`)
  if (Number.isNaN(seconds)) return at
  if (away < 5) return 'just now'
  if (away < 60) return side(`${away} s`)
  if (away < 3600) return side(`${Math.round(away / 60)} min`)
  if (away < 6 * 3600) return side(`${Math.round(away / 3600)} h`)
  const days = Math.round((startOfDay(now) - startOfDay(date.getTime())) / 86_400_000)
  const hour = clockFormat.format(date)
  if (days === 0) return `today, ${hour}`
  if (days === 1) return `yesterday, ${hour}`
  if (days === -1) return `tomorrow, ${hour}`
  return Math.abs(days) < 7 ? `${dayFormat.format(date)}, ${hour}` : dayFormat.format(date)
}

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0)
}

/** The exact moment, in the reader's time zone. */
export function exactly(at: string): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? at : exactFormat.format(date)
}

/** `14:05:12` of a moment. */
export function clock(at: string): string {
  return new Date(at).toLocaleTimeString('en-GB', { hourCycle: 'h23' })
}

/** PS3.5 6.2.1.1: `DOE^JANE^M` as `DOE, Jane M` would need the case, which is not known: `DOE, JANE M`. */
export function personName(value: string | null | undefined): string {
  const [alphabetic = ''] = (value ?? '').split('=')
  const [family = '', ...given] = alphabetic.split('^').map((part) => part.trim())
  const rest = given.slice(0, 2).filter(Boolean).join(' ')
  return [family, rest].filter(Boolean).join(', ') || 'No name'
}

/** `20260131` as `31 Jan 2026`; what is no date stays as it is. */
export function dicomDate(value: string | null | undefined): string {
  const found = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(value ?? '')
  if (!found) return value ?? ''
  const [, year, month, day] = found.map(Number)
  return dayFormat.format(new Date(year ?? 0, (month ?? 1) - 1, day ?? 1))
}

/** `name@sha256:…` as the name alone. */
export function pipelineName(pipeline: string | null | undefined): string {
  return (pipeline ?? '').split('@')[0] ?? ''
}

/** As much of a pipeline's digest as tells versions apart; nothing where it has none. */
export function pipelineDigest(pipeline: string | null | undefined): string {
  return /@sha256:([0-9a-f]{12})/.exec(pipeline ?? '')?.[1] ?? ''
}

/** UCUM as people write it. */
export function unitName(ucum: string): string {
  const names: Readonly<Record<string, string>> = {
    "[hnsf'U]": 'HU',
    '[hnsf’U]': 'HU',
    '1': '',
    '{counts}': '',
    cm3: 'cm³',
    mm3: 'mm³',
    mm2: 'mm²',
    cm2: 'cm²',
  }
  return names[ucum] ?? ucum
}

/** As many digits as the measurement is worth, with its unit. */
export function quantity(value: number, unit: string): string {
  const digits = unit === 'L' ? 2 : Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const text = value.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text.replace('-', '−')} ${unitName(unit)}`.trim()
}

/** `user:admin` as `admin`, `token:pacs` as `token pacs`, `system` as `the node`. */
export function actorName(actor: string): string {
  if (actor === 'system') return 'the node'
  const [kind, ...rest] = actor.split(':')
  if (rest.length === 0) return actor
  return kind === 'user' ? rest.join(':') : `${kind} ${rest.join(':')}`
}

/** A destination as people call it: `self` is this node. @param place where it stands: alone, or inside a sentence */
export function destinationName(name: string, place: 'alone' | 'inside' = 'alone'): string {
  if (name !== 'self') return name
  return place === 'alone' ? 'This node' : 'this node'
}
