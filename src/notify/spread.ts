import type { Knex } from 'knex'
import type { EventDetail } from './events.ts'
import { modalitiesOf } from './placeholders.ts'
import type { EventRow, Filters, Pace, StoredSubscription, SubscriptionRow, TargetRow } from './rows.ts'

const atOnce = 200

/**
 * Makes messages of what has happened: one for each subscription that wants it. Done in one transaction for each event, so that none is
 * told twice and none is lost.
 * @returns how many events there were; 0: there is nothing more
 */
export async function spreadEvents(database: Knex, now: Date): Promise<number> {
  const events = await database('notification_events')
    .where({ spread: 0 })
    .orderBy([{ column: 'urgent', order: 'desc' }, 'id'])
    .limit(atOnce)
    .select<EventRow[]>()
  if (events.length === 0) return 0
  const subscriptions = await wanted(database)
  for (const event of events)
    await database.transaction(async (trx) => {
      // Whoever changes the row first writes the messages.
      if ((await trx('notification_events').where({ id: event.id, spread: 0 }).update({ spread: 1 })) === 0) return
      const rows = (await matching(trx, event, subscriptions)).map(({ subscription, pace }) => ({
        event_id: event.id,
        target_id: subscription.target_id,
        subscription_id: subscription.id,
        event: event.kind,
        state: 'waiting',
        urgent: event.urgent,
        at: now.toISOString(),
        run_after: dueAt(pace, event, now).toISOString(),
      }))
      if (rows.length > 0)
        await trx('notification_messages').insert(rows).onConflict(['event_id', 'subscription_id']).ignore()
    })
  return events.length
}

interface Wanted {
  subscription: SubscriptionRow
  filters: Filters
  pace: Pace
}

async function wanted(database: Knex): Promise<Wanted[]> {
  const rows = await database('notification_subscriptions')
    .where({ enabled: 1 })
    .orderBy('id')
    .select<SubscriptionRow[]>()
  const targets = await database('notification_targets').where({ enabled: 1 }).select<TargetRow[]>()
  return rows.flatMap((subscription) => {
    const target = targets.find(({ id }) => id === subscription.target_id)
    if (!target) return []
    const { filters } = JSON.parse(subscription.definition) as StoredSubscription
    return [{ subscription, filters, pace: JSON.parse(target.definition) as Pace }]
  })
}

async function matching(database: Knex, event: EventRow, all: readonly Wanted[]): Promise<Wanted[]> {
  const detail = JSON.parse(event.detail) as EventDetail
  const some = all.filter(
    ({ subscription: { id, event: kind }, filters }) =>
      kind === event.kind && (event.subscription_id ?? id) === id && isWanted(detail, filters),
  )
  if (!some.some(({ filters }) => filters.modalities.length > 0)) return some
  const modalities = event.study_id === null ? [] : await modalitiesOf(database, event.study_id)
  return some.filter(({ filters: { modalities: of } }) => of.length === 0 || of.some((one) => modalities.includes(one)))
}

/** Whether a subscription wants what has happened, as far as what happened itself says. */
export function isWanted({ route, pipeline, findings }: EventDetail, filters: Filters): boolean {
  const { routes, pipelines, findings: over } = filters
  if (routes.length > 0 && (route === undefined || !routes.includes(route))) return false
  if (pipelines.length > 0 && (pipeline === undefined || !pipelines.includes(pipeline.split('@')[0] ?? '')))
    return false
  if (over.length === 0) return true
  return over.some((limit) =>
    (findings ?? []).some(
      ({ name, value }) =>
        name === limit.name &&
        ((limit.over === null && limit.under === null) ||
          (limit.over !== null && value > limit.over) ||
          (limit.under !== null && value < limit.under)),
    ),
  )
}

/** What is gathered is due when the clock has gone round: all that has come until then goes as one. */
function dueAt({ digestMinutes }: Pace, { urgent }: EventRow, now: Date): Date {
  if (digestMinutes === 0 || urgent === 1) return now
  const period = digestMinutes * 60_000
  return new Date(Math.floor(now.getTime() / period + 1) * period)
}
