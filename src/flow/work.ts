import { availableParallelism, totalmem } from 'node:os'
import path from 'node:path'
import type { Knex } from 'knex'
import type { Audit } from '../admin/audit.ts'
import type { EventHub } from '../admin/events.ts'
import type { NodeMetrics } from '../admin/metrics.ts'
import { type Config, packageRoot } from '../config.ts'
import { createDeliverHandler } from '../deliver/deliver-job.ts'
import type { Destinations } from '../deliver/destinations.ts'
import { messageOf } from '../errors.ts'
import { WorkerPool } from '../infer/worker-pool.ts'
import type { Job, JobEnd } from '../jobs/job.ts'
import type { JobProgress } from '../jobs/progress.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { JobRunner } from '../jobs/runner.ts'
import type { Log } from '../log.ts'
import type { Objects } from '../store/objects.ts'
import { createInferHandler } from './infer-job.ts'
import { inferenceServers } from './inference-servers.ts'
import type { InstalledPipelines } from './installed-pipelines.ts'

/** Of the machine's memory, what one inference process may hold where the configuration sets no limit. */
const largestPart = 0.75

/** Bytes of memory that this process's machine, or container, has. */
function machineMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}

/** What running jobs get to finish when the node stops; then they are parked. */
const graceMs = 10_000

export interface WorkParts {
  config: Config
  database: Knex
  objects: Objects
  queue: JobQueue
  pipelines: InstalledPipelines
  destinations: Destinations
  hub: EventHub
  metrics: NodeMetrics
  log: Log
  /** Is told what is delivered. */
  audit: Pick<Audit, 'saw'>
  /** Is told how far inferences have come. */
  progress: JobProgress
  /** False: no job is started now. */
  mayStart: () => boolean
}

/** The runners of jobs, and the processes that inference runs in. */
export function createWork({
  config,
  database,
  objects,
  queue,
  pipelines,
  destinations,
  hub,
  metrics,
  audit,
  log,
  progress,
  mayStart,
}: WorkParts) {
  const pool = new WorkerPool({
    entry: path.join(packageRoot, 'dist', 'worker.js'),
    slots: config.infer.slots,
    log,
    memoryLimitMb: Math.floor((config.infer.memoryLimit || largestPart * machineMemory()) / 2 ** 20),
  })
  const began = new Map<string, number>()
  const onChange = (job: Job, end: JobEnd | null): void => {
    if (end === null) began.set(job.id, performance.now())
    else
      metrics.jobDuration.observe(
        { kind: job.kind, outcome: end.kind },
        (performance.now() - (began.get(job.id) ?? performance.now())) / 1000,
      )
    if (end !== null) {
      began.delete(job.id)
      progress.ended(job.id)
    }
    void database('studies')
      .where({ id: job.studyId })
      .first('study_instance_uid')
      .then((row) => hub.publish({ kind: 'job', studyInstanceUID: row?.study_instance_uid }))
      .catch((error: unknown) => log.warn('a change of a job was not told', { job: job.id, reason: messageOf(error) }))
  }
  const infers = new JobRunner({
    kind: 'infer',
    queue,
    concurrency: config.infer.slots,
    mayStart,
    log,
    onChange,
    handler: createInferHandler({
      database,
      objects,
      queue,
      pool,
      pipeline: (name) => pipelines.get(name),
      workFolder: workFolder(config),
      deadlineMs: config.infer.deadline * 1000,
      providers: [...config.infer.providers],
      servers: inferenceServers(config),
      threads: config.infer.threads || Math.max(1, Math.floor(availableParallelism() / config.infer.slots)),
      onQueued: () => delivers.poke(),
      onProgress: (job, stage, fraction) => progress.set(job, { stage, fraction }),
    }),
  })
  const delivers: JobRunner = new JobRunner({
    kind: 'deliver',
    queue,
    concurrency: config.deliver.slots,
    mayStart,
    log,
    onChange,
    handler: createDeliverHandler({
      database,
      objects,
      destinations,
      log,
      policy: {
        attempts: config.deliver.attempts,
        baseMs: config.deliver.firstDelay * 1000,
        capMs: config.deliver.longestDelay * 1000,
      },
      onDelivery: ({ studyInstanceUID, destination, state }) => {
        metrics.deliveries.inc({ destination, state })
        tellAudit({ audit, log }, { studyInstanceUID, destination, state })
        hub.publish({ kind: 'delivery', studyInstanceUID })
      },
    }),
  })
  return {
    infers,
    /** Ends a job that runs here. @returns false where it does not */
    cancel: (id: string, by: string) => infers.cancel(id, by) || delivers.cancel(id, by),
    /** The processes that inference runs in. */
    workers: () => pool.state(),
    poke: () => {
      infers.poke()
      delivers.poke()
    },
    /** Starts the inference processes, so that they are warm when the first job comes. */
    warm: () => void pool.start(),
    start: () => {
      infers.start()
      delivers.start()
    },
    stop: async () => {
      await Promise.all([infers.stop(graceMs), delivers.stop(graceMs)])
      await pool.stop(1_000)
    },
  }
}

/** Where the jobs' folders are made; nothing in it outlives its job. */
export function workFolder(config: Config): string {
  return path.join(config.dataDir, 'work')
}

/** What goes to the node's own store leaves nothing. */
function tellAudit(
  { audit, log }: Pick<WorkParts, 'audit' | 'log'>,
  { studyInstanceUID, destination, state }: { studyInstanceUID: string; destination: string; state: string },
): void {
  if (destination === 'self' || state === 'pending') return
  const outcome = state === 'failed' ? 'failure' : 'success'
  const told = { actor: 'node', action: 'study-deliver', subject: destination, outcome, studyInstanceUID } as const
  audit.saw({ ...told, detail: { peer: destination } }).catch((error: unknown) => {
    log.error('a delivery cannot be recorded in the audit', { reason: messageOf(error) })
  })
}
