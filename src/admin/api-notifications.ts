import { z } from 'zod'
import { HilumError } from '../errors.ts'
import { type NotificationEvent } from '../notify/events.ts'
import { refusing } from './api-error.ts'
import type {
  NotificationTest,
  Preview,
  PreviewInput,
  ShownAttempt,
  ShownMessage,
  ShownTarget,
  SubscriptionInput,
  TargetInput,
  TemplateInput,
  WholeSubscription,
  WholeTarget,
} from './api-schemas-notifications.ts'
import {
  attempt,
  event,
  message,
  placeholder,
  preview,
  previewInput,
  subscription,
  subscriptionInput,
  target,
  targetInput,
  template,
  testAnswer,
} from './api-schemas-notifications.ts'
import { identityOf } from './auth.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import { entityTag, requireMatch } from './entity-tag.ts'

/**
 * Why notifications cannot be changed.
 * - `target-unknown`, `subscription-unknown`, `message-unknown`, `study-unknown`: 404
 * - `bad-definition`: 400
 * - the others: 409
 */
export class NotifyError extends HilumError<
  | 'target-unknown'
  | 'subscription-unknown'
  | 'message-unknown'
  | 'study-unknown'
  | 'bad-definition'
  | 'target-exists'
  | 'message-not-dead'
  | 'busy'
> {}

/** Who is told of what; refusals are NotifyErrors. */
export interface NotificationsDeps {
  notifications: {
    vocabulary(): {
      events: { event: NotificationEvent; description: string; template: TemplateInput }[]
      placeholders: z.input<typeof placeholder>[]
    }
    targets(): Promise<WholeTarget[]>
    addTarget(given: TargetInput, by: string): Promise<WholeTarget>
    replaceTarget(id: number, given: TargetInput, by: string): Promise<WholeTarget>
    removeTarget(id: number): Promise<void>
    testTarget(id: number): Promise<NotificationTest>
    subscriptions(): Promise<WholeSubscription[]>
    addSubscription(given: SubscriptionInput, by: string): Promise<WholeSubscription>
    replaceSubscription(id: number, given: SubscriptionInput, by: string): Promise<WholeSubscription>
    removeSubscription(id: number): Promise<void>
    preview(given: PreviewInput): Promise<Preview>
    messages(page: {
      state?: ShownMessage['state'] | undefined
      target?: number | undefined
      before?: number | undefined
      limit: number
    }): Promise<{ messages: ShownMessage[]; before: number | null }>
    attempts(message: number): Promise<ShownAttempt[]>
    retry(message: number | 'dead'): Promise<number>
    discard(message: number): Promise<void>
  }
}

const idParams = z.strictObject({
  id: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31),
})

