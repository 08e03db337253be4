import { z } from 'zod'
import { HilumError } from '../errors.ts'
import { refusing } from './api-error.ts'
import { uid } from './api-schemas.ts'
import { acted } from './api-schemas-node.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

type Acted = z.input<typeof acted>

/**
 * Why an act on a study is not done.
 * - `study-unknown`, `pipeline-unknown`, `destination-unknown`, `nothing-there`: 404
 * - the others: 409
 */
export type StudyActErrorCode =
  | 'study-unknown'
  | 'pipeline-unknown'
  | 'destination-unknown'
  | 'nothing-there'
  | 'not-complete'
  | 'bad-inputs'
  | 'has-work'
  | 'pipeline-disabled'

/** An act on a study that cannot be done, with the reason in a sentence. */
export class StudyActError extends HilumError<StudyActErrorCode> {}

const retryBody = z.strictObject({
  from: z
    .enum(['route', 'infer', 'deliver'])
    .describe(
      'route: decide every route anew on the newest revision; infer: run its pipelines again; deliver: deliver its results again',
    ),
  route: z.string().max(200).optional().describe('infer, deliver: only what this route asked for'),
  destination: z.string().max(100).optional().describe('deliver: only to this destination'),
})

const runBody = z.strictObject({
  pipeline: z.string().min(1).max(200).describe('name for the newest version, name@1.2.0, or name@sha256:…'),
  inputs: z
    .record(z.string(), uid)
    .default({})
    .describe('input to Series Instance UID; an input that is left out takes the one series that fits'),
  destinations: z
    .array(z.string().max(100))
    .max(20)
    .default([])
    .describe('where the results go; empty: they are kept here'),
  priority: z.enum(['urgent', 'normal', 'low']).default('urgent'),
})

const deliverBody = z.strictObject({
  destination: z.string().min(1).max(100),
  results: z.array(uid).min(1).max(500).optional().describe('SOP Instance UIDs; left out: all of the newest revision'),
})

/** Acts on studies; every refusal is a StudyActError. Each is written down in the study's events. */
export interface StudyActsDeps {
  acts: {
    retry(studyInstanceUID: string, what: z.output<typeof retryBody>, by: string): Promise<Acted>
    run(studyInstanceUID: string, what: z.output<typeof runBody>, by: string): Promise<Acted>
    deliver(studyInstanceUID: string, what: z.output<typeof deliverBody>, by: string): Promise<Acted>
    /** @returns what is left of it, in a sentence */
    remove(studyInstanceUID: string, by: string): Promise<string>
  }
}

const params = z.strictObject({ studyInstanceUID: uid })

/** What operators do with a study. */
export function studyActEndpoints({ acts }: StudyActsDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/studies/{studyInstanceUID}/retry',
      summary: 'Do a stage again, and what follows from it: routing, inference or delivery of the newest revision',
      params,
      body: retryBody,
      answer: acted,
      status: 202,
      action: 'study-retry',
      handle: ({ params: { studyInstanceUID }, body, actor }) => explained(acts.retry(studyInstanceUID, body, actor)),
    }),
    endpoint({
      method: 'post',
      path: '/studies/{studyInstanceUID}/run',
      summary: 'Run a pipeline on chosen series now, whatever the routes say',
      params,
      body: runBody,
      answer: acted,
      status: 202,
      action: 'study-run',
      handle: ({ params: { studyInstanceUID }, body, actor }) => explained(acts.run(studyInstanceUID, body, actor)),
    }),
    endpoint({
      method: 'post',
      path: '/studies/{studyInstanceUID}/deliver',
      summary: 'Deliver results to a destination, whatever the routes say',
      params,
      body: deliverBody,
      answer: acted,
      status: 202,
      action: 'study-deliver',
      handle: ({ params: { studyInstanceUID }, body, actor }) => explained(acts.deliver(studyInstanceUID, body, actor)),
    }),
    endpoint({
      method: 'delete',
      path: '/studies/{studyInstanceUID}',
      summary: 'Delete a study with all that was made of it; what was said of its results stays',
      params,
      query: z.strictObject({ confirm: uid.describe('the Study Instance UID once more: nothing brings it back') }),
      answer: z.object({ sentence: z.string() }),
      action: 'study-delete',
      handle: async ({ params: { studyInstanceUID }, query, actor }) => {
        if (query.confirm !== studyInstanceUID)
          throw new ApiError(400, 'not-confirmed', 'The parameter confirm has to repeat the Study Instance UID.')
        return { sentence: await explained(acts.remove(studyInstanceUID, actor)) }
      },
    }),
  ]
}

/** @throws ApiError in place of what says why it cannot be done */
const explained = refusing(StudyActError, (code) => (/-unknown$|^nothing-there$/.test(code) ? 404 : 409))
