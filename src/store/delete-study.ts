import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { insertRows } from './insert-rows.ts'
import type { Objects } from './objects.ts'

/** A study as it was when its deletion was decided. Where it is not so any more, it is not deleted. */
export interface StudyAsSeen {
  id: number
  studyInstanceUID: string
  revision: number
  lastInstanceAt: string
  /** Indexed, results that came back to the node's own store included. */
  instances: number
  results: number
}

/** Why, by what and by whom a study is deleted. */
export interface DeletionReason {
  /** Of retention; empty where a person deleted it. */
  rule: string
  /** What has shown that it is elsewhere. */
  proof: string
  actor: string
  /** ISO 8601 UTC. */
  at: string
}

/** What is left of a study that was deleted. */
export interface Deletion extends DeletionReason {
  studyInstanceUID: string
  /** The newest. */
  revision: number
  /** Source instances. */
  instances: number
  results: number
  /** Of all instances and results. */
  bytes: number
}

const keysOfStatement = 500
/** Files that are removed at once. */
const keysOfPage = 32

/**
 * Deletes a study's rows, and writes down what it was and which files are to be removed, in one transaction. The files are removed by
 * `removeDeletedObjects`.
 * @param commit further rows for the same transaction
 * @param options.undelivered true: also where results are not delivered
 * @returns null, and nothing is deleted, where the study has changed since it was looked at, or has work or undelivered results
 */
export async function deleteStudy(
  database: Knex,
  study: StudyAsSeen,
  reason: DeletionReason,
  commit: (trx: Knex) => Promise<void> = async () => {},
  { undelivered = false }: { undelivered?: boolean } = {},
): Promise<Deletion | null> {
  return await database.transaction(async (trx) => {
    // A write first: SQLite takes its lock at once, and PostgreSQL that of the row, for which whoever adds to the study waits.
    const same = { id: study.id, revision: study.revision, last_instance_at: study.lastInstanceAt, changed: 0 }
    if ((await trx('studies').where(same).update({ changed: 0 })) === 0) return null
    const instances: { object_key: string; size: number; origin: string; sop_instance_uid: string }[] = await trx(
      'instances',
    )
      .where({ study_id: study.id })
      .select('object_key', 'size', 'origin', 'sop_instance_uid')
    const results: { object_key: string; size: number }[] = await trx('results')
      .where({ study_id: study.id })
      .select('object_key', 'size')
    if (instances.length !== study.instances || results.length !== study.results) return null
    if (await hasOpenWork(trx, study.id, undelivered)) return null
    const exported: { object_key: string; size: number }[] = await trx('exports')
      .where({ study_id: study.id })
      .select('object_key', 'size')
    const replaced: string[] = await trx('replaced_instances').where({ study_id: study.id }).pluck('object_key')
    const sources = instances.filter(({ origin }) => origin === 'source').map((row) => row.sop_instance_uid)
    const deletion: Deletion = {
      ...reason,
      studyInstanceUID: study.studyInstanceUID,
      revision: study.revision,
      instances: sources.length,
      results: results.length,
      bytes: [...instances, ...results, ...exported].reduce((sum, { size }) => sum + size, 0),
    }
    const keys = [...instances, ...results, ...exported].map((row) => row.object_key)
    await remember(trx, deletion, { content: contentDigest(sources), keys: [...new Set([...keys, ...replaced])] })
    await trx('studies').where({ id: study.id }).delete()
    await commit(trx)
    return deletion
  })
}

async function hasOpenWork(trx: Knex, studyId: number, jobsOnly: boolean): Promise<boolean> {
  const job = await trx('jobs').where({ study_id: studyId }).whereIn('state', ['queued', 'running']).first('id')
  if (job !== undefined || jobsOnly) return job !== undefined
  const undelivered = await trx('deliveries')
    .join('results', 'results.id', 'deliveries.result_id')
    .where('results.study_id', studyId)
    .whereNot('deliveries.state', 'verified')
    .first('deliveries.id')
  return undelivered !== undefined
}

async function remember(
  trx: Knex,
  deletion: Deletion,
  { content, keys }: { content: string; keys: readonly string[] },
): Promise<void> {
  const { studyInstanceUID, ...columns } = deletion
  const [row] = await trx('deletions')
    .insert({ study_instance_uid: studyInstanceUID, content, ...columns })
    .returning<{ id: number }[]>('id')
  for (let start = 0; start < keys.length; start += keysOfStatement)
    await insertRows(trx, {
      table: 'deleted_objects',
      columns: ['object_key', 'deletion_id'],
      rows: keys.slice(start, start + keysOfStatement).map((key) => [key, row?.id ?? null]),
      suffix: 'on conflict ("object_key") do update set "deletion_id" = excluded."deletion_id"',
    })
}

