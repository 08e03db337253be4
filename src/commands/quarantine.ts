import { open, rm } from 'node:fs/promises'
import type { Config } from '../config.ts'
import { HilumError } from '../errors.ts'
import { listQuarantined, type QuarantineEntry, quarantineStates } from '../store/quarantine-list.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { askNode, type NodeApi, NodeApiError, nodeApiOf } from './node-api.ts'
import { sizeText } from './units.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum quarantine list [--state STATE] [--code CODE] [--via VIA] [--sender AE] [--limit N] [--offset N] [--json]
hilum quarantine download ID [--output FILE]
hilum quarantine reingest ID… [--accept]
hilum quarantine discard ID…

What could not be kept as an instance: the bytes, the reason and the sender.
  list            the newest first; --state quarantined (default), reingested, discarded or all
  download ID     writes the bytes, as they came, to quarantine-ID.dcm or FILE; nothing is overwritten
  reingest ID…    takes objects in again, through the checks of an arrival
    --accept      accepts UIDs that differ from those of the C-STORE command, as the data set has them
  discard ID…     deletes the bytes for good; that they were there, and who discarded them, stays

  --token TOKEN   for the API of the running node, with the role operator; HILUM_ADMIN_TOKEN does the same
  --url URL       the node; default: that of the configuration
  --config FILE   the configuration file (default: config/hilum.yaml)

All but list need the running node; without a token, list reads the database. Exit code 1 when something is refused.`

type Values = Partial<
  Record<'state' | 'code' | 'via' | 'sender' | 'limit' | 'offset' | 'output' | 'url' | 'token', string>
>

/** `hilum quarantine`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const parsed = readArguments(args, usage, {
    state: text,
    code: text,
    via: text,
    sender: text,
    limit: text,
    offset: text,
    output: text,
    url: text,
    token: text,
    json: flag,
    accept: flag,
  })
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, ...names] = positionals
  const config = configOf(values)
  const api = nodeApiOf(config, values)
  if (what === 'list') {
    if (names.length > 0) throw new UsageError('quarantine list: takes no ids', usage)
    return list(config, api, { ...values, json: values.json ?? false })
  }
  if (what !== 'download' && what !== 'reingest' && what !== 'discard')
    throw new UsageError('quarantine: list, download, reingest or discard', usage)
  const ids = names.map((name) => idOf(name, what))
  if (ids.length === 0) throw new UsageError(`quarantine ${what}: name an id, as list shows it`, usage)
  if (!api)
    throw new NodeApiError('node-refused', `quarantine ${what}: a token is needed (--token, or HILUM_ADMIN_TOKEN)`)
  if (what !== 'download')
    return act(api, what, { ids, ...(what === 'reingest' && { accept: values.accept ?? false }) })
  const [id, ...more] = ids
  if (id === undefined || more.length > 0) throw new UsageError('quarantine download: one id at a time', usage)
  return download(api, id, values.output ?? `quarantine-${id}.dcm`)
}

function idOf(name: string, what: string): number {
  if (/^[1-9]\d{0,9}$/.test(name)) return Number(name)
  throw new UsageError(`quarantine ${what}: ${name} is no id`, usage)
}

async function list(config: Config, api: NodeApi | null, values: Values & { json: boolean }): Promise<number> {
  const found = api ? await listOfNode(api, values) : await listOfDatabase(config, values)
  if (values.json) {
    print(JSON.stringify(found, null, 2))
    return 0
  }
  for (const one of found.objects) print(lineOf(one))
  const isFiltered = [values.state, values.code, values.via, values.sender].some((value) => value !== undefined)
  const none = isFiltered ? 'nothing in quarantine is like that' : 'nothing is in quarantine'
  print(found.total === 0 ? none : `${found.objects.length} of ${found.total}`)
  return 0
}

type Listed = Omit<QuarantineEntry, 'file'>

async function listOfNode(api: NodeApi, values: Values): Promise<{ total: number; objects: Listed[] }> {
  const query = new URLSearchParams()
  for (const name of ['state', 'code', 'via', 'sender', 'limit', 'offset'] as const)
    if (values[name] !== undefined) query.set(name, values[name])
  return (await (await askNode(api, `/quarantine?${query.toString()}`)).json()) as { total: number; objects: Listed[] }
}

async function listOfDatabase(config: Config, values: Values): Promise<{ total: number; objects: Listed[] }> {
  const { state = 'quarantined', code, via, sender } = values
  const known = quarantineStates.find((one) => one === state)
  if (known === undefined && state !== 'all')
    throw new UsageError(`quarantine list: --state ${state}: ${quarantineStates.join(', ')} or all is expected`, usage)
  const [limit, offset] = [Number(values.limit ?? 50), Number(values.offset ?? 0)]
  if (!Number.isInteger(limit) || !Number.isInteger(offset) || limit < 1 || offset < 0)
    throw new UsageError('quarantine list: --limit and --offset are numbers', usage)
  return withDatabase(config, async (database) => {
    if (database === null) return { total: 0, objects: [] }
    const { total, objects } = await listQuarantined(database, { limit, offset, state: known, code, via, sender })
    return { total, objects: objects.map(({ file: _, ...shown }) => shown) }
  })
}

function lineOf(one: Listed): string {
  const after = one.state === 'quarantined' ? '' : `  ${one.state} by ${one.stateBy} at ${one.stateAt}`
  return `${one.id}  ${one.at}  ${one.code}  ${one.via} ${one.sender}  ${sizeText(one.size)}${after}\n    ${one.reason}`
}

async function download(api: NodeApi, id: number, output: string): Promise<number> {
  const response = await askNode(api, `/quarantine/${id}/file`)
  const file = await open(output, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'is there already, and nothing is overwritten' : 'cannot be written'
    throw new HilumError('not-written', `${output} ${why} (${error.code}): name another file with --output`)
  })
  try {
    for await (const chunk of response.body ?? []) await file.write(chunk as Uint8Array)
  } catch (error) {
    await rm(output, { force: true })
    throw error
  } finally {
    await file.close()
  }
  print(output)
  return 0
}

async function act(
  api: NodeApi,
  what: 'reingest' | 'discard',
  body: { ids: number[]; accept?: boolean },
): Promise<number> {
  const response = await askNode(api, `/quarantine/${what}`, { method: 'POST', body })
  const { results } = (await response.json()) as { results: { id: number; ok: boolean; sentence: string | null }[] }
  for (const { id, ok, sentence } of results)
    if (ok) print(`${id}  ${what === 'reingest' ? 'taken in again' : 'discarded'}`)
    else process.stderr.write(`${id}  ${sentence}\n`)
  return results.every(({ ok }) => ok) ? 0 : 1
}
