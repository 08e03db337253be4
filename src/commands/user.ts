import { Accounts, type ListedUser } from '../admin/accounts.ts'
import { Audit } from '../admin/audit.ts'
import { type Role, roles } from '../admin/permissions.ts'
import { HilumError } from '../errors.ts'
import { migrate } from '../store/database.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum user list [--json]
hilum user add NAME --role ROLE
hilum user role NAME ROLE
hilum user reset NAME
hilum user disable NAME
hilum user enable NAME
hilum user remove NAME

  list     the users of the node, and when they last logged in
  add      add a user; the one-time password is printed this once
  role     give a user another role, from the next request on
  reset    give a user a one-time password, where the own is forgotten; the user's sessions end
  disable  let a user log in no more; the user's sessions end
  enable   again
  remove   remove a user; the audit keeps the name

  --role ROLE    ${roles.join(', ')}
  --json         as JSON
  --config FILE  the configuration file (default: config/hilum.yaml)

It works on the database, also while the node runs. Exit code 1 where it cannot be done.`

const options = { role: { type: 'string' }, json: { type: 'boolean' } } as const
const actor = 'command line'

interface Asked {
  accounts: Accounts
  audit: Audit
  name: string
  /** The second name: a role. */
  more: string | undefined
  values: { role?: string | undefined; json?: boolean | undefined }
}

/** `hilum user`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, options)
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what = '', name, more, ...rest] = positionals
  const act = Object.hasOwn(acts, what) ? acts[what] : undefined
  if (!act) throw new UsageError('user: list, add, role, reset, disable, enable or remove', usage)
  const names = what === 'list' ? 0 : what === 'role' ? 2 : 1
  if (positionals.length !== names + 1 || rest.length > 0)
    throw new UsageError(`user ${what}: ${names === 0 ? 'takes no name' : 'name one user'}`, usage)
  return await withDatabase(configOf(values), async (database) => {
    if (!database) throw new HilumError('no-database', 'there is no database yet: the first start makes it')
    await migrate(database)
    const asked = { accounts: new Accounts(database), audit: new Audit(database), name: name ?? '', more, values }
    return await act(asked)
  })
}

const acts: Record<string, (asked: Asked) => Promise<number>> = {
  async list({ accounts, values }) {
    const users = await accounts.list()
    if (values.json) print(JSON.stringify(users, null, 2))
    else for (const user of users) print(textOf(user))
    return 0
  },
  async add({ accounts, audit, name, values }) {
    const role = roleOf(values.role)
    const oneTimePassword = await accounts.add({ name, role })
    await audit.record({ actor, action: 'user-create', subject: `${name} ${role}`, outcome: 'success' })
    print(`added: ${name}, ${role}\none-time password: ${oneTimePassword}`)
    return 0
  },
  async role({ accounts, audit, name, more }) {
    const role = roleOf(more)
    await accounts.change(name, { role }, null)
    await audit.record({ actor, action: 'user-role', subject: `${name} ${role}`, outcome: 'success' })
    print(`${name}: ${role}`)
    return 0
  },
  async reset({ accounts, audit, name }) {
    const oneTimePassword = await accounts.resetPassword(name)
    await audit.record({ actor, action: 'user-password', subject: name, outcome: 'success' })
    print(`one-time password of ${name}: ${oneTimePassword}`)
    return 0
  },
  disable: (asked) => setDisabled(asked, true),
  enable: (asked) => setDisabled(asked, false),
  async remove({ accounts, audit, name }) {
    await accounts.remove(name, null)
    await audit.record({ actor, action: 'user-remove', subject: name, outcome: 'success' })
    print(`removed: ${name}`)
    return 0
  },
}

async function setDisabled({ accounts, audit, name }: Asked, disabled: boolean): Promise<number> {
  const done = disabled ? 'disabled' : 'enabled'
  await accounts.change(name, { disabled }, null)
  await audit.record({ actor, action: 'user-disable', subject: `${name} ${done}`, outcome: 'success' })
  print(`${done}: ${name}`)
  return 0
}

function roleOf(text: string | undefined): Role {
  const role = roles.find((one) => one === text)
  if (role === undefined) throw new UsageError(`user: a role is ${roles.join(', ')}`, usage)
  return role
}

function textOf({ name, role, kind, disabled, mustChangePassword, lastLoginAt }: ListedUser): string {
  const remarks = [
    ...(kind === 'oidc' ? ['of the OpenID provider'] : []),
    ...(disabled ? ['disabled'] : []),
    ...(mustChangePassword ? ['has a one-time password'] : []),
    lastLoginAt === null ? 'never logged in' : `last login ${lastLoginAt}`,
  ]
  return `${name}  ${role}  ${remarks.join(', ')}`
}
