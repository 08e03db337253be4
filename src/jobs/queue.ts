import type { Knex } from 'knex'
import { JobError } from './error.ts'
import type { Job, JobEnd, JobKind, JobRow, JobState, NewJob } from './job.ts'
import { jobOf } from './job.ts'
import { recomputeStudyState } from './study-state.ts'

export interface JobQueueOptions {
  database: Knex
  now?: () => Date
}

/** How often an inference may be interrupted by the end of the process: more, and it is likely to be the cause. */
const maximumInterruptions = 20

/** The queue in the database: survives the process, and never runs one job twice at a time. */
export class JobQueue {
  readonly #database: Knex
  readonly #now: () => Date

  constructor({ database, now }: JobQueueOptions) {
    this.#database = database
    this.#now = now ?? (() => new Date())
  }

  /**
   * Queues a job; one of that id that exists already stays as it is.
   * @param trx a transaction that the job must be part of
   * @returns false when it existed
   */
  async enqueue(job: NewJob, trx: Knex = this.#database): Promise<boolean> {
    const now = this.#time()
    const rows = await trx('jobs')
      .insert({
        id: job.id,
        kind: job.kind,
        study_id: job.studyId,
        revision_id: job.revisionId,
        route: job.route,
        pipeline: job.pipeline,
        destination: job.destination,
        state: 'queued',
        priority: job.priority,
        shadow: job.shadow ? 1 : 0,
        payload: JSON.stringify(job.payload ?? null),
        run_after: job.runAfter ?? now,
        created_at: now,
      })
      .onConflict('id')
      .ignore()
      .returning('id')
    return rows.length > 0
  }

  /**
   * Takes the next job that is due, and marks it as running; null when none is. An inference waits while one of an earlier revision of
   * its study runs for the same route, because its results have to name those that they supersede.
   */
  async claim(kind: JobKind): Promise<Job | null> {
    const database = this.#database
    const now = this.#time()
    const next = database('jobs')
      .where({ state: 'queued', kind })
      .andWhere('run_after', '<=', now)
      .whereNotExists(earlierRevision(database))
      .orderBy([{ column: 'priority', order: 'desc' }, 'run_after', 'created_at', 'id'])
      .limit(1)
      .select('id')
    // Several nodes on PostgreSQL pass by each other's rows; SQLite has one writer.
    if (database.client.config.client === 'pg') next.forUpdate().skipLocked()
    const rows = await database('jobs')
      .where('id', next)
      .andWhere({ state: 'queued' })
      .update({ state: 'running', attempts: database.raw('attempts + 1'), started_at: now, finished_at: null })
      .returning<JobRow[]>('*')
    return rows[0] === undefined ? null : jobOf(rows[0])
  }

  /** When the earliest queued job of a kind that need not wait for another one is due (ISO 8601 UTC), or null. */
  async nextDue(kind: JobKind): Promise<string | null> {
    const row = await this.#database('jobs')
      .where({ state: 'queued', kind })
      .whereNotExists(earlierRevision(this.#database))
      .min<{ at: string | null }[]>('run_after as at')
    return row[0]?.at ?? null
  }

  /**
   * Ends a claimed job's run, in one transaction with the end's `commit` and the study's state.
   * @param job as `claim` gave it
   * @returns false when the run was over already (parked, or found interrupted): then nothing is changed
   */
  async end(job: Job, end: JobEnd): Promise<boolean> {
    return await this.#database.transaction(async (trx) => {
      const changed = await trx('jobs')
        .where({ id: job.id, state: 'running', attempts: job.attempts })
        .update(this.#columnsOf(job, end))
      if (changed === 0) return false
      if (end.kind !== 'parked') {
        await this.#recordAttempt(trx, job, end)
        await end.commit?.(trx)
      }
      await recomputeStudyState(trx, job.studyId)
      return true
    })
  }

  #columnsOf(job: Job, end: JobEnd): Partial<JobRow> {
    const now = this.#time()
    switch (end.kind) {
      case 'done':
        return { state: 'done', refused: 0, error: null, finished_at: now }
      case 'refused':
        return { state: 'failed', refused: 1, error: end.reason, finished_at: now }
      case 'failed':
        return { state: 'failed', refused: 0, error: end.reason, finished_at: now }
      case 'retry':
        return { state: 'queued', error: end.reason, run_after: end.runAfter }
      case 'parked':
        return { state: 'queued', attempts: job.attempts - 1 }
    }
  }

