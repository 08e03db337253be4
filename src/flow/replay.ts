import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Knex } from 'knex'
import { type ActiveRoute, type Decision, decideRoutes, studiesOf } from '../route/evaluate-routes.ts'
import type { RouteDefinition } from '../route/route-definition.ts'
import { earlierStudiesOf, wantEarlierStudies } from './earlier-studies.ts'
import { routableStudies } from './routable-study.ts'
import { activeRoutes } from './routes.ts'

/** A definition to be tried on past studies. */
export interface ReplayRequest {
  /** Stands in the place of the route of its name that is in force, or after all others. */
  definition: RouteDefinition
  /** Studies whose last instance came within so many days. */
  days: number
  /** ISO 8601 UTC; the end of those days. */
  now: string
}

/** What a definition decides on a study. */
export interface ReplayedDecision {
  matched: boolean
  reason: string
  series: Record<string, string>
}

/** A study on which the definition decides otherwise than the version in force. */
export interface ReplayDifference {
  studyInstanceUID: string
  /** `gained`: only the definition matches; `lost`: only the version in force does; `series`: both do, with other series. */
  kind: 'gained' | 'lost' | 'series'
  before: ReplayedDecision
  after: ReplayedDecision
}

export interface ReplayResult {
  /** How many studies were looked at. */
  studies: number
  /** True where there are more, older ones that were not looked at. */
  truncated: boolean
  from: string
  to: string
  matched: number
  /** The version in force that it was compared with; null where the route is new. */
  activeVersion: number | null
  /** How many the version in force matches; null where there is none. */
  activeMatched: number | null
  gained: number
  lost: number
  otherSeries: number
  /** The newest; at most 100. */
  differences: ReplayDifference[]
  /** Studies that match, the newest first; at most 20. */
  sample: { studyInstanceUID: string; reason: string; series: Record<string, string> }[]
  /** Other routes that would decide otherwise, because a route stops others or is a fallback. */
  otherRoutes: { route: string; gained: number; lost: number }[]
  ms: number
}

export interface ReplayOptions {
  onProgress?: (done: number, total: number) => void
  signal?: AbortSignal
}

const mostStudies = 100_000
const mostDifferences = 100
const mostSamples = 20
/** Studies that are read with one query, and decided before others have their turn. */
const batchSize = 20

/**
 * Decides a definition on the studies of the last days, and compares it with the version in force. Nothing is stored. Facts are read in
 * bulk, and studies are decided as `routes/test` decides each of them.
 * @throws the signal's reason when it is aborted
 */
