import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Knex } from 'knex'
import { z } from 'zod'
import { allFeedback, FeedbackError, giveFeedback, listFeedback, verdicts } from '../store/feedback.ts'
import { feedbackFormats, feedbackText } from '../store/feedback-export.ts'
import { finding, page, uid, withTimes } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

export interface FeedbackDeps {
  knex: Knex
  /** Writes the verified document of an accepted result, where its route asks for one; else gives null. */
  verifyReport(acceptance: {
    sopInstanceUID: string
    observer: { name: string; identification: { value: string; scheme: string; meaning: string } | null }
    by: string
    at: string
  }): Promise<{ sopInstanceUID: string; commit(trx: Knex): Promise<void> } | null>
}

const reason = z.string().trim().min(1).max(2000)

const site = z.string().max(200).nullable().describe('scheme:value of the anatomy')
const statedTruth = z
  .object({
    name: z.string().min(1).max(255).describe('of the finding'),
    site: site.optional().describe('left out: wherever'),
    present: z.boolean().describe('whether it is there'),
  })
  .meta({ id: 'StatedTruth' })
const truth = z.array(statedTruth).max(200).optional().describe('of single findings, whatever the verdict')

/** A program that acts for a person says who that is. */
const observer = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[^\\=\p{Cc}]+$/u, 'expected a name as DICOM writes it: family^given')
    .describe('as a PN: family^given'),
  identification: z
    .strictObject({
      value: z.string().min(1).max(16),
      scheme: z.string().min(1).max(16),
      meaning: z.string().min(1).max(64),
    })
    .optional()
    .describe('a code'),
})

const given = z.discriminatedUnion('verdict', [
  z.strictObject({
    verdict: z.literal('accepted'),
    reason: reason.optional(),
    truth,
    observer: observer
      .optional()
      .describe('who accepts, where a program says it with its token: without, no verified document is written'),
  }),
  z.strictObject({
    verdict: z.literal('rejected'),
    reason: z.string('a rejection needs a reason').trim().min(1).max(2000).describe('why'),
    truth,
  }),
  z.strictObject({ verdict: z.literal('missed'), reason: reason.describe('what is not found'), truth }),
  z.strictObject({ verdict: z.literal('comment'), reason: reason.describe('the comment'), truth }),
  z.strictObject({
    verdict: z.literal('corrected'),
    reason: reason.optional(),
    truth,
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
  truth: z.array(statedTruth).describe('what was said of single findings'),
  verifiedSOPInstanceUID: z.string().nullable().describe('the verified document that an acceptance made'),
  current: z
    .boolean()
    .describe('false where the same person said something else of the result later; a comment takes nothing back'),
})

const filter = {
  verdict: z.enum(verdicts).optional(),
  pipeline: z.string().max(200).optional().describe('name for all of its versions, or name@sha256:…'),
  studyInstanceUID: uid.optional(),
  sopInstanceUID: uid.optional().describe('of the result'),
  from: z.iso.datetime().optional().describe('given at this time or later'),
  to: z.iso.datetime().optional().describe('given before this time'),
}

/** What people say of results: accepted, rejected, corrected. */
export function feedbackEndpoints({ knex, verifyReport }: FeedbackDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/results/{sopInstanceUID}/feedback',
      summary: 'Accept, reject, correct or comment on a result, or say that it misses something',
      params: z.strictObject({ sopInstanceUID: uid }),
      body: given,
      answer: feedback,
      status: 201,
      action: 'result-feedback',
      handle: async ({ params: { sopInstanceUID }, body, actor }) => {
        const at = new Date().toISOString()
        const said = {
          sopInstanceUID,
          verdict: body.verdict,
          reason: body.reason ?? null,
          truth: body.truth,
          correctedSOPInstanceUID: 'correctedSOPInstanceUID' in body ? body.correctedSOPInstanceUID : null,
          givenBy: actor,
          at,
        }
        const person = body.verdict === 'accepted' ? personOf(actor, body.observer) : null
        const verified = person && (await verifyReport({ sopInstanceUID, observer: person, by: actor, at }))
        return await giveFeedback(knex, said, async (trx, kept) => {
          if (!verified) return kept
          await verified.commit(trx)
          const verifiedSOPInstanceUID = verified.sopInstanceUID
          await trx('feedback').where({ id: kept.id }).update({ verified_instance_uid: verifiedSOPInstanceUID })
          return { ...kept, verifiedSOPInstanceUID }
        }).catch(refused)
      },
    }),
    endpoint({
      method: 'get',
      path: '/feedback',
      summary: 'What was said of results, the newest first',
      query: z.strictObject({ ...page.shape, ...filter }),
      answer: z.object({ total: z.number(), feedback: z.array(feedback) }),
      handle: ({ query }) => listFeedback(knex, withTimes(query)),
    }),
    endpoint({
      method: 'get',
      path: '/feedback/export',
      summary: 'All of it as a file, in the order in which it was given',
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

/**
 * Who verifies by accepting: the user, or the person whom a program names.
 * @throws ApiError where a user names somebody else
 */
function personOf(actor: string, named: z.output<typeof observer> | undefined) {
  const user = /^user:(.+)$/.exec(actor)?.[1]
  if (user === undefined) return named ? { name: named.name, identification: named.identification ?? null } : null
  if (named) throw new ApiError(400, 'bad-parameter', 'Who is logged in accepts in their own name: leave out observer.')
  // `^` and `=` divide a PN; the name is one that people chose to log in with.
  const name = user.replaceAll(/[\\^=]/g, ' ').slice(0, 64)
  return { name, identification: user.length <= 16 ? { value: user, scheme: '99HILUMUSER', meaning: name } : null }
}

/** @throws ApiError for what the caller has to know */
function refused(error: unknown): never {
  if (!(error instanceof FeedbackError)) throw error
  throw new ApiError(error.code === 'unknown-result' ? 404 : 409, error.code, `${error.message}.`)
}
