import type { Knex } from 'knex'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { personNameGroups, searchKey } from '../dicom/search-key.ts'
import { type Counted, countUpTo } from './count-up-to.ts'
import { isCurrent } from './current-results.ts'
import { effort, walkStudies } from './study-walk.ts'
import type { StudyState, TimelineFinding } from './timeline-types.ts'

export interface StudyQuery {
  limit: number
  offset: number
  /** Part of the patient's name, ID, the accession number or the description; or a whole Study Instance UID. */
  search?: string
  state?: StudyState
}

/** A study in the list of studies. */
export interface StudySummary {
  studyInstanceUID: string
  state: StudyState
  /** The alphabetic component group, or the first there is. */
  patientName: string | null
  patientNameIdeographic: string | null
  patientNamePhonetic: string | null
  patientID: string | null
  accessionNumber: string | null
  studyDate: string | null
  studyDescription: string | null
  /** Of the source series that hold something. */
  modalities: string[]
  /** Source instances. */
  instances: number
  revision: number
  /** Of the newest revision. */
  findings: Pick<TimelineFinding, 'name' | 'value' | 'unit' | 'site'>[]
  /** Why it failed, or the last thing that happened that no other field tells; null where there is nothing to say. */
  remark: string | null
  createdAt: string
  updatedAt: string
}

/** One page of studies; the total is of all pages, as far as it was worth while to count, or to look through a large archive. */
export interface StudyPage extends Counted {
  studies: StudySummary[]
}

type Derived = 'patientNameIdeographic' | 'patientNamePhonetic' | 'modalities' | 'findings' | 'remark'
type StudyColumns = Omit<StudySummary, Derived> & { id: number; header: string }

/** One page of studies, the last changed first, with the number of all that match. */
export async function listStudies(database: Knex, query: StudyQuery): Promise<StudyPage> {
  const search = query.search?.trim() ?? ''
  const { ids, ...total } = search === '' ? await listed(database, query) : await searched(database, query, search)
  return { ...total, studies: await summaries(database, ids) }
}

interface Found extends Counted {
  ids: number[]
}

async function listed(database: Knex, { state, limit, offset }: StudyQuery): Promise<Found> {
  const matching = database('studies')
  if (state !== undefined) matching.where({ state })
  const ids: number[] = await matching
    .clone()
    .orderBy([
      { column: 'updated_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(limit)
    .offset(offset)
    .pluck('id')
  return { ids, ...(await countUpTo(database, matching)) }
}

async function searched(database: Knex, { state, limit, offset }: StudyQuery, search: string): Promise<Found> {
  const spent = effort()
  const walk = {
    order: 'updated_at' as const,
    bounds: (slice: Knex.QueryBuilder) => {
      if (state !== undefined) slice.where({ state })
    },
    conditions: (studies: Knex.QueryBuilder) => whereContains(studies, search),
  }
  const found: Found = { ids: [], total: 0, totalIsExact: true }
  for await (const ids of walkStudies(database, walk, spent)) {
    const from = Math.max(0, offset - found.total)
    found.ids.push(...ids.slice(from, from + limit - found.ids.length))
    found.total += ids.length
  }
  return { ...found, totalIsExact: !spent.exhausted }
}

function whereContains(studies: Knex.QueryBuilder, search: string): void {
  const pattern = `%${searchKey(search).replace(/[\\%_]/g, (character) => `\\${character}`)}%`
  studies.where((any) => {
    any
      .where('studies.study_instance_uid', search)
      .orWhereRaw(`?? like ? escape '\\'`, ['studies.search_text', pattern])
  })
}

async function summaries(database: Knex, ids: readonly number[]): Promise<StudySummary[]> {
  const rows = await database('studies').whereIn('id', ids).select<StudyColumns[]>({
    id: 'id',
    studyInstanceUID: 'study_instance_uid',
    state: 'state',
    patientName: 'patient_name',
    patientID: 'patient_id',
    accessionNumber: 'accession_number',
    studyDate: 'study_date',
    studyDescription: 'study_description',
    instances: 'source_instances',
    revision: 'revision',
    createdAt: 'created_at',
    updatedAt: 'updated_at',
    header: 'header',
  })
  const byId = new Map(rows.map((row) => [row.id, row]))
  return await completed(
    database,
    ids.flatMap((id) => byId.get(id) ?? []),
  )
}

async function completed(database: Knex, rows: readonly StudyColumns[]): Promise<StudySummary[]> {
  const ids = rows.map(({ id }) => id)
  const series = await database('series')
    .whereIn('study_id', ids)
    .andWhere({ origin: 'source' })
    .andWhere('instances', '>', 0)
    .whereNotNull('modality')
    .distinct<{ studyId: number; modality: string }[]>({ studyId: 'study_id', modality: 'modality' })
  const findings = await database('findings')
    .join('jobs', 'jobs.id', 'findings.job_id')
    .join('revisions', 'revisions.id', 'findings.revision_id')
    .join('studies', 'studies.id', 'findings.study_id')
    .whereIn('findings.study_id', ids)
    .whereRaw(isCurrent)
    .orderBy('findings.id')
    .select<(StudySummary['findings'][number] & { studyId: number })[]>({
      studyId: 'findings.study_id',
      name: 'findings.name',
      value: 'findings.value',
      unit: 'findings.unit',
      site: 'findings.site',
    })
  const remarks = await remarksOn(database, ids)
  return rows.map(({ id, header, ...study }) => ({
    ...study,
    ...otherNameGroups(header),
    modalities: series.flatMap(({ studyId, modality }) => (studyId === id ? [modality] : [])).sort(),
    findings: findings.filter(({ studyId }) => studyId === id).map(({ studyId: _, ...finding }) => finding),
    remark: remarks.get(id) ?? null,
  }))
}

/** The groups of the patient's name beside the one that lists show. */
export function otherNameGroups(header: string): Pick<StudySummary, 'patientNameIdeographic' | 'patientNamePhonetic'> {
  const { ideographic, phonetic } = personNameGroups((JSON.parse(header) as DicomJson)['00100010']?.Value?.[0])
  return { patientNameIdeographic: ideographic, patientNamePhonetic: phonetic }
}

/** By study: the reason of the newest failure in its newest revision, else the newest event. */
async function remarksOn(database: Knex, ids: readonly number[]): Promise<Map<number, string>> {
  const remarks = new Map<number, string>()
  const newest = database('study_events').whereIn('study_id', ids).groupBy('study_id').max('id')
  const events = await database('study_events')
    .whereIn('id', newest)
    .select<{ studyId: number; sentence: string }[]>({ studyId: 'study_id', sentence: 'sentence' })
  for (const { studyId, sentence } of events) remarks.set(studyId, sentence)
  // Failures are picked out here: an index by state would lead a database through the failures of all studies.
  const jobs = await database('jobs')
    .join('revisions', 'revisions.id', 'jobs.revision_id')
    .join('studies', 'studies.id', 'jobs.study_id')
    .whereIn('jobs.study_id', ids)
    .whereRaw(isCurrent)
    .orderBy('jobs.finished_at')
    .select<{ studyId: number; state: string; error: string | null }[]>({
      studyId: 'jobs.study_id',
      state: 'jobs.state',
      error: 'jobs.error',
    })
  for (const { studyId, state, error } of jobs) if (state === 'failed' && error !== null) remarks.set(studyId, error)
  return remarks
}
