import type { Knex } from 'knex'
import { deriveUID } from '../dicom/uid.ts'
import type { UrgentRule } from '../infer/urgent.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { recomputeStudyState } from '../jobs/study-state.ts'
import type { Log } from '../log.ts'
import { raise } from '../notify/raise.ts'
import { choosePipeline } from '../route/chosen-pipeline.ts'
import { type Decision, evaluateRoutes } from '../route/evaluate-routes.ts'
import type { RouteDefinition } from '../route/route-definition.ts'
import { markCurrentRuns } from '../store/insights/record.ts'
import { type EarlierStudy, earlierStudies, wantEarlierStudies } from './earlier-studies.ts'
import { offPeakStart, waitingSentence } from './off-peak.ts'
import { type Members, routableStudy } from './routable-study.ts'
import { activeRoutes, type InvalidRoute } from './routes.ts'
import { findStanding, type Standing } from './standing-results.ts'

/** What an inference job is queued with. */
export interface InferPayload {
  /** Input name to the series that the route selected. */
  inputs: Record<string, string>
  /** Input name to the further series of it. */
  further?: Record<string, string[]>
  /** Input name to the earlier study that its series is of, as one revision holds it. */
  earlier?: Record<string, { studyInstanceUID: string; revisionId: number }>
  destinations: string[]
  /** What destinations get, as the route writes it; left out: everything. */
  outputs?: RouteDefinition['outputs']
  /** The pipeline as the route writes it: what is run when the files that the job was queued with are there no more. */
  pipeline?: string
  /** Of a shadow route. */
  shadow?: boolean
  /** Which findings are critical. */
  urgent?: UrgentRule[]
}

/** The part of a job's payload that is its input. */
export type SelectedSeries = Pick<InferPayload, 'inputs' | 'further' | 'earlier'>

/** Priorities of jobs: larger runs first. */
export const priorities = { urgent: 10, normal: 0, low: -10, 'off-peak': -10 } as const
/** Below all others: a comparison keeps nobody waiting. */
const shadowPriority = -20

export interface RouteRevisionOptions {
  database: Knex
  queue: Pick<JobQueue, 'enqueue'>
  log: Log
  /** `name@sha256:…` of an installed pipeline, called by name, `name@1.2.0` or digest; null where none is called so. */
  pinnedPipeline: (reference: string) => string | null
  now?: () => Date
}

/**
 * Decides every route on a complete revision, and lets those results stand whose input has not changed: decisions and jobs are written in one transaction, after which the revision counts as routed.
 * Doing it again changes nothing.
 * @returns how many routes matched
 */
export async function routeRevision(revisionId: number, options: RouteRevisionOptions): Promise<number> {
  const { database, log } = options
  const revision = await database('revisions')
    .where({ id: revisionId })
    .first('study_id', 'number', 'members', 'routed')
  if (!revision || revision.routed === 1) return 0
  const members = JSON.parse(revision.members) as Members
  const study = await routableStudy(database, revision.study_id, members)
  const { routes, invalid } = await activeRoutes(database)
  const earlier = wantEarlierStudies(routes) ? await earlierStudies(database, revision.study_id) : []
  const decisions = [...evaluateRoutes(routes, study, earlier), ...invalid.map(undecided)]
  for (const { name, version, reason } of invalid) log.error('a route cannot decide', { route: name, version, reason })
  const now = options.now?.() ?? new Date()
  const at = now.toISOString()
  const offPeak = routes.some(({ definition }) => definition.priority === 'off-peak')
    ? await offPeakStart(database, now)
    : null
  await database.transaction(async (trx) => {
    for (const decision of decisions) {
      const route = routes.find((r) => r.definition.name === decision.route)
      const asked = route ? choosePipeline(route.definition, study.studyInstanceUID).pipeline : ''
      const pipeline = options.pinnedPipeline(asked) ?? asked
      const selected = selectedSeries(decision, earlier)
      const standing = await findStanding(trx, {
        decision,
        selected,
        pipeline,
        members,
        studyId: revision.study_id,
        number: revision.number,
      })
      await insertDecision(trx, { decision, standing }, { studyId: revision.study_id, revisionId, at })
      if (decision.matched && route && standing === null)
        await queueInference(
          trx,
          {
            decision,
            selected,
            definition: route.definition,
            asked,
            pipeline,
            studyId: revision.study_id,
            revisionId,
            at,
            offPeak,
          },
          options,
        )
    }
    for (const { route } of decisions.filter(({ matched: does }) => does))
      await raise(trx, {
        event: 'matched',
        at,
        studyId: revision.study_id,
        detail: { sentence: `route ${route} matches the study`, studyInstanceUID: study.studyInstanceUID, route },
      })
    await trx('revisions').where({ id: revisionId }).update({ routed: 1 })
    await markCurrentRuns(trx, study.studyInstanceUID)
    await recomputeStudyState(trx, revision.study_id)
  })
  const matched = decisions.filter((decision) => decision.matched).length
  log.info('study routed', { studyInstanceUID: study.studyInstanceUID, routes: decisions.length, matched })
  return matched
}

