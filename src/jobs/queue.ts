import type { Knex } from 'knex'
import { JobError } from './error.ts'
import type { Job, JobEnd, JobKind, JobRow, JobState, NewJob } from './job.ts'
import { jobOf } from './job.ts'
import { held, pausesOf } from './pauses.ts'
import { recomputeStudyState } from './study-state.ts'

export interface JobQueueOptions {
  database: Knex
  now?: () => Date
  /** Is part of the transaction in which a job's last run ends, after everything else of it. */
  atEnd?: (trx: Knex, jobId: string, kind: JobKind) => Promise<void>
}

/** How often an inference may be interrupted by the end of the process: more, and it is likely to be the cause. */
const maximumInterruptions = 20

/** The queue in the database: survives the process, and never runs one job twice at a time. */
export class JobQueue {
  readonly #database: Knex
  readonly #now: () => Date
  readonly #atEnd: NonNullable<JobQueueOptions['atEnd']>

  constructor({ database, now, atEnd }: JobQueueOptions) {
    this.#database = database
    this.#now = now ?? (() => new Date())
    this.#atEnd = atEnd ?? (async () => {})
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
        off_peak: job.offPeak ? 1 : 0,
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
   * Takes the next job that is due and not paused, and marks it as running; null when none is. An inference waits while one of an earlier
   * revision of its study runs for the same route, because its results have to name those that they supersede.
   */
  async claim(kind: JobKind): Promise<Job | null> {
    const database = this.#database
    const now = this.#time()
    const pauses = await pausesOf(database)
    const next = database('jobs')
      .where({ state: 'queued', kind })
      .whereNot((jobs) => held(jobs, pauses))
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
    const pauses = await pausesOf(this.#database)
    const row = await this.#database('jobs')
      .where({ state: 'queued', kind })
      .whereNot((jobs) => held(jobs, pauses))
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
        if (end.kind !== 'retry') await this.#atEnd(trx, job.id, job.kind)
      }
      await recomputeStudyState(trx, job.studyId)
      return true
    })
  }

  #columnsOf(job: Job, end: JobEnd): Partial<JobRow> {
    const now = this.#time()
    switch (end.kind) {
      case 'done':
        return { state: 'done', refused: 0, cancelled: 0, error: null, finished_at: now }
      case 'refused':
        return { state: 'failed', refused: 1, cancelled: 0, error: end.reason, finished_at: now }
      case 'failed':
        return { state: 'failed', refused: 0, cancelled: 0, error: end.reason, finished_at: now }
      case 'cancelled':
        return { state: 'failed', refused: 0, cancelled: 1, error: end.reason, finished_at: now }
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
        if (given) await this.#atEnd(trx, row.id, row.kind)
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
    return await this.#again(id, by, ['failed'])
  }

  /**
   * Queues a job again that has ended, also one that did what it should: its results take the place of those that it had.
   * @throws JobError `job-unknown`, `job-not-failed`
   */
  async again(id: string, by: string): Promise<Job> {
    return await this.#again(id, by, ['failed', 'done'])
  }

  async #again(id: string, by: string, from: JobState[]): Promise<Job> {
    return await this.#database.transaction(async (trx) => {
      const now = this.#time()
      const rows = await trx('jobs')
        .where({ id })
        .whereIn('state', from)
        .update({
          state: 'queued',
          refused: 0,
          cancelled: 0,
          error: null,
          interruptions: 0,
          run_after: now,
          finished_at: null,
        })
        .returning<JobRow[]>('*')
      const row = rows[0]
      if (row === undefined) throw await this.#whyNot(trx, id)
      const sentence = `${subjectOf(jobOf(row))} queued again by ${by}`
      const detail = JSON.stringify({ job: id, by })
      await trx('study_events').insert({ study_id: row.study_id, at: now, kind: 'retry', sentence, detail })
      await recomputeStudyState(trx, row.study_id)
      return jobOf(row)
    })
  }

  /**
   * Ends a job that waits, on an operator's word. One that runs has to be ended by its runner.
   * @returns `running` where it runs, and nothing is changed
   * @throws JobError `job-unknown`, `job-ended`
   */
  async cancel(id: string, by: string): Promise<'failed' | 'running'> {
    return await this.#database.transaction(async (trx) => {
      const now = this.#time()
      const rows = await trx('jobs')
        .where({ id, state: 'queued' })
        .update({ state: 'failed', refused: 0, cancelled: 1, error: cancelledBy(by), finished_at: now })
        .returning<JobRow[]>('*')
      const row = rows[0]
      if (row === undefined) {
        const there = await trx('jobs').where({ id }).first<{ state: JobState } | undefined>('state')
        if (there?.state === 'running') return 'running'
        if (there === undefined) throw new JobError('job-unknown', 'there is no job of that id')
        throw new JobError('job-ended', `only a job that waits or runs can be ended; this one is ${there.state}`)
      }
      // What it would have delivered is not expected any more.
      await trx('deliveries')
        .where({ job_id: id, state: 'pending' })
        .update({ state: 'failed', error: cancelledBy(by), updated_at: now })
      await this.#tellCancelled(trx, jobOf(row), by)
      await recomputeStudyState(trx, row.study_id)
      return 'failed'
    })
  }

  /** What a runner ends a running job with, when somebody wants it to end. */
  cancelled(job: Job, by: string): JobEnd {
    const reason = cancelledBy(by)
    return {
      kind: 'cancelled',
      reason,
      commit: async (trx) => {
        const updated_at = this.#time()
        await trx('deliveries')
          .where({ job_id: job.id, state: 'pending' })
          .update({ state: 'failed', error: reason, updated_at })
        await this.#tellCancelled(trx, job, by)
      },
    }
  }

  async #tellCancelled(trx: Knex, job: Job, by: string): Promise<void> {
    const sentence = `${subjectOf(job)} ended by ${by}`
    const detail = JSON.stringify({ job: job.id, by })
    await trx('study_events').insert({ study_id: job.studyId, at: this.#time(), kind: 'cancel', sentence, detail })
  }

  /**
   * Puts a job that waits before or behind others.
   * @param priority larger runs first
   * @throws JobError `job-unknown`, `job-ended`, `job-running`
   */
  async prioritise(id: string, priority: number, by: string): Promise<Job> {
    return await this.#database.transaction(async (trx) => {
      const rows = await trx('jobs').where({ id, state: 'queued' }).update({ priority }).returning<JobRow[]>('*')
      const row = rows[0]
      if (row === undefined) {
        const there = await trx('jobs').where({ id }).first<{ state: JobState } | undefined>('state')
        if (there === undefined) throw new JobError('job-unknown', 'there is no job of that id')
        throw there.state === 'running'
          ? new JobError('job-running', 'the job runs already')
          : new JobError('job-ended', `the job has ended: it is ${there.state}`)
      }
      const sentence = `priority of ${subjectOf(jobOf(row))} set to ${priority} by ${by}`
      const detail = JSON.stringify({ job: id, priority, by })
      await trx('study_events').insert({ study_id: row.study_id, at: this.#time(), kind: 'priority', sentence, detail })
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

function cancelledBy(by: string): string {
  return `ended by ${by}`
}

/** A job in the words of a study's events. */
function subjectOf({ kind, route, pipeline, destination }: Job): string {
  if (kind === 'deliver') return `delivery to ${destination ?? '?'}`
  return route === null ? `inference with ${pipeline?.split('@')[0] ?? '?'}` : `inference by route ${route}`
}

/** The run that an inference has to wait for. */
function earlierRevision(database: Knex): Knex.QueryBuilder {
  return database({ earlier: 'jobs' })
    .select(database.raw('1'))
    .where({ 'earlier.kind': 'infer', 'earlier.state': 'running' })
    .whereRaw('earlier.study_id = jobs.study_id and earlier.kind = jobs.kind and earlier.route = jobs.route')
    .whereRaw('earlier.revision_id < jobs.revision_id')
}
