import type { Knex } from 'knex'

/** What a route decided on the studies of the last days. */
export interface RouteActivity {
  route: string
  /** Studies that it was asked about. */
  asked: number
  matched: number
  /** Every day of the time that was asked for, the oldest first; UTC. */
  days: { date: string; asked: number; matched: number }[]
}

interface Counted {
  route: string
  date: string
  asked: number | string
  matched: number | string
}

/** Decisions that are counted at most: the newest. */
const mostDecisions = 500_000
const dayMs = 86_400_000

/**
 * How many studies each route was asked about and matched, by day. A study that was decided again on a day counts once.
 * @param days how many, today among them
 */
export async function routeActivity(database: Knex, days: number, now: Date): Promise<RouteActivity[]> {
  const dates = Array.from({ length: days }, (_, back) =>
    new Date(now.getTime() - (days - 1 - back) * dayMs).toISOString().slice(0, 10),
  )
  const since = `${dates[0]}T00:00:00.000Z`
  const rows: Counted[] = await database('decisions')
    .where('id', '>=', await firstSince(database, since))
    .where('at', '>=', since)
    .select('route', database.raw('substr(at, 1, 10) as date'))
    .select(database.raw('count(distinct study_id) as asked'))
    .select(database.raw('count(distinct case when matched = 1 then study_id end) as matched'))
    .groupBy('route', database.raw('substr(at, 1, 10)'))
  const byRoute = new Map<string, Map<string, { asked: number; matched: number }>>()
  for (const { route, date, asked, matched } of rows) {
    const known = byRoute.get(route) ?? new Map<string, { asked: number; matched: number }>()
    byRoute.set(route, known.set(date, { asked: Number(asked), matched: Number(matched) }))
  }
  return [...byRoute].map(([route, known]) => {
    const counted = dates.map((date) => ({ date, ...(known.get(date) ?? { asked: 0, matched: 0 }) }))
    const sum = (key: 'asked' | 'matched') => counted.reduce((total, day) => total + day[key], 0)
    return { route, asked: sum('asked'), matched: sum('matched'), days: counted }
  })
}

/** The id from which on decisions are of the time: ids grow with it, so that no index over the time is needed. */
async function firstSince(database: Knex, since: string): Promise<number> {
  const newest: { id?: number | null } | undefined = await database('decisions').max('id as id').first()
  let high = (newest?.id ?? 0) + 1
  let low = Math.max(1, high - mostDecisions)
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const found: { id: number; at: string } | undefined = await database('decisions')
      .where('id', '>=', middle)
      .orderBy('id')
      .first('id', 'at')
    if (found && found.at < since) low = found.id + 1
    else high = middle
  }
  return low
}