interface DeletedObject {
  key: string
  /** The study that has the deleted one's UID now, or null. */
  studyId: number | null
}

/**
 * Removes the files of deleted studies, those included that a crash or an error left behind. Doing it again is harmless.
 * @returns how many are removed, and how many could not be
 */
export async function removeDeletedObjects(
  database: Knex,
  objects: Pick<Objects, 'remove'>,
  log: Log,
): Promise<{ removed: number; left: number }> {
  let after = ''
  let removed = 0
  let left = 0
  for (;;) {
    const rows: DeletedObject[] = await database('deleted_objects')
      .join('deletions', 'deletions.id', 'deleted_objects.deletion_id')
      .leftJoin('studies', 'studies.study_instance_uid', 'deletions.study_instance_uid')
      .where('deleted_objects.object_key', '>', after)
      .orderBy('deleted_objects.object_key')
      .limit(keysOfPage)
      .select({ key: 'deleted_objects.object_key', studyId: 'studies.id' })
    if (rows.length === 0) return { removed, left }
    after = rows.at(-1)?.key ?? after
    const gone = await Promise.all(rows.map((row) => removeObject(row, { database, objects, log })))
    const done = rows.filter((_, n) => gone[n]).map(({ key }) => key)
    removed += done.length
    left += rows.length - done.length
    await database('deleted_objects').whereIn('object_key', done).delete()
  }
}

/** @returns false where the file has to wait for the next time */
async function removeObject(
  { key, studyId }: DeletedObject,
  { database, objects, log }: { database: Knex; objects: Pick<Objects, 'remove'>; log: Log },
): Promise<boolean> {
  // A received file's name is never given twice. A result's is derived from what it is: the study may be here again, and with it the result.
  if (studyId !== null && key.startsWith('results/')) {
    const same = { study_id: studyId, object_key: key }
    if ((await database('results').where(same).first('id')) ?? (await database('exports').where(same).first('id')))
      return true
    const working = { study_id: studyId, kind: 'infer' }
    if (await database('jobs').where(working).whereIn('state', ['queued', 'running']).first('id')) return false
  }
  try {
    await objects.remove(key)
    return true
  } catch (error) {
    log.warn('a file of a deleted study cannot be removed now', { key, reason: messageOf(error) })
    return false
  }
}

/** The deletions of a study, the newest first. */
export async function deletionsOf(database: Knex, studyInstanceUID: string): Promise<Deletion[]> {
  return await database('deletions')
    .where({ study_instance_uid: studyInstanceUID })
    .orderBy('id', 'desc')
    .select<Deletion[]>(columnsOfDeletion)
}

/** The newest deletions. */
export async function listDeletions(
  database: Knex,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ total: number; deletions: Deletion[] }> {
  const [counted] = await database('deletions').count<{ n: number }[]>('* as n')
  const deletions = await database('deletions')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .select<Deletion[]>(columnsOfDeletion)
  return { total: counted?.n ?? 0, deletions }
}

/**
 * The number of the first revision of a study that was deleted and has come again: the same number for the same instances, so that their
 * results are the same objects again; else the next one, so that no result gets the UID of another that is elsewhere.
 * @param sopInstanceUIDs of its source instances
 */
export async function firstRevisionNumber(
  database: Knex,
  studyInstanceUID: string,
  sopInstanceUIDs: () => Promise<readonly string[]>,
): Promise<number> {
  const last = await database('deletions')
    .where({ study_instance_uid: studyInstanceUID })
    .orderBy('id', 'desc')
    .first<{ revision: number; content: string | null } | undefined>('revision', 'content')
  if (last === undefined || last.revision === 0) return 1
  return last.content === contentDigest(await sopInstanceUIDs()) ? last.revision : last.revision + 1
}

function contentDigest(sopInstanceUIDs: readonly string[]): string {
  return createHash('sha256')
    .update([...sopInstanceUIDs].sort().join('\n'))
    .digest('hex')
}

const columnsOfDeletion = {
  studyInstanceUID: 'study_instance_uid',
  revision: 'revision',
  instances: 'instances',
  results: 'results',
  bytes: 'bytes',
  rule: 'rule',
  proof: 'proof',
  actor: 'actor',
  at: 'at',
}

/** A deletion, for a sentence that begins with `deleted` and may say when. */
export function deletionReason({ rule, actor, instances, proof }: Deletion): string {
  return `by ${rule === '' ? actor : `the retention rule ${rule}`}, with ${instances} source instance${instances === 1 ? '' : 's'}: ${proof}`
}

/** A deletion in one sentence. */
export function deletionSentence(deletion: Deletion): string {
  return `deleted at ${deletion.at} ${deletionReason(deletion)}`
}
