import type { Knex } from 'knex'
import { textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import type { ActiveRoute } from '../route/evaluate-routes.ts'
import type { RoutableStudy } from '../route/study-facts.ts'
import { type Members, routableStudies } from './routable-study.ts'

/** An earlier study of a patient, as its newest revision holds it. */
export interface EarlierStudy extends RoutableStudy {
  revisionId: number
}

interface StudyRow {
  id: number
  patient_id: string | null
  patient_birth_date: string | null
  study_date: string | null
  study_time: string | null
  header: string
}

/** At most so many earlier studies are looked at: the newest. */
const mostStudies = 50

/** Whether any of the routes takes a series of an earlier study. */
export function wantEarlierStudies(routes: readonly ActiveRoute[]): boolean {
  return routes.some(
    ({ definition }) => definition.enabled && Object.values(definition.inputs).some(({ from }) => from === 'prior'),
  )
}

/**
 * The complete studies that this node has of the same patient and of an earlier time, the newest first. The patient is the same where
 * Patient ID and Issuer of Patient ID are, and no birth date says otherwise; a study without Patient ID or date has no earlier ones.
 */
export async function earlierStudies(database: Knex, studyId: number): Promise<EarlierStudy[]> {
  return (await earlierStudiesOf(database, [studyId])).get(studyId) ?? []
}

interface OtherRow extends StudyRow {
  revision_id: number
  members: string
}

/** The earlier studies of many studies at once, by their ids, with a few queries whatever their number. */
export async function earlierStudiesOf(
  database: Knex,
  studyIds: readonly number[],
): Promise<Map<number, EarlierStudy[]>> {
  const studies: StudyRow[] = await rowsOf(database).whereIn('id', [...studyIds])
  const asked = studies.filter(({ patient_id, study_date }) => patient_id && study_date)
  const patients = [...new Set(asked.flatMap(({ patient_id }) => patient_id ?? []))]
  if (patients.length === 0) return new Map()
  const others: OtherRow[] = await rowsOf(database)
    .join('revisions', (on) => {
      on.on('revisions.study_id', 'studies.id').andOn('revisions.number', 'studies.revision')
    })
    .whereIn('patient_id', patients)
    .whereNotNull('study_date')
    .select({ revision_id: 'revisions.id', members: 'revisions.members' })
  const ofPatient = new Map<string | null, OtherRow[]>(patients.map((patient) => [patient, []]))
  for (const other of others) ofPatient.get(other.patient_id)?.push(other)
  const found = new Map(asked.map((study) => [study.id, earlierOf(study, ofPatient.get(study.patient_id) ?? [])]))
  const needed = new Map([...found.values()].flat().map((row) => [row.id, row]))
  const loaded = await routableStudies(
    database,
    [...needed.keys()],
    new Map([...needed.values()].map(({ id, members }) => [id, JSON.parse(members) as Members])),
  )
  return new Map(
    [...found].map(([id, rows]) => [
      id,
      rows.flatMap(({ id: other, revision_id: revisionId }) => {
        const study = loaded.get(other)
        return study ? [{ ...study, revisionId }] : []
      }),
    ]),
  )
}

/** The newest first. */
function earlierOf(study: StudyRow, others: readonly OtherRow[]): OtherRow[] {
  return others
    .filter((other) => other.id !== study.id && isEarlier(other, study) && isSamePatient(other, study))
    .sort((a, b) => compare(timeOf(b), timeOf(a)) || b.id - a.id)
    .slice(0, mostStudies)
}

function rowsOf(database: Knex) {
  return database('studies').select({
    id: 'studies.id',
    patient_id: 'studies.patient_id',
    patient_birth_date: 'studies.patient_birth_date',
    study_date: 'studies.study_date',
    study_time: 'studies.study_time',
    header: 'studies.header',
  })
}

/** On the same day, only where both times are known. */
function isEarlier(other: StudyRow, study: StudyRow): boolean {
  if (other.study_date === null || study.study_date === null) return false
  if (other.study_date !== study.study_date) return other.study_date < study.study_date
  return other.study_time !== null && study.study_time !== null && timeOf(other) < timeOf(study)
}

function isSamePatient(a: StudyRow, b: StudyRow): boolean {
  if (a.patient_birth_date && b.patient_birth_date && a.patient_birth_date !== b.patient_birth_date) return false
  return issuerOf(a) === issuerOf(b)
}

function issuerOf({ header }: StudyRow): string | null {
  return textOf(JSON.parse(header) as DicomJson, 'IssuerOfPatientID')
}

function timeOf({ study_date, study_time }: StudyRow): string {
  return `${study_date} ${study_time ?? ''}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
