import type { Knex } from 'knex'
import { raise } from '../notify/raise.ts'
import type { StoredSubscription, SubscriptionRow } from '../notify/rows.ts'
import { deliveryHealth } from '../store/delivery-health.ts'

export interface WatchOptions {
  database: Knex
  /** Names of the destinations. */
  destinations: () => string[]
  now: Date
}

/** How far back is looked, ms: a node that was down for longer does not tell of what came before. */
const lookBackMs = 86_400_000
const atOnce = 500

/**
 * Tells of what no transaction tells of: studies that have begun to arrive, or are late; what was put into quarantine; destinations that
 * do not take results. Each is told once.
 * @returns how much was told
 */
export async function watch({ database, destinations, now }: WatchOptions): Promise<number> {
  const events = ['received', 'late', 'quarantine', 'destination-down']
  const rows = await database('notification_subscriptions')
    .where({ enabled: 1 })
    .whereIn('event', events)
    .select<SubscriptionRow[]>()
  let told = 0
  const received = rows.filter(({ event }) => event === 'received')
  if (received.length > 0) told += await tellReceived(database, since(received, now), now)
  const quarantine = rows.filter(({ event }) => event === 'quarantine')
  if (quarantine.length > 0) told += await tellQuarantined(database, since(quarantine, now), now)
  for (const row of rows) if (row.event === 'late') told += await tellLate(database, row, now)
  if (rows.some(({ event }) => event === 'destination-down'))
    for (const name of destinations()) told += await tellDestination(database, name, now)
  return told
}

/** Nobody is told of what was there before somebody wanted to hear of it. */
function since(rows: readonly SubscriptionRow[], now: Date): string {
  const first = rows.map(({ updated_at }) => updated_at).sort()[0] ?? ''
  const back = new Date(now.getTime() - lookBackMs).toISOString()
  return first > back ? first : back
}

async function tellReceived(database: Knex, from: string, now: Date): Promise<number> {
  const rows: { id: number; study_instance_uid: string }[] = await database('studies as s')
    .leftJoin('notification_events as e', 'e.once', database.raw("'received:' || cast(s.id as varchar(20))"))
    .where('s.updated_at', '>', from)
    .andWhere('s.created_at', '>', from)
    .whereNull('e.id')
    .limit(atOnce)
    .select('s.id', 's.study_instance_uid')
  for (const { id, study_instance_uid } of rows)
    await raise(database, {
      event: 'received',
      at: now.toISOString(),
      studyId: id,
      once: `received:${id}`,
      detail: { sentence: 'a study has begun to arrive', studyInstanceUID: study_instance_uid },
    })
  return rows.length
}

async function tellQuarantined(database: Knex, from: string, now: Date): Promise<number> {
  const rows: { id: number; code: string }[] = await database('quarantine as q')
    .leftJoin('notification_events as e', 'e.once', database.raw("'quarantine:' || cast(q.id as varchar(20))"))
    .where('q.at', '>', from)
    .whereNull('e.id')
    .limit(atOnce)
    .select('q.id', 'q.code')
  for (const { id, code } of rows)
    await raise(database, {
      event: 'quarantine',
      at: now.toISOString(),
      once: `quarantine:${id}`,
      detail: { sentence: `an object was put into quarantine: ${code}`, reason: code },
    })
  return rows.length
}

async function tellLate(database: Knex, row: SubscriptionRow, now: Date): Promise<number> {
  const { lateMinutes } = (JSON.parse(row.definition) as StoredSubscription).filters
  const limit = new Date(now.getTime() - lateMinutes * 60_000).toISOString()
  const from = since([row], now)
  const prefix = `late:${row.id}:`
  const rows: { id: number; study_instance_uid: string; revision: number }[] = await database('studies as s')
    .leftJoin(
      'notification_events as e',
      'e.once',
      database.raw("? || cast(s.id as varchar(20)) || ':' || s.last_instance_at", [prefix]),
    )
    .whereIn('s.state', ['receiving', 'complete', 'processing'])
    .andWhere('s.last_instance_at', '<=', limit)
    .andWhere('s.last_instance_at', '>', from)
    .whereNull('e.id')
    // Complete, and no route wanted it: it is done.
    .whereNot((idle) => void idle.where({ 's.state': 'complete', 's.changed': 0 }).whereNotExists(openJobs(database)))
    .limit(atOnce)
    .select('s.id', 's.study_instance_uid', 's.last_instance_at')
  for (const study of rows)
    await raise(database, {
      event: 'late',
      at: now.toISOString(),
      studyId: study.id,
      subscriptionId: row.id,
      once: `${prefix}${study.id}:${(study as unknown as { last_instance_at: string }).last_instance_at}`,
      detail: {
        sentence: `a study is not done ${lateMinutes} minutes after its last instance`,
        studyInstanceUID: study.study_instance_uid,
      },
    })
  return rows.length
}

function openJobs(database: Knex): Knex.QueryBuilder {
  return database('jobs')
    .select(database.raw('1'))
    .whereRaw('jobs.study_id = s.id')
    .whereIn('jobs.state', ['queued', 'running'])
}

/** A destination is down from its first failure after a success until its next success. */
async function tellDestination(database: Knex, name: string, now: Date): Promise<number> {
  const { lastError, lastFailureAt, lastSuccessAt } = await deliveryHealth(database, name)
  const at = now.toISOString()
  const down = `destination-down:${name}:${lastSuccessAt ?? 'never'}`
  if (lastError !== null && lastFailureAt !== null) {
    if (lastFailureAt < new Date(now.getTime() - lookBackMs).toISOString()) return 0
    const detail = { sentence: `${name} does not take results`, destination: name, reason: lastError }
    return (await raise(database, { event: 'destination-down', at, once: down, detail })) ? 1 : 0
  }
  const last = await database('notification_events')
    .where({ kind: 'destination-down' })
    .andWhereLike('once', `destination-%:${name}:%`)
    .orderBy('id', 'desc')
    .first<{ once: string } | undefined>('once')
  if (last === undefined || !last.once.startsWith('destination-down:') || last.once === down) return 0
  const detail = { sentence: `${name} takes results again`, destination: name }
  const once = last.once.replace('destination-down:', 'destination-up:')
  return (await raise(database, { event: 'destination-down', at, once, detail })) ? 1 : 0
}
