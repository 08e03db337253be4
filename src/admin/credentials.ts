import { timingSafeEqual } from 'node:crypto'
import type { Knex } from 'knex'
import type { User } from './accounts.ts'
import { AccountError } from './accounts.ts'
import { randomSecret, secretHash } from './passwords.ts'
import type { Permission, Role } from './permissions.ts'
import { permissionNames, permissionsOf } from './permissions.ts'
import type { SessionTimes } from './sessions.ts'
import { Sessions } from './sessions.ts'

/** Who speaks: a person's session, a token of the database, or one of the node's own fixed tokens. */
export interface Identity {
  /** As the audit names it: `user:admin`, `token:pacs`, `token:bootstrap`. */
  actor: string
  /** null for a token with a scope of its own. */
  role: Role | null
  permissions: ReadonlySet<Permission>
  /** The session's user; null for tokens. */
  user: User | null
  /** The hash of the session's cookie; null for tokens. */
  session: string | null
}

/** What a token may do: what a role may, or a scope of its own. */
export type TokenRights = { role: Role } | { permissions: readonly Permission[] }

export type FixedToken = { name: string; token: string } & TokenRights

/** What the audit calls the tokens that live outside the database: nobody else is called so. */
const reservedNames: ReadonlySet<string> = new Set(['self', 'bootstrap'])

export interface CredentialsOptions extends Partial<SessionTimes> {
  /** Tokens that live outside the database: the bootstrap token of the settings, the node's own. */
  fixed: readonly FixedToken[]
  now?: (() => Date) | undefined
}

interface TokenRow {
  id: number
  name: string
  token_hash: string
  /** '' for a scope of its own. */
  role: Role | ''
  permissions: string | null
  created_by: string | null
  created_at: string
  expires_at: string | null
  last_used_at: string | null
}

export interface ListedToken {
  id: number
  name: string
  role: Role | null
  permissions: Permission[]
  createdBy: string | null
  createdAt: string
  expiresAt: string | null
  lastUsedAt: string | null
}

/** Sessions and tokens: secrets that are kept as hashes only. */
export class Credentials {
  readonly #knex: Knex
  readonly #now: () => Date
  readonly #fixed: { hash: Buffer; identity: Identity }[]
  readonly sessions: Sessions

  constructor(knex: Knex, { fixed, now, ...times }: CredentialsOptions) {
    this.#knex = knex
    this.#now = now ?? (() => new Date())
    this.sessions = new Sessions(knex, times, this.#now)
    this.#fixed = fixed.map(({ name, token, ...rights }) => ({
      hash: Buffer.from(secretHash(token)),
      identity: tokenIdentity(name, rights),
    }))
  }

  /** Whose token this is, or null where it is unknown or has expired. */
  async identifyToken(token: string): Promise<Identity | null> {
    const hash = secretHash(token)
    const fixed = this.#fixed.find((known) => timingSafeEqual(known.hash, Buffer.from(hash)))
    if (fixed) return fixed.identity
    const row = await this.#knex<TokenRow>('tokens').where({ token_hash: hash }).first()
    const now = this.#now().toISOString()
    if (!row || (row.expires_at !== null && row.expires_at <= now)) return null
    // Once a minute is exact enough, and spares the database a write with every request.
    if (row.last_used_at === null || Date.parse(now) - Date.parse(row.last_used_at) > 60_000)
      await this.#knex<TokenRow>('tokens').where({ id: row.id }).update({ last_used_at: now })
    return tokenIdentity(row.name, rightsOf(row))
  }

  /** Whose session a cookie is, or null where it is unknown, has expired, or its user may not log in any more. */
  async identifySession(cookie: string): Promise<Identity | null> {
    const found = await this.sessions.find(cookie)
    if (!found) return null
    const { user, session } = found
    return { actor: `user:${user.name}`, role: user.role, permissions: permissionsOf(user.role), user, session }
  }

  /**
   * Makes a token.
   * @param token `expiresAt` in ISO 8601, UTC
   * @returns its id and the secret, which is kept nowhere else
   * @throws AccountError `name-reserved`
   */
  async createToken(
    token: { name: string; expiresAt: string | null; createdBy?: string } & TokenRights,
  ): Promise<{ id: number; token: string }> {
    if (reservedNames.has(token.name))
      throw new AccountError('name-reserved', `the node itself has a token that is called ${token.name}`)
    const secret = `hilum_${randomSecret()}`
    const [row] = await this.#knex('tokens')
      .insert({
        name: token.name,
        token_hash: secretHash(secret),
        role: 'role' in token ? token.role : '',
        permissions: 'role' in token ? null : JSON.stringify(token.permissions),
        created_by: token.createdBy ?? null,
        created_at: this.#now().toISOString(),
        // Compared as text: all times have milliseconds.
        expires_at: token.expiresAt === null ? null : new Date(token.expiresAt).toISOString(),
      })
      .returning<{ id: number }[]>('id')
    return { id: row?.id ?? 0, token: secret }
  }

  async listTokens(): Promise<ListedToken[]> {
    const rows = await this.#knex<TokenRow>('tokens').orderBy('id')
    return rows.map((row) => {
      const { role, permissions } = tokenIdentity(row.name, rightsOf(row))
      return {
        id: row.id,
        name: row.name,
        role,
        permissions: [...permissions],
        createdBy: row.created_by,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
        lastUsedAt: row.last_used_at,
      }
    })
  }

  /** Revokes a token. @returns its name, or null where there is no such token */
  async revokeToken(id: number): Promise<string | null> {
    const row = await this.#knex<TokenRow>('tokens').where({ id }).first()
    if (!row) return null
    await this.#knex('tokens').where({ id }).delete()
    return row.name
  }
}

function rightsOf(row: TokenRow): TokenRights {
  if (row.permissions === null && row.role !== '') return { role: row.role }
  const named = new Set(JSON.parse(row.permissions ?? '[]') as string[])
  // A permission that a later version no longer has is none.
  return { permissions: permissionNames.filter((permission) => named.has(permission)) }
}

function tokenIdentity(name: string, rights: TokenRights): Identity {
  const role = 'role' in rights ? rights.role : null
  const permissions = 'role' in rights ? permissionsOf(rights.role) : new Set(rights.permissions)
  return { actor: `token:${name}`, role, permissions, user: null, session: null }
}
