import type { NotificationTest, ShownMessage, WholeTarget } from '../admin/api-schemas-notifications.ts'
import { HilumError } from '../errors.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { askNode, type NodeApi, nodeApiOf } from './node-api.ts'

const usage = `hilum notify list [--json]
hilum notify messages [--json]
hilum notify test TARGET [--json]
hilum notify retry

  list      the targets, and how telling them went lately
  messages  what waits, was sent, or was given up, the newest first
  test      send a test message to a target, by its name or id, and say step by step how that went
  retry     send all messages again that were given up

  --token TOKEN  of the API; HILUM_ADMIN_TOKEN does the same
  --url URL      of the node (default: as the configuration says)
  --json         as JSON
  --config FILE  the configuration file (default: config/hilum.yaml)

It asks the node, which has to run. Exit code 1 where the test fails.`

interface Told {
  shown: unknown
  lines: string[]
  code?: number
}

/** `hilum notify`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {
    token: { type: 'string' },
    url: { type: 'string' },
    json: { type: 'boolean' },
  })
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, target, ...more] = positionals
  const act = what !== undefined && Object.hasOwn(acts, what) ? acts[what] : undefined
  if (!act || more.length > 0) throw new UsageError('notify: list, messages, test or retry', usage)
  if ((target === undefined) === (what === 'test'))
    throw new UsageError(`notify ${what}: name one target to test`, usage)
  const api = nodeApiOf(configOf(values), values)
  if (api === null) throw new HilumError('no-token', 'a token is needed: --token, or HILUM_ADMIN_TOKEN')
  const { shown, lines, code } = await act(api, target ?? '')
  print(values.json ? JSON.stringify(shown, null, 2) : lines.join('\n'))
  return code ?? 0
}

const acts: Record<string, (api: NodeApi, target: string) => Promise<Told>> = {
  list: async (api) => {
    const targets = await targetsOf(api)
    return { shown: targets, lines: targets.length === 0 ? ['nobody is told of anything'] : targets.map(targetText) }
  },
  messages: async (api) => {
    const { messages } = (await (await askNode(api, '/notifications/messages')).json()) as { messages: ShownMessage[] }
    return { shown: messages, lines: messages.length === 0 ? ['there are no messages'] : messages.map(messageText) }
  },
  test: async (api, name) => {
    const target = (await targetsOf(api)).find((one) => one.name === name || String(one.id) === name)
    if (!target) throw new HilumError('target-unknown', `there is no target ${name}: see hilum notify list`)
    const answer = await askNode(api, `/notifications/targets/${target.id}/test`, { method: 'POST' })
    const test = (await answer.json()) as NotificationTest
    const steps = test.steps.map(
      ({ title, outcome, sentence, advice }) =>
        `${outcome}  ${title}: ${sentence}${advice === null ? '' : `\n        ${advice}`}`,
    )
    return { shown: test, lines: [...steps, test.sentence], code: test.ok ? 0 : 1 }
  },
  retry: async (api) => {
    const answer = await askNode(api, '/notifications/messages/retry', { method: 'POST' })
    const shown = (await answer.json()) as { messages: number }
    return { shown, lines: [`${shown.messages} messages are sent again`] }
  },
}

async function targetsOf(api: NodeApi): Promise<WholeTarget[]> {
  return ((await (await askNode(api, '/notifications/targets')).json()) as { targets: WholeTarget[] }).targets
}

function targetText({ id, name, enabled, phi, via, counts, lastAttempt }: WholeTarget): string {
  const where = via.kind === 'webhook' ? via.url : `${via.to.join(', ')} by ${via.host}`
  const last = lastAttempt
    ? `last ${lastAttempt.at} ${lastAttempt.ok ? 'sent' : 'failed'}: ${lastAttempt.answer}`
    : 'never told'
  return `${id}  ${name}  ${where}${enabled ? '' : ', off'}${phi ? ', with patient data' : ''}; ${counts.waiting} wait, ${counts.dead} given up; ${last}`
}

function messageText({ id, at, target, event, state, sentence, error }: ShownMessage): string {
  return `${id}  ${at}  ${target}  ${event}  ${state}: ${sentence}${error === null ? '' : ` (${error})`}`
}
