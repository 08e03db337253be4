import type { Knex } from 'knex'
import type { EventDetail, NotificationEvent } from './events.ts'

/** Something that somebody may want to be told of. */
export interface Raised {
  event: NotificationEvent
  /** ISO 8601 UTC. */
  at: string
  detail: EventDetail
  studyId?: number
  /** Goes out before all others, and is not gathered. */
  urgent?: boolean
  /** Told only once, however often it is raised. */
  once?: string
  /** For this subscription alone. */
  subscriptionId?: number
}

/**
 * Writes what happened for those who want to be told, in the transaction in which it happened: it is told if that is committed, and
 * not else. Nothing is written where nobody is subscribed.
 * @param database the transaction
 * @returns whether something was written
 */
export async function raise(database: Knex, raised: Raised): Promise<boolean> {
  const { event, at, detail, studyId, urgent, once, subscriptionId } = raised
  const wanted = database('notification_subscriptions')
    .join('notification_targets', 'notification_targets.id', 'notification_subscriptions.target_id')
    .where({ event, 'notification_subscriptions.enabled': 1, 'notification_targets.enabled': 1 })
    .first('notification_subscriptions.id')
  if (!(await wanted)) return false
  const rows = await database('notification_events')
    .insert({
      at,
      kind: event,
      urgent: urgent ? 1 : 0,
      study_id: studyId ?? null,
      subscription_id: subscriptionId ?? null,
      once: once?.slice(0, 255) ?? null,
      detail: JSON.stringify(detail),
    })
    .onConflict('once')
    .ignore()
    .returning('id')
  return rows.length > 0
}
