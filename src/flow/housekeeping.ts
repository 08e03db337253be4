import type { Knex } from 'knex'
import type { Hints } from './hints.ts'

/** What is forgotten, in days. */
const kept = { messages: 90, runs: 400 }

/** Forgets sessions that have expired, what was said of studies that never came, and what was told and run long ago. @returns what it did */
export async function keepHouse(database: Knex, hints: Pick<Hints, 'expire'>, now: Date): Promise<string> {
  const before = (days: number) => new Date(now.getTime() - days * 86_400_000).toISOString()
  const sessions = await database('sessions').where('expires_at', '<=', now.toISOString()).delete()
  // With the events go their messages.
  const events = await database('notification_events')
    .where({ spread: 1 })
    .andWhere('at', '<', before(kept.messages))
    .whereNotExists(
      database('notification_messages')
        .select(database.raw('1'))
        .whereRaw('notification_messages.event_id = notification_events.id')
        .whereIn('state', ['waiting', 'sending']),
    )
    .delete()
  await database('notification_attempts').where('at', '<', before(kept.messages)).delete()
  const runs = await database('schedule_runs').where('started_at', '<', before(kept.runs)).delete()
  const said = await hints.expire()
  return `${sessions} sessions, ${said} hints, ${events} events and ${runs} runs are forgotten`
}
