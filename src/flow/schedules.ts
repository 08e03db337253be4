import { hostname } from 'node:os'
import type { Knex } from 'knex'
import { createTask, type ScheduledTask, validate } from 'node-cron'
import { ScheduleError, type ScheduleRun, type ScheduleSettings, type WholeSchedule } from '../admin/api-schedules.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { raise } from '../notify/raise.ts'

/** Something that runs by schedule. */
export interface Task {
  name: string
  title: string
  description: string
  /** As the node comes, or its configuration says. */
  cron: string
  enabled: boolean
  /** Why it cannot run at all; null where it can. */
  unavailable?: string | null
  /** True: it runs so often that only its last run is kept. */
  quiet?: boolean
  /** @returns what came of it, one sentence without patient data */
  run(signal: AbortSignal): Promise<string>
}

export interface SchedulesOptions {
  database: Knex
  log: Log
  tasks: readonly Task[]
  /** Told when a run begins or ends, or a schedule is changed. */
  onChange?: () => void
  now?: () => Date
}

interface Row {
  name: string
  cron: string | null
  time_zone: string | null
  enabled: number | null
  author: string | null
  updated_at: string | null
  next_at: string | null
  holder: string | null
  held_until: string | null
  last_started_at: string | null
  last_finished_at: string | null
  last_outcome: ScheduleRun['outcome']
  last_sentence: string | null
}

interface RunRow {
  id: number
  by: string
  started_at: string
  finished_at: string | null
  outcome: ScheduleRun['outcome']
  sentence: string | null
}

/** How soon what another process has changed is seen, ms. */
const lookMs = 5_000
/** A run of a process that has not said for so long that it goes on is taken for interrupted, ms. */
const leaseMs = 90_000
/** What is so much later than it was due was missed, ms. */
const missedMs = 60_000
/** What a running task gets to end. */
const graceMs = 10_000

/**
 * Everything that runs by schedule. When and whether is kept in the database, over what the node comes with. A task never runs twice at
 * a time, and with several processes on one database only one of them runs what is due; what was missed while no node ran is told, and
 * not made up for.
 */
export class Schedules {
  readonly #options: SchedulesOptions
  readonly #now: () => Date
  readonly #holder = `${hostname().slice(0, 40)}:${process.pid}`
  readonly #timers = new Map<string, { timer: ScheduledTask | null; of: string }>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #abort = new AbortController()
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()

  constructor(options: SchedulesOptions) {
    this.#options = options
    this.#now = options.now ?? (() => new Date())
  }

