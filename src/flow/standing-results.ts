import type { Knex } from 'knex'
import type { JobState } from '../jobs/job.ts'
import type { Decision } from '../route/evaluate-routes.ts'
import type { Members } from './routable-study.ts'
import type { InferPayload, SelectedSeries } from './route-revision.ts'

/** An earlier revision that was run for a route on the very input that it has now. */
export interface Standing {
  revisionId: number
  /** For the decision. */
  sentence: string
}

export interface StandingQuery {
  decision: Decision
  selected: SelectedSeries
  /** `name@sha256:…`, as a job would have it. */
  pipeline: string
  /** Of the revision that is decided. */
  members: Members
  studyId: number
  /** Of the revision that is decided. */
  number: number
}

interface EarlierRun {
  revisionId: number
  number: number
  members: string
  routeVersion: number
  pipeline: string | null
  payload: string
  state: JobState
  refused: number
}

/**
 * Looks whether the newest run for a route had the same input: the same series with the same members, the same version of the route and
 * the same pipeline. Its results stand then, as does a refusal, and a run that has not ended goes on. One that failed is no result: it
 * is run again.
 * @returns null where the route has to be run, or does not match
 */
export async function findStanding(trx: Knex, query: StandingQuery): Promise<Standing | null> {
  const { decision, selected, pipeline, members } = query
  if (!decision.matched) return null
  const run = await newestRun(trx, query)
  if (run === undefined || run.routeVersion !== decision.routeVersion || run.pipeline !== pipeline) return null
  const before = inputsOf(JSON.parse(run.payload) as InferPayload, JSON.parse(run.members) as Members)
  if (before !== inputsOf(selected, members)) return null
  const outcome = outcomeOf(run)
  if (outcome === null) return null
  return { revisionId: run.revisionId, sentence: `the same input as in revision ${run.number}: ${outcome}` }
}

async function newestRun(trx: Knex, { decision, studyId, number }: StandingQuery): Promise<EarlierRun | undefined> {
  return await trx('jobs')
    .join('revisions', 'revisions.id', 'jobs.revision_id')
    .join('decisions', (on) => {
      on.on('decisions.revision_id', 'jobs.revision_id').andOn('decisions.route', 'jobs.route')
    })
    .where({ 'jobs.study_id': studyId, 'jobs.kind': 'infer', 'jobs.route': decision.route })
    .andWhere('revisions.number', '<', number)
    .orderBy('revisions.number', 'desc')
    .first<EarlierRun | undefined>({
      revisionId: 'revisions.id',
      number: 'revisions.number',
      members: 'revisions.members',
      routeVersion: 'decisions.route_version',
      pipeline: 'jobs.pipeline',
      payload: 'jobs.payload',
      state: 'jobs.state',
      refused: 'jobs.refused',
    })
}

/**
 * Everything that a run reads, as one text. Instances that were replaced have other keys: then it is not the same input. Nor is it when the
 * earlier study has another revision.
 */
export function inputsOf({ inputs, further = {}, earlier = {} }: SelectedSeries, members: Members): string {
  const names = Object.keys(inputs).sort()
  return JSON.stringify(
    names.map((name) => {
      const series = [inputs[name] ?? '', ...(further[name] ?? [])]
      const revision = earlier[name]?.revisionId
      return [name, series.map((uid) => [uid, revision ?? members[uid]])]
    }),
  )
}

function outcomeOf({ state, refused }: EarlierRun): string | null {
  if (state === 'done') return 'its results stand'
  if (state === 'failed') return refused === 1 ? 'that the pipeline refused it stands' : null
  return 'its run goes on'
}
