import { z } from 'zod'
import { type NotificationEvent, notificationEventNames } from '../notify/events.ts'
import { uid } from './api-schemas.ts'

const at = z.string().describe('ISO 8601, UTC')
export const event = z.enum(notificationEventNames as [NotificationEvent, ...NotificationEvent[]])

const secret = z
  .union([
    z.string().min(1).max(20_000).describe('the secret itself: sealed, and never shown again'),
    z
      .strictObject({
        env: z.string().regex(/^NOTIFY_[A-Z0-9_]{1,60}$/, 'the name of a variable begins with NOTIFY_'),
      })
      .describe('a variable of the node’s environment'),
    z
      .strictObject({ file: z.string().min(1).max(500) })
      .describe('a file in the folder secrets of the data folder, or in /run/secrets'),
    z.strictObject({ keep: z.literal(true) }).describe('what is there already; only when it is changed'),
  ])
  .meta({ id: 'NotifySecretInput' })

const ca = z
  .string()
  .max(200_000)
  .regex(/-----BEGIN /, 'a PEM text is expected')
  .nullable()
  .default(null)
  .describe('PEM: authorities to trust instead of the system’s')
const rejectUnauthorized = z.boolean().default(true).describe('false accepts any certificate: for tests only')
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/)
const address = z.email().max(254)

export const webhook = z.strictObject({
  kind: z.literal('webhook'),
  url: z
    .url({ protocol: /^https?$/, error: 'an http or https URL is expected' })
    .max(1000)
    .describe('messages are POSTed there as JSON; redirections are not followed'),
  secret: secret.nullable().default(null).describe('the key of the signature (HMAC-SHA256); null: unsigned'),
  headers: z.record(headerName, secret).default({}).describe('further HTTP headers, sealed'),
  ca,
  rejectUnauthorized,
})

const email = z.strictObject({
  kind: z.literal('email'),
  host: z
    .string()
    .regex(/^[A-Za-z0-9.:-]{1,253}$/, 'the name or address of a mail server is expected')
    .describe('the mail server'),
  port: z.number().int().min(1).max(65_535).default(587),
  security: z
    .enum(['starttls', 'tls', 'none'])
    .default('starttls')
    .describe('tls: from the first byte, usually on port 465; none: in the clear'),
  username: z.string().min(1).max(255).nullable().default(null),
  password: secret.nullable().default(null),
  from: address,
  to: z.array(address).min(1).max(50),
  ca,
  rejectUnauthorized,
})

const targetShape = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(64)
    .regex(/^[^\p{C}]+$/u, 'no control characters'),
  enabled: z.boolean().default(true),
  phi: z
    .boolean()
    .default(false)
    .describe('true: templates for this target may name the patient; false: they are refused'),
  mostPerHour: z
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(60)
    .describe('more are gathered, and sent as one; urgent ones have as many of their own'),
  digestMinutes: z
    .number()
    .int()
    .min(0)
    .max(1440)
    .default(0)
    .describe('what is not urgent is gathered for so long and sent as one; 0: each at once'),
  timeout: z.number().min(1).max(60).default(10).describe('seconds for one message'),
  via: z.discriminatedUnion('kind', [webhook, email]),
}
export const targetInput = z.strictObject(targetShape)
export type TargetInput = z.output<typeof targetInput>
export type NotifySecretInput = z.output<typeof secret>

export const place = z.string().nullable().describe('set, or where it comes from; null: there is none')
const shownTarget = z.object({
  id: z.number(),
  name: z.string(),
  enabled: z.boolean(),
  phi: z.boolean(),
  mostPerHour: z.number(),
  digestMinutes: z.number(),
  timeout: z.number(),
  via: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('webhook'),
      url: z.string(),
      secret: place,
      headers: z.array(z.string()).describe('names; their values are secrets'),
      ca: z.string().nullable(),
      rejectUnauthorized: z.boolean(),
    }),
    z.object({
      kind: z.literal('email'),
      host: z.string(),
      port: z.number(),
      security: z.enum(['starttls', 'tls', 'none']),
      username: z.string().nullable(),
      password: place,
      from: z.string(),
      to: z.array(z.string()),
      ca: z.string().nullable(),
      rejectUnauthorized: z.boolean(),
    }),
  ]),
  author: z.string(),
  createdAt: at,
  updatedAt: at,
})
export type ShownTarget = z.input<typeof shownTarget>

const counts = z
  .object({ waiting: z.number(), dead: z.number(), sentToday: z.number().describe('in the last 24 hours') })
  .describe('messages')
export const target = shownTarget
  .extend({
    counts,
    lastAttempt: z.object({ at, ok: z.boolean(), answer: z.string() }).nullable(),
    etag: z.string().describe('for If-Match'),
  })
  .meta({ id: 'NotificationTarget' })
