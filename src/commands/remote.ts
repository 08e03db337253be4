import type { Knex } from 'knex'
import { Audit } from '../admin/audit.ts'
import type { Config } from '../config.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { KnownRemote } from '../flow/remotes.ts'
import { Remotes } from '../flow/remotes.ts'
import { createLog } from '../log.ts'
import { migrate, openDatabase } from '../store/database.ts'
import type { RefusedCaller } from '../store/refused-callers.ts'
import type { RemotePermission, RemoteTotals } from '../store/remotes.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { sizeText } from './units.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum remote list [--json]
hilum remote add AETITLE [--address ADDRESS …] [--may store,query,retrieve] [--host HOST] [--port PORT]
                         [--ca FILE] [--certificate FILE] [--key FILE]
hilum remote remove AETITLE
hilum remote echo AETITLE
hilum remote refused [--json]
hilum remote admit ID [--may store,query,retrieve]

  list     the applications that may call, and what they sent
  add      let an application call; a running node knows it within a second
  remove   no longer; open associations go on
  echo     ask an application by C-ECHO whether it answers
  refused  the callers that were refused
  admit    let one of them call, with its AE title and from exactly its address

  --address ADDRESS  an IP address, or a block as in 10.0.0.0/8, that it may call from; may be repeated; without: any
  --may LIST         what it may do (default: store)
  --host, --port     where it listens (default port: 104), to send to it and to ask it
  --ca, --certificate, --key  PEM files on the node, to call it with TLS
  --json             as JSON
  --config FILE      the configuration file (default: config/hilum.yaml)

Remotes of the configuration file are changed there. Exit code 1 where it cannot be done, or where nothing answers.`

const options = {
  address: { type: 'string', multiple: true },
  may: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  ca: { type: 'string' },
  certificate: { type: 'string' },
  key: { type: 'string' },
  json: { type: 'boolean' },
} as const

type Values = NonNullable<ReturnType<typeof readArguments<typeof options>>>['values']

/** `hilum remote`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, options)
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, subject, ...more] = positionals
  const act = what === undefined || !Object.hasOwn(acts, what) ? undefined : acts[what]
  if (!act) throw new UsageError('remote: list, add, remove, echo, refused or admit', usage)
  if (more.length > 0 || (subject === undefined) !== (what === 'list' || what === 'refused'))
    throw new UsageError(`remote ${what}: ${what === 'admit' ? 'name one ID' : 'name one AE title'}`, usage)
  const config = configOf(values)
  return withRemotes(config, { isQuestion: questions.includes(what ?? '') }, (remotes, audit) =>
    act(remotes, { subject: subject ?? '', values, audit, config }),
  )
}

/** What changes nothing. */
const questions = ['list', 'refused', 'echo']

interface Asked {
  subject: string
  values: Values
  audit: Audit
  config: Config
}

const actor = 'command line'

const acts: Record<string, (remotes: Remotes, asked: Asked) => Promise<number>> = {
  async list(remotes, { values, config }) {
    const trafficOf = await remotes.counters.traffic()
    const listed = remotes.list().map((remote) => ({ ...remote, sent: trafficOf(remote.aeTitle) }))
    if (values.json) print(JSON.stringify(listed, null, 2))
    else {
      for (const { sent, ...remote } of listed) print(`${textOf(remote)}  ${sentText(sent)}`)
      print(`callers that are not listed: ${others[config.dimse.unknownCallers]}`)
    }
    return 0
  },
  async add(remotes, { subject, values, audit }) {
    const { address, host, port, ca, certificate, key } = values
    const tls = { ...(ca && { ca }), ...(certificate && { certificate }), ...(key && { key }) }
    const added = await remotes.add(
      {
        aeTitle: subject,
        addresses: address ?? [],
        ...(values.may !== undefined && { may: permissionsOf(values.may) }),
        ...(host !== undefined && { host }),
        ...(port !== undefined && { port: portOf(port) }),
        ...(Object.keys(tls).length > 0 && { tls }),
      },
      actor,
    )
    await audit.record({ actor, action: 'remote-add', subject: added.aeTitle, outcome: 'success' })
    print(`added: ${textOf(added)}`)
    return 0
  },
  async remove(remotes, { subject, audit }) {
    await remotes.remove(subject)
    await audit.record({ actor, action: 'remote-remove', subject, outcome: 'success' })
    print(`removed: ${subject}`)
    return 0
  },
  async echo(remotes, { subject }) {
    const { ok, ms, sentence } = await remotes.echo(subject)
    print(`${sentence} (${ms} ms)`)
    return ok ? 0 : 1
  },
  async refused(remotes, { values }) {
    const callers = await remotes.refused()
    if (values.json) print(JSON.stringify(callers, null, 2))
    else if (callers.length === 0) print('nobody was refused')
    else for (const one of callers) print(refusedText(one))
    return 0
  },
  async admit(remotes, { subject, values, audit }) {
    if (!/^\d+$/.test(subject)) throw new UsageError(`remote admit: ${subject} is no ID of \`remote refused\``, usage)
    const may = values.may === undefined ? undefined : permissionsOf(values.may)
    const admitted = await remotes.admit(Number(subject), may, actor)
    await audit.record({ actor, action: 'remote-admit', subject: admitted.aeTitle, outcome: 'success' })
    print(`admitted: ${textOf(admitted)}`)
    return 0
  },
}

