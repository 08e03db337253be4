import { timingSafeEqual } from 'node:crypto'
import type { Knex } from 'knex'
import type { Role, User } from './accounts.ts'
import { randomSecret, secretHash } from './accounts.ts'

/** Who speaks: a person's session, a token of the database, or one of the node's own fixed tokens. */
export interface Identity {
  /** As the audit names it: `user:admin`, `token:pacs`, `token:bootstrap`. */
  actor: string
  role: Role
  /** The session's user; null for tokens. */
  user: User | null
  /** The hash of the session's cookie; null for tokens. */
  session: string | null
}

export interface FixedToken {
  name: string
  token: string
  role: Role
}

/** How long a session lasts where nothing else is said, in milliseconds: a working day. */
const workingDay = 12 * 3600 * 1000

export interface CredentialsOptions {
  /** Tokens that live outside the database: the bootstrap token of the settings, the node's own. */
  fixed: readonly FixedToken[]
  /** Milliseconds. */
  sessionLifetime?: number | undefined
  now?: (() => Date) | undefined
}

interface TokenRow {
  id: number
  name: string
  token_hash: string
  role: Role
  created_at: string
  expires_at: string | null
  last_used_at: string | null
}

/** Sessions and tokens: secrets that are kept as hashes only. */
export class Credentials {
  readonly #knex: Knex
  readonly #now: () => Date
  readonly #fixed: { hash: Buffer; identity: Identity }[]

  /** How long a session lasts, in milliseconds. */
  readonly sessionLifetime: number

  constructor(knex: Knex, { fixed, sessionLifetime, now }: CredentialsOptions) {
    this.#knex = knex
    this.sessionLifetime = sessionLifetime ?? workingDay
    this.#now = now ?? (() => new Date())
    this.#fixed = fixed.map(({ name, token, role }) => ({
      hash: Buffer.from(secretHash(token)),
      identity: { actor: `token:${name}`, role, user: null, session: null },
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
    return { actor: `token:${row.name}`, role: row.role, user: null, session: null }
  }

  /** Whose session a cookie is, or null where it is unknown or has expired. */
  async identifySession(cookie: string): Promise<Identity | null> {
    const session = secretHash(cookie)
    const row = await this.#knex('sessions')
      .join('users', 'users.id', 'sessions.user_id')
      .where({ token_hash: session })
      .where('expires_at', '>', this.#now().toISOString())
      .first<{ id: number; name: string; role: Role; must_change_password: number } | undefined>(
        'users.id',
        'users.name',
        'users.role',
        'users.must_change_password',
      )
    if (!row) return null
    const user: User = {
      id: row.id,
      name: row.name,
      role: row.role,
      mustChangePassword: row.must_change_password === 1,
    }
    return { actor: `user:${user.name}`, role: user.role, user, session }
  }

  /** Opens a session, and forgets the expired ones. @returns the cookie's value */
  async openSession(user: User): Promise<string> {
    const cookie = randomSecret()
    const now = this.#now()
    await this.#knex('sessions').where('expires_at', '<=', now.toISOString()).delete()
    await this.#knex('sessions').insert({
      token_hash: secretHash(cookie),
      user_id: user.id,
      created_at: now.toISOString(),
      expires_at: new Date(now.getTime() + this.sessionLifetime).toISOString(),
    })
    return cookie
  }

  async closeSession(session: string): Promise<void> {
    await this.#knex('sessions').where({ token_hash: session }).delete()
  }

  /** Makes a token. @returns its id and the secret, which is kept nowhere else */
  async createToken(token: {
    name: string
    role: Role
    expiresAt: string | null
  }): Promise<{ id: number; token: string }> {
    const secret = `hilum_${randomSecret()}`
    const [row] = await this.#knex('tokens')
      .insert({
        name: token.name,
        token_hash: secretHash(secret),
        role: token.role,
        created_at: this.#now().toISOString(),
        expires_at: token.expiresAt,
      })
      .returning<{ id: number }[]>('id')
    return { id: row?.id ?? 0, token: secret }
  }

  async listTokens() {
    const rows = await this.#knex<TokenRow>('tokens').orderBy('id')
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      role: row.role,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      lastUsedAt: row.last_used_at,
    }))
  }

  /** Revokes a token. @returns its name, or null where there is no such token */
  async revokeToken(id: number): Promise<string | null> {
    const row = await this.#knex<TokenRow>('tokens').where({ id }).first()
    if (!row) return null
    await this.#knex('tokens').where({ id }).delete()
    return row.name
  }
}
