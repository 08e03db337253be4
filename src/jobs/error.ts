import { HilumError } from '../errors.ts'

/**
 * - `job-unknown`: there is no job of that id
 * - `job-not-failed`: only a failed job can be queued again
 * - `job-ended`: a job that has ended can be neither ended nor put before others
 * - `job-running`: a running job cannot be put before others
 * - `pause-unknown`: there is no pause of that id
 */
export type JobErrorCode = 'job-unknown' | 'job-not-failed' | 'job-ended' | 'job-running' | 'pause-unknown'

/** An operator asked for something that the queue cannot do. */
export class JobError extends HilumError<JobErrorCode> {}
