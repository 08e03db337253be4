import type { NotificationEvent } from './events.ts'
import { notificationEvents } from './events.ts'
import { type Template, type Told, valuesOf } from './placeholders.ts'
import { fillIn } from './template.ts'

/** A message as it is sent. */
export interface Composed {
  subject: string
  text: string
  html: string | null
  /** The body of a webhook. */
  json: string
  pictures: { name: string; png: string }[]
}

/** What an event is told with, where nobody has written something else. */
export function defaultTemplate(event: NotificationEvent): Template {
  const about = event === 'report' ? '' : reference
  return {
    subject: '[{{node}}] {{#urgent}}URGENT: {{/urgent}}{{sentence}}',
    text: `{{sentence}}\n${about}\n{{node}}, {{at}}\nYou are told because ${notificationEvents[event]}.\n`,
    html: null,
    json: null,
  }
}

const reference = `
{{#findings}}
{{name}}: {{value}} {{unit}}{{/findings}}
{{#route}}Route: {{route}}
{{/route}}{{#pipeline}}Pipeline: {{pipeline}}
{{/pipeline}}{{#destination}}Destination: {{destination}}
{{/destination}}{{#reason}}Reason: {{reason}}
{{/reason}}{{#studyInstanceUID}}Study: {{studyInstanceUID}} ({{modalities}})
{{/studyInstanceUID}}{{#link}}{{link}}
{{/link}}`

export interface ComposeOptions {
  phi: boolean
  /** The AE title. */
  node: string
  /** Where people reach the node; '': nowhere. */
  publicUrl: string
}

/** @param id of the message, which stays the same when it is sent again */
export function compose(told: Told, template: Template | null, id: string, options: ComposeOptions): Composed {
  const values = valuesOf(told, options)
  const { subject, text, html, json } = template ?? defaultTemplate(told.event)
  const line = fillIn(subject, values, 'line').slice(0, 500)
  const plain = fillIn(text, values, 'plain')
  return {
    subject: line,
    text: plain,
    html: html === null ? (told.detail.html ?? null) : fillIn(html, values, 'html'),
    json:
      json === null
        ? JSON.stringify({ id, ...body(told, options), subject: line, text: plain })
        : fillIn(json, values, 'json'),
    pictures: told.detail.pictures ?? [],
  }
}

/** The node's own form of a webhook's body. */
function body(told: Told, options: ComposeOptions): Record<string, unknown> {
  const {
    event,
    at,
    urgent,
    sentence,
    node,
    studyInstanceUID,
    link,
    modalities,
    route,
    pipeline,
    destination,
    reason,
    findings,
  } = valuesOf(told, options)
  return {
    event,
    at,
    urgent,
    node,
    sentence,
    study: studyInstanceUID === null ? null : { studyInstanceUID, link, modalities },
    route,
    pipeline,
    destination,
    reason,
    findings,
    ...(options.phi && told.study ? { patient: told.study.patient } : {}),
  }
}

/** Lines of a digest that are listed; of the others only the number is told. */
export const mostListed = 100

/** Many messages as one; never with who the patients are. */
export function composeDigest(
  told: readonly Told[],
  counts: Readonly<Record<string, number>>,
  id: string,
  { node, publicUrl }: Omit<ComposeOptions, 'phi'>,
): Composed {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const numbers = Object.entries(counts).map(([event, count]) => `${count} ${event}`)
  const listed = told.slice(0, mostListed)
  const options = { phi: false, node, publicUrl }
  const lines = listed.map((one) => fillIn('{{at}}  {{sentence}}  {{link}}', valuesOf(one, options), 'line').trimEnd())
  const more = total > listed.length ? `\nand ${total - listed.length} more: the page has them all.\n` : ''
  return {
    subject: `[${node}] ${total} notifications: ${numbers.join(', ')}`.slice(0, 500),
    text: `${total} notifications: ${numbers.join(', ')}\n\n${lines.join('\n')}\n${more}`,
    html: null,
    json: JSON.stringify({
      id,
      event: 'digest',
      node,
      total,
      counts,
      messages: listed.map((one) => body(one, options)),
    }),
    pictures: [],
  }
}
