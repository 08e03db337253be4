import { z } from 'zod'

/** The section `notify` of the configuration: what holds for all notifications. Who is told of what is set on the page. */
export const notifySchema = z
  .strictObject({
    allowLocal: z
      .boolean()
      .default(false)
      .describe(
        'true: webhooks may go to this machine, and to addresses of its own link (127.0.0.0/8, 169.254.0.0/16 …).',
      ),
    publicUrl: z
      .union([z.literal(''), z.url({ protocol: /^https?$/ })])
      .default('')
      .describe('Where people reach this node, for links to studies; empty: no links.'),
  })
  .prefault({})
  .describe('What holds for all notifications.')
