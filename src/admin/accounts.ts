import type { Knex } from 'knex'
import { HilumError } from '../errors.ts'
import { isPassword, passwordHash, randomPassword, weaknessOf } from './passwords.ts'
import type { Role } from './permissions.ts'

export { randomSecret, secretHash } from './passwords.ts'

export interface User {
  id: number
  name: string
  role: Role
  mustChangePassword: boolean
}

/** A user as lists show it. */
export interface ListedUser extends User {
  /** local: with a password here; oidc: logs in at the OpenID provider. */
  kind: 'local' | 'oidc'
  disabled: boolean
  createdAt: string
  lastLoginAt: string | null
}

/** What a provider says of somebody who has logged in there. */
export interface ProvidedUser {
  issuer: string
  subject: string
  name: string
  role: Role
}

export class AccountError extends HilumError<
  | 'weak-password'
  | 'wrong-password'
  | 'same-password'
  | 'user-exists'
  | 'user-unknown'
  | 'user-disabled'
  | 'user-of-provider'
  | 'last-administrator'
  | 'oneself'
  | 'name-reserved'
> {}

interface UserRow {
  id: number
  name: string
  password_hash: string
  role: Role
  must_change_password: number
  kind: 'local' | 'oidc'
  oidc_issuer: string | null
  oidc_subject: string | null
  disabled: number
  created_at: string
  last_login_at: string | null
}

/** The people who may log in; those of this node with their passwords as argon2id hashes. */
export class Accounts {
  readonly #knex: Knex
  readonly #now: () => Date

  constructor(knex: Knex, now: () => Date = () => new Date()) {
    this.#knex = knex
    this.#now = now
  }

  /**
   * Creates the user `admin` when there is no user yet.
   * @returns the one-time password, which is kept nowhere else: print it; null where there are users already
   */
  async createFirstUser(): Promise<{ name: string; oneTimePassword: string } | null> {
    const existing = await this.#knex('users').first('id')
    if (existing) return null
    return { name: 'admin', oneTimePassword: await this.add({ name: 'admin', role: 'administrator' }) }
  }

  /**
   * Adds a user.
   * @returns the one-time password, which is kept nowhere else
   * @throws AccountError `user-exists`
   */
  async add({ name, role }: { name: string; role: Role }): Promise<string> {
    const oneTimePassword = randomPassword()
    await this.create({ name, password: oneTimePassword, role, mustChangePassword: true })
    return oneTimePassword
  }