export async function replayRoute(
  database: Knex,
  { definition, days, now }: ReplayRequest,
  { onProgress, signal }: ReplayOptions = {},
): Promise<ReplayResult> {
  const begun = performance.now()
  const from = new Date(Date.parse(now) - days * 86_400_000).toISOString()
  const ids: number[] = await database('studies')
    .where('last_instance_at', '>=', from)
    .andWhere('revision', '>', 0)
    .orderBy([
      { column: 'last_instance_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(mostStudies + 1)
    .pluck('id')
  const truncated = ids.length > mostStudies
  if (truncated) ids.pop()
  const comparison = new Comparison(definition, (await activeRoutes(database)).routes)
  for (let done = 0; done < ids.length; done += batchSize) {
    signal?.throwIfAborted()
    const batch = ids.slice(done, done + batchSize)
    const studies = await routableStudies(database, batch)
    const earlier = comparison.wantsEarlier ? await earlierStudiesOf(database, batch) : null
    for (const id of batch) {
      const study = studies.get(id)
      if (study) comparison.add(study.studyInstanceUID, studiesOf(study, earlier ? (earlier.get(id) ?? []) : []))
    }
    onProgress?.(Math.min(done + batchSize, ids.length), ids.length)
    await nextTurn()
  }
  return { ...comparison.result, truncated, from, to: now, ms: Math.round(performance.now() - begun) }
}

/** Counts what two lists of routes decide. */
class Comparison {
  readonly #name: string
  readonly #before: ActiveRoute[]
  readonly #after: ActiveRoute[]
  readonly #others = new Map<string, { gained: number; lost: number }>()
  readonly #activeVersion: number | null
  readonly wantsEarlier: boolean
  #studies = 0
  #matched = 0
  #activeMatched = 0
  #gained = 0
  #lost = 0
  #otherSeries = 0
  readonly #differences: ReplayDifference[] = []
  readonly #sample: ReplayResult['sample'] = []

  constructor(definition: RouteDefinition, active: readonly ActiveRoute[]) {
    this.#name = definition.name
    const tried: ActiveRoute = { version: 0, definition }
    const isIt = (route: ActiveRoute) => route.definition.name === definition.name
    const inForce = active.find(isIt)
    this.#activeVersion = inForce?.version ?? null
    const after = inForce ? active.map((route) => (isIt(route) ? tried : route)) : [...active, tried]
    // Where no route bears on another, the others need not be looked at.
    const bears = ({ definition: { stop, fallback } }: ActiveRoute) => stop === true || fallback === true
    const alone = !active.some(bears) && !bears(tried)
    this.#before = alone ? active.filter(isIt) : [...active]
    this.#after = alone ? [tried] : after
    this.wantsEarlier = wantEarlierStudies([...this.#before, ...this.#after])
  }

  add(studyInstanceUID: string, studies: ReturnType<typeof studiesOf>): void {
    this.#studies++
    const known = new Map<ActiveRoute, Decision>()
    const before = byName(decideRoutes(this.#before, studies, known))
    const after = byName(decideRoutes(this.#after, studies, known))
    for (const [route, decision] of after) {
      const earlier = before.get(route)
      if (route === this.#name) this.#addOwn(studyInstanceUID, earlier, decision)
      else if (earlier && earlier.matched !== decision.matched) this.#addOther(route, decision.matched)
    }
  }

  #addOwn(studyInstanceUID: string, before: Decision | undefined, after: Decision): void {
    if (after.matched) {
      this.#matched++
      if (this.#sample.length < mostSamples)
        this.#sample.push({ studyInstanceUID, reason: after.reason, series: after.series })
    }
    if (!before) return
    if (before.matched) this.#activeMatched++
    const kind = differenceOf(before, after)
    if (kind === null) return
    if (kind === 'gained') this.#gained++
    else if (kind === 'lost') this.#lost++
    else this.#otherSeries++
    if (this.#differences.length < mostDifferences)
      this.#differences.push({ studyInstanceUID, kind, before: told(before), after: told(after) })
  }

  #addOther(route: string, matched: boolean): void {
    const counts = this.#others.get(route) ?? { gained: 0, lost: 0 }
    counts[matched ? 'gained' : 'lost']++
    this.#others.set(route, counts)
  }

  get result(): Omit<ReplayResult, 'from' | 'to' | 'ms' | 'truncated'> {
    const isNew = this.#activeVersion === null
    return {
      studies: this.#studies,
      matched: this.#matched,
      activeVersion: this.#activeVersion,
      activeMatched: isNew ? null : this.#activeMatched,
      gained: this.#gained,
      lost: this.#lost,
      otherSeries: this.#otherSeries,
      differences: this.#differences,
      sample: this.#sample,
      otherRoutes: [...this.#others].map(([route, counts]) => ({ route, ...counts })),
    }
  }
}

function byName(decisions: readonly Decision[]): Map<string, Decision> {
  return new Map(decisions.map((decision) => [decision.route, decision]))
}

function differenceOf(before: Decision, after: Decision): ReplayDifference['kind'] | null {
  if (before.matched !== after.matched) return after.matched ? 'gained' : 'lost'
  const taken = ({ series, further, earlier }: Decision) => JSON.stringify([series, further, earlier])
  return before.matched && taken(before) !== taken(after) ? 'series' : null
}

function told({ matched, reason, series }: Decision): ReplayedDecision {
  return { matched, reason, series }
}
