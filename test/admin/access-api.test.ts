import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { permissionsOf } from '../../src/admin/permissions.ts'
import { RunningApp } from './running-app.ts'

let app: RunningApp
const password = 'a password of my own'

beforeEach(async () => {
  app = await new RunningApp().start()
  await app.auth.accounts.create({ name: 'admin', password, role: 'administrator', mustChangePassword: false })
})
afterEach(() => app.stop())

/** What a browser sends that has logged in. */
async function browser(name: string, secret = password) {
  const headers = { 'sec-fetch-site': 'same-origin', 'user-agent': 'a browser' }
  const answer = await app.post('/api/session', { name, password: secret }, { token: null, headers })
  expect(answer.status).toBe(200)
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return { token: null, headers: { ...headers, cookie } }
}

const json = async <T>(answer: Response | Promise<Response>) => (await (await answer).json()) as T
const put = (where: string, body: unknown, init: Parameters<RunningApp['fetch']>[1] = {}) =>
  app.fetch(where, { ...init, method: 'PUT', body: JSON.stringify(body) })

describe('users', () => {
  it('are added with a one-time password, changed, disabled and removed', async () => {
    const made = await app.post('/api/users', { name: 'anna', role: 'radiologist' })
    const { oneTimePassword } = await json<{ oneTimePassword: string }>(made)
    expect([made.status, oneTimePassword]).toEqual([201, expect.stringMatching(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/)])
    expect((await app.post('/api/users', { name: 'anna', role: 'viewer' })).status).toBe(409)
    const anna = await browser('anna', oneTimePassword)
    expect(await json(app.fetch('/api/session', anna))).toMatchObject({
      node: 'HILUM',
      role: 'radiologist',
      mustChangePassword: true,
    })
    expect(await json(app.fetch('/api/feedback', anna))).toMatchObject({ code: 'password-change-needed' })
    expect((await app.post('/api/session/password', { current: oneTimePassword, next: password }, anna)).status).toBe(
      204,
    )
    expect((await app.fetch('/api/feedback', anna)).status).toBe(200)
    expect((await put('/api/users/anna/role', { role: 'operator' })).status).toBe(200)
    expect((await app.fetch('/api/feedback', anna)).status).toBe(403)
    const { users } = await json<{ users: Record<string, unknown>[] }>(app.fetch('/api/users'))
    expect(users.find(({ name }) => name === 'anna')).toMatchObject({
      role: 'operator',
      kind: 'local',
      disabled: false,
      lastLoginAt: expect.stringMatching(/^\d{4}-/),
    })
    expect((await put('/api/users/anna/disabled', { disabled: true })).status).toBe(200)
    expect((await app.fetch('/api/studies', anna)).status).toBe(401)
    expect((await app.post('/api/users/anna/password', {})).status).toBe(200)
    expect((await app.fetch('/api/users/anna', { method: 'DELETE' })).status).toBe(204)
    expect((await app.fetch('/api/users/anna', { method: 'DELETE' })).status).toBe(404)
  })

  it('cannot do away with themselves, or with the last administrator', async () => {
    const admin = await browser('admin')
    const remove = { method: 'DELETE', ...admin }
    expect(await json(app.fetch('/api/users/admin', remove))).toMatchObject({ status: 403, code: 'oneself' })
    expect(await json(put('/api/users/admin/role', { role: 'viewer' }, admin))).toMatchObject({ code: 'oneself' })
    expect(await json(app.fetch('/api/users/admin', { method: 'DELETE' }))).toMatchObject({
      status: 409,
      code: 'last-administrator',
    })
  })

  it('see their own sessions and end them; the administrator sees all', async () => {
    const [one, two] = [await browser('admin'), await browser('admin')]
    const { sessions } = await json<{ sessions: { id: string; current: boolean; agent: string }[] }>(
      app.fetch('/api/session/sessions', one),
    )
    expect(sessions.filter(({ current }) => current)).toHaveLength(1)
    expect(sessions).toHaveLength(2)
    const other = sessions.find(({ current }) => !current)
    expect(other?.agent).toBe('a browser')
    expect((await app.fetch(`/api/session/sessions/${other?.id}`, { method: 'DELETE', ...one })).status).toBe(204)
    expect((await app.fetch('/api/session', two)).status).toBe(401)
    await app.auth.accounts.create({ name: 'anna', password, role: 'viewer', mustChangePassword: false })
    const anna = await browser('anna')
    const mine = sessions.find(({ current }) => current)?.id
    expect((await app.fetch(`/api/session/sessions/${mine}`, { method: 'DELETE', ...anna })).status).toBe(404)
    const all = await json<{ sessions: { id: string; user: string }[] }>(app.fetch('/api/sessions?user=anna', one))
    expect(all.sessions.map(({ user }) => user)).toEqual(['anna'])
    expect((await app.fetch(`/api/sessions/${all.sessions[0]?.id}`, { method: 'DELETE', ...one })).status).toBe(204)
    expect((await app.fetch('/api/session', anna)).status).toBe(401)
  })
})

