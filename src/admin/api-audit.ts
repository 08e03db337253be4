import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Knex } from 'knex'
import { z } from 'zod'
import { verifyChain } from '../store/audit-chain.ts'
import { auditActions, auditAfter, auditEntryAt } from '../store/audit-list.ts'
import { listTotal, uid, withTimes } from './api-schemas.ts'
import type { Audit } from './audit.ts'
import { auditLines } from './audit-lines.ts'
import type { AuditSource } from './audit-message.ts'
import { auditMessage } from './audit-message.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

export interface AuditDeps {
  knex: Knex
  audit: Audit
  auditSource: AuditSource
  /** How far the file and the syslog server are behind. */
  auditOutlets(): Promise<z.input<typeof outlet>[]>
}

const outlet = z.object({
  name: z.string(),
  sequence: z.number().describe('the last entry that is there'),
  waiting: z.number().describe('entries that are not there yet'),
  trouble: z.string().nullable(),
})

const detail = z.object({
  address: z.string().optional(),
  aeTitle: z.string().optional(),
  peer: z.string().optional().describe('where data went: AE title or destination'),
  peerAddress: z.string().optional(),
  patientID: z.string().optional(),
  instances: z.record(z.string(), z.number()).optional().describe('by SOP class UID'),
  requests: z.number().optional().describe('that this entry stands for'),
  until: z.string().optional(),
  query: z.string().optional(),
  sopClassUID: z.string().optional(),
  reason: z.string().optional().describe('why it did not work'),
})

const auditEntry = z
  .object({
    id: z.number(),
    sequence: z.number().describe('place in the chain'),
    at: z.string(),
    actor: z.string(),
    action: z.string(),
    subject: z.string().nullable(),
    outcome: z.string(),
    studyInstanceUID: z.string().nullable(),
    detail,
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' })

const filter = {
  from: z.iso.datetime().optional().describe('at this time or later'),
  to: z.iso.datetime().optional().describe('before this time'),
  actor: z.string().max(255).optional().describe('user:NAME, token:NAME, …; the beginning with a * at its end'),
  action: z.string().max(64).optional(),
  outcome: z.enum(['success', 'failure']).optional(),
  subject: z.string().max(255).optional(),
  studyInstanceUID: uid.optional(),
}

/** Who did what. */
export function auditEndpoints({ knex, audit, auditSource, auditOutlets }: AuditDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/audit',
      summary: 'Who did what, the newest first',
      query: z.strictObject({
        ...filter,
        limit: z.coerce.number().int().min(1).max(500).default(100),
        before: z.coerce.number().int().optional().describe('only entries with a smaller id: the next page'),
      }),
      answer: z.object({ ...listTotal, entries: z.array(auditEntry) }),
      sight: 'audit-read',
      handle: ({ query }) => audit.list(withTimes(query)),
    }),
    endpoint({
      method: 'get',
      path: '/audit/actions',
      summary: 'What the audit tells of: the names of the acts in it',
      answer: z.object({ actions: z.array(z.string()) }),
      handle: async () => ({ actions: await auditActions(knex) }),
    }),
    endpoint({
      method: 'get',
      path: '/audit/{sequence}/message',
      summary: 'An entry as a DICOM audit message (PS3.15 A.5)',
      params: z.strictObject({ sequence: z.coerce.number().int().positive() }),
      answerType: 'application/xml',
      sight: 'audit-read',
      handle: async ({ params, res }) => {
        const row = await auditEntryAt(knex, params.sequence)
        if (!row) throw new ApiError(404, 'not-found', 'There is no such entry.')
        res.setHeader('Cache-Control', 'no-store')
        res.type('application/xml').send(auditMessage(row, auditSource))
        return undefined
      },
    }),
    endpoint({
      method: 'get',
      path: '/audit/verification',
      summary: 'Whether an entry was changed, removed or put in; and how far the file and the syslog server are',
      answer: z.object({
        entries: z.number(),
        sequence: z.number().describe('of the last entry'),
        hash: z.string().describe('of the last entry: what was noted elsewhere must be found in the audit'),
        problems: z.array(z.object({ sequence: z.number().nullable(), problem: z.string() })),
        outlets: z.array(outlet),
      }),
      action: 'audit-verify',
      handle: async () => {
        const { entries, head, problems } = await verifyChain(knex)
        return { entries, ...head, problems, outlets: await auditOutlets() }
      },
    }),
    endpoint({
      method: 'get',
      path: '/audit/export',
      summary: 'The audit as JSON lines, the oldest first: each entry with its hashes and its DICOM audit message',
      query: z.strictObject({ from: filter.from, to: filter.to }),
      answerType: 'application/x-ndjson',
      action: 'audit-export',
      handle: async ({ query, res }) => {
        res.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8')
        res.setHeader('Content-Disposition', 'attachment; filename="audit.jsonl"')
        res.setHeader('Cache-Control', 'no-store')
        const { from, to } = withTimes(query)
        const page = (after: number) => auditAfter(knex, after, 500, { from, to })
        await pipeline(Readable.from(auditLines(page, auditSource)), res)
        return undefined
      },
    }),
  ]
}