export type WholeTarget = Omit<z.input<typeof target>, 'etag'>

export const template = z
  .strictObject({
    subject: z.string().max(300).describe('of an e-mail; a webhook’s field subject'),
    text: z.string().max(20_000).describe('plain text'),
    html: z.string().max(50_000).nullable().default(null).describe('of an e-mail; values are escaped'),
    json: z
      .string()
      .max(50_000)
      .nullable()
      .default(null)
      .describe('the whole body of a webhook, as JSON with placeholders within its strings; null: the node’s own'),
  })
  .meta({ id: 'NotificationTemplate' })
export type TemplateInput = z.output<typeof template>

const names = z.array(z.string().min(1).max(160)).max(50)
const filters = z
  .strictObject({
    routes: names.default([]).describe('only of these routes; empty: of all'),
    pipelines: names.default([]).describe('only of these pipelines, by name; empty: of all'),
    modalities: names.default([]).describe('only of studies that have one of these modalities; empty: of all'),
    findings: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(255),
          over: z.number().nullable().default(null),
          under: z.number().nullable().default(null),
        }),
      )
      .max(50)
      .default([])
      .describe('of finding: only where one of these is above `over` or below `under`; empty: whatever was measured'),
    lateMinutes: z
      .number()
      .int()
      .min(1)
      .max(43_200)
      .default(30)
      .describe('of late: minutes from the last instance of a study until it counts as late'),
  })
  .prefault({})
export type SubscriptionFilters = z.output<typeof filters>

const subscriptionShape = {
  targetId: z.number().int(),
  event,
  enabled: z.boolean().default(true),
  filters,
  template: template.nullable().default(null).describe('null: the node’s own'),
}
export const subscriptionInput = z.strictObject(subscriptionShape)
export type SubscriptionInput = z.output<typeof subscriptionInput>
export const subscription = z
  .object({
    id: z.number(),
    ...subscriptionShape,
    author: z.string(),
    updatedAt: at,
    etag: z.string().describe('for If-Match'),
  })
  .meta({ id: 'NotificationSubscription' })
export type WholeSubscription = Omit<z.output<typeof subscription>, 'etag'>

export const step = z
  .object({
    step: z.enum(['address', 'connection', 'tls', 'login', 'message']),
    title: z.string(),
    outcome: z.enum(['passed', 'failed', 'warning', 'skipped']),
    ms: z.number(),
    sentence: z.string().describe('what was seen'),
    advice: z.string().nullable().describe('what may be done about it'),
  })
  .meta({ id: 'NotificationTestStep' })
export const testAnswer = z
  .object({ ok: z.boolean(), ms: z.number(), at, sentence: z.string(), steps: z.array(step) })
  .meta({ id: 'NotificationTest' })
export type NotificationTest = z.input<typeof testAnswer>
export type NotificationTestStep = z.input<typeof step>

export const message = z
  .object({
    id: z.number(),
    event,
    targetId: z.number(),
    target: z.string(),
    subscriptionId: z.number(),
    state: z.enum(['waiting', 'sending', 'sent', 'dead']).describe('dead: given up; it can be sent again'),
    urgent: z.boolean(),
    sentence: z.string(),
    studyInstanceUID: z.string().nullable(),
    happenedAt: at,
    at,
    runAfter: at.describe('when it is tried (again)'),
    attempts: z.number(),
    error: z.string().nullable(),
    sentAt: at.nullable(),
  })
  .meta({ id: 'NotificationMessage' })
export type ShownMessage = z.input<typeof message>

export const attempt = z.object({
  at,
  ms: z.number(),
  messages: z.number().describe('that were sent as one'),
  ok: z.boolean(),
  answer: z.string().describe('what the other side said, or why it could not be asked'),
})
export type ShownAttempt = z.input<typeof attempt>

export const placeholder = z.object({
  name: z.string(),
  description: z.string(),
  phi: z.boolean().describe('only for targets that may be told who the patient is'),
})

export const preview = z
  .object({
    subject: z.string(),
    text: z.string(),
    html: z.string().nullable(),
    json: z.string().describe('the body of a webhook'),
    problems: z.array(z.string()).describe('why the template would be refused; then the rest is empty'),
  })
  .meta({ id: 'NotificationPreview' })
export type Preview = z.input<typeof preview>

export const previewInput = z.strictObject({
  event,
  template: template.nullable().default(null).describe('null: the node’s own'),
  phi: z.boolean().default(false).describe('as of the target'),
  studyInstanceUID: uid.nullable().default(null).describe('null: a sample'),
})
export type PreviewInput = z.output<typeof previewInput>
