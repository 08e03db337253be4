import type { Knex } from 'knex'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { dayOf } from '../route/dates.ts'
import type { RoutableSeries, RoutableStudy } from '../route/study-facts.ts'

/** The series of a revision and how many instances of each belong to it. */
export type Members = Record<string, string[]>

interface StudyRow {
  id: number
  study_instance_uid: string
  header: string
  /** Of the newest revision; null before the first. */
  completed_at: string | null
}

interface SeriesRow {
  study_id: number
  series_instance_uid: string
  header: string
  instances: number
}

/**
 * A study as routes look at it: the series of one revision, or, while it still arrives, its source series so far. Today is the day on which
 * the study was complete, so that it is decided the same whenever it is looked at.
 */
export async function routableStudy(database: Knex, studyId: number, members?: Members): Promise<RoutableStudy> {
  const study = (await routableStudies(database, [studyId], new Map(members && [[studyId, members]]))).get(studyId)
  if (!study) throw new Error(`study ${studyId} is not there`)
  return study
}

/**
 * Many studies at once, by id; those that are gone are left out. Two queries, whatever their number.
 * @param membersOf the members of the revision that is meant; a study that is not there is taken as it stands now
 */
export async function routableStudies(
  database: Knex,
  studyIds: readonly number[],
  membersOf: ReadonlyMap<number, Members> = new Map(),
): Promise<Map<number, RoutableStudy>> {
  const seriesOf = new Map<number, RoutableSeries[]>(studyIds.map((id) => [id, []]))
  for (const row of await seriesRows(database, studyIds)) {
    const members = membersOf.get(row.study_id)
    if (members ? row.series_instance_uid in members : row.instances > 0)
      seriesOf.get(row.study_id)?.push(seriesFrom(row, members))
  }
  const studies = await studyRows(database, studyIds)
  return new Map(studies.map((row) => [row.id, studyFrom(row, seriesOf.get(row.id) ?? [])]))
}

async function studyRows(database: Knex, ids: readonly number[]): Promise<StudyRow[]> {
  return await database('studies')
    .leftJoin('revisions', (on) => {
      on.on('revisions.study_id', 'studies.id').andOn('revisions.number', 'studies.revision')
    })
    .whereIn('studies.id', [...ids])
    .select<StudyRow[]>('studies.id', 'study_instance_uid', 'header', 'completed_at')
}

async function seriesRows(database: Knex, ids: readonly number[]): Promise<SeriesRow[]> {
  return await database('series')
    .whereIn('study_id', [...ids])
    .andWhere({ origin: 'source' })
    .orderBy('series_instance_uid')
    .select<SeriesRow[]>('study_id', 'series_instance_uid', 'header', 'instances')
}

function studyFrom(row: StudyRow, series: RoutableSeries[]): RoutableStudy {
  return {
    studyInstanceUID: row.study_instance_uid,
    header: JSON.parse(row.header) as DicomJson,
    series,
    today: dayOf(row.completed_at === null ? new Date() : new Date(row.completed_at)),
  }
}

function seriesFrom(row: SeriesRow, members?: Members): RoutableSeries {
  return {
    seriesInstanceUID: row.series_instance_uid,
    header: JSON.parse(row.header) as DicomJson,
    instances: members?.[row.series_instance_uid]?.length ?? row.instances,
  }
}
