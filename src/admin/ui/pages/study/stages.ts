import type { Timeline, TimelineJob } from '../../api/schema.ts'
import type { Tone } from '../../parts/state-badge.tsx'
import { duration, number, plural } from '../../words.ts'
import { currentResults } from './names.ts'

export type StageKey = 'received' | 'complete' | 'routes' | 'jobs' | 'results' | 'deliveries'

/** A stage of the study, as the flow draws it. */
export interface Stage {
  key: StageKey
  title: string
  /** What happened, in few words. */
  text: string
  tone: Tone
  /** open: is yet to come; active: happens now; over: has happened. */
  phase: 'open' | 'active' | 'over'
  /** When it was reached. */
  at: string | null
}

/** The six stages of a study, for its newest revision. */
export function stagesOf(timeline: Timeline): Stage[] {
  return [
    received(timeline),
    complete(timeline),
    routed(timeline),
    worked(timeline),
    resulted(timeline),
    delivered(timeline),
  ]
}

function received({ arrivals, completion }: Timeline): Stage {
  const instances = arrivals.reduce((sum, arrival) => sum + arrival.instances, 0)
  const series = new Set(arrivals.map(({ seriesInstanceUID }) => seriesInstanceUID)).size
  return {
    key: 'received',
    title: 'Received',
    text: `${plural(instances, 'instance')} in ${plural(series, 'series', 'series')}`,
    tone: completion ? 'good' : 'busy',
    phase: completion ? 'over' : 'active',
    at: arrivals[0]?.at ?? null,
  }
}

function complete({ completion, revision }: Timeline): Stage {
  return {
    key: 'complete',
    title: 'Complete',
    text: completion
      ? revision > 1
        ? `revision ${revision}`
        : (completion.reason.split(':')[0]?.trim() ?? '')
      : 'more may come',
    tone: completion ? 'good' : 'idle',
    phase: completion ? 'over' : 'open',
    at: completion?.at ?? null,
  }
}

function routed({ decisions, revision, completion }: Timeline): Stage {
  const now = decisions.filter((decision) => decision.revision === revision)
  const matched = now.filter((decision) => decision.matched).length
  return {
    key: 'routes',
    title: 'Routes',
    text:
      now.length > 0
        ? `${number(matched)} of ${number(now.length)} matched`
        : completion
          ? 'no route was asked'
          : 'after completion',
    tone: matched > 0 ? 'good' : 'idle',
    phase: now.length > 0 ? 'over' : 'open',
    at: now[0]?.at ?? null,
  }
}

/** How several jobs stand as one. */
export function toneOf(jobs: readonly TimelineJob[]): Tone {
  if (jobs.some(({ state, refused }) => state === 'failed' && !refused)) return 'bad'
  if (jobs.some(({ state }) => state === 'running' || state === 'queued')) return 'busy'
  if (jobs.some(({ state }) => state === 'done')) return 'good'
  return jobs.some(({ refused }) => refused) ? 'warn' : 'idle'
}

function tally(jobs: readonly TimelineJob[]): string {
  const words = jobs.map(({ state, refused }) => (refused ? 'refused' : state === 'queued' ? 'waiting' : state))
  return [...new Set(words)].map((word) => `${words.filter((other) => other === word).length} ${word}`).join(', ')
}

function worked({ jobs, decisions }: Timeline): Stage {
  const own = jobs.filter(({ kind, shadow }) => kind === 'infer' && !shadow)
  const [only] = own
  const took = own.length === 1 && only?.state === 'done' ? msOf(only) : null
  const isActive = own.some(({ state }) => state === 'running' || state === 'queued')
  return {
    key: 'jobs',
    title: 'Pipelines',
    text:
      own.length > 0
        ? `${tally(own)}${took === null ? '' : ` in ${duration(took)}`}`
        : decisions.length > 0
          ? 'none was asked for'
          : 'after routing',
    tone: toneOf(own),
    phase: isActive ? 'active' : own.length > 0 ? 'over' : 'open',
    at: own.map(({ startedAt }) => startedAt).find((at) => at !== null) ?? null,
  }
}

/** ms that a job took; null while it is not over. */
export function msOf({ startedAt, finishedAt }: Pick<TimelineJob, 'startedAt' | 'finishedAt'>): number | null {
  return startedAt === null || finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt)
}

function resulted(timeline: Timeline): Stage {
  const results = currentResults(timeline)
  const made = timeline.jobs.filter(({ kind, shadow, state }) => kind === 'infer' && !shadow && state === 'done')
  return {
    key: 'results',
    title: 'Results',
    text: results.length > 0 ? plural(results.length, 'object') : made.length > 0 ? 'none' : 'after the pipelines',
    tone: results.length > 0 ? 'good' : 'idle',
    phase: results.length > 0 ? 'over' : 'open',
    at: results.length > 0 ? (made.map(({ finishedAt }) => finishedAt).find((at) => at !== null) ?? null) : null,
  }
}

function delivered(timeline: Timeline): Stage {
  const deliveries = currentResults(timeline).flatMap((result) => result.deliveries)
  const verified = deliveries.filter(({ state }) => state === 'verified')
  const failed = deliveries.filter(({ state }) => state === 'failed').length
  const isOver = deliveries.length > 0 && verified.length + failed === deliveries.length
  return {
    key: 'deliveries',
    title: 'Deliveries',
    text:
      deliveries.length === 0
        ? 'nothing to deliver'
        : failed > 0
          ? `${number(failed)} of ${number(deliveries.length)} failed`
          : `${number(verified.length)} of ${number(deliveries.length)} verified`,
    tone: failed > 0 ? 'bad' : deliveries.length === 0 ? 'idle' : isOver ? 'good' : 'busy',
    phase: isOver ? 'over' : deliveries.length > 0 ? 'active' : 'open',
    at:
      verified
        .map(({ at }) => at)
        .sort()
        .at(-1) ?? null,
  }
}
