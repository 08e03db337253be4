import type { Knex } from 'knex'
import { z } from 'zod'
import { HilumError } from '../errors.ts'
import { listDeletions } from '../store/delete-study.ts'
import type { SpaceReading } from '../store/free-space.ts'
import { page } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

const disk = z.object({
  state: z.enum(['enough', 'warn', 'refuse', 'emergency']),
  free: z.number().describe('bytes'),
  warnFree: z.number().describe('bytes; with less free, a warning is given'),
  minimumFree: z.number().describe('bytes; with less free, instances are refused'),
  emergencyFree: z.number().describe('bytes; with less free, instances under way are ended and no job is started'),
})

const run = z.object({
  rule: z.string(),
  dryRun: z.boolean(),
  startedAt: z.string(),
  finishedAt: z.string(),
  studies: z.number().describe('that are old enough, as far as they were looked at'),
  deleted: z.number().describe('of them; in a dry run those that would be'),
  bytes: z.number(),
  stopped: z.string().nullable().describe('why not all were looked at'),
  outcomes: z.array(
    z.object({
      studyInstanceUID: z.string(),
      deleted: z.boolean(),
      reason: z.string().describe('the proof, or why it is kept'),
    }),
  ),
})

const rule = z.object({
  name: z.string(),
  schedule: z.string().describe('cron, local time'),
  olderThanDays: z.number(),
  states: z.array(z.string()),
  verifiedAt: z.array(z.string()),
  storedAt: z.array(z.string()),
  belowFree: z.number().describe('bytes; 0: always'),
})

const deletion = z.object({
  studyInstanceUID: z.string(),
  at: z.string(),
  rule: z.string(),
  actor: z.string(),
  proof: z.string(),
  revision: z.number().describe('the newest that there was'),
  instances: z.number(),
  results: z.number(),
  bytes: z.number(),
})

type Run = z.input<typeof run>
interface Rule extends Omit<z.input<typeof rule>, 'states' | 'verifiedAt' | 'storedAt'> {
  readonly states: readonly string[]
  readonly verifiedAt: readonly string[]
  readonly storedAt: readonly string[]
}

export interface StorageDeps {
  knex: Knex
  space: { read(): SpaceReading }
  retention: {
    status(): { rule: Rule; nextRun: string | null; lastRun: Run | null }[]
    /** @throws HilumError `rule-unknown` */
    run(options: { rule?: string; dryRun: boolean; actor: string; ask?: boolean; limit?: number }): Promise<Run[]>
  }
}

/** Studies that a rule's preview looks at. */
const previewed = 100

/** The disk, and the rules by which studies are deleted. */
export function storageEndpoints({ knex, space, retention }: StorageDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/storage',
      summary: 'The free space of the data folder, and what it allows',
      answer: z.object({ disk }),
      handle: () => ({ disk: space.read() }),
    }),
    endpoint({
      method: 'get',
      path: '/retention',
      summary:
        'The rules by which studies are deleted, and what each would do now; destinations are not asked for this',
      answer: z.object({
        rules: z.array(
          z.object({ rule, nextRun: z.string().nullable(), lastRun: run.nullable(), preview: run.nullable() }),
        ),
      }),
      handle: async ({ actor }) => {
        const preview = await retention.run({ dryRun: true, ask: false, limit: previewed, actor })
        return {
          rules: retention.status().map(({ rule: one, nextRun, lastRun }) => ({
            rule: plain(one),
            nextRun,
            lastRun,
            preview: preview.find((would) => would.rule === one.name) ?? null,
          })),
        }
      },
    }),
    endpoint({
      method: 'post',
      path: '/retention/run',
      summary: 'Run retention rules now, or say what they would delete after asking the destinations',
      body: z.strictObject({ rule: z.string().max(100).optional(), dryRun: z.boolean() }),
      answer: z.object({ runs: z.array(run) }),
      action: 'retention-run',
      subject: ({ body }) => `${body.rule ?? 'all'}${body.dryRun ? ', dry' : ''}`,
      handle: async ({ body, actor }) => {
        const { rule: name, dryRun } = body
        try {
          return { runs: await retention.run({ dryRun, actor, ...(name === undefined ? {} : { rule: name }) }) }
        } catch (error) {
          if (error instanceof HilumError && error.code === 'rule-unknown')
            throw new ApiError(404, 'not-found', `${error.message}.`)
          throw error
        }
      },
    }),
    endpoint({
      method: 'get',
      path: '/retention/deletions',
      summary: 'What was deleted, by which rule and on which proof, the newest first',
      query: page,
      answer: z.object({ total: z.number(), deletions: z.array(deletion) }),
      handle: ({ query }) => listDeletions(knex, query),
    }),
  ]
}

function plain({ states, verifiedAt, storedAt, ...others }: Rule): z.input<typeof rule> {
  const { name, schedule, olderThanDays, belowFree } = others
  return {
    name,
    schedule,
    olderThanDays,
    belowFree,
    states: [...states],
    verifiedAt: [...verifiedAt],
    storedAt: [...storedAt],
  }
}
