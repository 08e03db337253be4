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
  search?: string | undefined
  state?: StudyState | undefined
  /** Part of the patient's name or ID. */
  patient?: string | undefined
  /** Accession Number; with `*` behind it its beginning. */
  accession?: string | undefined
  /** Study Date, the first and the last: `YYYYMMDD`. */
  from?: string | undefined
  to?: string | undefined
  /** Of a source series that holds something. */
  modality?: string | undefined
  /** Name of a finding of the newest revision. */
  finding?: string | undefined
  /** How the finding compares with `value`; both or none. */
  is?: 'lt' | 'le' | 'eq' | 'ge' | 'gt' | undefined
  value?: number | undefined
  sort?: StudySort | undefined
}

/** What studies can be ordered by, each the newest first: the last change, Study Date, the last instance. Each has an index. */
export const studySorts = ['changed', 'date', 'arrived'] as const
export type StudySort = (typeof studySorts)[number]
const columnOf = { changed: 'updated_at', date: 'search_date', arrived: 'last_instance_at' } as const

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

/** One page of studies in the order that is asked for, with the number of all that match. */
export async function listStudies(database: Knex, query: StudyQuery): Promise<StudyPage> {
  const { ids, ...total } = isSearch(query) ? await searched(database, query) : await listed(database, query)
  return { ...total, studies: await summaries(database, ids) }
}

/** Whether something is asked for that no index answers alone. */
function isSearch({ search = '', patient, accession, from, to, modality, finding }: StudyQuery): boolean {
  return [search.trim(), patient, accession, from, to, modality, finding].some((condition) => condition)
}

interface Found extends Counted {
  ids: number[]
}

async function listed(database: Knex, { state, limit, offset, sort = 'changed' }: StudyQuery): Promise<Found> {
  const matching = database('studies')
  if (state !== undefined) matching.where({ state })
  const ids: number[] = await matching
    .clone()
    .orderBy([
      { column: columnOf[sort], order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(limit)
    .offset(offset)
    .pluck('id')
  return { ids, ...(await countUpTo(database, matching)) }
}

async function searched(database: Knex, query: StudyQuery): Promise<Found> {
  const { state, limit, offset, from, to, sort = 'changed' } = query
  const spent = effort()
  const walk = {
    order: columnOf[sort],
    bounds: (slice: Knex.QueryBuilder) => {
      if (state !== undefined && sort === 'changed') slice.where({ state })
      if (sort !== 'date') return
      if (from) slice.where('search_date', '>=', from)
      if (to) slice.where('search_date', '<', behind(to))
    },
    conditions: (studies: Knex.QueryBuilder) => conditions(studies, query),
  }
  const found: Found = { ids: [], total: 0, totalIsExact: true }
  for await (const ids of walkStudies(database, walk, spent)) {
    const start = Math.max(0, offset - found.total)
    found.ids.push(...ids.slice(start, start + limit - found.ids.length))
    found.total += ids.length
  }
  return { ...found, totalIsExact: !spent.exhausted }
}

function conditions(studies: Knex.QueryBuilder, query: StudyQuery): void {
  const { state, search = '', patient, accession, from, to, modality } = query
  if (state !== undefined) studies.where('studies.state', state)
  if (search.trim()) whereContains(studies, search.trim())
  if (patient) wherePatient(studies, patient)
  if (accession?.endsWith('*'))
    studies.whereRaw(`studies.accession_number like ? escape '\\'`, [`${escaped(accession.slice(0, -1))}%`])
  else if (accession) studies.where('studies.accession_number', accession)
  if (from) studies.where('studies.search_date', '>=', from)
  if (to) studies.where('studies.search_date', '>', '').where('studies.search_date', '<', behind(to))
  if (modality)
    studies.whereRaw(
      `exists (select 1 from series where series.study_id = studies.id and series.modality = ?
        and series.origin = 'source' and series.instances > 0)`,
      [modality],
    )
  whereFinding(studies, query)
}

function wherePatient(studies: Knex.QueryBuilder, patient: string): void {
  const words = searchKey(patient).split(/[\s^,]+/)
  const pattern = `%${words.map(escaped).join('%')}%`
  studies.where((any) => {
    for (const group of ['', '_ideographic', '_phonetic'])
      any.orWhereRaw(`?? like ? escape '\\'`, [`studies.patient_name${group}_key`, pattern])
    any.orWhereRaw(`lower(studies.patient_id) like ? escape '\\'`, [pattern])
  })
}

/** The first text behind all dates of a day: devices also wrote more than eight characters. */
function behind(day: string): string {
  return String(Number(day) + 1)
}

const comparisons = { lt: '<', le: '<=', eq: '=', ge: '>=', gt: '>' } as const

/** A finding that holds for the newest revision, under the same name, which compares as asked. */
function whereFinding(studies: Knex.QueryBuilder, { finding, is, value }: StudyQuery): void {
  if (!finding) return
  const compared = is !== undefined && value !== undefined
  studies.whereRaw(
    `exists (select 1 from findings join jobs on jobs.id = findings.job_id join revisions on revisions.id = findings.revision_id
      where findings.study_id = studies.id and findings.name = ? ${compared ? `and findings.value ${comparisons[is]} ?` : ''}
      and ${isCurrent})`,
    compared ? [finding, value] : [finding],
  )
}

function whereContains(studies: Knex.QueryBuilder, search: string): void {
  const pattern = `%${escaped(searchKey(search))}%`
  studies.where((any) => {
    any
      .where('studies.study_instance_uid', search)
      .orWhereRaw(`?? like ? escape '\\'`, ['studies.search_text', pattern])
  })
}

function escaped(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`)
}

/** At most so many names of findings; an index is skipped from one to the next. */
const mostNames = 1000

/** The names of all findings, each with the unit that it was first found in, in the order of the alphabet. */
export async function findingNames(database: Knex): Promise<{ name: string; unit: string }[]> {
  const found: { name: string; unit: string }[] = []
  let after = ''
  while (found.length < mostNames) {
    const next = await database('findings')
      .where('name', '>', after)
      .orderBy('name')
      .first<{ name: string; unit: string } | undefined>('name', 'unit')
    if (!next) break
    found.push(next)
    after = next.name
  }
  return found
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
