import type { Knex } from 'knex'
import { HilumError, messageOf } from '../errors.ts'
import type { Job, JobEnd } from '../jobs/job.ts'
import type { Log } from '../log.ts'
import type { Objects } from '../store/objects.ts'
import type { InstanceDelivery } from './deliver-results.ts'
import { deliverResults } from './deliver-results.ts'
import type { DeliveryState } from './deliveries.ts'
import { attemptsSinceRetry, loadResults, payloadOf, writeDeliveries } from './deliveries.ts'
import type { Deliverable, Destination } from './destination.ts'
import type { RetryPolicy } from './retry-policy.ts'
import { defaultRetryPolicy, nextAttempt, worstClass } from './retry-policy.ts'

export interface DeliverHandlerOptions {
  database: Knex
  objects: Objects
  destinations: { get(name: string): Destination | undefined }
  log: Log
  now?: () => Date
  random?: () => number
  policy?: RetryPolicy
  /** As in `deliverResults`. */
  proofPauses?: readonly number[]
  /** Told of each object's state at the end of an attempt, for metrics and for those who watch the study. */
  onDelivery?: (delivery: { studyInstanceUID: string; destination: string; state: DeliveryState }) => void
}

/**
 * The handler of `deliver` jobs: delivers results to one destination, and keeps the `deliveries` rows in step.
 * The payload is `{ destination, resultIds }` or `{ destination, inferJobId }`; the latter means every result of that job.
 */
export function createDeliverHandler(
  options: DeliverHandlerOptions,
): (job: Job, signal: AbortSignal) => Promise<JobEnd> {
  return (job, signal) => deliverJob(options, job, signal)
}

async function deliverJob(options: DeliverHandlerOptions, job: Job, signal: AbortSignal): Promise<JobEnd> {
  const { database, objects, destinations, log } = options
  const now = options.now ?? (() => new Date())
  const payload = payloadOf(job)
  const results = await loadResults(database, payload, job.id)
  const open = results.filter((result) => result.state !== 'verified')
  const context = { job: job.id, destination: payload.destination, results: results.length }
  const ids = new Map(open.map((result) => [result.sopInstanceUID, result.id]))
  const write = (trx: Knex, states: ReadonlyMap<string, Written>) =>
    writeDeliveries(trx, {
      jobId: job.id,
      destination: payload.destination,
      at: now().toISOString(),
      rows: [...states].flatMap(([uid, state]) => {
        const resultId = ids.get(uid)
        return resultId === undefined ? [] : [{ resultId, ...state }]
      }),
    })
  const failAll = (reason: string): JobEnd => {
    log.warn('delivery failed', { ...context, attempt: job.attempts, reason })
    const states = new Map(
      open.map((result) => [result.sopInstanceUID, { state: 'failed' as const, proof: null, error: reason }]),
    )
    tell(options, open, payload.destination, states)
    return { kind: 'failed', reason, commit: (trx) => write(trx, states) }
  }

  const destination = destinations.get(payload.destination)
  if (!destination) return failAll(`the destination ${payload.destination} is not configured`)
  let deliverables: Deliverable[]
  try {
    deliverables = await Promise.all(
      open.map(async (result) => ({ ...result, path: await objects.pathOf(result.objectKey) })),
    )
  } catch (error) {
    if (!(error instanceof HilumError)) throw error
    return failAll(messageOf(error))
  }

  const report = await deliverResults({
    destination,
    results: deliverables,
    lookFirst: job.attempts > 1 || job.interruptions > 0 || open.some((result) => result.state === 'sent'),
    now,
    signal,
    ...(options.proofPauses ? { proofPauses: options.proofPauses } : {}),
    onSent: async (uids) =>
      write(database, new Map(uids.map((uid) => [uid, { state: 'sent', proof: null, error: null }]))),
  })
  const attempt = await attemptsSinceRetry(database, job)
  const end = endOf(report.instances, attempt, { ...options, now })
  const states = statesOf(report.instances, end.kind === 'retry')
  tell(options, open, payload.destination, states)
  const verified = report.instances.filter((instance) => instance.state === 'verified').length
  if (end.kind === 'done') log.info('results delivered and verified', { ...context, verified })
  else log.warn('delivery not complete', { ...context, verified, attempt, end: end.kind })
  return { ...end, commit: (trx) => write(trx, states) }
}

interface Written {
  state: DeliveryState
  proof: string | null
  error: string | null
}

type DeliveryEnd =
  | { kind: 'done' }
  | { kind: 'failed'; reason: string }
  | { kind: 'retry'; reason: string; runAfter: string }

function endOf(
  instances: readonly InstanceDelivery[],
  attempt: number,
  options: DeliverHandlerOptions & { now: () => Date },
): DeliveryEnd {
  const undone = instances.filter((instance) => instance.state !== 'verified')
  const first = undone[0]
  if (first === undefined) return { kind: 'done' }
  const policy = options.policy ?? defaultRetryPolicy
  const pause = nextAttempt(attempt, worstClass(undone.map((instance) => instance.retry)), {
    policy,
    ...(options.random ? { random: options.random } : {}),
  })
  const which =
    instances.length === 1 ? '' : `${undone.length} of ${instances.length} objects not verified; the first: `
  if (pause !== null)
    return {
      kind: 'retry',
      reason: `${which}${first.error}`,
      runAfter: new Date(options.now().getTime() + pause).toISOString(),
    }
  const exhausted = attempt >= policy.attempts ? `, after ${attempt} attempts` : ''
  return { kind: 'failed', reason: `${which}${first.error}${exhausted}` }
}

/** What the rows say after an attempt: an object that will be tried again is pending, unless the destination has it already. */
function statesOf(instances: readonly InstanceDelivery[], again: boolean): Map<string, Written> {
  return new Map(
    instances.map((instance): [string, Written] => {
      if (instance.state === 'verified')
        return [instance.sopInstanceUID, { state: 'verified', proof: instance.proof, error: null }]
      const pending = again && instance.state === 'failed' && instance.retry !== 'permanent'
      return [
        instance.sopInstanceUID,
        { state: pending ? 'pending' : instance.state, proof: null, error: instance.error },
      ]
    }),
  )
}

function tell(
  { onDelivery }: DeliverHandlerOptions,
  results: readonly { sopInstanceUID: string; studyInstanceUID: string }[],
  destination: string,
  states: ReadonlyMap<string, Written>,
): void {
  for (const { sopInstanceUID, studyInstanceUID } of results) {
    const written = states.get(sopInstanceUID)
    if (written) onDelivery?.({ studyInstanceUID, destination, state: written.state })
  }
}
