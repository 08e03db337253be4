import type { Knex } from 'knex'

export type JobKind = 'infer' | 'deliver'
export type JobState = 'queued' | 'running' | 'done' | 'failed'

/** A job to be queued. */
export interface NewJob {
  /** Derived by the caller from what the job is for, at most 64 characters: queueing it twice is queueing it once. */
  id: string
  kind: JobKind
  studyId: number
  revisionId: number
  route: string | null
  /** `name@sha256:…`. */
  pipeline: string | null
  destination: string | null
  /** Larger first. */
  priority: number
  /** Anything that JSON can hold. */
  payload: unknown
  /** Not before this time (ISO 8601 UTC); at once when absent. */
  runAfter?: string
  /** Of a shadow route: it has no part in the study's state. */
  shadow?: boolean
  /** Begins in a window of the off-peak calendar only. */
  offPeak?: boolean
}

export interface Job {
  id: string
  kind: JobKind
  studyId: number
  revisionId: number
  route: string | null
  pipeline: string | null
  destination: string | null
  state: JobState
  /** True when it failed because the input is outside the pipeline's declared limits. */
  refused: boolean
  /** True when it failed because somebody ended it. */
  cancelled: boolean
  error: string | null
  priority: number
  /** How often it was started, the present run included. */
  attempts: number
  /** How often the process ended while it ran. */
  interruptions: number
  payload: unknown
  runAfter: string
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

/** What is remembered of one attempt. */
interface Attempted {
  /** Execution provider of an inference. */
  provider?: string | null
  /** Lines that tell how it went; no patient data. */
  log?: string | null
}

/** Runs inside the transaction that ends the job: rows that must exist exactly when the job has ended, and the jobs that follow it. */
export type EndCommit = (trx: Knex.Transaction) => Promise<void>

/**
 * How an attempt ended.
 * - `refused`: the input is outside the declared limits; final, and no fault of the node
 * - `retry`: back to the queue until `runAfter` (ISO 8601 UTC)
 * - `parked`: given up because the node stops; counts as no attempt
 * - `cancelled`: somebody ended it; final until somebody queues it again
 */
export type JobEnd =
  | ({ kind: 'done'; commit?: EndCommit } & Attempted)
  | ({ kind: 'refused'; reason: string; commit?: EndCommit } & Attempted)
  | ({ kind: 'failed'; reason: string; commit?: EndCommit } & Attempted)
  | ({ kind: 'retry'; reason: string; runAfter: string; commit?: EndCommit } & Attempted)
  | { kind: 'parked' }
  | ({ kind: 'cancelled'; reason: string; commit?: EndCommit } & Attempted)

/** A job's row. */
export interface JobRow {
  id: string
  kind: JobKind
  study_id: number
  revision_id: number
  route: string | null
  pipeline: string | null
  destination: string | null
  state: JobState
  refused: number
  cancelled: number
  error: string | null
  priority: number
  attempts: number
  interruptions: number
  payload: string
  run_after: string
  created_at: string
  started_at: string | null
  finished_at: string | null
}

/** A job out of its row. */
export function jobOf(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    studyId: row.study_id,
    revisionId: row.revision_id,
    route: row.route,
    pipeline: row.pipeline,
    destination: row.destination,
    state: row.state,
    refused: row.refused === 1,
    cancelled: row.cancelled === 1,
    error: row.error,
    priority: row.priority,
    attempts: row.attempts,
    interruptions: row.interruptions,
    payload: JSON.parse(row.payload) as unknown,
    runAfter: row.run_after,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }
}
