import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Knex } from 'knex'
import { textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { readInstanceFile } from '../dicom/instance-file.ts'
import { deriveUID } from '../dicom/uid.ts'
import { encodeVerifiedReport, type VerifyingObserver, verifiedIdentity } from '../encode/verified-report.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { recomputeStudyState } from '../jobs/study-state.ts'
import type { RouteDefinition } from '../route/route-definition.ts'
import type { Objects } from '../store/objects.ts'
import { type InferPayload, priorities } from './route-revision.ts'

export interface VerifyReportOptions {
  database: Knex
  objects: Pick<Objects, 'put' | 'pathOf'>
  queue: Pick<JobQueue, 'enqueue'>
  /** Folder for the file until it is stored. */
  workFolder: string
  /** Whose name verified documents bear: as the settings say; where that is empty, the study's institution; else the other. */
  organisation: { setting: string; otherwise: string }
  /** Called when a delivery was queued. */
  onQueued: () => void
}

export interface Acceptance {
  /** Of the accepted result. */
  sopInstanceUID: string
  observer: Pick<VerifyingObserver, 'name' | 'identification'>
  /** As the study's events name them. */
  by: string
  /** ISO 8601 UTC. */
  at: string
}

/** A verified document whose file is stored, and whose rows belong into the transaction of the acceptance. */
export interface PreparedVerification {
  sopInstanceUID: string
  commit(trx: Knex): Promise<void>
}

interface ReportRow {
  id: number
  jobId: string
  studyId: number
  studyHeader: string
  studyInstanceUID: string
  revisionId: number
  route: string | null
  pipeline: string
  role: string
  sopInstanceUID: string
  sopClassUID: string
  seriesInstanceUID: string
  modality: string
  objectKey: string
  sha256: string
  payload: string
}

/** The report of a run that an accepted object of another kind stands for: the first there is. */
const reportRoles = ['measurements', 'classification', 'findings', 'planar']

/**
 * Writes the verified document of an accepted result, where its route says `onAccept: verified-sr`: of a report the report itself, of
 * another object the run's first report.
 * @returns null where the route says nothing of the kind, or the run has no report, or the accepted result is a verified document
 */
export async function verifyReport(
  acceptance: Acceptance,
  options: VerifyReportOptions,
): Promise<PreparedVerification | null> {
  const report = await reportOf(options.database, acceptance.sopInstanceUID)
  if (!report || !(await asksForIt(options.database, report))) return null
  const { observer, at } = acceptance
  const named = { ...observer, organisation: organisationOf(report, options) }
  const identity = verifiedIdentity({ original: report, sha256: report.sha256, observer: observer.name })
  const there = await options.database('results').where({ sop_instance_uid: identity.sopInstanceUID }).first('id')
  if (there) return { sopInstanceUID: identity.sopInstanceUID, commit: async () => {} }
  const { elements } = await readInstanceFile(await options.objects.pathOf(report.objectKey))
  const { role, sha256 } = report
  const object = encodeVerifiedReport({ document: elements, role, sha256, observer: named, at })
  const bytes = Buffer.concat([...object.chunks])
  const digest = createHash('sha256').update(bytes).digest('hex')
  const key = `results/${object.sopInstanceUID}-${digest.slice(0, 12)}.dcm`
  await store(bytes, key, options)
  return {
    sopInstanceUID: object.sopInstanceUID,
    commit: async (trx) => {
      const [row] = await trx('results')
        .insert({
          job_id: report.jobId,
          study_id: report.studyId,
          revision_id: report.revisionId,
          pipeline: report.pipeline,
          role: object.role,
          sop_instance_uid: object.sopInstanceUID,
          sop_class_uid: object.sopClassUID,
          series_instance_uid: object.seriesInstanceUID,
          modality: object.modality,
          object_key: key,
          size: bytes.length,
          sha256: digest,
          supersedes: null,
          created_at: at,
        })
        .onConflict('sop_instance_uid')
        .ignore()
        .returning<{ id: number }[]>('id')
      if (row) await deliver(trx, { report, resultId: row.id, acceptance }, options)
    },
  }
}

async function reportOf(database: Knex, sopInstanceUID: string): Promise<ReportRow | undefined> {
  const rows = () =>
    database('results')
      .join('studies', 'studies.id', 'results.study_id')
      .join('jobs', 'jobs.id', 'results.job_id')
      .whereNot('results.role', 'like', 'verified-%')
  const columns = {
    id: 'results.id',
    jobId: 'results.job_id',
    studyId: 'results.study_id',
    studyHeader: 'studies.header',
    studyInstanceUID: 'studies.study_instance_uid',
    revisionId: 'results.revision_id',
    route: 'jobs.route',
    pipeline: 'results.pipeline',
    role: 'results.role',
    sopInstanceUID: 'results.sop_instance_uid',
    sopClassUID: 'results.sop_class_uid',
    seriesInstanceUID: 'results.series_instance_uid',
    modality: 'results.modality',
    objectKey: 'results.object_key',
    sha256: 'results.sha256',
    payload: 'jobs.payload',
  }
  const accepted = await rows().where('results.sop_instance_uid', sopInstanceUID).first<ReportRow | undefined>(columns)
  if (!accepted || accepted.modality === 'SR') return accepted
  const reports = await rows()
    .where({ 'results.job_id': accepted.jobId, 'results.modality': 'SR' })
    .orderBy('results.id')
    .select<ReportRow[]>(columns)
  const rank = ({ role }: ReportRow) => reportRoles.findIndex((name) => role === name || role.startsWith(`${name}-`))
  return reports.filter((report) => rank(report) >= 0).sort((a, b) => rank(a) - rank(b))[0]
}

/** What the version of the route said that the study went by. */
async function asksForIt(database: Knex, { route, revisionId }: ReportRow): Promise<boolean> {
  if (route === null) return false
  const version = await database('routes')
    .join('decisions', (on) => {
      on.on('decisions.route', 'routes.name').andOn('decisions.route_version', 'routes.version')
    })
    .where({ 'decisions.revision_id': revisionId, 'routes.name': route })
    .first<{ definition: string } | undefined>('routes.definition')
  if (!version) return false
  return (JSON.parse(version.definition) as Partial<RouteDefinition>).onAccept === 'verified-sr'
}

function organisationOf({ studyHeader }: ReportRow, { organisation }: VerifyReportOptions): string {
  const institution = textOf(JSON.parse(studyHeader) as DicomJson, 'InstitutionName')
  return (organisation.setting || institution || organisation.otherwise).slice(0, 64)
}

async function store(bytes: Buffer, key: string, { objects, workFolder }: VerifyReportOptions): Promise<void> {
  const file = path.join(workFolder, `verified-${randomBytes(8).toString('hex')}.dcm`)
  await mkdir(workFolder, { recursive: true })
  try {
    const handle = await open(file, 'wx')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await objects.put(key, file)
  } finally {
    await rm(file, { force: true })
  }
}

/** It goes where the report itself goes; where that goes nowhere, to the destinations of the route. */
async function deliver(
  trx: Knex,
  { report, resultId, acceptance }: { report: ReportRow; resultId: number; acceptance: Acceptance },
  { queue, onQueued }: VerifyReportOptions,
): Promise<void> {
  const own: string[] = await trx('deliveries')
    .where({ result_id: report.id })
    .distinct('destination')
    .pluck('destination')
  const { destinations } = JSON.parse(report.payload) as InferPayload
  for (const destination of own.length > 0 ? own.sort() : destinations) {
    const id = deriveUID('job', 'verified', String(resultId), destination)
    await queue.enqueue(
      {
        id,
        kind: 'deliver',
        studyId: report.studyId,
        revisionId: report.revisionId,
        route: report.route,
        pipeline: report.pipeline,
        destination,
        priority: priorities.normal,
        payload: { resultIds: [resultId], destination },
      },
      trx,
    )
    await trx('deliveries').insert({
      result_id: resultId,
      job_id: id,
      destination,
      state: 'pending',
      updated_at: acceptance.at,
    })
  }
  await trx('study_events').insert({
    study_id: report.studyId,
    at: acceptance.at,
    kind: 'verified',
    sentence: `the report ${report.role} is verified by ${acceptance.by}`,
    detail: JSON.stringify({ by: acceptance.by, result: report.sopInstanceUID }),
  })
  await recomputeStudyState(trx, report.studyId)
  // The transaction has not ended yet; the queue is looked at once it has.
  setImmediate(onQueued)
}
