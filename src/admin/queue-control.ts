import type { Knex } from 'knex'
import { failureGroups } from '../jobs/failure-groups.ts'
import type { JobKind } from '../jobs/job.ts'
import { type JobFilter, whereJobs } from '../jobs/job-list.ts'
import { held, type Pause, pause, pauseSentence, pausesOf, resume } from '../jobs/pauses.ts'
import type { JobProgress } from '../jobs/progress.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { countUpTo } from '../store/count-up-to.ts'
import type { JobsDeps } from './api-jobs.ts'
import { countHeld, countIn, jobsWithReason, listJobs } from './job-rows.ts'

export interface QueueControlOptions {
  knex: Knex
  queue: JobQueue
  progress: JobProgress
  /** How many run at once. */
  slots: { infer: number; deliver: number }
  /** Ends a job that runs in this process. @returns false where it does not */
  cancelRunning(id: string, by: string): boolean
  /** Called when there may be something to run. */
  poke(): void
  /** Called when what the queue shows has changed. */
  onChange(): void
  now?: () => Date
}

/** What larger priorities are called. */
const priorities = { urgent: 10, normal: 0, low: -10 } as const
/** Failures that are grouped, the newest. */
const mostGrouped = 5000
/** Jobs that one request changes. */
const mostChanged = 1000
const mostTold = 100

/** What operators do with the queue. All that holds is in the database. */
export class QueueControl {
  readonly #options: QueueControlOptions

  constructor(options: QueueControlOptions) {
    this.#options = options
  }

  async state() {
    const { knex, slots } = this.#options
    const counts = await Promise.all(
      (['infer', 'deliver'] as const).map(async (kind) => ({
        kind,
        queued: await countIn(knex, kind, 'queued'),
        running: await countIn(knex, kind, 'running'),
        failed: await countIn(knex, kind, 'failed'),
      })),
    )
    const pauses = await pausesOf(knex)
    return { counts, held: await countHeld(knex, pauses), slots, pauses: await this.#shown(pauses) }
  }

  async list(query: Parameters<JobsDeps['queue']['list']>[0]) {
    const { knex, progress } = this.#options
    const { jobs, ...total } = await listJobs(knex, query)
    const progressOf = (job: { id: string; state: string }) => (job.state === 'running' ? progress.of(job.id) : null)
    return { ...total, jobs: jobs.map((job) => ({ ...job, progress: progressOf(job) })) }
  }

  async failures({ kind }: { kind?: JobKind | undefined }) {
    return await failureGroups(this.#options.knex, { kind, most: mostGrouped })
  }

  /** @throws JobError */
  async retry(id: string, by: string): Promise<void> {
    await this.#options.queue.retry(id, by)
    this.#changed()
  }

  /** Ends a job that waits or runs. @throws JobError */
  async cancel(id: string, by: string): Promise<'failed' | 'running'> {
    const { queue, cancelRunning } = this.#options
    const state = await queue.cancel(id, by)
    if (state === 'running') cancelRunning(id, by)
    this.#changed()
    return state
  }

  /** @throws JobError */
  async prioritise(id: string, priority: keyof typeof priorities, by: string): Promise<void> {
    await this.#options.queue.prioritise(id, priorities[priority], by)
    this.#changed()
  }

  /** Queues failed jobs again, at most 1000 at once, the newest first. */
  async retryAll(selection: Parameters<JobsDeps['queue']['retryAll']>[0], by: string) {
    const { knex, queue } = this.#options
    const { refused, cancelled, reason, ...filter } = selection
    const of = (rows: Knex.QueryBuilder) => {
      whereJobs(rows, knex, { ...filter, state: 'failed' })
      if (!refused) rows.where({ refused: 0 })
      if (!cancelled) rows.where({ cancelled: 0 })
    }
    const ids = await this.#idsOf({ ...filter, reason }, of)
    return await this.#each(ids, (id) => queue.retry(id, by))
  }

  /** Ends jobs that wait, at most 1000 at once. */
  async cancelAll({ reason, ...filter }: Parameters<JobsDeps['queue']['cancelAll']>[0], by: string) {
    const { knex, queue } = this.#options
    // Only failures have reasons.
    if (reason !== undefined) return { changed: 0, left: [], more: false }
    const ids = await this.#idsOf(filter, (rows) => whereJobs(rows, knex, { ...filter, state: 'queued' }))
    return await this.#each(ids, (id) => queue.cancel(id, by))
  }

  async #idsOf(
    { reason, ...filter }: JobFilter & { reason?: string | undefined },
    of: (rows: Knex.QueryBuilder) => void,
  ): Promise<string[]> {
    const { knex } = this.#options
    const rows = knex('jobs')
    of(rows)
    if (reason === undefined)
      return await rows
        .orderBy('created_at', 'desc')
        .limit(mostChanged + 1)
        .pluck('id')
    const same = (await jobsWithReason(knex, { ...filter, reason })).slice(0, mostChanged * 4)
    const fitting: string[] = []
    for (let start = 0; start < same.length && fitting.length <= mostChanged; start += 500)
      fitting.push(
        ...(await rows
          .clone()
          .whereIn('jobs.id', same.slice(start, start + 500))
          .pluck('id')),
      )
    return fitting
  }

  async #each(ids: readonly string[], act: (id: string) => Promise<unknown>) {
    const left: { id: string; reason: string }[] = []
    let changed = 0
    for (const id of ids.slice(0, mostChanged)) {
      try {
        if ((await act(id)) !== 'running') changed++
      } catch (error) {
        if (!(error instanceof Error)) throw error
        if (left.length < mostTold) left.push({ id, reason: error.message })
      }
    }
    this.#changed()
    return { changed, left, more: ids.length > mostChanged }
  }

  async pauses() {
    return await this.#shown(await pausesOf(this.#options.knex))
  }

  /** Begins no more jobs of what is named, until somebody resumes it. */
  async pause(what: { scope: Pause['scope']; name: string; reason: string }, author: string) {
    const { knex, now } = this.#options
    const at = (now?.() ?? new Date()).toISOString()
    const paused = await pause(knex, { ...what, author, at })
    this.#changed()
    const [shown] = await this.#shown([paused])
    if (!shown) throw new Error('the pause is not there')
    return shown
  }

  /** @throws JobError `pause-unknown` */
  async resume(id: number, _by: string) {
    const resumed = await resume(this.#options.knex, id)
    this.#changed()
    return { ...resumed, sentence: pauseSentence(resumed), waiting: 0 }
  }

  async #shown(pauses: readonly Pause[]) {
    const { knex } = this.#options
    return await Promise.all(
      pauses.map(async (one) => {
        const waiting = knex('jobs')
          .where({ state: 'queued' })
          .andWhere((jobs) => held(jobs, [one]))
        return { ...one, sentence: pauseSentence(one), waiting: (await countUpTo(knex, waiting)).total }
      }),
    )
  }

  #changed(): void {
    this.#options.poke()
    this.#options.onChange()
  }
}
