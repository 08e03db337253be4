import type { Knex } from 'knex'
import { isCurrent } from './current-results.ts'
import { otherNameGroups } from './study-list.ts'
import { eventsOf } from './timeline-events.ts'
import { deliveriesOf, jobsOf } from './timeline-jobs.ts'
import type {
  StudyState,
  Timeline,
  TimelineArrival,
  TimelineDecision,
  TimelineFinding,
  TimelineRevision,
} from './timeline-types.ts'

export type { Timeline } from './timeline-types.ts'

interface StudyRow {
  id: number
  study_instance_uid: string
  patient_name: string | null
  patient_id: string | null
  patient_birth_date: string | null
  patient_sex: string | null
  study_date: string | null
  study_description: string | null
  accession_number: string | null
  state: StudyState
  revision: number
  source_instances: number
  created_at: string
  updated_at: string
  header: string
}

/**
 * What happened to a study, and why; null where it is unknown. Lists of what belongs to a revision begin with the newest revision.
 */
export async function studyTimeline(database: Knex, studyInstanceUID: string): Promise<Timeline | null> {
  const study = await database('studies')
    .where({ study_instance_uid: studyInstanceUID })
    .first<StudyRow | undefined>('*')
  if (study === undefined) return null
  const revisions = await revisionsOf(database, study.id)
  const newest = revisions[0]
  return {
    studyInstanceUID: study.study_instance_uid,
    state: study.state,
    instances: study.source_instances,
    revision: study.revision,
    completion: newest ? { at: newest.at, reason: newest.reason } : null,
    revisions,
    patient: {
      patientName: study.patient_name,
      ...otherNameGroups(study.header),
      patientID: study.patient_id,
      patientBirthDate: study.patient_birth_date,
      patientSex: study.patient_sex,
    },
    studyDate: study.study_date,
    studyDescription: study.study_description,
    accessionNumber: study.accession_number,
    createdAt: study.created_at,
    updatedAt: study.updated_at,
    arrivals: await arrivalsOf(database, study.id),
    decisions: await decisionsOf(database, study.id),
    jobs: await jobsOf(database, study.id),
    results: await deliveriesOf(database, study.id),
    ...(await findingsOf(database, study.id)),
    events: await eventsOf(database, study),
  }
}

async function revisionsOf(database: Knex, studyId: number): Promise<TimelineRevision[]> {
  return await database('revisions')
    .where({ study_id: studyId })
    .orderBy('number', 'desc')
    .select<TimelineRevision[]>({ revision: 'number', at: 'completed_at', reason: 'reason', instances: 'instances' })
}

/** Results that came back to the node's own store are told by their deliveries, not as arrivals. */
async function arrivalsOf(database: Knex, studyId: number): Promise<TimelineArrival[]> {
  return await database('arrivals')
    .join('series', 'series.id', 'arrivals.series_id')
    .where({ 'arrivals.study_id': studyId, 'series.origin': 'source' })
    .orderBy(['arrivals.first_at', 'arrivals.id'])
    .select<TimelineArrival[]>({
      at: 'arrivals.first_at',
      until: 'arrivals.last_at',
      from: 'arrivals.sender',
      via: 'arrivals.via',
      seriesInstanceUID: 'series.series_instance_uid',
      modality: 'series.modality',
      seriesNumber: 'series.series_number',
      seriesDescription: 'series.series_description',
      instances: 'arrivals.instances',
      identical: 'arrivals.identical',
      replaced: 'arrivals.replaced',
    })
}

interface DecisionRow {
  revision: number
  route: string
  route_version: number
  matched: number
  expression: string
  because: string
  series: string
  reason: string
  standing: number | null
  at: string
}

async function decisionsOf(database: Knex, studyId: number): Promise<TimelineDecision[]> {
  const rows = await database('decisions')
    .join('revisions', 'revisions.id', 'decisions.revision_id')
    .leftJoin('revisions as earlier', 'earlier.id', 'decisions.stands_from')
    .where('decisions.study_id', studyId)
    .orderBy([{ column: 'revisions.number', order: 'desc' }, 'decisions.id'])
    .select<DecisionRow[]>('decisions.*', 'revisions.number as revision', 'earlier.number as standing')
  return rows.map((row) => ({
    route: row.route,
    matched: row.matched === 1,
    expression: row.expression,
    because: JSON.parse(row.because) as Record<string, unknown>,
    series: JSON.parse(row.series) as Record<string, string>,
    reason: row.reason,
    routeVersion: row.route_version,
    revision: row.revision,
    standsFrom: row.standing,
    at: row.at,
  }))
}

async function findingsOf(database: Knex, studyId: number): Promise<Pick<Timeline, 'findings' | 'shadowFindings'>> {
  const rows = await database('findings')
    .join('jobs', 'jobs.id', 'findings.job_id')
    .join('revisions', 'revisions.id', 'findings.revision_id')
    .join('studies', 'studies.id', 'findings.study_id')
    .where('findings.study_id', studyId)
    .orderBy([{ column: 'revisions.number', order: 'desc' }, 'findings.id'])
    .select<(Omit<TimelineFinding, 'current'> & { current: number; shadow: number })[]>(
      {
        pipeline: 'findings.pipeline',
        name: 'findings.name',
        value: 'findings.value',
        unit: 'findings.unit',
        code: 'findings.code',
        site: 'findings.site',
        revision: 'revisions.number',
        shadow: 'jobs.shadow',
      },
      database.raw(`case when ${isCurrent} then 1 else 0 end as "current"`),
    )
  return {
    findings: rows
      .filter(({ shadow }) => shadow === 0)
      .map(({ shadow: _, current, ...finding }) => ({ ...finding, current: current === 1 })),
    shadowFindings: rows.filter(({ shadow }) => shadow === 1).map(({ shadow: _, current: __, ...finding }) => finding),
  }
}
