import type { Knex } from 'knex'
import { z } from 'zod'
import { deletionSentence, deletionsOf } from '../store/delete-study.ts'
import { findingNames, listStudies, studySorts } from '../store/study-list.ts'
import { studyTimeline } from '../store/timeline.ts'
import { page, studyList, studyState, timeline, uid } from './api-schemas.ts'
import { findingName } from './api-schemas-node.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import type { EventHub } from './events.ts'

const day = z.iso.date().transform((text) => text.replaceAll('-', ''))

const studyQuery = z.strictObject({
  ...page.shape,
  search: z
    .string()
    .trim()
    .max(200)
    .default('')
    .describe('part of the patient name, patient ID, accession number or description, or a whole Study Instance UID'),
  state: studyState.optional(),
  patient: z.string().trim().max(100).optional().describe('part of the patient name or ID'),
  accession: z.string().trim().max(64).optional().describe('accession number, or its beginning with * behind it'),
  from: day.optional().describe('Study Date, the first'),
  to: day.optional().describe('Study Date, the last'),
  modality: z
    .string()
    .regex(/^[A-Z0-9]{1,16}$/)
    .optional()
    .describe('of a source series'),
  finding: z.string().trim().max(200).optional().describe('name of a finding of the newest revision, as it is listed'),
  is: z
    .enum(['lt', 'le', 'eq', 'ge', 'gt'])
    .optional()
    .describe('how the finding compares with value; without it: any value'),
  value: z.coerce.number().optional(),
  sort: z
    .enum(studySorts)
    .default('changed')
    .describe('what comes first: the last changed, the newest Study Date, or the last arrived'),
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
      sight: 'query',
      query: studyQuery,
      answer: studyList,
      handle: ({ query }) => listStudies(deps.knex, query),
    }),
    endpoint({
      method: 'get',
      path: '/studies/findings',
      summary: 'The names of all findings, to search by',
      answer: z.object({ findings: z.array(findingName) }),
      handle: async () => ({ findings: await findingNames(deps.knex) }),
    }),
    endpoint({
      method: 'get',
      path: '/studies/{studyInstanceUID}',
      summary: 'The timeline of a study: what happened, and why',
      sight: 'study-view',
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
      params: studyParams,
      answer: z.object({ sentence: z.string() }),
      action: 'study-complete',
      handle: async ({ params, actor }) => ({ sentence: known(await deps.complete(params.studyInstanceUID, actor)) }),
    }),
    endpoint({
      method: 'get',
      path: '/events',
      summary:
        'Server-sent events, each with the UID of the study that changed: study, job, delivery, quarantine, remote, disk, progress (job, stage, fraction), arrival, queue, pipeline, destination, process',
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
