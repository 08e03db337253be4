import { afterEach, beforeEach, expect, it } from 'vitest'
import { Accounts } from '../../src/admin/accounts.ts'
import { Credentials } from '../../src/admin/credentials.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

/** Users, their sessions, and tokens, on any database. */
export function accountsCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let accounts: Accounts
  let credentials: Credentials
  let now: Date
  beforeEach(async () => {
    store = await open()
    now = new Date('2026-03-01T10:00:00.000Z')
    accounts = new Accounts(store.database, () => now)
    credentials = new Credentials(store.database, { fixed: [], now: () => now, sessionIdle: 600_000 })
    await accounts.createFirstUser()
  })
  afterEach(() => store.dispose())

  const session = async (name: string, password: string) => {
    const user = await accounts.authenticate(name, password)
    if (!user) throw new Error('the password is not right')
    return await credentials.sessions.open(user, { address: '10.0.0.1', agent: 'a browser' })
  }

  it('gives a new user a one-time password, and a forgotten one another, which ends the sessions', async () => {
    const first = await accounts.add({ name: 'anna', role: 'radiologist' })
    const cookie = await session('anna', first)
    expect((await credentials.identifySession(cookie))?.user).toMatchObject({ name: 'anna', mustChangePassword: true })
    const second = await accounts.resetPassword('anna')
    expect(await credentials.identifySession(cookie)).toBeNull()
    expect(await accounts.authenticate('anna', first)).toBeNull()
    expect(await accounts.authenticate('anna', second)).not.toBeNull()
    await expect(accounts.add({ name: 'anna', role: 'viewer' })).rejects.toMatchObject({ code: 'user-exists' })
  })

  it('changes a role from the next request on, and lets a disabled user in no more', async () => {
    const cookie = await session('anna', await accounts.add({ name: 'anna', role: 'viewer' }))
    await accounts.change('anna', { role: 'operator' }, 'admin')
    const identity = await credentials.identifySession(cookie)
    expect([identity?.role, identity?.permissions.has('queue.act')]).toEqual(['operator', true])
    await accounts.change('anna', { disabled: true }, 'admin')
    expect(await credentials.identifySession(cookie)).toBeNull()
    await accounts.change('anna', { disabled: false }, 'admin')
    expect(await credentials.identifySession(cookie)).toBeNull()
  })

  it('never leaves the node without an administrator, and lets nobody do away with themselves', async () => {
    const last = { code: 'last-administrator' }
    await expect(accounts.remove('admin', null)).rejects.toMatchObject(last)
    await expect(accounts.change('admin', { role: 'viewer' }, null)).rejects.toMatchObject(last)
    await expect(accounts.change('admin', { disabled: true }, null)).rejects.toMatchObject(last)
    await expect(accounts.remove('admin', 'admin')).rejects.toMatchObject({ code: 'oneself' })
    await expect(accounts.change('admin', { role: 'viewer' }, 'admin')).rejects.toMatchObject({ code: 'oneself' })
    await accounts.add({ name: 'berta', role: 'administrator' })
    const both = await Promise.allSettled([accounts.remove('admin', null), accounts.remove('berta', null)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(accounts.remove('nobody', null)).rejects.toMatchObject({ code: 'user-unknown' })
  })

  it('lists who is logged in, and ends a session by its id', async () => {
    const password = await accounts.add({ name: 'anna', role: 'viewer' })
    const cookies = [await session('anna', password), await session('anna', password)]
    const listed = await credentials.sessions.list({ user: 'anna', current: null })
    expect(listed).toHaveLength(2)
    expect(listed[0]).toMatchObject({ user: 'anna', address: '10.0.0.1', agent: 'a browser', current: false })
    for (const cookie of cookies) expect(JSON.stringify(await store.database('sessions'))).not.toContain(cookie)
    const other = await accounts.authenticate('anna', password)
    expect(await credentials.sessions.end(listed[0]?.id ?? '', { id: (other?.id ?? 0) + 100 })).toBeNull()
    expect(await credentials.sessions.end(listed[0]?.id ?? '')).toBe('anna')
    const left = await Promise.all(cookies.map((cookie) => credentials.identifySession(cookie)))
    expect(left.filter((identity) => identity === null)).toHaveLength(1)
  })

  it('ends a session that is not used, and one that is used for too long', async () => {
    const cookie = await session('anna', await accounts.add({ name: 'anna', role: 'viewer' }))
    const after = async (minutes: number) => {
      now = new Date(now.getTime() + minutes * 60_000)
      return (await credentials.identifySession(cookie)) !== null
    }
    expect(await after(9)).toBe(true)
    expect(await after(9)).toBe(true)
    expect(await after(10)).toBe(false)
    const used = await session('anna', await accounts.resetPassword('anna'))
    for (let i = 0; i < 79; i++) {
      now = new Date(now.getTime() + 9 * 60_000)
      expect(await credentials.identifySession(used)).not.toBeNull()
    }
    now = new Date(now.getTime() + 9 * 60_000)
    expect(await credentials.identifySession(used)).toBeNull()
  })

  it('makes tokens with a scope, that expire and are revoked', async () => {
    const expiresAt = '2026-03-02T00:00:00Z'
    const made = await credentials.createToken({
      name: 'pacs',
      permissions: ['studies.read'],
      expiresAt,
      createdBy: 'user:admin',
    })
    const identity = await credentials.identifyToken(made.token)
    expect([identity?.actor, identity?.role, [...(identity?.permissions ?? [])]]).toEqual([
      'token:pacs',
      null,
      ['studies.read'],
    ])
    expect(await credentials.listTokens()).toEqual([
      {
        id: made.id,
        name: 'pacs',
        role: null,
        permissions: ['studies.read'],
        createdBy: 'user:admin',
        createdAt: now.toISOString(),
        expiresAt: '2026-03-02T00:00:00.000Z',
        lastUsedAt: now.toISOString(),
      },
    ])
    now = new Date('2026-03-02T00:00:00.000Z')
    expect(await credentials.identifyToken(made.token)).toBeNull()
    const other = await credentials.createToken({ name: 'ris', role: 'viewer', expiresAt: null })
    expect(await credentials.revokeToken(other.id)).toBe('ris')
    expect(await credentials.identifyToken(other.token)).toBeNull()
  })

  it('knows a user of the provider again, takes the role from there, and gives no password', async () => {
    const anna = { issuer: 'https://op.example', subject: '42', name: 'anna', role: 'viewer' as const }
    const first = await accounts.provided(anna)
    const again = await accounts.provided({ ...anna, name: 'anna.b', role: 'radiologist' })
    expect(again).toEqual({ ...first, name: 'anna.b', role: 'radiologist' })
    expect(await accounts.authenticate('anna.b', '')).toBeNull()
    await expect(accounts.resetPassword('anna.b')).rejects.toMatchObject({ code: 'user-of-provider' })
    await expect(accounts.change('anna.b', { role: 'viewer' }, 'admin')).rejects.toMatchObject({
      code: 'user-of-provider',
    })
    // Whoever takes an administrator's name at the provider is not the administrator of this node.
    await expect(accounts.provided({ ...anna, subject: '43', name: 'admin' })).rejects.toMatchObject({
      code: 'user-exists',
    })
    await accounts.change('anna.b', { disabled: true }, 'admin')
    await expect(accounts.provided(anna)).rejects.toMatchObject({ code: 'user-disabled' })
  })
}
