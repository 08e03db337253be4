import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { messageOf } from '../errors.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { askNode, type NodeApi, neededApi } from './node-api.ts'

const usage = `hilum destination list [--json]
hilum destination add NAME --file FILE
hilum destination change NAME --file FILE
hilum destination remove NAME
hilum destination test NAME [--json]

  list    where results can go, and how that went lately
  add     a destination; routes may deliver to it at once
  change  define it anew; { keep: true } in the place of a secret keeps what is there
  remove  one that no route uses
  test    try it step by step: address, connection, certificate, access, search, store; nothing is stored

  --file FILE    YAML: url, auth, headers, tls, timeout, as in the configuration file; - for standard input. Secrets are texts,
                 { env: DESTINATION_… } or { file: NAME } in the folder secrets of the data folder
  --json         as JSON
  --token TOKEN  of the running node; HILUM_ADMIN_TOKEN does the same
  --url URL      of the node (default: that of the configuration)
  --config FILE  the configuration file (default: config/hilum.yaml)

Destinations of the configuration file are changed there. Exit code 1 where it cannot be done, or where the test fails.`

interface Listed {
  name: string
  url: string
  origin: string
  etag: string
  usedBy: string[]
  health: { lastSuccessAt: string | null; lastError: string | null; pending: number; paused: string | null }
}

interface Tested {
  ok: boolean
  sentence: string
  steps: { title: string; outcome: string; sentence: string; advice: string | null }[]
}

/** `hilum destination`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {
    file: { type: 'string' },
    json: { type: 'boolean' },
    token: { type: 'string' },
    url: { type: 'string' },
  })
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, name, ...more] = positionals
  if (more.length > 0 || (name === undefined) !== (what === 'list'))
    throw new UsageError('destination: list, or add, change, remove or test with one name', usage)
  const api = neededApi(configOf(values), values, `destination ${what}`)
  const where = `/destinations/${encodeURIComponent(name ?? '')}`
  switch (what) {
    case 'list':
      return await list(api, values.json ?? false)
    case 'add':
      await askNode(api, '/destinations', { method: 'POST', body: { name, ...(await definitionIn(values.file)) } })
      return 0
    case 'change':
      await askNode(api, where, {
        method: 'PUT',
        body: await definitionIn(values.file),
        headers: await seen(api, where),
      })
      return 0
    case 'remove':
      await askNode(api, where, { method: 'DELETE', headers: await seen(api, where) })
      return 0
    case 'test':
      return await test(api, where, values.json ?? false)
    default:
      throw new UsageError('destination: list, add, change, remove or test', usage)
  }
}

async function seen(api: NodeApi, where: string): Promise<Record<string, string>> {
  return { 'if-match': ((await (await askNode(api, where)).json()) as Listed).etag }
}

async function definitionIn(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) throw new UsageError('destination: --file FILE is missing', usage)
  let content: unknown
  try {
    content = parse(await readFile(file === '-' ? '/dev/stdin' : file, 'utf8'))
  } catch (error) {
    throw new UsageError(`destination: ${file}: ${messageOf(error)}`, usage)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new UsageError(`destination: ${file}: url, auth and so on are expected`, usage)
  return content as Record<string, unknown>
}

async function list(api: NodeApi, json: boolean): Promise<number> {
  const found = (await (await askNode(api, '/destinations')).json()) as { destinations: Listed[] }
  if (json) print(JSON.stringify(found, null, 2))
  else
    for (const { name, url, origin, health } of found.destinations) {
      const state =
        health.paused ??
        health.lastError ??
        (health.lastSuccessAt ? `last success ${health.lastSuccessAt}` : 'nothing delivered yet')
      print(`${name}  ${url}  (${origin})  ${state}${health.pending > 0 ? `; ${health.pending} wait` : ''}`)
    }
  return 0
}

async function test(api: NodeApi, where: string, json: boolean): Promise<number> {
  const tested = (await (await askNode(api, `${where}/test`, { method: 'POST' })).json()) as Tested
  if (json) print(JSON.stringify(tested, null, 2))
  else {
    for (const { title, outcome, sentence, advice } of tested.steps)
      print(`${outcome.padEnd(8)}${title}: ${sentence}${advice === null ? '' : `. ${advice}`}`)
    print(tested.sentence)
  }
  return tested.ok ? 0 : 1
}