/** Callers that are no remotes, by `dimse.unknownCallers`. */
const others = {
  loopback: 'accepted from this machine only',
  reject: 'refused',
  accept: 'accepted, to store',
} as const

function sentText({ instances, bytes, lastSeenAt }: RemoteTotals): string {
  if (lastSeenAt === null) return 'never seen'
  return `${instances} instance${instances === 1 ? '' : 's'}, ${sizeText(bytes)}, last seen ${lastSeenAt}`
}

function refusedText({ id, callingAETitle, calledAETitle, address, times, lastAt, reason }: RefusedCaller): string {
  const who = `${callingAETitle || '(several)'}@${address || '(several)'} calling ${calledAETitle}`
  return `${id}  ${who}  ${times} time${times === 1 ? '' : 's'}, last ${lastAt}  ${reason}`
}

function textOf({ aeTitle, addresses, may, host, port, tls, origin }: KnownRemote): string {
  const listens = host === null ? '' : `, listens on ${host}:${port}${tls ? ' with TLS' : ''}`
  return `${aeTitle}  from ${addresses.join(', ') || 'anywhere'}: ${may.join(', ')}${listens}  (${origin})`
}

const permissions: readonly string[] = ['store', 'query', 'retrieve'] satisfies RemotePermission[]

function permissionsOf(text: string): RemotePermission[] {
  const named = text.split(',').map((one) => one.trim())
  const wrong = named.find((one) => !permissions.includes(one))
  if (wrong !== undefined) throw new UsageError(`remote: --may ${wrong}: store, query or retrieve is expected`, usage)
  return [...new Set(named)] as RemotePermission[]
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new UsageError(`remote: --port ${text}: a number from 1 to 65535 is expected`, usage)
}

type Use = (remotes: Remotes, audit: Audit) => Promise<number>

/** What cannot be done is told in one sentence. */
async function withRemotes(config: Config, { isQuestion }: { isQuestion: boolean }, use: Use): Promise<number> {
  const log = createLog(config.log.level)
  const onDatabase = async (database: Knex): Promise<number> => {
    await migrate(database)
    const remotes = new Remotes({ config, database, log })
    await remotes.refresh()
    return await use(remotes, new Audit(database))
  }
  try {
    if (isQuestion)
      return await withDatabase(config, async (database) => {
        if (database) return await onDatabase(database)
        throw new HilumError('no-database', `no node has been started on ${config.dataDir} yet: nothing is known there`)
      })
    const database = await openDatabase({ url: config.database.url, dataDir: config.dataDir, log })
    try {
      return await onDatabase(database)
    } finally {
      await database.destroy()
    }
  } catch (error) {
    if (!(error instanceof HilumError) || error instanceof UsageError) throw error
    process.stderr.write(`${messageOf(error)}\n`)
    return 1
  }
}
