import type { Knex } from 'knex'
import { deriveUID } from '../dicom/uid.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { recomputeStudyState } from '../jobs/study-state.ts'
import type { Log } from '../log.ts'
import { type Decision, evaluateRoutes } from '../route/evaluate-routes.ts'
import type { RouteDefinition } from '../route/route-definition.ts'
import { type Members, routableStudy } from './routable-study.ts'
import { activeRoutes, type InvalidRoute } from './routes.ts'
import { findStanding, type Standing } from './standing-results.ts'

/** What an inference job is queued with. */
export interface InferPayload {
  /** Input name to the series that the route selected. */
  inputs: Record<string, string>
  destinations: string[]
}

/** Priorities of jobs: larger runs first. */
export const priorities = { urgent: 10, normal: 0, low: -10 } as const

export interface RouteRevisionOptions {
  database: Knex
  queue: JobQueue
  log: Log
  /** `name@sha256:…` of an installed pipeline; null where none has the name. */
  pinnedPipeline: (name: string) => string | null
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
  const decisions = [...evaluateRoutes(routes, study), ...invalid.map(undecided)]
  for (const { name, version, reason } of invalid) log.error('a route cannot decide', { route: name, version, reason })
  const at = (options.now?.() ?? new Date()).toISOString()
  await database.transaction(async (trx) => {
    for (const decision of decisions) {
      const route = routes.find((r) => r.definition.name === decision.route)
      const pipeline = route ? pipelineOf(route.definition, options) : ''
      const standing = await findStanding(trx, {
        decision,
        pipeline,
        members,
        studyId: revision.study_id,
        number: revision.number,
      })
      await insertDecision(trx, { decision, standing }, { studyId: revision.study_id, revisionId, at })
      if (decision.matched && route && standing === null)
        await queueInference(
          trx,
          { decision, definition: route.definition, studyId: revision.study_id, revisionId },
          options,
        )
    }
    await trx('revisions').where({ id: revisionId }).update({ routed: 1 })
    await recomputeStudyState(trx, revision.study_id)
  })
  const matched = decisions.filter((decision) => decision.matched).length
  log.info('study routed', { studyInstanceUID: study.studyInstanceUID, routes: decisions.length, matched })
  return matched
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
function pipelineOf({ pipeline }: RouteDefinition, { pinnedPipeline }: RouteRevisionOptions): string {
  return pinnedPipeline(pipeline) ?? pipeline
}

async function queueInference(
  trx: Knex,
  job: { decision: Decision; definition: RouteDefinition; studyId: number; revisionId: number },
  options: RouteRevisionOptions,
): Promise<void> {
  const { decision, definition, studyId, revisionId } = job
  const payload: InferPayload = { inputs: decision.series, destinations: [...definition.destinations] }
  await options.queue.enqueue(
    {
      id: deriveUID('job', String(revisionId), decision.route, 'infer'),
      kind: 'infer',
      studyId,
      revisionId,
      route: decision.route,
      pipeline: pipelineOf(definition, options),
      destination: null,
      priority: priorities[definition.priority],
      payload,
    },
    trx,
  )
}
