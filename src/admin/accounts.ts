import { createHash, randomBytes, randomInt } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import type { Knex } from 'knex'
import { HilumError } from '../errors.ts'

/** What somebody may do: each role may do all that the ones before it may. */
export const roles = ['viewer', 'operator', 'administrator'] as const
export type Role = (typeof roles)[number]

/** True when a role may do what another one is needed for. */
export function allows(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed)
}

export interface User {
  id: number
  name: string
  role: Role
  mustChangePassword: boolean
}

export class AccountError extends HilumError<'weak-password' | 'wrong-password' | 'same-password'> {}

/** OWASP's recommendation for argon2id (algorithm 2; the package's enum is none at run time): 19 MiB, two passes, one lane. */
const argon2id = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

interface UserRow {
  id: number
  name: string
  password_hash: string
  role: Role
  must_change_password: number
}

/** The people who may log in, with their passwords as argon2id hashes. */
export class Accounts {
  readonly #knex: Knex
  readonly #now: () => Date
  #decoy: Promise<string> | null = null

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
    const oneTimePassword = randomPassword()
    await this.create({ name: 'admin', password: oneTimePassword, role: 'administrator', mustChangePassword: true })
    return { name: 'admin', oneTimePassword }
  }

  async create(user: { name: string; password: string; role: Role; mustChangePassword: boolean }): Promise<void> {
    await this.#knex('users').insert({
      name: user.name,
      password_hash: await hash(user.password, argon2id),
      role: user.role,
      must_change_password: user.mustChangePassword ? 1 : 0,
      created_at: this.#now().toISOString(),
    })
  }

  /** The user whose name and password these are, else null. Takes as long for a name that nobody has. */
  async authenticate(name: string, password: string): Promise<User | null> {
    const row = await this.#knex<UserRow>('users').where({ name }).first()
    this.#decoy ??= hash(randomBytes(16).toString('hex'), argon2id)
    const right = await verify(row?.password_hash ?? (await this.#decoy), password)
    return row && right ? toUser(row) : null
  }

  async get(id: number): Promise<User | null> {
    const row = await this.#knex<UserRow>('users').where({ id }).first()
    return row ? toUser(row) : null
  }

  async list(): Promise<{ name: string; role: Role; mustChangePassword: boolean; createdAt: string }[]> {
    const rows = await this.#knex<UserRow & { created_at: string }>('users').orderBy('name')
    return rows.map((row) => ({ ...withoutId(toUser(row)), createdAt: row.created_at }))
  }

  /**
   * Changes a password; every session of the user but the given one ends.
   * @throws AccountError `wrong-password`, `weak-password`, `same-password`
   */
  async changePassword(
    user: User,
    change: { current: string; next: string; keepSession: string | null },
  ): Promise<void> {
    if ((await this.authenticate(user.name, change.current)) === null)
      throw new AccountError('wrong-password', 'the current password is not right')
    if (change.next === change.current) throw new AccountError('same-password', 'the new password is the current one')
    if (change.next.length < 12 || change.next.toLowerCase().includes(user.name.toLowerCase()))
      throw new AccountError(
        'weak-password',
        'a password needs at least 12 characters, and must not contain the user name',
      )
    const password_hash = await hash(change.next, argon2id)
    await this.#knex.transaction(async (trx) => {
      await trx('users').where({ id: user.id }).update({ password_hash, must_change_password: 0 })
      const others = trx('sessions').where({ user_id: user.id })
      if (change.keepSession !== null) others.whereNot({ token_hash: change.keepSession })
      await others.delete()
    })
  }
}

function toUser(row: UserRow): User {
  return { id: row.id, name: row.name, role: row.role, mustChangePassword: row.must_change_password === 1 }
}

function withoutId({ name, role, mustChangePassword }: User) {
  return { name, role, mustChangePassword }
}

/** SHA-256 in hexadecimal: enough for random secrets, which nobody can guess; passwords get argon2id. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex')
}

/** A random secret of 256 bits, for tokens and cookies. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** 20 characters in groups that can be read aloud, from an alphabet without look-alikes: 98 bits. */
function randomPassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789'
  const letters = Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)])
  return [0, 5, 10, 15].map((start) => letters.slice(start, start + 5).join('')).join('-')
}
