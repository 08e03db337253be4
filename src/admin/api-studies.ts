import type { Knex } from 'knex'
import { z } from 'zod'
import { deletionSentence, deletionsOf } from '../store/delete-study.ts'
import { listStudies } from '../store/study-list.ts'
import { studyTimeline } from '../store/timeline.ts'
import { page, studyList, studyState, timeline, uid } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import type { EventHub } from './events.ts'

const studyQuery = z.strictObject({
  ...page.shape,
  search: z
    .string()
    .trim()
    .max(200)
    .default('')
    .describe('part of the patient name, patient ID, accession number or description, or a whole Study Instance UID'),
  state: studyState.optional(),
})

export interface StudiesDeps {
  knex: Knex
  /** Closes the study's open revision now; says in one sentence what came of it. null where no such study is known. */
  complete(studyInstanceUID: string, actor: string): Promise<string | null>
  hub: EventHub
}

const studyParams = z.strictObject({ studyInstanceUID: uid })

/** Studies, their timelines, and what changes while somebody looks. */
export function studyEndpoints(deps: StudiesDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/studies',
      summary: 'Studies, the last changed first',
      role: 'viewer',
      query: studyQuery,
      answer: studyList,
      handle: ({ query: { state, ...query } }) => listStudies(deps.knex, { ...query, ...(state ? { state } : {}) }),
    }),
    endpoint({
      method: 'get',
      path: '/studies/{studyInstanceUID}',
      summary: 'The timeline of a study: what happened, and why',
      role: 'viewer',
      params: studyParams,
      answer: timeline,
      handle: async ({ params }) => {
        const found = await studyTimeline(deps.knex, params.studyInstanceUID)
        const [deletion] = found === null ? await deletionsOf(deps.knex, params.studyInstanceUID) : []
        if (deletion) throw new ApiError(410, 'deleted', `The study was ${deletionSentence(deletion)}.`)
        return known(found)
      },
    }),
    endpoint({
      method: 'post',
      path: '/studies/{studyInstanceUID}/complete',
      summary: 'Count the study as complete now, without waiting for its quiet time',
      role: 'operator',
      params: studyParams,
      answer: z.object({ sentence: z.string() }),
      action: 'study-complete',
      handle: async ({ params, actor }) => ({ sentence: known(await deps.complete(params.studyInstanceUID, actor)) }),
    }),
    endpoint({
      method: 'get',
      path: '/events',
      summary:
        'Server-sent events: study, job, delivery, quarantine, remote, disk, each with the UID of the study that changed',
      role: 'viewer',
      answerType: 'text/event-stream',
      handle: ({ req, res }) => {
        if (!deps.hub.attach(req, res))
          throw new ApiError(503, 'too-many-listeners', 'Too many pages are listening; ask again later.')
        return undefined
      },
    }),
  ]
}

function known<T>(found: T | null): T {
  if (found === null) throw new ApiError(404, 'not-found', 'No such study is known here.')
  return found
}
