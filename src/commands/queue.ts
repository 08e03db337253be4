import type { z } from 'zod'
import type { jobRow } from '../admin/api-schemas.ts'
import type { failureGroup, pause, queueState } from '../admin/api-schemas-node.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { askNode, type NodeApi, neededApi } from './node-api.ts'

const usage = `hilum queue list [--state STATE] [--kind KIND] [--pipeline NAME] [--destination NAME] [--limit N] [--json]
hilum queue failures [--kind KIND] [--json]
hilum queue retry ID… | --all [--kind KIND] [--pipeline NAME] [--destination NAME] [--reason TEXT] [--refused]
hilum queue cancel ID… | --all [--kind KIND] [--pipeline NAME] [--destination NAME]
hilum queue priority urgent|normal|low ID…
hilum queue pauses [--json]
hilum queue pause all|infer|deliver|pipeline NAME|destination NAME --because TEXT
hilum queue resume NUMBER…

  list       jobs; without --state those that wait and run
  failures   failed jobs, grouped by why
  retry      queue failed jobs again: those named, or --all that match
  cancel     end jobs that wait or run; --all: only those that wait
  priority   put waiting jobs before or behind others
  pauses     what is paused, by whom and why
  pause      begin no more of them until resume; what runs ends, nothing is lost, a restart changes nothing
  resume     by the number that pauses shows

  --reason TEXT  only failures of this reason, as failures prints it
  --refused      also those whose input is outside the pipeline's declared limits
  --json         as JSON
  --token TOKEN  of the running node; HILUM_ADMIN_TOKEN does the same
  --url URL      of the node (default: that of the configuration)
  --config FILE  the configuration file (default: config/hilum.yaml)

Exit code 1 where something could not be done.`

const options = {
  state: { type: 'string' },
  kind: { type: 'string' },
  pipeline: { type: 'string' },
  destination: { type: 'string' },
  limit: { type: 'string' },
  reason: { type: 'string' },
  because: { type: 'string' },
  all: { type: 'boolean' },
  refused: { type: 'boolean' },
  json: { type: 'boolean' },
  token: { type: 'string' },
  url: { type: 'string' },
} as const

type Values = NonNullable<ReturnType<typeof readArguments<typeof options>>>['values']
type JobRow = z.output<typeof jobRow>

