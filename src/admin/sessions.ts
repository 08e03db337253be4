import { randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import type { User } from './accounts.ts'
import { randomSecret, secretHash } from './passwords.ts'
import type { Role } from './permissions.ts'

export interface SessionTimes {
  /** Milliseconds from the login on. Default: a working day. */
  sessionLifetime: number | undefined
  /** Milliseconds without a request. Default: as long as the session lasts. */
  sessionIdle: number | undefined
}

const workingDay = 12 * 3600 * 1000
/** How exactly it is known when a session was last used, in milliseconds: a write for every request would be too many. */
const lastSeenEvery = 30_000

/** Whence a session is opened, and the OpenID provider's part of it. */
export interface SessionOrigin {
  address?: string | undefined
  agent?: string | undefined
  oidcSid?: string | undefined
  idToken?: string | undefined
}

export interface ListedSession {
  /** Names the session to people; the cookie cannot be had from it. */
  id: string
  user: string
  createdAt: string
  lastSeenAt: string
  expiresAt: string
  address: string | null
  agent: string | null
  current: boolean
}

interface SessionRow {
  token_hash: string
  user_id: number
  created_at: string
  expires_at: string
  handle: string
  last_seen_at: string
  address: string | null
  agent: string | null
  id_token: string | null
}

/** Logins that last; the cookies are kept as hashes only. */
export class Sessions {
  readonly #knex: Knex
  readonly #now: () => Date
  readonly #idle: number

  /** How long a session lasts, in milliseconds. */
  readonly lifetime: number

  constructor(knex: Knex, times: Partial<SessionTimes>, now: () => Date) {
    this.#knex = knex
    this.#now = now
    this.lifetime = times.sessionLifetime ?? workingDay
    this.#idle = Math.min(times.sessionIdle ?? this.lifetime, this.lifetime)
  }

  /** Opens a session, and forgets the expired ones. @returns the cookie's value */
  async open(user: Pick<User, 'id'>, origin: SessionOrigin = {}): Promise<string> {
    const cookie = randomSecret()
    const now = this.#now()
    await this.#alive(this.#knex('sessions'), { not: true }).delete()
    await this.#knex('sessions').insert({
      token_hash: secretHash(cookie),
      user_id: user.id,
      created_at: now.toISOString(),
      expires_at: new Date(now.getTime() + this.lifetime).toISOString(),
      handle: randomBytes(12).toString('hex'),
      last_seen_at: now.toISOString(),
      address: origin.address?.slice(0, 64) ?? null,
      agent: origin.agent?.slice(0, 255) ?? null,
      oidc_sid: origin.oidcSid?.slice(0, 255) ?? null,
      id_token: origin.idToken ?? null,
    })
    return cookie
  }

  /** Whose session a cookie is; `session` is its hash. */
  async find(cookie: string): Promise<{ user: User; session: string } | null> {
    const session = secretHash(cookie)
    const row = await this.#alive(
      this.#knex('sessions').join('users', 'users.id', 'sessions.user_id').where({ token_hash: session }),
    )
      .where('users.disabled', 0)
      .first<Found | undefined>('users.id', 'users.name', 'users.role', 'users.must_change_password', 'last_seen_at')
    if (!row) return null
    const now = this.#now()
    if (now.getTime() - Date.parse(row.last_seen_at) > lastSeenEvery)
      await this.#knex('sessions').where({ token_hash: session }).update({ last_seen_at: now.toISOString() })
    const { id, name, role } = row
    return { user: { id, name, role, mustChangePassword: row.must_change_password === 1 }, session }
  }

  /** Sessions that last, the last used first; of one user where a name is given. */
  async list(of: { user?: string | undefined; current: string | null }): Promise<ListedSession[]> {
    const sessions = this.#alive(this.#knex('sessions').join('users', 'users.id', 'sessions.user_id'))
    if (of.user !== undefined) sessions.where('users.name', of.user)
    const rows: (SessionRow & { user: string })[] = await sessions
      .orderBy('last_seen_at', 'desc')
      .select('sessions.*', 'users.name as user')
    return rows.map((row) => ({
      id: row.handle,
      user: row.user,
      createdAt: row.created_at,
      lastSeenAt: row.last_seen_at,
      expiresAt: row.expires_at,
      address: row.address,
      agent: row.agent,
      current: row.token_hash === of.current,
    }))
  }

  /** @returns the ID token that the provider gave for it, where it came from one */
  async close(session: string): Promise<string | null> {
    const row = await this.#knex<SessionRow>('sessions').where({ token_hash: session }).first()
    await this.#knex('sessions').where({ token_hash: session }).delete()
    return row?.id_token ?? null
  }

  /**
   * Ends a session by its id.
   * @param of ends it only where it belongs to this user
   * @returns whose it was, or null where there is none
   */
  async end(id: string, of?: Pick<User, 'id'>): Promise<string | null> {
    const found = await this.#knex('sessions')
      .join('users', 'users.id', 'sessions.user_id')
      .where({ handle: id, ...(of && { user_id: of.id }) })
      .first<{ name: string } | undefined>('users.name')
    if (!found) return null
    await this.#knex('sessions').where({ handle: id }).delete()
    return found.name
  }

  /** Ends what belongs to a session, or else a user, of an OpenID provider. @returns how many */
  async endProvided({ issuer, sid, subject }: { issuer: string; sid?: string; subject?: string }): Promise<number> {
    const users = this.#knex('users').where({ oidc_issuer: issuer }).select('id')
    if (subject !== undefined) users.where({ oidc_subject: subject })
    const sessions = this.#knex('sessions').whereIn('user_id', users)
    if (sid !== undefined) sessions.where({ oidc_sid: sid })
    return await sessions.delete()
  }

  #alive(sessions: Knex.QueryBuilder, { not = false } = {}): Knex.QueryBuilder {
    const now = this.#now()
    const seenSince = new Date(now.getTime() - this.#idle).toISOString()
    if (not) return sessions.where('expires_at', '<=', now.toISOString()).orWhere('last_seen_at', '<=', seenSince)
    return sessions.where('expires_at', '>', now.toISOString()).where('last_seen_at', '>', seenSince)
  }
}

interface Found {
  id: number
  name: string
  role: Role
  must_change_password: number
  last_seen_at: string
}
