import type { Knex } from 'knex'
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
  patientName: string | null
  patientID: string | null
  accessionNumber: string | null
  studyDate: string | null
  studyDescription: string | null
  /** Of the source series. */
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

type StudyColumns = Omit<StudySummary, 'modalities' | 'findings' | 'remark'> & { id: number }

/** One page of studies, the last changed first, with the number of all that match. */
export async function listStudies(
  database: Knex,
  query: StudyQuery,
): Promise<{ total: number; studies: StudySummary[] }> {
  const matching = database('studies')
  if (query.state !== undefined) matching.where({ state: query.state })
  const search = query.search?.trim() ?? ''
  if (search !== '') whereContains(matching, search)
  const counted = await matching.clone().count<{ n: number }[]>('* as n')
  const rows = await matching
    .clone()
    .orderBy([
      { column: 'updated_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(query.limit)
    .offset(query.offset)
    .select<StudyColumns[]>({
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
    })
  return { total: counted[0]?.n ?? 0, studies: await completed(database, rows) }
}

function whereContains(matching: Knex.QueryBuilder, search: string): void {
  const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, (character) => `\\${character}`)}%`
  matching.where((any) => {
    any.where('study_instance_uid', search)
    for (const column of ['patient_name', 'patient_id', 'accession_number', 'study_description'])
      any.orWhereRaw(`lower(??) like ? escape '\\'`, [column, pattern])
  })
}

async function completed(database: Knex, rows: readonly StudyColumns[]): Promise<StudySummary[]> {
  const ids = rows.map(({ id }) => id)
  const series = await database('series')
    .whereIn('study_id', ids)
    .andWhere({ origin: 'source' })
    .whereNotNull('modality')
    .distinct<{ studyId: number; modality: string }[]>({ studyId: 'study_id', modality: 'modality' })
  const findings = await database('findings')
    .join('revisions', 'revisions.id', 'findings.revision_id')
    .join('studies', 'studies.id', 'findings.study_id')
    .whereIn('findings.study_id', ids)
    .whereRaw('revisions.number = studies.revision')
    .orderBy('findings.id')
    .select<(StudySummary['findings'][number] & { studyId: number })[]>({
      studyId: 'findings.study_id',
      name: 'findings.name',
      value: 'findings.value',
      unit: 'findings.unit',
      site: 'findings.site',
    })
  const remarks = await remarksOn(database, ids)
  return rows.map(({ id, ...study }) => ({
    ...study,
    modalities: series.flatMap(({ studyId, modality }) => (studyId === id ? [modality] : [])).sort(),
    findings: findings.filter(({ studyId }) => studyId === id).map(({ studyId: _, ...finding }) => finding),
    remark: remarks.get(id) ?? null,
  }))
}

/** By study: the reason of the newest failure in its newest revision, else the newest event. */
async function remarksOn(database: Knex, ids: readonly number[]): Promise<Map<number, string>> {
  const remarks = new Map<number, string>()
  const events = await database('study_events')
    .whereIn('study_id', ids)
    .orderBy('id')
    .select<{ studyId: number; sentence: string }[]>({ studyId: 'study_id', sentence: 'sentence' })
  for (const { studyId, sentence } of events) remarks.set(studyId, sentence)
  const failures = await database('jobs')
    .join('revisions', 'revisions.id', 'jobs.revision_id')
    .join('studies', 'studies.id', 'jobs.study_id')
    .whereIn('jobs.study_id', ids)
    .andWhere('jobs.state', 'failed')
    .whereRaw('revisions.number = studies.revision')
    .orderBy('jobs.finished_at')
    .select<{ studyId: number; error: string | null }[]>({ studyId: 'jobs.study_id', error: 'jobs.error' })
  for (const { studyId, error } of failures) if (error !== null) remarks.set(studyId, error)
  return remarks
}
