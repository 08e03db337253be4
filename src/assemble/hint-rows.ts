import type { Knex } from 'knex'
import {
  countListed,
  type HintKind,
  type HintState,
  type HintSubject,
  type ListedInstances,
  type Statement,
  type StudyHint,
} from './hint.ts'

/** Sentences that are kept of one hint: senders repeat themselves. */
const mostEvents = 20
/** Values in one `where … in (…)`. */
const chunk = 500

/** The state of a hint that was kept; null where there is none. Inside a transaction on PostgreSQL its row is locked. */
export async function stateOfHint(trx: Knex, kind: HintKind, reference: string): Promise<HintState | null> {
  const row = await trx('completion_hints')
    .where({ kind, reference })
    .forUpdate()
    .first<{ state: HintState } | undefined>('state')
  return row?.state ?? null
}

/**
 * Keeps a statement: what was kept of the same subject before is brought up to date. Several studies may be added to it one by one.
 * @param at ISO 8601 UTC
 * @returns the Study Instance UIDs of the studies that it is about and that are here
 */
export async function keepHint(trx: Knex, statement: Statement, at: string): Promise<string[]> {
  const { kind, reference, state, sender, instances } = statement
  const known = await trx('completion_hints')
    .where({ kind, reference })
    .forUpdate()
    .first<{ id: number; events: string; instances: string | null } | undefined>('id', 'events', 'instances')
  const events = eventsWith(known?.events ?? '[]', statement.sentence, at)
  const list = instances && statement.addsInstances ? merged(known?.instances ?? '{}', instances) : instances
  const listed = list === null ? {} : { instances: JSON.stringify(list), listed: countListed(list) }
  let id = known?.id
  if (id === undefined) {
    const row = { kind, reference, state, sender, events, ...listed, created_at: at, updated_at: at }
    const [inserted] = await trx('completion_hints').insert(row).returning<{ id: number }[]>('id')
    id = (inserted as { id: number }).id
  } else
    await trx('completion_hints')
      .where({ id })
      .update({ state, sender, events, ...listed, updated_at: at })
  for (const subject of statement.subjects) await addSubject(trx, id, subject)
  return await studiesOfHint(trx, id)
}

function eventsWith(kept: string, sentence: string | null, at: string): string {
  const events = JSON.parse(kept) as { at: string; sentence: string }[]
  if (sentence === null || events.at(-1)?.sentence === sentence) return kept
  return JSON.stringify([...events, { at, sentence }].slice(-mostEvents))
}

function merged(kept: string, added: ListedInstances): ListedInstances {
  const list = JSON.parse(kept) as ListedInstances
  for (const [series, uids] of Object.entries(added)) list[series] = [...new Set([...(list[series] ?? []), ...uids])]
  return list
}

async function addSubject(trx: Knex, hintId: number, subject: HintSubject): Promise<void> {
  const row = {
    hint_id: hintId,
    study_instance_uid: 'studyInstanceUID' in subject ? subject.studyInstanceUID : null,
    accession_number: 'accessionNumber' in subject ? subject.accessionNumber : null,
  }
  const known = await trx('completion_hint_subjects').where(row).first('id')
  if (known === undefined) await trx('completion_hint_subjects').insert(row)
}

async function studiesOfHint(trx: Knex, hintId: number): Promise<string[]> {
  return await trx('studies')
    .whereIn('study_instance_uid', subjectsOf(trx, hintId, 'study_instance_uid'))
    .orWhereIn('accession_number', subjectsOf(trx, hintId, 'accession_number'))
    .pluck('study_instance_uid')
}

function subjectsOf(trx: Knex, hintId: number, column: string): Knex.QueryBuilder {
  return trx('completion_hint_subjects').where({ hint_id: hintId }).whereNotNull(column).select(column)
}

/** What identifies a study for those that speak of it. */
export interface HintedStudy {
  study_instance_uid: string
  accession_number: string | null
}

