import type { Knex } from 'knex'

export type StudyState = 'receiving' | 'complete' | 'processing' | 'done' | 'failed'

interface Counted {
  state: string
  refused: number
  cancelled: number
  revision_id: number
  route: string | null
  n: number
}

/** An earlier revision whose results stand for a route of the newest one, because its input has not changed. */
interface Standing {
  route: string
  stands_from: number
}

/**
 * Sets a study's state from what there is of it, and returns it.
 * - `receiving`: source content has changed since the newest revision
 * - `complete`: the newest revision's routes have not been decided yet
 * - `processing`: a job is queued or running
 * - `failed`: a job of the newest revision failed, or one of an earlier revision whose results stand in it; a refusal by declared limits
 *   is no failure, nor is what somebody ended
 * - `done`: nothing is left to do
 * Jobs of shadow routes have no part in it.
 */
export async function recomputeStudyState(database: Knex, studyId: number): Promise<StudyState> {
  const study = await database('studies')
    .where({ id: studyId })
    .first<{ state: StudyState; changed: number } | undefined>('state', 'changed')
  if (study === undefined) return 'done'
  const revision = await database('revisions')
    .where({ study_id: studyId })
    .orderBy('number', 'desc')
    .first<{ id: number; routed: number } | undefined>('id', 'routed')
  const jobs = await database('jobs')
    .where({ study_id: studyId, shadow: 0 })
    .groupBy('state', 'refused', 'cancelled', 'revision_id', 'route')
    .select<Counted[]>('state', 'refused', 'cancelled', 'revision_id', 'route', database.raw('count(*) as n'))
  const standing = await database('decisions')
    .where({ revision_id: revision?.id ?? 0 })
    .whereNotNull('stands_from')
    .select<Standing[]>('route', 'stands_from')
  const state = stateOf({ changed: study.changed === 1, revision, jobs, standing })
  if (state !== study.state)
    await database('studies').where({ id: studyId }).update({ state, updated_at: new Date().toISOString() })
  return state
}

interface Known {
  changed: boolean
  revision: { id: number; routed: number } | undefined
  jobs: readonly Counted[]
  standing: readonly Standing[]
}

function stateOf({ changed, revision, jobs, standing }: Known): StudyState {
  if (changed) return 'receiving'
  if (revision && revision.routed === 0) return 'complete'
  if (jobs.some(({ state }) => state === 'queued' || state === 'running')) return 'processing'
  const counts = ({ route, revision_id }: Counted): boolean =>
    revision_id === revision?.id ||
    standing.some((decision) => decision.route === route && decision.stands_from === revision_id)
  const failed = jobs.some((job) => job.state === 'failed' && job.refused === 0 && job.cancelled === 0 && counts(job))
  return failed ? 'failed' : 'done'
}
