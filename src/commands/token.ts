import { Audit } from '../admin/audit.ts'
import { Credentials, type ListedToken, type TokenRights } from '../admin/credentials.ts'
import { permissionNames, roles } from '../admin/permissions.ts'
import { HilumError } from '../errors.ts'
import { migrate } from '../store/database.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum token list [--json]
hilum token add NAME [--role ROLE | --may PERMISSION,…] [--expires TIME]
hilum token revoke ID

  list    the tokens, without their secrets
  add     make a token; the secret is printed this once
  revoke  take a token back, at once

  --role ROLE     what it may do: ${roles.join(', ')} (default: viewer)
  --may LIST      a scope instead: permissions as in docs/permissions.md
  --expires TIME  a date, a time (ISO 8601), or from now on as in 90d or 12h; without: never
  --json          as JSON
  --config FILE   the configuration file (default: config/hilum.yaml)

It works on the database, also while the node runs. Exit code 1 where it cannot be done.`

const options = {
  role: { type: 'string' },
  may: { type: 'string' },
  expires: { type: 'string' },
  json: { type: 'boolean' },
} as const
const actor = 'command line'

type Values = NonNullable<ReturnType<typeof readArguments<typeof options>>>['values']

/** `hilum token`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, options)
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, subject, ...more] = positionals
  if (what !== 'list' && what !== 'add' && what !== 'revoke') throw new UsageError('token: list, add or revoke', usage)
  if (more.length > 0 || (subject === undefined) !== (what === 'list'))
    throw new UsageError(`token ${what}: ${what === 'revoke' ? 'name one ID' : 'name one token'}`, usage)
  return await withDatabase(configOf(values), async (database) => {
    if (!database) throw new HilumError('no-database', 'there is no database yet: the first start makes it')
    await migrate(database)
    const credentials = new Credentials(database, { fixed: [] })
    if (what === 'list') return list(await credentials.listTokens(), values)
    const audit = new Audit(database)
    if (what === 'add') return await add(subject ?? '', values, { credentials, audit })
    return await revoke(subject ?? '', { credentials, audit })
  })
}

function list(tokens: readonly ListedToken[], values: Values): number {
  if (values.json) print(JSON.stringify(tokens, null, 2))
  else if (tokens.length === 0) print('there are no tokens')
  else for (const token of tokens) print(textOf(token))
  return 0
}

interface Parts {
  credentials: Credentials
  audit: Audit
}

async function add(name: string, values: Values, { credentials, audit }: Parts): Promise<number> {
  const made = { name, expiresAt: values.expires === undefined ? null : timeOf(values.expires), ...rightsOf(values) }
  const { id, token } = await credentials.createToken({ ...made, createdBy: actor })
  await audit.record({ actor, action: 'token-create', subject: name, outcome: 'success' })
  print(`token ${id}, ${name}, ${made.expiresAt === null ? 'for ever' : `until ${made.expiresAt}`}\n${token}`)
  return 0
}

async function revoke(id: string, { credentials, audit }: Parts): Promise<number> {
  const name = /^\d+$/.test(id) ? await credentials.revokeToken(Number(id)) : null
  if (name === null) throw new HilumError('token-unknown', `${id} is no ID of \`hilum token list\``)
  await audit.record({ actor, action: 'token-revoke', subject: name, outcome: 'success' })
  print(`revoked: ${name}`)
  return 0
}

function rightsOf({ role: name, may }: Values): TokenRights {
  if (name !== undefined && may !== undefined) throw new UsageError('token add: --role or --may, not both', usage)
  if (may === undefined) {
    const role = roles.find((one) => one === (name ?? 'viewer'))
    if (role === undefined) throw new UsageError(`token add: a role is ${roles.join(', ')}`, usage)
    return { role }
  }
  const named = may.split(',').map((one) => one.trim())
  const unknown = named.filter((one) => !permissionNames.some((known) => known === one))
  if (unknown.length > 0) throw new UsageError(`token add: ${unknown.join(', ')}: no such permission`, usage)
  return { permissions: permissionNames.filter((one) => named.includes(one)) }
}

const unitMs: Record<string, number> = { h: 3_600_000, d: 86_400_000 }

function timeOf(text: string): string {
  const [, number, unit = ''] = /^(\d{1,5})([hd])$/.exec(text) ?? []
  const at = number === undefined ? Date.parse(text) : Date.now() + Number(number) * (unitMs[unit] ?? 0)
  if (!Number.isFinite(at) || at <= Date.now())
    throw new UsageError(`token add: ${text} is no time to come, as in 2030-01-31, 90d or 12h`, usage)
  return new Date(at).toISOString()
}

function textOf({ id, name, role, permissions, expiresAt, lastUsedAt, createdBy }: ListedToken): string {
  const expiry = expiresAt === null ? 'for ever' : `until ${expiresAt}`
  const used = lastUsedAt === null ? 'never used' : `last used ${lastUsedAt}`
  const by = createdBy === null ? '' : `, made by ${createdBy}`
  return `${id}  ${name}  ${role ?? permissions.join(',')}  ${expiry}, ${used}${by}`
}
