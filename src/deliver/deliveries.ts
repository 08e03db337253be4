import type { Knex } from 'knex'
import { z } from 'zod'
import { HilumError } from '../errors.ts'
import type { Job } from '../jobs/job.ts'

/** `pending`: not there yet; `sent`: accepted, not proven; `verified`: proven by reading back; `failed`: given up. */
export type DeliveryState = 'pending' | 'sent' | 'verified' | 'failed'

const payloadSchema = z
  .object({
    destination: z.string().optional(),
    resultIds: z.array(z.number()).optional(),
    inferJobId: z.string().optional(),
  })
  .refine((payload) => payload.resultIds !== undefined || payload.inferJobId !== undefined)

export interface DeliverPayload {
  destination: string
  resultIds: number[] | null
  inferJobId: string | null
}

/**
 * What a deliver job is to deliver, and where to.
 * @throws HilumError `bad-payload`
 */
export function payloadOf(job: Job): DeliverPayload {
  const parsed = payloadSchema.safeParse(job.payload)
  const destination = parsed.data?.destination ?? job.destination
  if (!parsed.success || destination === null)
    throw new HilumError(
      'bad-payload',
      'the payload of a deliver job names no destination, or neither resultIds nor inferJobId',
    )
  return { destination, resultIds: parsed.data.resultIds ?? null, inferJobId: parsed.data.inferJobId ?? null }
}

/** A result object with the state of its delivery to one destination; null where nothing was tried yet. */
export interface ResultToDeliver {
  id: number
  sopInstanceUID: string
  seriesInstanceUID: string
  studyInstanceUID: string
  objectKey: string
  state: DeliveryState | null
}

/**
 * The results that a job is to deliver. With `inferJobId` also those whose deliveries await this very job: another route that runs the
 * same pipeline on the same series writes the same objects, and their rows are then the later inference's.
 */
export async function loadResults(database: Knex, payload: DeliverPayload, jobId: string): Promise<ResultToDeliver[]> {
  const rows = database('results')
    .join('studies', 'studies.id', 'results.study_id')
    .leftJoin('deliveries', (on) => {
      on.on('deliveries.result_id', 'results.id').andOnVal('deliveries.destination', payload.destination)
    })
    .orderBy('results.id')
    .select<ResultToDeliver[]>({
      id: 'results.id',
      sopInstanceUID: 'results.sop_instance_uid',
      seriesInstanceUID: 'results.series_instance_uid',
      studyInstanceUID: 'studies.study_instance_uid',
      objectKey: 'results.object_key',
      state: 'deliveries.state',
    })
  if (payload.resultIds !== null) rows.whereIn('results.id', payload.resultIds)
  else
    rows.where((either) => {
      either.where('results.job_id', payload.inferJobId ?? '').orWhere('deliveries.job_id', jobId)
    })
  return await rows
}

export interface DeliveryRow {
  resultId: number
  state: DeliveryState
  proof: string | null
  error: string | null
}

/** Writes what became of results at one destination; a row that is there is brought up to date. */
export async function writeDeliveries(
  database: Knex,
  { jobId, destination, at, rows }: { jobId: string; destination: string; at: string; rows: readonly DeliveryRow[] },
): Promise<void> {
  for (const { resultId, state, proof, error } of rows) {
    await database('deliveries')
      .insert({ result_id: resultId, job_id: jobId, destination, state, proof, error, updated_at: at })
      .onConflict(['result_id', 'destination'])
      .merge(['job_id', 'state', 'proof', 'error', 'updated_at'])
  }
}

/** How many attempts the job has had since an operator last queued it again, this one included: each time it gets all of them anew. */
export async function attemptsSinceRetry(database: Knex, job: Job): Promise<number> {
  const events = await database('study_events')
    .where({ study_id: job.studyId, kind: 'retry' })
    .orderBy('id', 'desc')
    .select<{ at: string; detail: string }[]>('at', 'detail')
  const last = events.find((event) => (JSON.parse(event.detail) as { job?: unknown }).job === job.id)
  if (!last) return job.attempts
  const [counted] = await database('job_attempts')
    .where({ job_id: job.id })
    .andWhere('at', '>=', last.at)
    .count<{ n: number }[]>('* as n')
  return (counted?.n ?? 0) + 1
}
