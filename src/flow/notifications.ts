import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import { type NotificationsDeps, NotifyError } from '../admin/api-notifications.ts'
import type {
  NotificationTest,
  Preview,
  PreviewInput,
  ShownAttempt,
  ShownMessage,
  SubscriptionInput,
  TargetInput,
  WholeSubscription,
  WholeTarget,
} from '../admin/api-schemas-notifications.ts'
import { type Composed, compose, defaultTemplate } from '../notify/compose.ts'
import { type EventDetail, notificationEventNames, notificationEvents } from '../notify/events.ts'
import { placeholders, sample, type Template, templateProblems, toldStudy } from '../notify/placeholders.ts'
import { probeTarget } from '../notify/probe.ts'
import type { MessageRow, StoredSubscription, SubscriptionRow, TargetRow } from '../notify/rows.ts'
import type { SecretsOptions } from './destination-secrets.ts'
import { openTarget, shownTarget, storedTarget } from './notify-secrets.ts'

export interface NotificationsOptions {
  database: Knex
  secrets: SecretsOptions
  /** Whether webhooks may go to this machine. */
  allowLocal: boolean
  /** The AE title. */
  node: string
  /** Where people reach the node; '': nowhere. */
  publicUrl: string
  /** Told when there may be something to send. */
  onChange: () => void
  now?: () => Date
}

/** Tests that run at a time. */
const mostTests = 3

/** Who is told of what: what the API does with it. */
export class Notifications {
  readonly #options: NotificationsOptions
  #testing = 0

  constructor(options: NotificationsOptions) {
    this.#options = options
  }

  vocabulary(): ReturnType<NotificationsDeps['notifications']['vocabulary']> {
    return {
      events: notificationEventNames.map((event) => ({
        event,
        description: notificationEvents[event],
        template: defaultTemplate(event),
      })),
      placeholders: Object.entries(placeholders).map(([name, [description, phi]]) => ({ name, description, phi })),
    }
  }

