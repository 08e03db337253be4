import type { Knex } from 'knex'
import { HilumError } from '../errors.ts'

/** `corrected`: another object says what is right. `missed`: something is there that the result does not show. `comment`: no verdict. */
export const verdicts = ['accepted', 'rejected', 'corrected', 'missed', 'comment'] as const
export type FeedbackVerdict = (typeof verdicts)[number]

/** What somebody said of one finding: whether it is there. */
export interface StatedTruth {
  name: string
  /** `scheme:value`; null: of the whole input; left out: wherever. */
  site?: string | null | undefined
  present: boolean
}

/** What somebody said of a result. */
export interface Feedback {
  id: number
  /** ISO 8601 UTC. */
  at: string
  /** User or token. */
  givenBy: string
  verdict: FeedbackVerdict
  reason: string | null
  /** The object that is right, a SEG or SR; null where the verdict is another. */
  correctedSOPInstanceUID: string | null
  studyInstanceUID: string
  sopInstanceUID: string
  role: string
  revision: number
  route: string | null
  shadow: boolean
  /** `name@sha256:…`. */
  pipeline: string
  version: string | null
  /** What the run measured that the result is of. */
  findings: { name: string; value: number; unit: string; code: string; site: string | null }[]
  /** What was said of single findings. */
  truth: StatedTruth[]
  /** SOP Instance UID of the verified document that an acceptance made; null: none. */
  verifiedSOPInstanceUID: string | null
  /** False where the same person said something else of the result later. A comment takes nothing back. */
  current: boolean
}

/** Feedback that is not taken: no such result, or a correction that cannot be one. */
export class FeedbackError extends HilumError<'unknown-result' | 'no-correction'> {}

export interface GivenFeedback {
  sopInstanceUID: string
  verdict: FeedbackVerdict
  reason: string | null
  correctedSOPInstanceUID: string | null
  truth?: readonly StatedTruth[] | undefined
  givenBy: string
  at: string
}

/**
 * Keeps what somebody says of a result, with what the result was: the row stands when the study is deleted. Nothing is overwritten.
 * @param commit what else belongs to it, in the same transaction
 * @throws FeedbackError `unknown-result`; `no-correction` when the corrected object is the result, or is here and of another study
 */
export async function giveFeedback(
  database: Knex,
  given: GivenFeedback,
  commit: (trx: Knex, feedback: Feedback) => Promise<Feedback> = async (_trx, feedback) => feedback,
): Promise<Feedback> {
  const { sopInstanceUID, correctedSOPInstanceUID } = given
  return await database.transaction(async (trx) => {
    const result = await resultOf(trx, sopInstanceUID)
    if (correctedSOPInstanceUID !== null) await checkCorrection(trx, result, correctedSOPInstanceUID)
    const findings: Feedback['findings'] = await trx('findings')
      .where({ job_id: result.jobId })
      .orderBy('id')
      .select('name', 'value', 'unit', 'code', 'site')
    const digest = result.pipeline.split('@')[1] ?? ''
    const known = await trx('pipelines').where({ digest }).first<{ version: string } | undefined>('version')
    const [row] = await trx('feedback')
      .insert({
        at: given.at,
        given_by: given.givenBy,
        verdict: given.verdict,
        reason: given.reason,
        corrected_instance_uid: correctedSOPInstanceUID,
        study_instance_uid: result.studyInstanceUID,
        sop_instance_uid: sopInstanceUID,
        role: result.role,
        revision: result.revision,
        route: result.route,
        shadow: result.shadow,
        pipeline: result.pipeline,
        version: known?.version ?? null,
        findings: JSON.stringify(findings),
        job_id: result.jobId,
        truth: given.truth?.length ? JSON.stringify(given.truth) : null,
      })
      .returning<{ id: number }[]>('id')
    const [kept] = await select(trx('feedback').where({ id: row?.id ?? 0 }), trx)
    if (!kept) throw new Error('the feedback was not written')
    return await commit(trx, kept)
  })
}

interface ResultRow {
  studyId: number
  studyInstanceUID: string
  jobId: string
  role: string
  revision: number
  route: string | null
  shadow: number
  pipeline: string
}

async function resultOf(trx: Knex, sopInstanceUID: string): Promise<ResultRow> {
  const result = await trx('results')
    .join('studies', 'studies.id', 'results.study_id')
    .join('revisions', 'revisions.id', 'results.revision_id')
    .join('jobs', 'jobs.id', 'results.job_id')
    .where('results.sop_instance_uid', sopInstanceUID)
    .first<ResultRow | undefined>({
      studyId: 'studies.id',
      studyInstanceUID: 'studies.study_instance_uid',
      jobId: 'jobs.id',
      role: 'results.role',
      revision: 'revisions.number',
      route: 'jobs.route',
      shadow: 'jobs.shadow',
      pipeline: 'results.pipeline',
    })
  if (!result) throw new FeedbackError('unknown-result', `no result here has the SOP Instance UID ${sopInstanceUID}`)
  return result
}

