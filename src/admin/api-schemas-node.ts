import { z } from 'zod'
import { finding, jobRow } from './api-schemas.ts'

const at = z.string().describe('ISO 8601, UTC')

/** Something of the queue that does not go on until somebody resumes it. Jobs that run already end. */
export const pause = z
  .object({
    id: z.number(),
    scope: z.enum(['all', 'kind', 'pipeline', 'destination']),
    name: z
      .string()
      .describe('infer or deliver, name of the pipeline or of the destination; empty where the scope is all'),
    reason: z.string(),
    author: z.string(),
    at,
    sentence: z.string().describe('what is paused, in words'),
    waiting: z.number().describe('jobs that it keeps back'),
  })
  .meta({ id: 'Pause' })

/** Failures whose sentences differ only in numbers, UIDs and names. */
export const failureGroup = z
  .object({
    reason: z.string().describe('the sentence, with … where they differ; give it to the filter of POST /queue/retry'),
    kind: z.enum(['infer', 'deliver']),
    refused: z.boolean(),
    cancelled: z.boolean(),
    jobs: z.number(),
    studies: z.number(),
    example: z.string().describe('the newest sentence'),
    exampleJob: z.string().describe('its job'),
    firstAt: at.nullable(),
    lastAt: at.nullable(),
    pipelines: z.array(z.string()).describe('names'),
    destinations: z.array(z.string()),
  })
  .meta({ id: 'FailureGroup' })

/** What a destination did last, as deliveries to it say. */
export const destinationHealth = z
  .object({
    lastSuccessAt: at.nullable(),
    lastFailureAt: at.nullable(),
    lastError: z.string().nullable().describe('of the last failure, where that is later than the last success'),
    pending: z.number().describe('objects that are not there yet'),
    failed: z.number().describe('objects that were given up'),
    paused: z.string().nullable().describe('the pause that holds, in words'),
  })
  .meta({ id: 'DestinationHealth' })

const openAssociation = z
  .object({
    association: z.string(),
    callingAETitle: z.string(),
    calledAETitle: z.string(),
    address: z.string(),
    since: at,
    instances: z.number(),
    bytes: z.number(),
    lastAt: at.nullable().describe('when the last instance came'),
  })
  .meta({ id: 'OpenAssociation' })

const receivingStudy = z
  .object({
    studyInstanceUID: z.string(),
    patientName: z.string().nullable(),
    studyDescription: z.string().nullable(),
    modalities: z.array(z.string()),
    instances: z.number(),
    createdAt: at,
    lastInstanceAt: at,
  })
  .meta({ id: 'ReceivingStudy' })

const quarter = z
  .object({
    from: at,
    studies: z.number().describe('whose last instance came then'),
    instances: z.number().describe('of those studies'),
    delivered: z.number().describe('studies whose results were all delivered then'),
    failed: z.number().describe('jobs that failed then; refusals and cancelled ones are not counted'),
    latencyMedian: z.number().nullable().describe('seconds from the last instance to the last delivered result'),
    latency95: z.number().nullable().describe('the same, 95th percentile'),
    late: z.number().describe('of the delivered, those that took longer than lateAfter'),
  })
  .meta({ id: 'QuarterOfAnHour' })

const nodeProcess = z
  .object({
    kind: z.enum(['node', 'receiver', 'worker']),
    name: z.string().describe('for people'),
    pid: z.number().nullable(),
    state: z.enum(['starting', 'ready', 'busy', 'ended']),
    since: at.nullable().describe('when it was started'),
    residentBytes: z.number().nullable(),
    restarts: z.number().describe('since the node was started'),
    job: z.string().nullable().describe('what a worker runs'),
  })
  .meta({ id: 'NodeProcess' })

/** What the node does now, and did today. */
export const overview = z
  .object({
    at,
    today: z
      .object({
        since: at.describe('midnight of the node’s time zone'),
        finished: z.number().describe('studies that were done today'),
        failed: z.number().describe('studies that failed today, and still have'),
        late: z.number().describe('studies delivered later than lateAfter today, and those that wait for longer now'),
        receivedStudies: z.number().describe('whose last instance came today'),
        receivedInstances: z.number(),
        receivedBytes: z.number().describe('over DICOM; counted by day in UTC'),
      })
      .describe('studies'),
    lateAfter: z.number().describe('seconds from the last instance to the last delivered result: more is late'),
    arriving: z.object({
      associations: z.array(openAssociation).describe('open now, the newest first, at most 20'),
      openAssociations: z.number(),
      studies: z.array(receivingStudy).describe('being received, the last changed first, at most 20'),
      receiving: z.number().describe('studies that are being received'),
    }),
    running: z.array(jobRow).describe('at most 50'),
    waiting: z.object({
      infer: z.number(),
      deliver: z.number(),
      held: z.number().describe('by pauses'),
      next: z.array(jobRow).describe('at most 10, in the order in which they will run'),
    }),
    failed: z.object({
      studies: z.number().describe('in the state failed, of all days'),
      jobs: z.number(),
      groups: z.array(failureGroup).describe('the most frequent of the last 1000 failures, at most 5'),
    }),
    quarantined: z.number(),
    disk: z.object({
      state: z.enum(['enough', 'warn', 'refuse', 'emergency']),
      free: z.number(),
      total: z.number(),
      warnFree: z.number(),
      minimumFree: z.number(),
      emergencyFree: z.number(),
    }),
    quarters: z.array(quarter).describe('of today, up to now'),
    destinations: z.array(
      destinationHealth
        .extend({ name: z.string(), kind: z.string(), url: z.string() })
        .meta({ id: 'DestinationState' }),
    ),
    processes: z.array(nodeProcess),
    pauses: z.array(pause),
  })
  .meta({ id: 'Overview' })

/** The queue as a whole. */
export const queueState = z
  .object({
    counts: z.array(
      z.object({ kind: z.enum(['infer', 'deliver']), queued: z.number(), running: z.number(), failed: z.number() }),
    ),
    held: z.number().describe('waiting jobs that pauses keep back'),
    slots: z.object({ infer: z.number(), deliver: z.number() }).describe('how many run at once'),
    pauses: z.array(pause),
  })
  .meta({ id: 'QueueState' })

/** What was done to several jobs at once. */
export const bulkOutcome = z
  .object({
    changed: z.number(),
    left: z.array(z.object({ id: z.string(), reason: z.string() })).describe('those that could not be, at most 100'),
    more: z.boolean().describe('true: there are more that match; ask again'),
  })
  .meta({ id: 'BulkOutcome' })

/** A name of a finding, to choose from. */
export const findingName = z.object({ name: z.string(), unit: z.string() }).meta({ id: 'FindingName' })

/** What an act on a study did. */
export const acted = z
  .object({ sentence: z.string(), jobs: z.array(z.string()).describe('ids of the jobs that are queued now') })
  .meta({ id: 'Acted' })

export { finding }