  async targets(): Promise<WholeTarget[]> {
    const { database } = this.#options
    const rows = await database('notification_targets').orderBy('id').select<TargetRow[]>()
    return await Promise.all(rows.map((row) => this.#whole(row)))
  }

  async addTarget(given: TargetInput, by: string): Promise<WholeTarget> {
    const { database, secrets } = this.#options
    const { definition, secrets: sealed } = storedTarget(given, null, secrets)
    const at = this.#now()
    const [row] = await database('notification_targets')
      .insert({ ...columnsOf(given, definition, sealed), author: by.slice(0, 255), created_at: at, updated_at: at })
      .onConflict('name')
      .ignore()
      .returning<TargetRow[]>('*')
    if (!row) throw new NotifyError('target-exists', `there is a target ${given.name} already`)
    return await this.#whole(row)
  }

  async replaceTarget(id: number, given: TargetInput, by: string): Promise<WholeTarget> {
    const { database, secrets, onChange } = this.#options
    const earlier = await this.#target(id)
    const { definition, secrets: sealed } = storedTarget(given, earlier, secrets)
    const other = await database('notification_targets').where({ name: given.name }).whereNot({ id }).first('id')
    if (other) throw new NotifyError('target-exists', `there is a target ${given.name} already`)
    if (!given.phi) await this.#refusePatientData(id)
    await database('notification_targets')
      .where({ id })
      .update({ ...columnsOf(given, definition, sealed), author: by.slice(0, 255), updated_at: this.#now() })
    onChange()
    return await this.#whole(await this.#target(id))
  }

  async removeTarget(id: number): Promise<void> {
    await this.#target(id)
    await this.#options.database('notification_targets').where({ id }).delete()
  }

  async testTarget(id: number): Promise<NotificationTest> {
    const { database, secrets, allowLocal, node, publicUrl } = this.#options
    const row = await this.#target(id)
    if (this.#testing >= mostTests)
      throw new NotifyError('busy', 'several targets are being tested already: try again in a moment')
    const began = performance.now()
    const at = this.#now()
    const batch = randomUUID()
    this.#testing++
    try {
      const target = openTarget(row, secrets)
      const steps = await probeTarget(target, {
        allowLocal,
        node,
        publicUrl,
        id: `hilum-test-${batch}`,
        now: new Date(at),
      })
      const failed = steps.find(({ outcome }) => outcome === 'failed')
      const ms = Math.round(performance.now() - began)
      const sentence = failed ? `${failed.title}: ${failed.sentence}` : 'It works: the test message was taken'
      const told = { target_id: id, batch, at, ms, messages: 0, urgent: 0, ok: failed ? 0 : 1 }
      await database('notification_attempts').insert({ ...told, answer: `test: ${sentence}`.slice(0, 250) })
      return { ok: !failed, ms, at, sentence, steps }
    } finally {
      this.#testing--
    }
  }

  async subscriptions(): Promise<WholeSubscription[]> {
    const rows = await this.#options.database('notification_subscriptions').orderBy('id').select<SubscriptionRow[]>()
    return rows.map(wholeSubscription)
  }

  async addSubscription(given: SubscriptionInput, by: string): Promise<WholeSubscription> {
    const row = await this.#subscriptionRow(given, by)
    const [added] = await this.#options
      .database('notification_subscriptions')
      .insert(row)
      .returning<SubscriptionRow[]>('*')
    if (!added) throw new Error('the database gave no row for a subscription')
    return wholeSubscription(added)
  }

  async replaceSubscription(id: number, given: SubscriptionInput, by: string): Promise<WholeSubscription> {
    const row = await this.#subscriptionRow(given, by)
    const [changed] = await this.#options
      .database('notification_subscriptions')
      .where({ id })
      .update(row)
      .returning<SubscriptionRow[]>('*')
    if (!changed) throw new NotifyError('subscription-unknown', 'there is no subscription of that id')
    return wholeSubscription(changed)
  }

  async removeSubscription(id: number): Promise<void> {
    if ((await this.#options.database('notification_subscriptions').where({ id }).delete()) === 0)
      throw new NotifyError('subscription-unknown', 'there is no subscription of that id')
  }

  async preview({ event, template, phi, studyInstanceUID }: PreviewInput): Promise<Preview> {
    const { database, node, publicUrl } = this.#options
    const problems = template ? problemsOf(template, phi) : []
    if (problems.length > 0) return { subject: '', text: '', html: null, json: '', problems }
    const told = { ...sample, event }
    if (studyInstanceUID !== null) {
      const row = await database('studies')
        .where({ study_instance_uid: studyInstanceUID })
        .first<{ id: number } | undefined>('id')
      const study = row && (await toldStudy(database, row.id))
      if (!study) throw new NotifyError('study-unknown', 'there is no such study')
      told.study = study
      told.detail = { ...sample.detail, studyInstanceUID }
    }
    const { subject, text, html, json } = compose(told, template, 'hilum-preview', { phi, node, publicUrl })
    return { subject, text, html, json, problems }
  }

  async messages({
    state,
    target,
    before,
    limit,
  }: Parameters<NotificationsDeps['notifications']['messages']>[0]): Promise<{
    messages: ShownMessage[]
    before: number | null
  }> {
    const query = this.#options
      .database('notification_messages as m')
      .join('notification_events as e', 'e.id', 'm.event_id')
      .join('notification_targets as t', 't.id', 'm.target_id')
      .orderBy('m.id', 'desc')
      .limit(limit + 1)
    if (state !== undefined) query.where('m.state', state)
    if (target !== undefined) query.where('m.target_id', target)
    if (before !== undefined) query.where('m.id', '<', before)
    const rows = await query.select<(MessageRow & { target: string; happened_at: string; detail: string })[]>(
      'm.*',
      't.name as target',
      'e.at as happened_at',
      'e.detail as detail',
    )
    const messages = rows.slice(0, limit).map(shownMessage)
    return { messages, before: rows.length > limit ? (messages.at(-1)?.id ?? null) : null }
  }

  async attempts(message: number): Promise<ShownAttempt[]> {
    const { database } = this.#options
    const row = await this.#message(message)
    // Each attempt has a batch of its own, and the message knows its last one.
    const rows: { at: string; ms: number; messages: number; ok: number; answer: string }[] = await database(
      'notification_attempts',
    )
      .where({ batch: row.batch ?? '' })
      .orderBy('id', 'desc')
      .select('at', 'ms', 'messages', 'ok', 'answer')
    return rows.map((one) => ({ ...one, ok: one.ok === 1 }))
  }

  async retry(message: number | 'dead'): Promise<number> {
    const { database, onChange } = this.#options
    if (message !== 'dead' && (await this.#message(message)).state !== 'dead')
      throw new NotifyError('message-not-dead', 'only a message that was given up can be sent again')
    const again = await database('notification_messages')
      .where({ state: 'dead' })
      .modify((rows) => void (message === 'dead' ? rows : rows.where({ id: message })))
      .update({ state: 'waiting', attempts: 0, run_after: this.#now() })
    onChange()
    return again
  }

  async discard(message: number): Promise<void> {
    if ((await this.#message(message)).state !== 'dead')
      throw new NotifyError('message-not-dead', 'only a message that was given up can be discarded')
    await this.#options.database('notification_messages').where({ id: message, state: 'dead' }).delete()
  }

  async #whole(row: TargetRow): Promise<WholeTarget> {
    const { database, now } = this.#options
    const since = new Date((now?.() ?? new Date()).getTime() - 86_400_000).toISOString()
    const count = async (rows: Knex.QueryBuilder) => {
      const [found] = await rows.where({ target_id: row.id }).count<{ n: number | string }[]>({ n: '*' })
      return Number(found?.n ?? 0)
    }
    const last = await database('notification_attempts')
      .where({ target_id: row.id })
      .orderBy('id', 'desc')
      .first<{ at: string; ok: number; answer: string } | undefined>('at', 'ok', 'answer')
    return {
      ...shownTarget(row),
      counts: {
        waiting: await count(database('notification_messages').whereIn('state', ['waiting', 'sending'])),
        dead: await count(database('notification_messages').where({ state: 'dead' })),
        sentToday: await count(
          database('notification_messages').where({ state: 'sent' }).andWhere('sent_at', '>', since),
        ),
      },
      lastAttempt: last ? { at: last.at, ok: last.ok === 1, answer: last.answer } : null,
    }
  }

  async #subscriptionRow(given: SubscriptionInput, by: string) {
    const { targetId, event, enabled, filters, template } = given
    const target = await this.#target(targetId)
    const problems = template ? problemsOf(template, target.phi === 1) : []
    if (problems.length > 0) throw new NotifyError('bad-definition', problems.join('; '))
    const definition: StoredSubscription = { filters, template }
    return {
      target_id: targetId,
      event,
      enabled: enabled ? 1 : 0,
      definition: JSON.stringify(definition),
      author: by.slice(0, 255),
      updated_at: this.#now(),
    }
  }

  /** @throws NotifyError where a subscription of the target names the patient */
  async #refusePatientData(target: number): Promise<void> {
    const rows = await this.#options
      .database('notification_subscriptions')
      .where({ target_id: target })
      .select<SubscriptionRow[]>()
    for (const { id, definition } of rows) {
      const { template } = JSON.parse(definition) as StoredSubscription
      const [problem] = template ? templateProblems(template, { phi: false }) : []
      if (problem) throw new NotifyError('bad-definition', `phi: subscription ${id} needs it: ${problem}`)
    }
  }

  async #target(id: number): Promise<TargetRow> {
    const row = await this.#options.database('notification_targets').where({ id }).first<TargetRow | undefined>()
    if (!row) throw new NotifyError('target-unknown', 'there is no target of that id')
    return row
  }

  async #message(id: number): Promise<MessageRow> {
    const row = await this.#options.database('notification_messages').where({ id }).first<MessageRow | undefined>()
    if (!row) throw new NotifyError('message-unknown', 'there is no message of that id')
    return row
  }

  #now(): string {
    return (this.#options.now?.() ?? new Date()).toISOString()
  }
}

function columnsOf({ name, via, enabled, phi }: TargetInput, definition: unknown, secrets: string | null) {
  return {
    name,
    kind: via.kind,
    definition: JSON.stringify(definition),
    secrets,
    enabled: enabled ? 1 : 0,
    phi: phi ? 1 : 0,
  }
}

function wholeSubscription(row: SubscriptionRow): WholeSubscription {
  const { filters, template } = JSON.parse(row.definition) as StoredSubscription
  return {
    id: row.id,
    targetId: row.target_id,
    event: row.event,
    enabled: row.enabled === 1,
    filters,
    template,
    author: row.author,
    updatedAt: row.updated_at,
  }
}

function shownMessage(row: MessageRow & { target: string; happened_at: string; detail: string }): ShownMessage {
  const { sentence, studyInstanceUID } = JSON.parse(row.detail) as EventDetail
  return {
    id: row.id,
    event: row.event,
    targetId: row.target_id,
    target: row.target,
    subscriptionId: row.subscription_id,
    state: row.state,
    urgent: row.urgent === 1,
    sentence,
    studyInstanceUID: studyInstanceUID ?? null,
    happenedAt: row.happened_at,
    at: row.at,
    runAfter: row.run_after,
    attempts: row.attempts,
    error: row.error,
    sentAt: row.sent_at,
  }
}

/** What is wrong with a template; one of JSON has to be JSON when it is filled in. */
function problemsOf(template: Template, phi: boolean): string[] {
  const problems = templateProblems(template, { phi })
  if (template.json === null || problems.length > 0) return problems
  const filled: Composed = compose({ ...sample, event: 'critical' }, template, 'x', {
    phi,
    node: 'HILUM',
    publicUrl: '',
  })
  try {
    JSON.parse(filled.json)
    return []
  } catch {
    return ['json: filled in with a sample it is no JSON']
  }
}