/** `hilum queue`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, options)
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, ...names] = positionals
  const api = () => neededApi(configOf(values), values, `queue ${what ?? ''}`.trim())
  switch (what) {
    case 'list':
      return await list(api(), values)
    case 'failures':
      return await failures(api(), values)
    case 'retry':
    case 'cancel':
      return await act(api(), what, names, values)
    case 'priority': {
      const [priority, ...ids] = names
      if (priority === undefined || ids.length === 0)
        throw new UsageError('queue priority: urgent, normal or low, then the jobs', usage)
      for (const id of ids)
        await askNode(api(), `/jobs/${encodeURIComponent(id)}/priority`, { method: 'POST', body: { priority } })
      return 0
    }
    case 'pauses':
      return await pauses(api(), values)
    case 'pause':
      return await pauseJobs(api(), names, values)
    case 'resume': {
      if (names.length === 0) throw new UsageError('queue resume: name a number, as pauses shows it', usage)
      for (const id of names) await askNode(api(), `/queue/pauses/${encodeURIComponent(id)}`, { method: 'DELETE' })
      return 0
    }
    default:
      throw new UsageError('queue: list, failures, retry, cancel, priority, pauses, pause or resume', usage)
  }
}

async function list(api: NodeApi, values: Values): Promise<number> {
  const states = values.state === undefined ? ['running', 'queued'] : [values.state]
  const jobs: JobRow[] = []
  for (const state of states) {
    const query = new URLSearchParams({ state })
    for (const name of ['kind', 'pipeline', 'destination', 'limit'] as const)
      if (values[name] !== undefined) query.set(name, values[name])
    jobs.push(...((await (await askNode(api, `/jobs?${query.toString()}`)).json()) as { jobs: JobRow[] }).jobs)
  }
  if (values.json) print(JSON.stringify(jobs, null, 2))
  else for (const job of jobs) print(lineOf(job))
  if (values.json) return 0
  const { counts, held } = (await (await askNode(api, '/queue')).json()) as z.output<typeof queueState>
  for (const { kind, queued, running, failed } of counts)
    print(`${kind}: ${queued} wait, ${running} run, ${failed} failed`)
  if (held > 0) print(`${held} of those that wait are paused`)
  return 0
}

function lineOf({
  id,
  kind,
  state,
  pipelineName,
  destination,
  studyInstanceUID,
  error,
  held,
  progress,
}: JobRow): string {
  const subject = kind === 'infer' ? pipelineName : destination
  const far = progress ? `${progress.stage} ${Math.round(progress.fraction * 100)} %` : ''
  return [id, kind, state, subject ?? '-', studyInstanceUID, held ?? error ?? far].join('  ').trimEnd()
}

async function failures(api: NodeApi, values: Values): Promise<number> {
  const query = values.kind === undefined ? '' : `?kind=${encodeURIComponent(values.kind)}`
  const found = (await (await askNode(api, `/queue/failures${query}`)).json()) as {
    groups: z.output<typeof failureGroup>[]
  }
  if (values.json) print(JSON.stringify(found, null, 2))
  else
    for (const { jobs, kind, refused, reason } of found.groups)
      print(`${jobs}  ${kind}${refused ? ' (refused)' : ''}  ${reason}`)
  if (!values.json && found.groups.length === 0) print('nothing has failed')
  return 0
}

async function act(api: NodeApi, what: 'retry' | 'cancel', ids: readonly string[], values: Values): Promise<number> {
  if ((ids.length === 0) !== (values.all ?? false)) throw new UsageError(`queue ${what}: name jobs, or --all`, usage)
  if (!values.all) {
    for (const id of ids) await askNode(api, `/jobs/${encodeURIComponent(id)}/${what}`, { method: 'POST' })
    return 0
  }
  const { kind, pipeline, destination, reason, refused } = values
  const body = { kind, pipeline, destination, reason, ...(what === 'retry' && { refused: refused ?? false }) }
  let changed = 0
  for (;;) {
    const response = await askNode(api, `/queue/${what}`, { method: 'POST', body })
    const outcome = (await response.json()) as {
      changed: number
      left: { id: string; reason: string }[]
      more: boolean
    }
    changed += outcome.changed
    for (const one of outcome.left) process.stderr.write(`${one.id}: ${one.reason}\n`)
    if (outcome.more && outcome.changed > 0) continue
    print(`${changed} ${changed === 1 ? 'job' : 'jobs'} ${what === 'retry' ? 'queued again' : 'ended'}`)
    return outcome.left.length === 0 ? 0 : 1
  }
}

async function pauses(api: NodeApi, values: Values): Promise<number> {
  const found = (await (await askNode(api, '/queue/pauses')).json()) as { pauses: z.output<typeof pause>[] }
  if (values.json) print(JSON.stringify(found, null, 2))
  else
    for (const { id, sentence, at, waiting } of found.pauses) print(`${id}  ${sentence} (since ${at}; ${waiting} wait)`)
  if (!values.json && found.pauses.length === 0) print('nothing is paused')
  return 0
}

async function pauseJobs(api: NodeApi, names: readonly string[], values: Values): Promise<number> {
  const [scope, name, ...more] = names
  const reason = values.because
  if (reason === undefined) throw new UsageError('queue pause: --because TEXT says why', usage)
  const isKind = scope === 'infer' || scope === 'deliver'
  const isNamed = scope === 'pipeline' || scope === 'destination'
  if (more.length > 0 || (name !== undefined) !== isNamed || !(scope === 'all' || isKind || isNamed))
    throw new UsageError('queue pause: all, infer, deliver, pipeline NAME or destination NAME', usage)
  const body = isKind
    ? { scope: 'kind', name: scope, reason }
    : { scope, ...(name === undefined ? {} : { name }), reason }
  const paused = (await (await askNode(api, '/queue/pauses', { method: 'POST', body })).json()) as z.output<
    typeof pause
  >
  print(`${paused.id}  ${paused.sentence}`)
  return 0
}