  async #recordAttempt(trx: Knex, job: Job, end: Exclude<JobEnd, { kind: 'parked' }>): Promise<void> {
    const startedAt = job.startedAt ?? this.#time()
    await trx('job_attempts').insert({
      job_id: job.id,
      at: startedAt,
      ms: this.#now().getTime() - Date.parse(startedAt),
      provider: end.provider ?? null,
      error: end.kind === 'done' ? null : end.reason,
      log: end.log ?? null,
    })
  }

  /**
   * At the start of the node: jobs that were running when the process ended go back to the queue. An inference that was interrupted
   * more than twenty times fails, because it is likely to be what ends the process.
   * @returns how many were running
   */
  async requeueInterrupted(): Promise<number> {
    return await this.#database.transaction(async (trx) => {
      const rows = await trx('jobs').where({ state: 'running' }).select<JobRow[]>('*')
      for (const row of rows) {
        const interruptions = row.interruptions + 1
        const given = row.kind === 'infer' && interruptions > maximumInterruptions
        const error = given
          ? `the node ended ${interruptions} times while this job ran`
          : 'the node ended while this job ran'
        const end = given
          ? { state: 'failed', finished_at: this.#time() }
          : { state: 'queued', run_after: this.#time() }
        await trx('jobs')
          .where({ id: row.id })
          .update({ ...end, interruptions, error })
        await trx('job_attempts').insert({ job_id: row.id, at: row.started_at ?? row.created_at, error })
        await recomputeStudyState(trx, row.study_id)
      }
      return rows.length
    })
  }

  /**
   * Queues a failed job again, on an operator's word.
   * @param by name of the operator, for the timeline
   * @throws JobError `job-unknown`, `job-not-failed`
   */
  async retry(id: string, by: string): Promise<Job> {
    return await this.#database.transaction(async (trx) => {
      const now = this.#time()
      const rows = await trx('jobs')
        .where({ id, state: 'failed' })
        .update({ state: 'queued', refused: 0, error: null, interruptions: 0, run_after: now, finished_at: null })
        .returning<JobRow[]>('*')
      const row = rows[0]
      if (row === undefined) throw await this.#whyNot(trx, id)
      const subject =
        row.kind === 'infer' ? `inference by route ${row.route ?? '?'}` : `delivery to ${row.destination ?? '?'}`
      const sentence = `${subject} queued again by ${by}`
      const detail = JSON.stringify({ job: id, by })
      await trx('study_events').insert({ study_id: row.study_id, at: now, kind: 'retry', sentence, detail })
      await recomputeStudyState(trx, row.study_id)
      return jobOf(row)
    })
  }

  async #whyNot(trx: Knex, id: string): Promise<JobError> {
    const row = await trx('jobs').where({ id }).first<{ state: JobState } | undefined>('state')
    if (row === undefined) return new JobError('job-unknown', 'there is no job of that id')
    return new JobError('job-not-failed', `only a failed job can be queued again; this one is ${row.state}`)
  }

  #time(): string {
    return this.#now().toISOString()
  }
}

/** The run that an inference has to wait for. */
function earlierRevision(database: Knex): Knex.QueryBuilder {
  return database({ earlier: 'jobs' })
    .select(database.raw('1'))
    .where({ 'earlier.kind': 'infer', 'earlier.state': 'running' })
    .whereRaw('earlier.study_id = jobs.study_id and earlier.kind = jobs.kind and earlier.route = jobs.route')
    .whereRaw('earlier.revision_id < jobs.revision_id')
}