/** Targets, subscriptions, and what was sent to whom. */
export function notificationEndpoints({ notifications }: NotificationsDeps): Endpoint[] {
  const findTarget = async (id: number): Promise<WholeTarget> => {
    const found = (await notifications.targets()).find((one) => one.id === id)
    if (!found) throw new ApiError(404, 'target-unknown', 'There is no target of that id.')
    return found
  }
  const findSubscription = async (id: number): Promise<WholeSubscription> => {
    const found = (await notifications.subscriptions()).find((one) => one.id === id)
    if (!found) throw new ApiError(404, 'subscription-unknown', 'There is no subscription of that id.')
    return found
  }
  return [
    endpoint({
      method: 'get',
      path: '/notifications/vocabulary',
      summary: 'What somebody can be told of, the node’s own templates, and the placeholders of templates',
      answer: z.object({
        events: z.array(z.object({ event, description: z.string(), template })),
        placeholders: z.array(placeholder),
      }),
      handle: () => notifications.vocabulary(),
    }),
    endpoint({
      method: 'get',
      path: '/notifications/targets',
      summary: 'Who can be told, and how that went lately',
      answer: z.object({ targets: z.array(target) }),
      handle: async () => ({ targets: (await notifications.targets()).map(taggedTarget) }),
    }),
    endpoint({
      method: 'post',
      path: '/notifications/targets',
      summary: 'Add a target: a webhook, or e-mail addresses',
      body: targetInput,
      answer: target,
      status: 201,
      action: 'notification-target-add',
      subject: ({ body }) => body.name,
      handle: async ({ body, actor }) => taggedTarget(await explained(notifications.addTarget(body, actor))),
    }),
    endpoint({
      method: 'put',
      path: '/notifications/targets/{id}',
      summary: 'Define a target anew',
      params: idParams,
      body: targetInput,
      answer: target,
      action: 'notification-target-change',
      edits: true,
      handle: async ({ params: { id }, body, actor, req }) => {
        requireMatch(req, shownTargetOf(await findTarget(id)))
        return taggedTarget(await explained(notifications.replaceTarget(id, body, actor)))
      },
    }),
    endpoint({
      method: 'delete',
      path: '/notifications/targets/{id}',
      summary: 'Remove a target, its subscriptions, and what waits for it',
      params: idParams,
      action: 'notification-target-remove',
      edits: true,
      handle: async ({ params: { id }, req }) => {
        requireMatch(req, shownTargetOf(await findTarget(id)))
        await explained(notifications.removeTarget(id))
        return undefined
      },
    }),
    endpoint({
      method: 'post',
      path: '/notifications/targets/{id}/test',
      summary: 'Send a test message, and say step by step how that went',
      params: idParams,
      answer: testAnswer,
      action: 'notification-target-test',
      handle: ({ params: { id } }) => explained(notifications.testTarget(id)),
    }),
    endpoint({
      method: 'get',
      path: '/notifications/subscriptions',
      summary: 'Who is told of what',
      answer: z.object({ subscriptions: z.array(subscription) }),
      handle: async () => ({ subscriptions: (await notifications.subscriptions()).map(tagged) }),
    }),
    endpoint({
      method: 'post',
      path: '/notifications/subscriptions',
      summary: 'Have a target told of something from now on',
      body: subscriptionInput,
      answer: subscription,
      status: 201,
      action: 'notification-subscription-add',
      subject: ({ body }) => body.event,
      handle: async ({ body, actor }) => tagged(await explained(notifications.addSubscription(body, actor))),
    }),
    endpoint({
      method: 'put',
      path: '/notifications/subscriptions/{id}',
      summary: 'Define a subscription anew',
      params: idParams,
      body: subscriptionInput,
      answer: subscription,
      action: 'notification-subscription-change',
      edits: true,
      handle: async ({ params: { id }, body, actor, req }) => {
        requireMatch(req, await findSubscription(id))
        return tagged(await explained(notifications.replaceSubscription(id, body, actor)))
      },
    }),
    endpoint({
      method: 'delete',
      path: '/notifications/subscriptions/{id}',
      summary: 'Remove a subscription',
      params: idParams,
      action: 'notification-subscription-remove',
      edits: true,
      handle: async ({ params: { id }, req }) => {
        requireMatch(req, await findSubscription(id))
        await explained(notifications.removeSubscription(id))
        return undefined
      },
    }),
    endpoint({
      method: 'post',
      path: '/notifications/preview',
      summary: 'What a template makes of a sample, or of a study that is here; nothing is sent',
      body: previewInput,
      answer: preview,
      action: 'notification-preview',
      subject: ({ body }) => body.studyInstanceUID ?? body.event,
      handle: ({ body, req }) => {
        if (body.studyInstanceUID !== null && !identityOf(req)?.permissions.has('studies.read'))
          throw new ApiError(403, 'permission-needed', 'A preview on a study needs the permission studies.read.')
        return explained(notifications.preview(body))
      },
    }),
    endpoint({
      method: 'get',
      path: '/notifications/messages',
      summary: 'What waits to be sent, was sent, or was given up; the newest first',
      query: z.strictObject({
        state: z.enum(['waiting', 'sending', 'sent', 'dead']).optional(),
        target: z.coerce.number().int().optional().describe('its id'),
        before: z.coerce.number().int().optional().describe('the answer’s `before` of the page before'),
        limit: z.coerce.number().int().min(1).max(200).default(50),
      }),
      answer: z.object({ messages: z.array(message), before: z.number().nullable() }),
      handle: ({ query }) => notifications.messages(query),
    }),
    endpoint({
      method: 'get',
      path: '/notifications/messages/{id}/attempts',
      summary: 'How the last attempt to send a message went',
      params: idParams,
      answer: z.object({ attempts: z.array(attempt) }),
      handle: async ({ params: { id } }) => ({ attempts: await explained(notifications.attempts(id)) }),
    }),
    endpoint({
      method: 'post',
      path: '/notifications/messages/{id}/retry',
      summary: 'Send a message again that was given up',
      params: idParams,
      answer: z.object({ messages: z.number() }),
      action: 'notification-retry',
      handle: async ({ params: { id } }) => ({ messages: await explained(notifications.retry(id)) }),
    }),
    endpoint({
      method: 'post',
      path: '/notifications/messages/retry',
      summary: 'Send all messages again that were given up',
      answer: z.object({ messages: z.number() }),
      action: 'notification-retry',
      handle: async () => ({ messages: await explained(notifications.retry('dead')) }),
    }),
    endpoint({
      method: 'delete',
      path: '/notifications/messages/{id}',
      summary: 'Discard a message that was given up',
      params: idParams,
      action: 'notification-discard',
      handle: async ({ params: { id } }) => {
        await explained(notifications.discard(id))
        return undefined
      },
    }),
  ]
}

function shownTargetOf(whole: WholeTarget): ShownTarget {
  const { counts: _, lastAttempt: _last, ...rest } = whole
  return rest
}

function taggedTarget(whole: WholeTarget): z.input<typeof target> {
  return { ...whole, etag: entityTag(shownTargetOf(whole)) }
}

function tagged(whole: WholeSubscription): z.input<typeof subscription> {
  return { ...whole, etag: entityTag(whole) }
}

/** @throws ApiError in place of what says why it cannot be done */
const explained = refusing(NotifyError, (code) =>
  code === 'bad-definition' ? 400 : code.endsWith('-unknown') ? 404 : 409,
)
