import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Knex } from 'knex'
import { deriveUID } from '../dicom/uid.ts'
import { HilumError } from '../errors.ts'
import type { Pipeline } from '../infer/load-pipelines.ts'
import type { InferenceServer } from '../infer/runtime/model.ts'
import type { InferOutcome, InferTask } from '../infer/task.ts'
import type { WorkerPool } from '../infer/worker-pool.ts'
import type { Job, JobEnd } from '../jobs/job.ts'
import type { JobQueue } from '../jobs/queue.ts'
import type { Objects } from '../store/objects.ts'
import { isChosenFor } from './chosen-outputs.ts'
import { taskOf } from './infer-task.ts'
import { keepExports } from './keep-exports.ts'
import { keepResults } from './keep-results.ts'
import type { InferPayload } from './route-revision.ts'

export interface InferJobOptions {
  database: Knex
  objects: Objects
  queue: JobQueue
  pool: Pick<WorkerPool, 'run'>
  /** An installed pipeline by name, `name@1.2.0` or `name@sha256:…`. */
  pipeline: (reference: string) => Pipeline | undefined
  /** Folder for the jobs' folders. */
  workFolder: string
  deadlineMs: number
  providers: string[]
  /** The inference servers that pipelines may name; none where left out. */
  servers?: InferenceServer[]
  threads: number
  /** Called when deliveries were queued. */
  onQueued: () => void
  /** Told how far a job has come. */
  onProgress?: (job: string, stage: string, fraction: number) => void
}

/** A job that a dying or overdue worker took down is tried once more: the second failure is the job's own. */
const attemptsOfTransient = 2

/** Makes the handler of inference jobs: paths in, result files and findings out, everything written in the transaction that ends the job. */
export function createInferHandler(options: InferJobOptions): (job: Job, signal: AbortSignal) => Promise<JobEnd> {
  return async (job, signal) => {
    // The files that it was queued with; else what the route names: the version that is installed now, unless it names a digest.
    const asked = (job.payload as InferPayload | null)?.pipeline ?? job.pipeline?.split('@')[0] ?? ''
    const pipeline = options.pipeline(job.pipeline ?? '') ?? options.pipeline(asked)
    if (!pipeline) return { kind: 'failed', reason: `no pipeline is called "${asked}"` }
    const newer = await newerRevision(job, options.database)
    if (newer !== null)
      return { kind: 'failed', reason: `not run: revision ${newer} of the study has replaced this one` }
    // One a run: a worker that outlived a killed node for a moment must not write into the folder of the job's next run.
    const outFolder = path.join(options.workFolder, `${job.id}-${job.attempts}`)
    await rm(outFolder, { recursive: true, force: true })
    await mkdir(outFolder, { recursive: true })
    try {
      const task = await taskOf(job, { ...options, pipeline, outFolder })
      const outcome = await options.pool.run(task, {
        deadlineMs: options.deadlineMs,
        signal,
        onProgress: (stage, fraction) => options.onProgress?.(job.id, stage, fraction),
      })
      if (signal.aborted && outcome.kind === 'failed') return { kind: 'parked' }
      return await endOf(outcome, { job, task, pipeline, outFolder, options })
    } catch (error) {
      if (error instanceof HilumError && error.code === 'earlier-study-gone')
        return { kind: 'failed', reason: error.message }
      throw error
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
  const exported = await keepExports(outcome.files, { job, outFolder, objects: options.objects })
  return {
    kind: 'done',
    provider: outcome.provider,
    log,
    commit: async (trx) => {
      await kept.insert(trx, { job, pipeline: pinned, findings: outcome.findings, at: task.at })
      await exported.insert(trx, { job, pipeline: pinned, at: task.at })
      for (const destination of payload.destinations) {
        const chosen = outcome.results.filter(({ output }) =>
          isChosenFor(destination, output, { outputs: payload.outputs, pipeline }),
        )
        if (chosen.length === 0) continue
        const resultIds = await kept.idsOf(trx, chosen)
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
            payload: { ...(payload.outputs ? { resultIds } : { inferJobId: job.id }), destination },
          },
          trx,
        )
        // It was delivered by an earlier run: what is the same is proven at once, what is not is delivered again.
        await trx('jobs').where({ id }).whereIn('state', ['done', 'failed']).update({
          state: 'queued',
          cancelled: 0,
          error: null,
          run_after: new Date().toISOString(),
          finished_at: null,
        })
        await kept.expect(trx, { jobId: id, destination, resultIds, at: new Date().toISOString() })
      }
      // The transaction has not ended yet; the queue is looked at once it has.
      setImmediate(options.onQueued)
    },
  }
}
