import type { Knex } from 'knex'
import { recomputeStudyState } from '../jobs/study-state.ts'
import { raise } from '../notify/raise.ts'
import { firstRevisionNumber } from '../store/delete-study.ts'

/** A complete state of a study's source content, which never changes any more. */
export interface StudyRevision {
  id: number
  studyId: number
  studyInstanceUID: string
  /** From 1; from a later one where the study was deleted before. */
  number: number
  /** ISO 8601 UTC. */
  completedAt: string
  /** One sentence. */
  reason: string
  instances: number
}

/** The pinned object keys by Series Instance UID, in the order of instances' UIDs. */
export type RevisionMembers = Record<string, string[]>

export interface CompletionOptions {
  studyId: number
  /** ISO 8601 UTC. */
  now: string
  /** Decides with the row as it is inside the transaction; null: not yet. */
  reasonFor: (row: ReceivingRow) => string | null
}

/** A study's row as far as completion looks at it. */
export interface ReceivingRow {
  id: number
  study_instance_uid: string
  revision: number
  changed: number
  accession_number: string | null
  source_instances: number
  last_instance_at: string
  released_at: string | null
  updated_at: string
  /** Instances of the newest revision; null before the first. */
  newest_instances: number | null
}

/** `same`: the content is that of an earlier revision, because what came was only repeated, or has gone again. */
export type Completion = { kind: 'revision'; revision: StudyRevision } | { kind: 'same' } | { kind: 'not-due' }

/**
 * Completes a study in one transaction: pins its source instances as the next revision and marks it as unchanged. Whatever arrives
 * afterwards belongs to the revision after that.
 */
export async function completeStudy(database: Knex, options: CompletionOptions): Promise<Completion> {
  return await database.transaction(async (trx) => {
    await trx('studies').where({ id: options.studyId }).forUpdate().first('id')
    const [row] = await receivingRows(trx).where('studies.id', options.studyId)
    if (row === undefined || row.changed === 0) return { kind: 'not-due' }
    const reason = options.reasonFor(row)
    if (reason === null) return { kind: 'not-due' }
    const members = await findMembers(trx, row.id)
    const instances = Object.values(members).reduce((sum, keys) => sum + keys.length, 0)
    const earlier = await revisionWith(trx, row, { members, instances })
    if (instances === 0 || earlier !== null) {
      await trx('studies').where({ id: row.id }).update({ changed: 0 })
      if (earlier !== null && earlier < row.revision) await tellOfReturn(trx, row.id, earlier, options.now)
      await recomputeStudyState(trx, row.id)
      return { kind: 'same' }
    }
    const revision = await insertRevision(trx, row, { members, instances, reason, now: options.now })
    return { kind: 'revision', revision }
  })
}

/** Members in a fixed order, so that equal content is equal text. */
async function findMembers(trx: Knex, studyId: number): Promise<RevisionMembers> {
  const rows = await trx('instances')
    .join('series', 'series.id', 'instances.series_id')
    .where({ 'instances.study_id': studyId, 'instances.origin': 'source' })
    .select<{ series: string; instance: string; key: string }[]>({
      series: 'series.series_instance_uid',
      instance: 'instances.sop_instance_uid',
      key: 'instances.object_key',
    })
  // Sorted here: databases differ in how they order text.
  rows.sort((a, b) => compare(a.series, b.series) || compare(a.instance, b.instance))
  const members: RevisionMembers = {}
  for (const { series, key } of rows) {
    members[series] ??= []
    members[series].push(key)
  }
  return members
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The number of the newest revision that has these members, or null: no content is ever fired twice. */
async function revisionWith(
  trx: Knex,
  row: ReceivingRow,
  { members, instances }: { members: RevisionMembers; instances: number },
): Promise<number | null> {
  if (row.revision === 0) return null
  const found = await trx('revisions')
    .where({ study_id: row.id, instances, members: JSON.stringify(members) })
    .orderBy('number', 'desc')
    .first<{ number: number } | undefined>('number')
  return found?.number ?? null
}

/** Instances have gone to another study: nothing is run for what was run before, and the study's page says so. */
async function tellOfReturn(trx: Knex, studyId: number, revision: number, at: string): Promise<void> {
  await trx('study_events').insert({
    study_id: studyId,
    at,
    kind: 'content-returned',
    sentence: `the content is again that of revision ${revision}: no new revision is made of it`,
    detail: JSON.stringify({ revision }),
  })
}

async function insertRevision(
  trx: Knex,
  row: ReceivingRow,
  { members, instances, reason, now }: { members: RevisionMembers; instances: number; reason: string; now: string },
): Promise<StudyRevision> {
  const number = row.revision === 0 ? await firstNumber(trx, row) : row.revision + 1
  const [inserted] = await trx('revisions')
    .insert({
      study_id: row.id,
      number,
      completed_at: now,
      reason: reason.slice(0, 255),
      instances,
      members: JSON.stringify(members),
      routed: 0,
    })
    .returning<{ id: number }[]>('id')
  if (inserted === undefined) throw new Error('the database gave no id for a revision')
  await trx('studies')
    .where({ id: row.id })
    .update({ changed: 0, revision: number, state: 'complete', updated_at: now })
  await raise(trx, {
    event: 'completed',
    at: now,
    studyId: row.id,
    detail: {
      sentence: `revision ${number} of the study is complete, with ${instances} instances`,
      studyInstanceUID: row.study_instance_uid,
      reason,
    },
  })
  return {
    id: inserted.id,
    studyId: row.id,
    studyInstanceUID: row.study_instance_uid,
    number,
    completedAt: now,
    reason,
    instances,
  }
}

/** 1, unless the study was deleted before and has come again. */
function firstNumber(trx: Knex, { id, study_instance_uid }: ReceivingRow): Promise<number> {
  return firstRevisionNumber(trx, study_instance_uid, () =>
    trx('instances').where({ study_id: id, origin: 'source' }).pluck('sop_instance_uid'),
  )
}

/** The rows of studies as completion looks at them; to be narrowed down by the caller. */
export function receivingRows(database: Knex): Knex.QueryBuilder<ReceivingRow, ReceivingRow[]> {
  return database('studies')
    .leftJoin('revisions', (on) => {
      on.on('revisions.study_id', 'studies.id').andOn('revisions.number', 'studies.revision')
    })
    .select<ReceivingRow[]>(
      'studies.id',
      'studies.study_instance_uid',
      'studies.revision',
      'studies.changed',
      'studies.accession_number',
      'studies.source_instances',
      'studies.last_instance_at',
      'studies.released_at',
      'studies.updated_at',
      'revisions.instances as newest_instances',
    )
}

/** Revisions whose routes have not been decided: the process ended in between, or deciding failed. */
export async function findUnroutedRevisions(database: Knex): Promise<StudyRevision[]> {
  return await database('revisions')
    .join('studies', 'studies.id', 'revisions.study_id')
    .where('revisions.routed', 0)
    .orderBy('revisions.id')
    .select<StudyRevision[]>({
      id: 'revisions.id',
      studyId: 'revisions.study_id',
      studyInstanceUID: 'studies.study_instance_uid',
      number: 'revisions.number',
      completedAt: 'revisions.completed_at',
      reason: 'revisions.reason',
      instances: 'revisions.instances',
    })
}