/** What a route selected, as jobs are queued with it. */
function selectedSeries({ series, further, earlier }: Decision, studies: readonly EarlierStudy[]): SelectedSeries {
  const revisionOf = (studyInstanceUID: string): number =>
    studies.find((study) => study.studyInstanceUID === studyInstanceUID)?.revisionId ?? 0
  return {
    inputs: series,
    ...(further && { further }),
    ...(earlier && {
      earlier: Object.fromEntries(
        Object.entries(earlier).map(([input, studyInstanceUID]) => [
          input,
          { studyInstanceUID, revisionId: revisionOf(studyInstanceUID) },
        ]),
      ),
    }),
  }
}

/** The decision of a route that cannot be read: it matches nothing, and the study's page says why. */
function undecided({ name, version, reason }: InvalidRoute): Decision {
  return { route: name, routeVersion: version, matched: false, expression: '', because: {}, series: {}, reason }
}

async function insertDecision(
  trx: Knex,
  { decision, standing }: { decision: Decision; standing: Standing | null },
  where: { studyId: number; revisionId: number; at: string },
): Promise<void> {
  await trx('decisions')
    .insert({
      study_id: where.studyId,
      revision_id: where.revisionId,
      route: decision.route,
      route_version: decision.routeVersion,
      matched: decision.matched ? 1 : 0,
      expression: decision.expression,
      because: JSON.stringify(decision.because),
      series: JSON.stringify(decision.series),
      reason: standing === null ? decision.reason : `${decision.reason}; ${standing.sentence}`,
      stands_from: standing?.revisionId ?? null,
      at: where.at,
    })
    .onConflict(['revision_id', 'route'])
    .ignore()
}

/** A route whose pipeline is not installed still leaves a job: it fails, with that reason, where it can be seen and retried. */
async function queueInference(
  trx: Knex,
  job: {
    decision: Decision
    selected: SelectedSeries
    definition: RouteDefinition
    /** As the route writes it. */
    asked: string
    pipeline: string
    studyId: number
    revisionId: number
    at: string
    /** When a job of an off-peak route may begin; null: no route is one. */
    offPeak: { runAfter: string; waits: boolean } | null
  },
  options: RouteRevisionOptions,
): Promise<void> {
  const { decision, selected, definition, asked, pipeline, studyId, revisionId, at } = job
  const offPeak = definition.priority === 'off-peak' ? job.offPeak : null
  const shadow = definition.shadow === true
  const payload: InferPayload = {
    ...selected,
    destinations: shadow ? [] : [...definition.destinations],
    pipeline: asked,
    ...(shadow ? { shadow } : {}),
    ...(definition.urgent && !shadow && { urgent: definition.urgent.map((rule) => ({ ...rule })) }),
    ...(definition.outputs && { outputs: definition.outputs }),
  }
  const id = deriveUID('job', String(revisionId), decision.route, 'infer')
  const queued = await options.queue.enqueue(
    {
      id,
      kind: 'infer',
      studyId,
      revisionId,
      route: decision.route,
      pipeline,
      destination: null,
      priority: shadow ? shadowPriority : priorities[definition.priority],
      shadow,
      ...(offPeak && { offPeak: true, runAfter: offPeak.runAfter }),
      payload,
    },
    trx,
  )
  if (!queued || !offPeak?.waits) return
  await trx('study_events').insert({
    study_id: studyId,
    at,
    kind: 'off-peak',
    sentence: waitingSentence(decision.route, offPeak.runAfter),
    detail: JSON.stringify({ job: id, runAfter: offPeak.runAfter }),
  })
}
