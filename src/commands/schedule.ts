import type { ScheduleRun, WholeSchedule } from '../admin/api-schedules.ts'
import { HilumError } from '../errors.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { askNode, type NodeApi, nodeApiOf } from './node-api.ts'

const usage = `hilum schedule list [--json]
hilum schedule runs NAME [--json]
hilum schedule run NAME [--json]

  list  what runs by schedule, with the last and the next run
  runs  the last runs
  run   run it now

  --token TOKEN  of the API; HILUM_ADMIN_TOKEN does the same
  --url URL      of the node (default: as the configuration says)
  --json         as JSON
  --config FILE  the configuration file (default: config/hilum.yaml)

It asks the node, which has to run.`

/** `hilum schedule`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {
    token: { type: 'string' },
    url: { type: 'string' },
    json: { type: 'boolean' },
  })
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, name, ...more] = positionals
  if ((what !== 'list' && what !== 'runs' && what !== 'run') || more.length > 0)
    throw new UsageError('schedule: list, runs or run', usage)
  if ((name === undefined) !== (what === 'list'))
    throw new UsageError(`schedule ${what}: ${what === 'list' ? 'takes no name' : 'name one schedule'}`, usage)
  const api = nodeApiOf(configOf(values), values)
  if (api === null) throw new HilumError('no-token', 'a token is needed: --token, or HILUM_ADMIN_TOKEN')
  const { shown, lines } = await acts[what](api, encodeURIComponent(name ?? ''))
  print(values.json ? JSON.stringify(shown, null, 2) : lines.join('\n'))
  return 0
}

type Act = (api: NodeApi, name: string) => Promise<{ shown: unknown; lines: string[] }>

const acts: Record<'list' | 'runs' | 'run', Act> = {
  list: async (api) => {
    const { schedules } = (await (await askNode(api, '/schedules')).json()) as { schedules: WholeSchedule[] }
    return { shown: schedules, lines: schedules.map(scheduleText) }
  },
  runs: async (api, name) => {
    const { runs } = (await (await askNode(api, `/schedules/${name}/runs`)).json()) as { runs: ScheduleRun[] }
    return { shown: runs, lines: runs.length === 0 ? ['it has never run'] : runs.map(runText) }
  },
  run: async (api, name) => {
    const begun = (await (await askNode(api, `/schedules/${name}/run`, { method: 'POST' })).json()) as ScheduleRun
    return { shown: begun, lines: [`run ${begun.id} has begun`] }
  },
}

function scheduleText({
  name,
  cron,
  timeZone,
  enabled,
  unavailable,
  running,
  nextRun,
  lastRun,
}: WholeSchedule): string {
  const next = running
    ? 'runs now'
    : enabled && unavailable === null
      ? `next ${nextRun ?? 'never'}`
      : (unavailable ?? 'off')
  const last = lastRun
    ? `last ${lastRun.startedAt} ${lastRun.outcome ?? 'running'}: ${lastRun.sentence ?? ''}`
    : 'never run'
  return `${name}  ${cron} (${timeZone})  ${next}; ${last}`
}

function runText({ id, by, startedAt, outcome, sentence }: ScheduleRun): string {
  return `${id}  ${startedAt}  ${by}  ${outcome ?? 'runs'}${sentence === null ? '' : `: ${sentence}`}`
}