/** A corrected object need not be here; one that is has to be of the study. */
async function checkCorrection(trx: Knex, { studyId }: ResultRow, uid: string): Promise<void> {
  if ((await trx('results').where({ sop_instance_uid: uid }).first('id')) !== undefined)
    throw new FeedbackError('no-correction', `${uid} is itself a result of a pipeline, not a correction of one`)
  const held = await trx('instances')
    .where({ sop_instance_uid: uid })
    .first<{ study_id: number } | undefined>('study_id')
  if (held && held.study_id !== studyId)
    throw new FeedbackError('no-correction', `${uid} belongs to another study than the result`)
}

export interface FeedbackFilter {
  verdict?: FeedbackVerdict | undefined
  /** `name` for every version, or `name@sha256:…`. */
  pipeline?: string | undefined
  studyInstanceUID?: string | undefined
  sopInstanceUID?: string | undefined
  /** ISO 8601 UTC, the first and the one after the last. */
  from?: string | undefined
  to?: string | undefined
}

/** Feedback, the newest first. */
export async function listFeedback(
  database: Knex,
  { limit, offset, ...filter }: { limit: number; offset: number } & FeedbackFilter,
): Promise<{ total: number; feedback: Feedback[] }> {
  const [counted] = await matching(database, filter).count<{ n: number }[]>('* as n')
  const rows = matching(database, filter).orderBy('id', 'desc').limit(limit).offset(offset)
  return { total: counted?.n ?? 0, feedback: await select(rows, database) }
}

/** Rows that an export holds in memory at a time. */
const batch = 500

/** Every feedback, in the order in which it was given. */
export async function* allFeedback(database: Knex, filter: FeedbackFilter): AsyncGenerator<Feedback> {
  let after = 0
  for (;;) {
    const rows = await select(matching(database, filter).where('id', '>', after).orderBy('id').limit(batch), database)
    yield* rows
    after = rows.at(-1)?.id ?? after
    if (rows.length < batch) return
  }
}

function matching(database: Knex, filter: FeedbackFilter): Knex.QueryBuilder {
  const { verdict, pipeline, studyInstanceUID, sopInstanceUID, from, to } = filter
  const rows = database('feedback')
  if (verdict) rows.where({ verdict })
  if (pipeline?.includes('@')) rows.where({ pipeline })
  else if (pipeline) rows.whereRaw("pipeline like ? escape '\\'", [`${pipeline.replace(/[\\%_]/g, '\\$&')}@%`])
  if (studyInstanceUID) rows.where({ study_instance_uid: studyInstanceUID })
  if (sopInstanceUID) rows.where({ sop_instance_uid: sopInstanceUID })
  if (from) rows.where('at', '>=', from)
  if (to) rows.where('at', '<', to)
  return rows
}

type FeedbackRow = Omit<Feedback, 'shadow' | 'findings' | 'truth' | 'current'> & {
  shadow: number
  truth: string | null
  findings: string
  current: number
}

async function select(rows: Knex.QueryBuilder, database: Knex): Promise<Feedback[]> {
  const found = await rows.select<FeedbackRow[]>(
    {
      id: 'id',
      at: 'at',
      givenBy: 'given_by',
      verdict: 'verdict',
      reason: 'reason',
      correctedSOPInstanceUID: 'corrected_instance_uid',
      studyInstanceUID: 'study_instance_uid',
      sopInstanceUID: 'sop_instance_uid',
      role: 'role',
      revision: 'revision',
      route: 'route',
      shadow: 'shadow',
      pipeline: 'pipeline',
      version: 'version',
      findings: 'findings',
      truth: 'truth',
      verifiedSOPInstanceUID: 'verified_instance_uid',
    },
    database.raw(
      `case when exists (select 1 from feedback as later where later.sop_instance_uid = feedback.sop_instance_uid
        and later.given_by = feedback.given_by and later.id > feedback.id
        and feedback.verdict <> 'comment' and later.verdict <> 'comment') then 0 else 1 end as "current"`,
    ),
  )
  return found.map((row) => ({
    ...row,
    shadow: row.shadow === 1,
    findings: JSON.parse(row.findings) as Feedback['findings'],
    truth: row.truth === null ? [] : (JSON.parse(row.truth) as StatedTruth[]),
    current: row.current === 1,
  }))
}
