import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Composed, compose, composeDigest, mostListed } from './compose.ts'
import type { EventDetail } from './events.ts'
import { sendMail } from './mail.ts'
import { type Told, toldStudy } from './placeholders.ts'
import type { EventRow, MessageRow, Pace, StoredSubscription, TargetRow } from './rows.ts'
import { spreadEvents } from './spread.ts'
import { type EmailTarget, SendError, type WebhookTarget } from './target.ts'
import { postWebhook } from './webhook.ts'

export interface NotifierOptions {
  database: Knex
  log: Log
  /** A target with its secrets. @throws where they cannot be read */
  open: (row: TargetRow) => WebhookTarget | EmailTarget
  /** Whether webhooks may go to this machine. */
  allowLocal: boolean
  /** The AE title. */
  node: string
  /** Where people reach the node; '': nowhere. */
  publicUrl: string
  /** Told when something was sent, or was given up. */
  onChange?: () => void
  now?: () => Date
  /** How soon what another process has written is seen, ms. */
  lookMs?: number
}

/** Pauses before messages are tried again, ms: the first, and the longest. Urgent ones are tried more often. */
const pauses = {
  ordinary: { first: 5_000, longest: 3_600_000, attempts: 12 },
  urgent: { first: 2_000, longest: 60_000, attempts: 60 },
}
const hourMs = 3_600_000
/** What is gathered because there is too much of it goes out no more often than this, ms. */
const floodMs = 60_000
/** A process that has not told within so long beyond the timeout that it has sent something is taken for dead, ms. */
const heldMs = 60_000

/** What is sent to a target, one after the other. */
interface Lane {
  running: Promise<void> | null
  notBefore: number
}

/**
 * Sends what was raised. Each target has two lanes, one for what is urgent: no slow or broken target keeps another waiting, and nothing
 * ordinary what is urgent. A message is sent at least once; receivers know one that comes again by its id.
 */
export class Notifier {
  readonly #options: NotifierOptions & Required<Pick<NotifierOptions, 'now' | 'lookMs'>>
  readonly #lanes = new Map<string, Lane>()
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null
  #again = false
  #stopped = true

  constructor(options: NotifierOptions) {
    this.#options = { now: () => new Date(), lookMs: 1000, ...options }
  }

  start(): void {
    this.#stopped = false
    this.#timer ??= setInterval(() => this.poke(), this.#options.lookMs)
    this.#timer.unref()
    this.poke()
  }

  /** Ends after what is being sent. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    await this.#looking
    await Promise.all([...this.#lanes.values()].map(async ({ running }) => running))
  }

  /** Looks now: something was raised, or is to be sent again. */
  poke(): void {
    if (this.#stopped) return
    this.#again = true
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
      if (this.#again) this.poke()
    })
  }

  async #look(): Promise<void> {
    const { database, log, now } = this.#options
    this.#again = false
    try {
      while (!this.#stopped && (await spreadEvents(database, now())) > 0) await this.#openLanes()
      await this.#openLanes()
    } catch (error) {
      log.error('notifications cannot be looked at now', { reason: messageOf(error) })
    }
  }

