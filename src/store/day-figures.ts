import type { Knex } from 'knex'

/** What became of studies in a quarter of an hour. */
export interface QuarterFigures {
  /** Whose last instance came then. */
  studies: number
  /** Of those studies. */
  instances: number
  /** Studies whose results were all delivered then. */
  delivered: number
  /** Jobs that failed then, by no fault of the input and on nobody's word. */
  failed: number
  /** Seconds from the last instance to the last delivered result. */
  latencyMedian: number | null
  latency95: number | null
  /** Of the delivered, those that took longer than is wanted. */
  late: number
}

/** Deliveries of a quarter that are looked at: the latency of more is that of these. */
const mostDeliveries = 5000

/**
 * Figures of the time from `from` to `to` (ISO 8601 UTC). Every question is answered by an index, whatever the archive holds.
 * @param lateAfter seconds
 */
export async function figuresOf(database: Knex, from: string, to: string, lateAfter: number): Promise<QuarterFigures> {
  const [arrived] = await database('studies')
    .where('last_instance_at', '>=', from)
    .andWhere('last_instance_at', '<', to)
    .select<{ n: number; instances: number | string | null }[]>(
      database.raw('count(*) as n'),
      database.raw('sum(source_instances) as instances'),
    )
  const inTime = (kind: string, state: string) =>
    database('jobs')
      .where({ 'jobs.kind': kind, 'jobs.state': state })
      .andWhere('jobs.finished_at', '>=', from)
      .andWhere('jobs.finished_at', '<', to)
  const failures = await Promise.all(
    ['infer', 'deliver'].map((kind) =>
      inTime(kind, 'failed').where({ refused: 0, cancelled: 0, shadow: 0 }).count<{ n: number }[]>('* as n'),
    ),
  )
  const delivered: { finished: string; arrived: string }[] = await inTime('deliver', 'done')
    .join('studies', 'studies.id', 'jobs.study_id')
    // The last delivery of a study counts.
    .whereNotExists(
      database({ later: 'jobs' })
        .select(database.raw('1'))
        .whereRaw("later.study_id = jobs.study_id and later.kind = 'deliver'")
        .whereRaw(
          `(later.state in ('queued', 'running') or (later.state = 'failed' and later.cancelled = 0)
            or (later.state = 'done' and (later.finished_at, later.id) > (jobs.finished_at, jobs.id)))`,
        ),
    )
    .limit(mostDeliveries)
    .select({ finished: 'jobs.finished_at', arrived: 'studies.last_instance_at' })
  const seconds = delivered
    .map((one) => (Date.parse(one.finished) - Date.parse(one.arrived)) / 1000)
    // Instances that came since belong to a later revision.
    .filter((latency) => latency >= 0)
    .sort((a, b) => a - b)
  return {
    studies: arrived?.n ?? 0,
    instances: Number(arrived?.instances ?? 0),
    delivered: delivered.length,
    failed: failures.reduce((sum, [row]) => sum + (row?.n ?? 0), 0),
    latencyMedian: quantile(seconds, 0.5),
    latency95: quantile(seconds, 0.95),
    late: seconds.filter((latency) => latency > lateAfter).length,
  }
}

/** The smallest value that so many are at most; null of none. @param sorted ascending */
export function quantile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null
}

const quarterMs = 15 * 60_000
/** A quarter that ended so long ago is not asked about again: clocks of several nodes differ, and transactions take a while. */
const settledMs = 60_000

/** The figures of a day by quarters of an hour; quarters that are over are asked for once. */
export class DayFigures {
  readonly #database: Knex
  readonly #lateAfter: number
  readonly #settled = new Map<number, QuarterFigures>()

  /** @param lateAfter seconds from the last instance to the last delivered result: more is late */
  constructor(database: Knex, lateAfter: number) {
    this.#database = database
    this.#lateAfter = lateAfter
  }

  /** The quarters from a time up to now. @param from beginning of the first, ms since 1970 */
  async since(from: number, now: number): Promise<(QuarterFigures & { from: string })[]> {
    for (const at of this.#settled.keys()) if (at < from) this.#settled.delete(at)
    const quarters: (QuarterFigures & { from: string })[] = []
    for (let at = from; at <= now; at += quarterMs) {
      const known = this.#settled.get(at)
      const [first, last] = [new Date(at).toISOString(), new Date(at + quarterMs).toISOString()]
      const figures = known ?? (await figuresOf(this.#database, first, last, this.#lateAfter))
      if (at + quarterMs + settledMs < now) this.#settled.set(at, figures)
      quarters.push({ from: first, ...figures })
    }
    return quarters
  }
}
