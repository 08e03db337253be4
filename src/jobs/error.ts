import { HilumError } from '../errors.ts'

/**
 * - `job-unknown`: there is no job of that id
 * - `job-not-failed`: only a failed job can be queued again
 */
export type JobErrorCode = 'job-unknown' | 'job-not-failed'

/** An operator asked for something that the queue cannot do. */
export class JobError extends HilumError<JobErrorCode> {}
