import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Knex } from 'knex'
import { deriveUID } from '../dicom/uid.ts'
import type { Pipeline } from '../infer/load-pipelines.ts'
import type { InferOutcome, InferTask } from '../infer/task.ts'
import type { WorkerPool } from '../infer/worker-pool.ts'
import type { Job, JobEnd } from '../jobs/job.ts'
import type { JobQueue } from '../jobs/queue.ts'
import type { Objects } from '../store/objects.ts'
import { keepResults } from './keep-results.ts'
import type { Members } from './routable-study.ts'
import type { InferPayload } from './route-revision.ts'

export interface InferJobOptions {
  database: Knex
  objects: Objects
  queue: JobQueue
  pool: Pick<WorkerPool, 'run'>
  /** An installed pipeline by name. */
  pipeline: (name: string) => Pipeline | undefined
  /** Folder for the jobs' folders. */
  workFolder: string
  deadlineMs: number
  providers: string[]
  threads: number
  /** Called when deliveries were queued. */
  onQueued: () => void
}

/** A job that a dying or overdue worker took down is tried once more: the second failure is the job's own. */
const attemptsOfTransient = 2

/** Makes the handler of inference jobs: paths in, result files and findings out, everything written in the transaction that ends the job. */
export function createInferHandler(options: InferJobOptions): (job: Job, signal: AbortSignal) => Promise<JobEnd> {
  return async (job, signal) => {
    const name = job.pipeline?.split('@')[0] ?? ''
    const pipeline = options.pipeline(name)
    if (!pipeline) return { kind: 'failed', reason: `no pipeline is called "${name}"` }
    const newer = await newerRevision(job, options.database)
    if (newer !== null)
      return { kind: 'failed', reason: `not run: revision ${newer} of the study has replaced this one` }
    // One a run: a worker that outlived a killed node for a moment must not write into the folder of the job's next run.
    const outFolder = path.join(options.workFolder, `${job.id}-${job.attempts}`)
    await rm(outFolder, { recursive: true, force: true })
    await mkdir(outFolder, { recursive: true })
    try {
      const task = await taskOf(job, pipeline, outFolder, options)
      const outcome = await options.pool.run(task, { deadlineMs: options.deadlineMs, signal })
      if (signal.aborted && outcome.kind === 'failed') return { kind: 'parked' }
      return await endOf(outcome, { job, task, pipeline, outFolder, options })
    } finally {
      await rm(outFolder, { recursive: true, force: true })
    }
  }
}

/**
 * The newest revision whose routes are decided, where it is later than the job's; else null. Its results are the ones that count, and
 * older ones that came after them would not be superseded by anything. One in which this job's results stand replaces nothing, whatever
 * those in between decided.
 */
async function newerRevision(job: Job, database: Knex): Promise<number | null> {
  const newest = await database('revisions')
    .where({ study_id: job.studyId, routed: 1 })
    .orderBy('number', 'desc')
    .first<{ id: number; number: number } | undefined>('id', 'number')
  if (newest === undefined || newest.id === job.revisionId) return null
  const own = await database('revisions').where({ id: job.revisionId }).first<{ number: number } | undefined>('number')
  if (own === undefined || newest.number < own.number) return null
  const standing = { revision_id: newest.id, route: job.route ?? '', stands_from: job.revisionId }
  return (await database('decisions').where(standing).first('id')) === undefined ? newest.number : null
}

async function taskOf(job: Job, pipeline: Pipeline, outFolder: string, options: InferJobOptions): Promise<InferTask> {
  const { database, objects } = options
  const revision = await database('revisions').where({ id: job.revisionId }).first('number', 'members')
  const study = await database('studies').where({ id: job.studyId }).first('study_instance_uid')
  const members = JSON.parse(revision.members) as Members
  const payload = job.payload as InferPayload
  const inputs: InferTask['inputs'] = {}
  for (const [name, seriesInstanceUID] of Object.entries(payload.inputs)) {
    const keys = members[seriesInstanceUID] ?? []
    inputs[name] = { seriesInstanceUID, files: await Promise.all(keys.map((key) => objects.pathOf(key))) }
  }
  return {
    jobId: job.id,
    at: job.createdAt,
    pipelineFolder: pipeline.folder,
    pipelineDigest: pipeline.digest,
    studyInstanceUID: study.study_instance_uid,
    revision: revision.number,
    inputs,
    predecessors: await predecessorsOf(job, pipeline.name, revision.number, database),
    outFolder,
    providers: options.providers,
    threads: options.threads,
  }
}

/** The results of the newest earlier revision of the study by a pipeline of that name and by that route. */
async function predecessorsOf(
  job: Job,
  pipeline: string,
  revision: number,
  database: Knex,
): Promise<InferTask['predecessors']> {
  const rows = await database('results')
    .join('revisions', 'revisions.id', 'results.revision_id')
    .join('jobs', 'jobs.id', 'results.job_id')
    .where('results.study_id', job.studyId)
    .andWhere('revisions.number', '<', revision)
    .andWhere('jobs.route', job.route ?? '')
    .andWhereLike('results.pipeline', `${pipeline}@%`)
    .orderBy('revisions.number', 'desc')
    .select<
      { number: number; role: string; sop_class_uid: string; sop_instance_uid: string; series_instance_uid: string }[]
    >(
      'revisions.number',
      'results.role',
      'results.sop_class_uid',
      'results.sop_instance_uid',
      'results.series_instance_uid',
    )
  return rows
    .filter((row) => row.number === rows[0]?.number)
    .map((row) => ({
      role: row.role,
      sopClassUID: row.sop_class_uid,
      sopInstanceUID: row.sop_instance_uid,
      seriesInstanceUID: row.series_instance_uid,
    }))
}

interface Ending {
  job: Job
  task: InferTask
  pipeline: Pipeline
  outFolder: string
  options: InferJobOptions
}

async function endOf(outcome: InferOutcome, ending: Ending): Promise<JobEnd> {
  const log = outcome.log.join('\n')
  if (outcome.kind === 'refused') return { kind: 'refused', reason: outcome.reason, log }
  if (outcome.kind === 'failed') {
    const { attempts, interruptions } = ending.job
    const again = outcome.retry === 'transient' && attempts - interruptions < attemptsOfTransient
    if (again) return { kind: 'retry', reason: outcome.reason, runAfter: new Date().toISOString(), log }
    return { kind: 'failed', reason: outcome.reason, log }
  }
  const { job, pipeline, outFolder, options, task } = ending
  const payload = job.payload as InferPayload
  const pinned = `${pipeline.name}@${pipeline.digest}`
  const kept = await keepResults(outcome.results, { outFolder, objects: options.objects })
  return {
    kind: 'done',
    provider: outcome.provider,
    log,
    commit: async (trx) => {
      await kept.insert(trx, { job, pipeline: pinned, findings: outcome.findings, at: task.at })
      for (const destination of payload.destinations) {
        const id = deriveUID('job', job.id, 'deliver', destination)
        await options.queue.enqueue(
          {
            id,
            kind: 'deliver',
            studyId: job.studyId,
            revisionId: job.revisionId,
            route: job.route,
            pipeline: pinned,
            destination,
            priority: job.priority,
            payload: { inferJobId: job.id, destination },
          },
          trx,
        )
        await kept.expect(trx, { jobId: id, destination, at: new Date().toISOString() })
      }
      // The transaction has not ended yet; the queue is looked at once it has.
      setImmediate(options.onQueued)
    },
  }
}