describe('tokens', () => {
  const viewer = [...permissionsOf('viewer')]

  it('have a scope that is no wider than what their maker may do', async () => {
    const scoped = async (permissions: string[], token?: string) =>
      app.post('/api/tokens', { name: 'x', permissions }, token === undefined ? {} : { token })
    const made = await scoped(['tokens.manage', 'studies.read'])
    const { token } = await json<{ token: string }>(made)
    expect(made.status).toBe(201)
    expect((await scoped(['studies.read'], token)).status).toBe(201)
    expect(await json(scoped(['studies.read', 'users.manage'], token))).toMatchObject({
      status: 403,
      code: 'wider-than-own',
    })
    expect(await json(app.post('/api/tokens', { name: 'x', role: 'viewer' }, { token }))).toMatchObject({
      code: 'wider-than-own',
    })
    expect((await app.post('/api/tokens', { name: 'x', role: 'viewer', permissions: ['studies.read'] })).status).toBe(
      400,
    )
    expect((await app.post('/api/tokens', { name: 'x', permissions: ['everything'] })).status).toBe(400)
    expect((await app.post('/api/tokens', { name: 'x', expiresAt: '2020-01-01T00:00:00Z' })).status).toBe(422)
    const { tokens } = await json<{ tokens: Record<string, unknown>[] }>(app.fetch('/api/tokens'))
    expect(tokens[0]).toMatchObject({
      role: null,
      permissions: ['studies.read', 'tokens.manage'],
      createdBy: 'token:bootstrap',
    })
    expect(JSON.stringify(tokens)).not.toContain(token)
  })

  it('of a narrow scope lead to nobody who may do more', async () => {
    const made = app.post('/api/tokens', { name: 'hr', permissions: ['users.manage', ...viewer] })
    const { token } = await json<{ token: string }>(made)
    for (const [name, role] of [['chief', 'administrator'] as const, ['guest', 'viewer'] as const])
      await app.auth.accounts.create({ name, password, role, mustChangePassword: false })
    const wider = { status: 403, code: 'wider-than-own' }
    expect(await json(app.post('/api/users', { name: 'eve', role: 'administrator' }, { token }))).toMatchObject(wider)
    expect(await json(put('/api/users/guest/role', { role: 'administrator' }, { token }))).toMatchObject(wider)
    expect(await json(app.post('/api/users/chief/password', {}, { token }))).toMatchObject(wider)
    expect((await app.auth.accounts.authenticate('chief', password))?.role).toBe('administrator')
    expect((await app.post('/api/users', { name: 'eve', role: 'viewer' }, { token })).status).toBe(201)
    expect((await app.post('/api/users/guest/password', {}, { token })).status).toBe(200)
  })

  it('are not called as the tokens of the node itself, whose reading is not audited', async () => {
    for (const name of ['self', 'bootstrap'])
      expect(await json(app.post('/api/tokens', { name }))).toMatchObject({ status: 422, code: 'name-reserved' })
  })
})

