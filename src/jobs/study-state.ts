import type { Knex } from 'knex'

export type StudyState = 'receiving' | 'complete' | 'processing' | 'done' | 'failed'

interface Counted {
  state: string
  refused: number
  revision_id: number
  n: number
}

/**
 * Sets a study's state from what there is of it, and returns it.
 * - `receiving`: source content has changed since the newest revision
 * - `complete`: the newest revision's routes have not been decided yet
 * - `processing`: a job is queued or running
 * - `failed`: a job of the newest revision failed; a refusal by declared limits is no failure
 * - `done`: nothing is left to do
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
    .where({ study_id: studyId })
    .groupBy('state', 'refused', 'revision_id')
    .select<Counted[]>('state', 'refused', 'revision_id', database.raw('count(*) as n'))
  const state = stateOf({ changed: study.changed === 1, revision, jobs })
  if (state !== study.state)
    await database('studies').where({ id: studyId }).update({ state, updated_at: new Date().toISOString() })
  return state
}

interface Known {
  changed: boolean
  revision: { id: number; routed: number } | undefined
  jobs: readonly Counted[]
}

function stateOf({ changed, revision, jobs }: Known): StudyState {
  if (changed) return 'receiving'
  if (revision && revision.routed === 0) return 'complete'
  if (jobs.some(({ state }) => state === 'queued' || state === 'running')) return 'processing'
  const failed = jobs.some((job) => job.state === 'failed' && job.refused === 0 && job.revision_id === revision?.id)
  return failed ? 'failed' : 'done'
}