/** What was said of each of these studies, by Study Instance UID. A few queries, however many studies there are. */
export async function hintsOfStudies(
  database: Knex,
  studies: readonly HintedStudy[],
): Promise<ReadonlyMap<string, StudyHint[]>> {
  const byUID = await hintsBy(
    database,
    'study_instance_uid',
    studies.map((study) => study.study_instance_uid),
  )
  const numbers = studies.map((study) => study.accession_number).filter((number) => number !== null && number !== '')
  const byNumber = await hintsBy(database, 'accession_number', numbers as string[])
  const found = new Map<string, StudyHint[]>()
  for (const { study_instance_uid, accession_number } of studies) {
    const hints = [...(byUID.get(study_instance_uid) ?? []), ...(byNumber.get(accession_number ?? '') ?? [])]
    if (hints.length > 0) found.set(study_instance_uid, hints)
  }
  return found
}

async function hintsBy(
  database: Knex,
  column: 'study_instance_uid' | 'accession_number',
  values: readonly string[],
): Promise<Map<string, StudyHint[]>> {
  const found = new Map<string, StudyHint[]>()
  for (let from = 0; from < values.length; from += chunk) {
    const rows = await database('completion_hint_subjects as subject')
      .join('completion_hints as hint', 'hint.id', 'subject.hint_id')
      .whereIn(`subject.${column}`, values.slice(from, from + chunk))
      .orderBy('hint.id')
      .select<(StudyHint & { value: string })[]>(
        {
          value: `subject.${column}`,
          id: 'hint.id',
          kind: 'hint.kind',
          reference: 'hint.reference',
          state: 'hint.state',
          listed: 'hint.listed',
          updatedAt: 'hint.updated_at',
        },
        database.raw('(select count(*) from completion_hint_subjects other where other.hint_id = hint.id) as subjects'),
      )
    for (const { value, ...hint } of rows) found.set(value, [...(found.get(value) ?? []), hint])
  }
  return found
}

/** How many instances hints list, each once; how many of them are here, in whatever study; and how many in the one that is looked at. */
export interface ListedCount {
  expected: number
  present: number
  inStudy: number
}

/** Counts what hints list. Reads the lists: for the moments in which they may decide. */
export async function countPresent(database: Knex, hintIds: readonly number[], studyId: number): Promise<ListedCount> {
  const lists = await database('completion_hints').whereIn('id', hintIds).whereNotNull('instances').pluck('instances')
  const listed = [
    ...new Set(lists.flatMap((text: string) => Object.values(JSON.parse(text) as ListedInstances).flat())),
  ]
  const count: ListedCount = { expected: listed.length, present: 0, inStudy: 0 }
  for (let from = 0; from < listed.length; from += chunk) {
    const rows = await database('instances')
      .whereIn('sop_instance_uid', listed.slice(from, from + chunk))
      .groupBy('study_id')
      .select('study_id')
      .count<{ study_id: number; n: number }[]>({ n: '*' })
    for (const { study_id, n } of rows) {
      count.present += n
      if (study_id === studyId) count.inStudy += n
    }
  }
  return count
}

/**
 * Forgets what was said long ago: hints of studies that never came, and the lists of the others.
 * @param before ISO 8601 UTC
 * @returns how many hints were forgotten
 */
export async function expireHints(database: Knex, before: string): Promise<number> {
  return await database.transaction(async (trx) => {
    const old = () => trx('completion_hints').where('updated_at', '<', before)
    const here = trx('completion_hint_subjects as subject')
      .join('studies', (on) => {
        on.on('studies.study_instance_uid', 'subject.study_instance_uid').orOn(
          'studies.accession_number',
          'subject.accession_number',
        )
      })
      .whereRaw('?? = ??', ['subject.hint_id', 'completion_hints.id'])
      .select(trx.raw('1'))
    const forgotten = await old().whereNotExists(here).delete()
    await old().whereNotNull('instances').update({ instances: null, listed: 0 })
    return forgotten
  })
}