describe('the audit', () => {
  const entries = async (query = '') =>
    (
      await json<{
        entries: { action: string; actor: string; studyInstanceUID: string | null; detail: Record<string, unknown> }[]
      }>(app.fetch(`/api/audit${query}`))
    ).entries

  it('tells who saw a study, once in ten minutes, with how often', async () => {
    app.now = () => new Date('2026-03-01T10:00:00.000Z')
    const admin = await browser('admin')
    for (let i = 0; i < 5; i++) await app.fetch('/dicomweb/studies/1.2.3/metadata', admin)
    await app.fetch('/dicomweb/studies?PatientName=M*', admin)
    await app.fetch('/dicomweb/studies/1%2E2%2E3/series/1.2/instances/1.4', admin)
    await vi.waitFor(async () => expect(await entries('?action=query')).toHaveLength(1))
    expect(await entries('?action=study-retrieve')).toMatchObject([{ actor: 'user:admin', studyInstanceUID: '1.2.3' }])
    expect((await entries('?action=query'))[0]?.detail).toMatchObject({ query: 'PatientName=M*' })
    app.now = () => new Date('2026-03-01T10:11:00.000Z')
    await app.auth.audit.sweep()
    expect((await entries('?action=study-retrieve')).map(({ detail }) => detail.requests)).toEqual([5, undefined])
  })

  it('tells what was refused, and why', async () => {
    await app.fetch('/api/tokens/999999', { method: 'DELETE' })
    expect(await entries('?action=token-revoke&outcome=failure')).toMatchObject([
      { detail: { reason: 'not-found', address: '127.0.0.1' } },
    ])
  })

  it('is verified and exported, which it tells of too', async () => {
    await browser('admin')
    expect(await json(app.fetch('/api/audit/verification'))).toMatchObject({
      entries: 1,
      sequence: 1,
      problems: [],
      outlets: [],
    })
    await app.knex('audit').where({ sequence: 1 }).update({ actor: 'user:eve' })
    expect(await json(app.fetch('/api/audit/verification'))).toMatchObject({
      problems: [{ sequence: 1, problem: 'was changed' }],
    })
    const text = await (await app.fetch('/api/audit/export')).text()
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { action: string }).action),
    ).toEqual(['login', 'audit-verify', 'audit-verify'])
    const message = await app.fetch('/api/audit/1/message')
    expect([message.headers.get('content-type'), await message.text()]).toEqual([
      'application/xml; charset=utf-8',
      expect.stringContaining('<AuditMessage>'),
    ])
    expect((await json<{ actions: string[] }>(app.fetch('/api/audit/actions'))).actions).toEqual([
      'audit-export',
      'audit-read',
      'audit-verify',
      'login',
    ])
  })
})

describe('answers of the API', () => {
  it.each([
    ['/api/session', 'application/json'],
    ['/api/users', 'application/json'],
    ['/api/nothing', 'application/problem+json'],
    ['/api/session/oidc', 'text/html'],
    ['/api/studies?search=%3Cimg%20onerror%3E', 'application/json'],
    ['/api/studies?limit=%3Cimg%20onerror%3E', 'application/problem+json'],
    ['/dicomweb/nothing', 'application/json'],
    ['/nothing%3Cscript%3E', 'application/problem+json'],
  ])('%s is %s, is not sniffed, runs nothing, and is framed by nobody else', async (where, type) => {
    const answer = await app.fetch(where)
    expect(answer.headers.get('content-type')).toContain(type)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('content-security-policy')).toMatch(/frame-ancestors '(none|self)'/)
    expect(answer.headers.get('referrer-policy')).toBe('same-origin')
    expect(answer.headers.get('x-powered-by')).toBeNull()
    expect(await answer.text()).not.toContain('<script')
    if (where.startsWith('/api')) expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it('lets no other origin read them', async () => {
    const headers = { origin: 'https://evil.example' }
    const answer = await app.fetch('/api/session', { headers })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(
      (await app.fetch('/api/session', { method: 'OPTIONS', headers })).headers.get('access-control-allow-origin'),
    ).toBeNull()
  })

  it('takes no form for JSON: what a page of another site can send without asking is not understood', async () => {
    const admin = await browser('admin')
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const headers = { ...admin.headers, 'content-type': type }
      const answer = await fetch(`${app.url}/api/users`, {
        method: 'POST',
        headers,
        body: '{"name":"eve","role":"administrator"}',
      })
      expect(answer.status).toBe(400)
    }
    expect(await app.knex('users').select('name')).toEqual([{ name: 'admin' }])
  })
})
