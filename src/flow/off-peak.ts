import type { Knex } from 'knex'
import { type Calendar, calendarSchema, defaultCalendar, offPeakAt } from '../route/calendar.ts'

/** The calendar in force. */
export interface CalendarInForce {
  calendar: Calendar
  /** null: the one that the node comes with. */
  author: string | null
  updatedAt: string | null
}

/** When jobs of off-peak routes may begin. */
export async function calendarInForce(database: Knex): Promise<CalendarInForce> {
  const row: { definition: string; author: string; updated_at: string } | undefined = await database('route_calendar')
    .where({ id: 1 })
    .first('definition', 'author', 'updated_at')
  if (!row) return { calendar: defaultCalendar, author: null, updatedAt: null }
  return { calendar: calendarSchema.parse(JSON.parse(row.definition)), author: row.author, updatedAt: row.updated_at }
}

/** Jobs that wait get the times of the new calendar. */
export async function changeCalendar(
  database: Knex,
  calendar: Calendar,
  { at, actor }: { at: string; actor: string },
): Promise<void> {
  const row = { definition: JSON.stringify(calendar), author: actor, updated_at: at }
  await database('route_calendar')
    .insert({ id: 1, ...row })
    .onConflict('id')
    .merge()
  await giveTimes(database, calendar, { at: new Date(at), all: true })
}

/** A calendar that opens no window for a year lets jobs wait for so long; the calendar can be changed meanwhile. */
const longestWaitMs = 400 * 86_400_000

/** When a job of an off-peak route that is queued now may begin, and the sentence for the timeline where it has to wait. */
export async function offPeakStart(database: Knex, at: Date): Promise<{ runAfter: string; waits: boolean }> {
  const { calendar } = await calendarInForce(database)
  const runAfter = beginOf(calendar, at)
  return { runAfter: runAfter.toISOString(), waits: runAfter > at }
}

function beginOf(calendar: Calendar, at: Date): Date {
  return offPeakAt(calendar, at).opens ?? new Date(at.getTime() + longestWaitMs)
}

/** For the timeline of the study. */
export function waitingSentence(route: string | null, runAfter: string): string {
  return `inference by route ${route ?? '?'} waits for the off-peak window that opens at ${runAfter}`
}

/** Gives queued jobs of off-peak routes their time: those that could begin now although no window is open, or all of them. */
async function giveTimes(database: Knex, calendar: Calendar, { at, all }: { at: Date; all: boolean }): Promise<number> {
  const runAfter = beginOf(calendar, at).toISOString()
  return await database.transaction(async (trx) => {
    const now = at.toISOString()
    const moved: { study_id: number; route: string | null; id: string }[] = await trx('jobs')
      .where({ state: 'queued', off_peak: 1 })
      .modify((jobs) => {
        if (all) void jobs.whereNot({ run_after: runAfter })
        else void jobs.where('run_after', '<=', now)
      })
      .update({ run_after: runAfter })
      .returning(['study_id', 'route', 'id'])
    if (runAfter > now)
      for (const { study_id, route, id } of moved)
        await trx('study_events').insert({
          study_id,
          at: now,
          kind: 'off-peak',
          sentence: waitingSentence(route, runAfter),
          detail: JSON.stringify({ job: id, runAfter }),
        })
    return moved.length
  })
}

/**
 * Once at the end of every window: off-peak jobs that have not begun wait for the next one.
 * @returns how many
 */
export async function postponeOffPeak(database: Knex, at: Date): Promise<number> {
  const some = await database('jobs').where({ state: 'queued', off_peak: 1 }).first('id')
  if (!some) return 0
  const { calendar } = await calendarInForce(database)
  return offPeakAt(calendar, at).closes === null ? await giveTimes(database, calendar, { at, all: false }) : 0
}