  async #openLanes(): Promise<void> {
    const { database, now } = this.#options
    const at = now().toISOString()
    const left = () => database('notification_messages').where({ state: 'sending' }).andWhere('held_until', '<', at)
    // Looked for first: an update takes the writer's turn even where it changes nothing.
    if (await left().first('id')) await left().update({ state: 'waiting', held_until: null })
    const due: { target_id: number; urgent: number }[] = await database('notification_messages')
      .where({ state: 'waiting' })
      .andWhere('run_after', '<=', at)
      .distinct('target_id', 'urgent')
    for (const { target_id, urgent } of due) {
      const key = `${target_id} ${urgent}`
      const lane = this.#lanes.get(key) ?? { running: null, notBefore: 0 }
      this.#lanes.set(key, lane)
      if (lane.running || lane.notBefore > now().getTime()) continue
      lane.running = this.#drain(target_id, urgent, lane).finally(() => {
        lane.running = null
      })
    }
  }

  async #drain(targetId: number, urgent: number, lane: Lane): Promise<void> {
    const { database, log, now } = this.#options
    try {
      while (!this.#stopped && lane.notBefore <= now().getTime()) {
        const target = await database('notification_targets').where({ id: targetId }).first<TargetRow | undefined>()
        if (target?.enabled !== 1) return
        const taken = await this.#take(target, urgent, lane)
        if (taken === null) return
        await this.#send(target, taken, lane)
      }
    } catch (error) {
      log.error('notifications cannot be sent now', { target: targetId, reason: messageOf(error) })
    }
  }

  /** Takes the next message, or all that are due where they go as one; null: none may be sent now. */
  async #take(target: TargetRow, urgent: number, lane: Lane): Promise<Taken | null> {
    const { database, now } = this.#options
    const at = now()
    const due = () =>
      database('notification_messages')
        .where({ target_id: target.id, state: 'waiting', urgent })
        .andWhere('run_after', '<=', at.toISOString())
    const [waiting] = await due().count<{ n: number | string }[]>({ n: '*' })
    const count = Number(waiting?.n ?? 0)
    if (count === 0) return null
    const { mostPerHour, digestMinutes } = JSON.parse(target.definition) as Pace
    const room = mostPerHour - (await this.#sentLately(target.id, urgent))
    if (room <= 0) return null
    const together = count > 1 && (count > room || (digestMinutes > 0 && urgent === 0))
    if (together) lane.notBefore = at.getTime() + (digestMinutes > 0 ? 0 : floodMs)
    const batch = randomUUID()
    const held_until = new Date(at.getTime() + heldMs + 60_000).toISOString()
    const some = together
      ? due()
      : database('notification_messages').whereIn('id', due().orderBy('id').limit(1).select('id'))
    const taken = await some.andWhere({ state: 'waiting' }).update({ state: 'sending', batch, held_until })
    return taken === 0 ? null : { batch, count: taken, urgent }
  }

  /** What this target was sent within the hour. */
  async #sentLately(targetId: number, urgent: number): Promise<number> {
    const since = new Date(this.#options.now().getTime() - hourMs).toISOString()
    const [row] = await this.#options
      .database('notification_attempts')
      .where({ target_id: targetId, urgent, ok: 1 })
      .andWhere('at', '>', since)
      .count<{ n: number | string }[]>({ n: '*' })
    return Number(row?.n ?? 0)
  }

  async #send(target: TargetRow, taken: Taken, lane: Lane): Promise<void> {
    const { log, now, onChange } = this.#options
    const at = now()
    const began = performance.now()
    let failure: SendError | null = null
    let answer: string
    try {
      answer = await this.#post(target, taken, at)
    } catch (error) {
      failure = error instanceof SendError ? error : new SendError('message', messageOf(error), { cause: error })
      answer = failure.message
    }
    const ms = Math.round(performance.now() - began)
    const told = { target: target.id, messages: taken.count, ms }
    if (failure) log.warn('a notification was not sent', { ...told, stage: failure.stage })
    else log.info('a notification was sent', told)
    const pause = await this.#record(target, taken, { at, ms, answer, failure })
    if (pause !== null) lane.notBefore = now().getTime() + pause
    onChange?.()
  }

  /** @returns how long to wait before the next attempt on this target, ms; null: not at all */
  async #record(target: TargetRow, { batch, count, urgent }: Taken, outcome: Outcome): Promise<number | null> {
    const { database, now } = this.#options
    const { at, ms, answer, failure } = outcome
    const policy = urgent === 1 ? pauses.urgent : pauses.ordinary
    return await database.transaction(async (trx) => {
      await trx('notification_attempts').insert({
        target_id: target.id,
        batch,
        at: at.toISOString(),
        ms,
        messages: count,
        urgent,
        ok: failure ? 0 : 1,
        answer: answer.slice(0, 250),
      })
      const sent = { batch, state: 'sending' }
      if (!failure) {
        const sent_at = now().toISOString()
        await trx('notification_messages')
          .where(sent)
          .update({ state: 'sent', sent_at, error: null, held_until: null, attempts: trx.raw('attempts + 1') })
        return null
      }
      await trx('notification_messages')
        .where(sent)
        .andWhere('attempts', '>=', failure.permanent ? 0 : policy.attempts - 1)
        .update({ state: 'dead', error: answer, held_until: null, attempts: trx.raw('attempts + 1') })
      const left = await trx('notification_messages').where(sent).max<{ n: number | null }[]>({ n: 'attempts' })
      const attempts = left[0]?.n
      if (attempts === null || attempts === undefined) return null
      const pause = Math.min(policy.longest, policy.first * 2 ** attempts)
      const run_after = new Date(now().getTime() + pause).toISOString()
      await trx('notification_messages')
        .where(sent)
        .update({ state: 'waiting', error: answer, held_until: null, run_after, attempts: trx.raw('attempts + 1') })
      return pause
    })
  }

  async #post(row: TargetRow, taken: Taken, now: Date): Promise<string> {
    const target = this.#options.open(row)
    const { id, event, composed } = await this.#compose(row, taken)
    if (target.kind === 'email') return await sendMail(target, { ...composed, id, urgent: taken.urgent === 1 })
    return await postWebhook(target, { id, event, json: composed.json }, { allowLocal: this.#options.allowLocal, now })
  }

  async #compose(
    target: TargetRow,
    { batch, count }: Taken,
  ): Promise<{ id: string; event: string; composed: Composed }> {
    const { database, node, publicUrl } = this.#options
    const messages = await database('notification_messages')
      .where({ batch })
      .orderBy('id')
      .limit(mostListed)
      .select<MessageRow[]>()
    const first = messages[0]
    if (!first) throw new SendError('message', 'what was to be sent is not there any more', { permanent: true })
    if (count > 1) {
      const told: Told[] = []
      for (const message of messages) told.push(await this.#told(message))
      const counts: { event: string; n: number | string }[] = await database('notification_messages')
        .where({ batch })
        .groupBy('event')
        .orderBy('event')
        .select('event')
        .count({ n: '*' })
      const byEvent = Object.fromEntries(counts.map(({ event, n }) => [event, Number(n)]))
      return {
        id: `hilum-${batch}`,
        event: 'digest',
        composed: composeDigest(told, byEvent, `hilum-${batch}`, { node, publicUrl }),
      }
    }
    const subscription = await database('notification_subscriptions')
      .where({ id: first.subscription_id })
      .first<{ definition: string } | undefined>('definition')
    const template = subscription ? (JSON.parse(subscription.definition) as StoredSubscription).template : null
    const id = `hilum-${first.event_id}-${first.subscription_id}`
    // What the target may be told is decided now: a switch that was turned off since then counts.
    const composed = compose(await this.#told(first), template, id, { phi: target.phi === 1, node, publicUrl })
    return { id, event: first.event, composed }
  }

  async #told({ event_id }: MessageRow): Promise<Told> {
    const { database } = this.#options
    const event = await database('notification_events').where({ id: event_id }).first<EventRow | undefined>()
    if (!event) throw new SendError('message', 'what happened is not known any more', { permanent: true })
    return {
      event: event.kind,
      at: event.at,
      urgent: event.urgent === 1,
      detail: JSON.parse(event.detail) as EventDetail,
      study: event.study_id === null ? null : await toldStudy(database, event.study_id),
    }
  }
}

interface Taken {
  batch: string
  count: number
  urgent: number
}

interface Outcome {
  at: Date
  ms: number
  answer: string
  failure: SendError | null
}