  /** Tells what was missed, and begins. @throws HilumError `bad-schedule` */
  async start(): Promise<void> {
    const { database, tasks } = this.#options
    for (const { name, cron } of tasks) {
      if (!validate(cron)) throw new HilumError('bad-schedule', `${name}: ${cron} is no cron expression`)
      await database('schedules').insert({ name }).onConflict('name').ignore()
    }
    await this.#tellMissed()
    await this.#look()
    this.#timer = setInterval(() => {
      this.#looking = this.#look().catch((error: unknown) =>
        this.#options.log.error('the schedules cannot be read now', { reason: messageOf(error) }),
      )
    }, lookMs)
    this.#timer.unref()
  }

  /** Ends the schedules; what runs gets a moment. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    await this.#looking
    for (const { timer } of this.#timers.values()) await timer?.destroy()
    this.#timers.clear()
    this.#abort.abort()
    const grace = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref())
    await Promise.race([Promise.all(this.#running.values()), grace])
  }

  async list(): Promise<WholeSchedule[]> {
    const rows = await this.#rows()
    return this.#options.tasks.map((task) => this.#whole(task, rows.get(task.name)))
  }

  /** When a task runs next; null: not by itself. */
  nextRun(name: string): string | null {
    return this.#timers.get(name)?.timer?.getNextRun()?.toISOString() ?? null
  }

  /** @throws ScheduleError */
  async change(name: string, { cron, timeZone, enabled }: ScheduleSettings, by: string): Promise<WholeSchedule> {
    const { database, onChange } = this.#options
    const task = this.#task(name)
    if (cron !== null && !validate(cron)) throw new ScheduleError('bad-schedule', `${cron} is no cron expression`)
    if (timeZone !== null && !isTimeZone(timeZone))
      throw new ScheduleError('bad-schedule', `${timeZone} is no time zone`)
    await database('schedules')
      .where({ name })
      .update({
        cron,
        time_zone: timeZone,
        enabled: enabled === null ? null : enabled ? 1 : 0,
        author: by.slice(0, 255),
        updated_at: this.#now().toISOString(),
        next_at: null,
      })
    await this.#look()
    onChange?.()
    return this.#whole(task, (await this.#rows()).get(name))
  }

  /** Begins a run. @throws ScheduleError */
  async runNow(name: string, by: string): Promise<ScheduleRun> {
    const task = this.#task(name)
    if (task.unavailable) throw new ScheduleError('schedule-unavailable', task.unavailable)
    if (!(await this.#hold(name))) throw new ScheduleError('schedule-running', `${task.title} runs already`)
    const run = await this.#begin(task, by, false)
    if (!run) throw new Error('the database gave no row for a run')
    return run
  }

  /** Resolves when what runs now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async runs(name: string, { before, limit }: { before?: number | undefined; limit: number }): Promise<ScheduleRun[]> {
    const query = this.#options.database('schedule_runs').where({ name }).orderBy('id', 'desc').limit(limit)
    if (before !== undefined) query.andWhere('id', '<', before)
    return (await query.select<RunRow[]>()).map(shownRun)
  }

  #task(name: string): Task {
    const task = this.#options.tasks.find((one) => one.name === name)
    if (!task) throw new ScheduleError('schedule-unknown', `there is no schedule ${name}`)
    return task
  }

  async #rows(): Promise<Map<string, Row>> {
    const rows = await this.#options.database('schedules').select<Row[]>()
    return new Map(rows.map((row) => [row.name, row]))
  }

  /** Takes over what was changed, by whomever, and ends the runs of processes that are no more. */
  async #look(): Promise<void> {
    const { database, tasks } = this.#options
    const at = this.#now().toISOString()
    const rows = await this.#rows()
    for (const { name, holder, held_until } of rows.values())
      if (holder !== null && held_until !== null && held_until < at && !this.#running.has(name)) {
        const end = { finished_at: at, outcome: 'interrupted', sentence: 'the node ended meanwhile' }
        await database('schedule_runs').where({ name }).whereNull('finished_at').update(end)
        await database('schedules').where({ name, holder }).update({
          holder: null,
          held_until: null,
          last_outcome: 'interrupted',
          last_finished_at: at,
          last_sentence: end.sentence,
        })
      }
    for (const name of this.#running.keys())
      await database('schedules').where({ name, holder: this.#holder }).update({ held_until: this.#leaseEnd() })
    for (const task of tasks) await this.#schedule(task, rows.get(task.name))
  }

  /** Sets a task's timer, where it is not set as it should be. */
  async #schedule(task: Task, row: Row | undefined): Promise<void> {
    const { cron, timeZone, enabled } = inForce(task, row)
    const runs = enabled && !task.unavailable
    const of = runs ? `${cron} ${timeZone}` : 'off'
    const old = this.#timers.get(task.name)
    if (old?.of === of && (row?.next_at !== null || !runs)) return
    if (old?.of !== of) {
      await old?.timer?.destroy()
      const timer = runs
        ? createTask(cron, () => this.#due(task), {
            ...(timeZone !== undefined && { timezone: timeZone }),
            noOverlap: false,
            suppressMissedWarning: true,
            logger: silent,
          })
        : null
      await timer?.start()
      this.#timers.set(task.name, { timer, of })
    }
    await this.#options
      .database('schedules')
      .where({ name: task.name })
      .update({ next_at: this.nextRun(task.name) })
  }

  /** A timer has gone off: whoever takes the time away runs the task. */
  async #due(task: Task): Promise<void> {
    const { database, log } = this.#options
    try {
      const at = this.#now()
      // Timers of two processes differ by as much as their clocks.
      const next = this.#nextAfter(task, new Date(at.getTime() + 1000))
      const taken = await database('schedules')
        .where({ name: task.name })
        .andWhere(
          (due) => void due.whereNull('next_at').orWhere('next_at', '<=', new Date(at.getTime() + 1000).toISOString()),
        )
        .update({ next_at: next })
      if (taken === 0) return
      if (await this.#hold(task.name)) await this.#begin(task, 'schedule', task.quiet ?? false)
      else log.warn('a scheduled task still runs: its next run is left out', { task: task.name })
    } catch (error) {
      log.error('a scheduled task cannot be run now', { task: task.name, reason: messageOf(error) })
    }
  }

  #nextAfter({ name }: Task, at: Date): string | null {
    const runs = this.#timers.get(name)?.timer?.getNextRuns(2) ?? []
    return runs.find((one) => one > at)?.toISOString() ?? null
  }

  /** @returns false where it runs already */
  async #hold(name: string): Promise<boolean> {
    if (this.#running.has(name)) return false
    const at = this.#now().toISOString()
    const taken = await this.#options
      .database('schedules')
      .where({ name })
      .andWhere((free) => void free.whereNull('holder').orWhere('held_until', '<', at))
      .update({ holder: this.#holder, held_until: this.#leaseEnd() })
    return taken > 0
  }

  #leaseEnd(): string {
    return new Date(this.#now().getTime() + leaseMs).toISOString()
  }

  async #begin(task: Task, by: string, quiet: boolean): Promise<ScheduleRun | null> {
    const { database, onChange } = this.#options
    const started_at = this.#now().toISOString()
    const [run] = quiet
      ? []
      : await database('schedule_runs')
          .insert({ name: task.name, by: by.slice(0, 255), started_at })
          .returning<RunRow[]>('*')
    await database('schedules')
      .where({ name: task.name })
      .update({ last_started_at: started_at, last_finished_at: null, last_outcome: null, last_sentence: null })
    this.#running.set(
      task.name,
      this.#run(task, run?.id ?? null).finally(() => {
        this.#running.delete(task.name)
        onChange?.()
      }),
    )
    onChange?.()
    return run ? shownRun(run) : null
  }

  async #run(task: Task, runId: number | null): Promise<void> {
    const { database, log } = this.#options
    let outcome: ScheduleRun['outcome'] = 'done'
    let sentence: string
    try {
      sentence = await task.run(this.#abort.signal)
    } catch (error) {
      outcome = 'failed'
      sentence = messageOf(error)
      log.error('a scheduled task failed', { task: task.name, reason: sentence })
    }
    const finished_at = this.#now().toISOString()
    try {
      await database.transaction(async (trx) => {
        if (runId !== null) await trx('schedule_runs').where({ id: runId }).update({ finished_at, outcome, sentence })
        await trx('schedules').where({ name: task.name, holder: this.#holder }).update({
          holder: null,
          held_until: null,
          last_finished_at: finished_at,
          last_outcome: outcome,
          last_sentence: sentence,
        })
        if (outcome !== 'failed') return
        const detail = { sentence: `${task.title}: the scheduled run has failed`, reason: sentence }
        await raise(trx, { event: 'schedule', at: finished_at, detail })
      })
    } catch (error) {
      log.error('the end of a scheduled task cannot be written', { task: task.name, reason: messageOf(error) })
    }
  }

  /** What was due while no node ran: it is told, and runs when it is due again. */
  async #tellMissed(): Promise<void> {
    const { database, log, tasks } = this.#options
    const now = this.#now()
    const at = now.toISOString()
    const rows = await this.#rows()
    for (const task of tasks) {
      const row = rows.get(task.name)
      const due = row?.next_at ?? null
      if (due === null) continue
      if (
        Date.parse(due) < now.getTime() - missedMs &&
        inForce(task, row).enabled &&
        !task.unavailable &&
        !task.quiet
      ) {
        const sentence = `due at ${due}, when no node ran`
        log.warn('a scheduled run was missed', { task: task.name, due })
        await database.transaction(async (trx) => {
          // Of several nodes that start, one tells it.
          if ((await trx('schedules').where({ name: task.name, next_at: due }).update({ next_at: null })) === 0) return
          const run = { name: task.name, by: 'schedule', started_at: due, finished_at: at, outcome: 'missed', sentence }
          await trx('schedule_runs').insert(run)
          const last = { last_started_at: due, last_finished_at: at, last_outcome: 'missed', last_sentence: sentence }
          await trx('schedules').where({ name: task.name }).update(last)
          await raise(trx, {
            event: 'schedule',
            at,
            detail: { sentence: `${task.title}: a run was missed`, reason: sentence },
          })
        })
      } else
        await database('schedules')
          .where({ name: task.name, next_at: due })
          .andWhere('next_at', '<', at)
          .update({ next_at: null })
    }
  }

  #whole(task: Task, row: Row | undefined): WholeSchedule {
    const { name, title, description, unavailable = null } = task
    const { cron, timeZone, enabled } = inForce(task, row)
    const [startedAt, finishedAt] = [row?.last_started_at ?? null, row?.last_finished_at ?? null]
    return {
      name,
      title,
      description,
      settings: {
        cron: row?.cron ?? null,
        timeZone: row?.time_zone ?? null,
        enabled: row?.enabled === null || row?.enabled === undefined ? null : row.enabled === 1,
      },
      defaults: { cron: task.cron, enabled: task.enabled },
      cron,
      timeZone: timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      enabled,
      unavailable,
      author: row?.author ?? null,
      updatedAt: row?.updated_at ?? null,
      running: row?.holder != null && (row.held_until ?? '') >= this.#now().toISOString(),
      nextRun: this.nextRun(name),
      lastRun:
        startedAt === null
          ? null
          : {
              startedAt,
              finishedAt,
              seconds: finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000,
              outcome: row?.last_outcome ?? null,
              sentence: row?.last_sentence ?? null,
            },
    }
  }
}

const nothing = () => {}
const silent = { info: nothing, warn: nothing, error: nothing, debug: nothing }

function inForce(task: Task, row: Row | undefined) {
  const own = row?.enabled ?? null
  return {
    cron: row?.cron ?? task.cron,
    timeZone: row?.time_zone ?? undefined,
    enabled: own === null ? task.enabled : own === 1,
  }
}

function shownRun({ id, by, started_at, finished_at, outcome, sentence }: RunRow): ScheduleRun {
  return { id, by, startedAt: started_at, finishedAt: finished_at, outcome, sentence }
}

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