  /** @throws AccountError `user-exists` */
  async create(user: { name: string; password: string; role: Role; mustChangePassword: boolean }): Promise<void> {
    await this.#insert({
      name: user.name,
      password_hash: await passwordHash(user.password),
      role: user.role,
      must_change_password: user.mustChangePassword ? 1 : 0,
    })
  }

  async #insert(row: Partial<UserRow> & { name: string }): Promise<void> {
    if (await this.#byName(row.name)) throw new AccountError('user-exists', 'there is a user of that name')
    await this.#knex('users').insert({ ...row, created_at: this.#now().toISOString() })
  }

  /** The user whose name and password these are, else null. Takes as long for a name that nobody has. */
  async authenticate(name: string, password: string): Promise<User | null> {
    const row = await this.#byName(name)
    const known = row?.kind === 'local' && row.disabled === 0 ? row : null
    return (await isPassword(password, known?.password_hash ?? null)) && known ? toUser(known) : null
  }

  /**
   * The user that a provider vouches for: added at the first login, with the role that the provider gives from then on.
   * @throws AccountError `user-disabled`, or `user-exists` where the name belongs to another user
   */
  async provided({ issuer, subject, name, role }: ProvidedUser): Promise<User> {
    const found = await this.#knex<UserRow>('users').where({ oidc_issuer: issuer, oidc_subject: subject }).first()
    if (found?.disabled === 1) throw new AccountError('user-disabled', 'the user is disabled on this node')
    // Whoever reads the audit takes Admin for admin.
    const others = await this.#knex<UserRow>('users').whereRaw('lower(name) = lower(?)', name).select('id')
    if (others.some(({ id }) => id !== found?.id))
      throw new AccountError('user-exists', 'another user of this node has the name that the provider gives')
    if (found) await this.#knex('users').where({ id: found.id }).update({ name, role })
    else await this.#insert({ name, role, kind: 'oidc', oidc_issuer: issuer, oidc_subject: subject, password_hash: '' })
    const row = await this.#byName(name)
    if (!row) throw new AccountError('user-unknown', 'the user was removed meanwhile')
    return toUser(row)
  }

  /** Remembers that a user has logged in now. */
  async loggedIn({ id }: Pick<User, 'id'>): Promise<void> {
    await this.#knex('users').where({ id }).update({ last_login_at: this.#now().toISOString() })
  }

  async get(id: number): Promise<User | null> {
    const row = await this.#knex<UserRow>('users').where({ id }).first()
    return row ? toUser(row) : null
  }

  async list(): Promise<ListedUser[]> {
    const rows = await this.#knex<UserRow>('users').orderBy('name')
    return rows.map((row) => ({
      ...toUser(row),
      kind: row.kind,
      disabled: row.disabled === 1,
      createdAt: row.created_at,
      lastLoginAt: row.last_login_at,
    }))
  }

  /**
   * Changes a role, or disables a user, whose sessions end then.
   * @param by the user who does it
   * @throws AccountError `user-unknown`, `last-administrator`, `oneself`, `user-of-provider`
   */
  async change(name: string, change: { role?: Role; disabled?: boolean }, by: string | null): Promise<ListedUser> {
    const row = await this.#known(name)
    if (name === by) throw new AccountError('oneself', 'nobody changes their own role, or disables themselves')
    if (change.role !== undefined && row.kind === 'oidc')
      throw new AccountError('user-of-provider', 'the role comes from the OpenID provider at every login')
    await this.#knex.transaction(async (transaction) => {
      await transaction('users')
        .where({ id: row.id })
        .update({
          ...(change.role !== undefined && { role: change.role }),
          ...(change.disabled !== undefined && { disabled: change.disabled ? 1 : 0 }),
        })
      await keepAnAdministrator(transaction)
      if (change.disabled === true) await transaction('sessions').where({ user_id: row.id }).delete()
    })
    return (await this.list()).find((user) => user.id === row.id) as ListedUser
  }

  /**
   * Gives a user a one-time password; the user's sessions end.
   * @returns the password, which is kept nowhere else
   * @throws AccountError `user-unknown`, `user-of-provider`
   */
  async resetPassword(name: string): Promise<string> {
    const row = await this.#known(name)
    if (row.kind === 'oidc') throw new AccountError('user-of-provider', 'the password belongs to the OpenID provider')
    const oneTimePassword = randomPassword()
    const password_hash = await passwordHash(oneTimePassword)
    await this.#knex.transaction(async (transaction) => {
      await transaction('users').where({ id: row.id }).update({ password_hash, must_change_password: 1 })
      await transaction('sessions').where({ user_id: row.id }).delete()
    })
    return oneTimePassword
  }

  /**
   * Removes a user, whose sessions end.
   * @param by the user who does it
   * @throws AccountError `user-unknown`, `last-administrator`, `oneself`
   */
  async remove(name: string, by: string | null): Promise<void> {
    const row = await this.#known(name)
    if (name === by) throw new AccountError('oneself', 'nobody removes themselves')
    await this.#knex.transaction(async (transaction) => {
      await transaction('sessions').where({ user_id: row.id }).delete()
      await transaction('users').where({ id: row.id }).delete()
      await keepAnAdministrator(transaction)
    })
  }

  /**
   * Changes a password; every session of the user but the given one ends.
   * @throws AccountError `wrong-password`, `weak-password`, `same-password`, `user-of-provider`
   */
  async changePassword(
    user: User,
    change: { current: string; next: string; keepSession: string | null },
  ): Promise<void> {
    const row = await this.#known(user.name)
    if (row.kind === 'oidc') throw new AccountError('user-of-provider', 'the password belongs to the OpenID provider')
    if ((await this.authenticate(user.name, change.current)) === null)
      throw new AccountError('wrong-password', 'the current password is not right')
    if (change.next === change.current) throw new AccountError('same-password', 'the new password is the current one')
    const weakness = weaknessOf(change.next, user.name)
    if (weakness !== null) throw new AccountError('weak-password', weakness)
    const password_hash = await passwordHash(change.next)
    await this.#knex.transaction(async (transaction) => {
      await transaction('users').where({ id: user.id }).update({ password_hash, must_change_password: 0 })
      const others = transaction('sessions').where({ user_id: user.id })
      if (change.keepSession !== null) others.whereNot({ token_hash: change.keepSession })
      await others.delete()
    })
  }

  async #byName(name: string): Promise<UserRow | undefined> {
    return await this.#knex<UserRow>('users').where({ name }).first()
  }

  async #known(name: string): Promise<UserRow> {
    const row = await this.#byName(name)
    if (!row) throw new AccountError('user-unknown', 'there is no user of that name')
    return row
  }
}

/** Within the transaction, so that two removals at once do not leave nobody. @throws AccountError `last-administrator` */
async function keepAnAdministrator(transaction: Knex.Transaction): Promise<void> {
  const left = transaction('users').where({ role: 'administrator', disabled: 0 }).select('id')
  const rows = transaction.client.config.client === 'pg' ? await left.forUpdate() : await left
  if (rows.length === 0) throw new AccountError('last-administrator', 'somebody has to be administrator')
}

function toUser(row: UserRow): User {
  return { id: row.id, name: row.name, role: row.role, mustChangePassword: row.must_change_password === 1 }
}
