import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Knex } from 'knex'
import { z } from 'zod'
import { allFeedback, FeedbackError, giveFeedback, listFeedback, verdicts } from '../store/feedback.ts'
import { feedbackFormats, feedbackText } from '../store/feedback-export.ts'
import { finding, page, uid } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

export interface FeedbackDeps {
  knex: Knex
}

const reason = z.string().trim().min(1).max(2000)

const given = z.discriminatedUnion('verdict', [
  z.strictObject({ verdict: z.literal('accepted'), reason: reason.optional() }),
  z.strictObject({
    verdict: z.literal('rejected'),
    reason: z.string('a rejection needs a reason').trim().min(1).max(2000).describe('why'),
  }),
  z.strictObject({
    verdict: z.literal('corrected'),
    reason: reason.optional(),
    correctedSOPInstanceUID: uid.describe('the object that is right, such as a SEG or SR of the same study'),
  }),
])

const feedback = z.object({
  id: z.number(),
  at: z.string().describe('ISO 8601, UTC'),
  givenBy: z.string().describe('user or token'),
  verdict: z.enum(verdicts),
  reason: z.string().nullable(),
  correctedSOPInstanceUID: z.string().nullable(),
  studyInstanceUID: z.string(),
  sopInstanceUID: z.string().describe('of the result'),
  role: z.string(),
  revision: z.number(),
  route: z.string().nullable(),
  shadow: z.boolean(),
  pipeline: z.string().describe('name@sha256:…'),
  version: z.string().nullable(),
  findings: z
    .array(finding.pick({ name: true, value: true, unit: true, code: true, site: true }))
    .describe('what the run measured'),
  current: z.boolean().describe('false where the same person said something else of the result later'),
})

const filter = {
  verdict: z.enum(verdicts).optional(),
  pipeline: z.string().max(200).optional().describe('name for all of its versions, or name@sha256:…'),
  studyInstanceUID: uid.optional(),
  sopInstanceUID: uid.optional().describe('of the result'),
  from: z.iso.datetime().optional().describe('given at this time or later'),
  to: z.iso.datetime().optional().describe('given before this time'),
}

/** Times are compared as text, which all have milliseconds. */
function withTimes<T extends { from?: string | undefined; to?: string | undefined }>(query: T): T {
  const at = (time: string | undefined) => (time === undefined ? undefined : new Date(time).toISOString())
  return { ...query, from: at(query.from), to: at(query.to) }
}

/** What people say of results: accepted, rejected, corrected. */
export function feedbackEndpoints({ knex }: FeedbackDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/results/{sopInstanceUID}/feedback',
      summary: 'Say of a result that it is accepted, rejected, or corrected by another object',
      role: 'operator',
      params: z.strictObject({ sopInstanceUID: uid }),
      body: given,
      answer: feedback,
      status: 201,
      action: 'result-feedback',
      handle: async ({ params: { sopInstanceUID }, body, actor }) =>
        await giveFeedback(knex, {
          sopInstanceUID,
          verdict: body.verdict,
          reason: body.reason ?? null,
          correctedSOPInstanceUID: 'correctedSOPInstanceUID' in body ? body.correctedSOPInstanceUID : null,
          givenBy: actor,
          at: new Date().toISOString(),
        }).catch(refused),
    }),
    endpoint({
      method: 'get',
      path: '/feedback',
      summary: 'What was said of results, the newest first',
      role: 'operator',
      query: z.strictObject({ ...page.shape, ...filter }),
      answer: z.object({ total: z.number(), feedback: z.array(feedback) }),
      handle: ({ query }) => listFeedback(knex, withTimes(query)),
    }),
    endpoint({
      method: 'get',
      path: '/feedback/export',
      summary: 'All of it as a file, in the order in which it was given',
      role: 'operator',
      query: z.strictObject({ ...filter, format: z.enum(feedbackFormats).default('csv') }),
      answerType: 'text/csv',
      action: 'feedback-export',
      handle: async ({ query: { format, ...query }, res }) => {
        res.setHeader('Content-Type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json')
        res.setHeader('Content-Disposition', `attachment; filename="feedback.${format}"`)
        res.setHeader('Cache-Control', 'no-store')
        await pipeline(Readable.from(feedbackText(allFeedback(knex, withTimes(query)), format)), res)
        return undefined
      },
    }),
  ]
}

/** @throws ApiError for what the caller has to know */
function refused(error: unknown): never {
  if (!(error instanceof FeedbackError)) throw error
  throw new ApiError(error.code === 'unknown-result' ? 404 : 409, error.code, `${error.message}.`)
}
