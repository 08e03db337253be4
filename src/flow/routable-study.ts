import type { Knex } from 'knex'
import type { DicomJson } from '../dicom/dicom-json.ts'
import type { RoutableStudy } from '../route/study-facts.ts'

/** The series of a revision and how many instances of each belong to it. */
export type Members = Record<string, string[]>

/** A study as routes look at it: the series of one revision, or, while it still arrives, its source series so far. */
export async function routableStudy(database: Knex, studyId: number, members?: Members): Promise<RoutableStudy> {
  const study = await database('studies').where({ id: studyId }).first('study_instance_uid', 'header')
  const rows: { series_instance_uid: string; header: string; instances: number }[] = await database('series')
    .where({ study_id: studyId, origin: 'source' })
    .orderBy('series_instance_uid')
    .select('series_instance_uid', 'header', 'instances')
  return {
    studyInstanceUID: study.study_instance_uid,
    header: JSON.parse(study.header) as DicomJson,
    series: rows
      .filter((row) => (members ? row.series_instance_uid in members : row.instances > 0))
      .map((row) => ({
        seriesInstanceUID: row.series_instance_uid,
        header: JSON.parse(row.header) as DicomJson,
        instances: members?.[row.series_instance_uid]?.length ?? row.instances,
      })),
  }
}
