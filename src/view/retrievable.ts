import type { Knex } from 'knex'
import { textsOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import type { ObjectPaths } from './retrieve-instances.ts'

/** What a C-MOVE or C-GET names by its unique keys, or the next page of it. */
export interface RetrieveQuestion {
  keys: DicomJson
  /** `next` of the page before; null for the first. */
  after: string | null
}

/** Some of the instances that a retrieval names. */
export interface RetrievablePage {
  instances: { path: string | null; sopClassUID: string; sopInstanceUID: string; transferSyntaxUID: string }[]
  /** Instances on all pages. */
  total: number
  next: string | null
}

/** Paths are looked up one by one: an answer must not take long, nor be large. */
const pageLength = 500
/** UIDs in one list: databases bound the number of values in one statement. */
const maximumList = 10_000

interface InstanceRow {
  id: number
  study_id: number
  sop_class_uid: string
  sop_instance_uid: string
  transfer_syntax_uid: string
  object_key: string
}

/**
 * The instances that unique keys name (PS3.4 C.4.2.2.1), study by study in the order of their arrival, with the files that hold them.
 * @throws RequestError 'too-large' for a list of more than 10,000 UIDs, 'bad-parameter' where there is no key at all
 */
export async function findRetrievable(
  database: Knex,
  objects: ObjectPaths,
  { keys, after }: RetrieveQuestion,
): Promise<RetrievablePage> {
  const studies = await studyIds(database, keys)
  const narrowed = await narrowing(database, keys, studies)
  const [afterStudy = 0, afterInstance = 0] = (after ?? '').split(':').map(Number)
  const rows: InstanceRow[] = []
  for (const study of studies) {
    if (study < afterStudy || rows.length > pageLength) continue
    const page: InstanceRow[] = await narrowed(database('instances').where('study_id', study))
      .where('id', '>', study === afterStudy ? afterInstance : 0)
      .orderBy('id')
      .limit(pageLength + 1 - rows.length)
      .select('id', 'study_id', 'sop_class_uid', 'sop_instance_uid', 'transfer_syntax_uid', 'object_key')
    rows.push(...page)
  }
  const page = rows.slice(0, pageLength)
  const last = page.at(-1)
  return {
    instances: await Promise.all(page.map((row) => retrievable(row, objects))),
    total: await countOf(database, studies, narrowed),
    next: rows.length > pageLength && last ? `${last.study_id}:${last.id}` : null,
  }
}

type Narrow = (query: Knex.QueryBuilder) => Knex.QueryBuilder

/** Ids of the studies, ascending. */
async function studyIds(database: Knex, keys: DicomJson): Promise<number[]> {
  const patients = listOf(keys, 'PatientID')
  const studies = listOf(keys, 'StudyInstanceUID')
  if (patients.length === 0 && studies.length === 0)
    throw new RequestError('bad-parameter', 'a Patient ID or Study Instance UID is expected')
  const query = database('studies').select('id').orderBy('id')
  if (patients.length > 0) query.whereIn('patient_id', patients)
  if (studies.length > 0) query.whereIn('study_instance_uid', studies)
  return ((await query) as { id: number }[]).map(({ id }) => id)
}

/** Confines a query to the series and instances that are named. */
async function narrowing(database: Knex, keys: DicomJson, studies: readonly number[]): Promise<Narrow> {
  const uids = listOf(keys, 'SeriesInstanceUID')
  const instances = listOf(keys, 'SOPInstanceUID')
  if (uids.length === 0) return (query) => query
  const found: { id: number; study_id: number }[] = await database('series')
    .whereIn('series_instance_uid', uids)
    .select('id', 'study_id')
  const series = found.filter((row) => studies.includes(row.study_id)).map(({ id }) => id)
  return (query) => {
    query.whereIn('series_id', series)
    return instances.length > 0 ? query.whereIn('sop_instance_uid', instances) : query
  }
}

function listOf(keys: DicomJson, keyword: string): string[] {
  const values = textsOf(keys, keyword).filter((value) => value !== '')
  if (values.length > maximumList)
    throw new RequestError('too-large', `${keyword}: at most ${maximumList} values are expected`)
  return values
}

async function countOf(database: Knex, studies: readonly number[], narrowed: Narrow): Promise<number> {
  let total = 0
  for (const study of studies) {
    const [row]: { instances: number }[] = await narrowed(database('instances').where('study_id', study)).count({
      instances: '*',
    })
    total += row?.instances ?? 0
  }
  return total
}

async function retrievable(row: InstanceRow, objects: ObjectPaths): Promise<RetrievablePage['instances'][number]> {
  return {
    // What is indexed and not there is a failed sub-operation, not a failed retrieval.
    path: await objects.pathOf(row.object_key).catch(() => null),
    sopClassUID: row.sop_class_uid,
    sopInstanceUID: row.sop_instance_uid,
    transferSyntaxUID: row.transfer_syntax_uid,
  }
}
