import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunningApp } from './running-app.ts'

let app: RunningApp
const password = 'a password of my own'

beforeEach(async () => {
  app = await new RunningApp().start()
})

afterEach(() => app.stop())

/** Logs in as a browser of this origin would. @returns the cookie */
async function logIn(name: string, secret: string): Promise<{ status: number; cookie: string; setCookie: string }> {
  const answer = await app.post(
    '/api/session',
    { name, password: secret },
    { token: null, headers: { 'sec-fetch-site': 'same-origin' } },
  )
  const setCookie = answer.headers.get('set-cookie') ?? ''
  return { status: answer.status, cookie: setCookie.split(';')[0] ?? '', setCookie }
}

/** The first user with a password of its own. */
async function ready(): Promise<void> {
  await app.auth.accounts.create({ name: 'operator', password, role: 'operator', mustChangePassword: false })
}

describe('who may come in', () => {
  it('makes a first user with a one-time password that has to be changed before anything else', async () => {
    const first = await app.auth.accounts.createFirstUser()
    expect(first?.oneTimePassword).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/)
    expect(await app.auth.accounts.createFirstUser()).toBeNull()
    const oneTime = first?.oneTimePassword ?? ''
    const { status, cookie, setCookie } = await logIn('admin', oneTime)
    expect(status).toBe(200)
    expect(setCookie).toMatch(/HttpOnly/)
    expect(setCookie).toMatch(/SameSite=Strict/)
    expect(setCookie).toMatch(/Path=\//)

    const session = { token: null, headers: { cookie, 'sec-fetch-site': 'same-origin' } }
    expect((await app.fetch('/api/studies', session)).status).toBe(403)
    expect((await app.fetch('/dicomweb/studies', session)).status).toBe(403)
    expect((await app.post('/api/session/password', { current: oneTime, next: 'short' }, session)).status).toBe(422)
    expect((await app.post('/api/session/password', { current: 'wrong', next: password }, session)).status).toBe(403)
    expect((await app.post('/api/session/password', { current: oneTime, next: password }, session)).status).toBe(204)
    expect((await app.fetch('/api/studies', session)).status).toBe(200)
    expect((await logIn('admin', oneTime)).status).toBe(401)
    const row = await app.knex('users').first('password_hash')
    expect(row.password_hash).toMatch(/^\$argon2id\$/)
  })

  it('ends a session after the hours that the settings give it', async () => {
    await app.stop()
    app = new RunningApp()
    app.sessionLifetime = 3_600_000
    await app.start()
    await ready()
    const { cookie, setCookie } = await logIn('operator', password)
    expect(setCookie).toContain('Max-Age=3600')
    const session = { token: null, headers: { cookie, 'sec-fetch-site': 'same-origin' } }
    expect((await app.fetch('/api/studies', session)).status).toBe(200)
    const later = new Date(Date.now() + 3_601_000)
    app.now = () => later
    expect((await app.fetch('/api/studies', session)).status).toBe(401)
  })

  it('marks the cookie as secure where a trusted proxy says that TLS was used', async () => {
    await ready()
    const answer = await app.post(
      '/api/session',
      { name: 'operator', password },
      { token: null, headers: { 'sec-fetch-site': 'same-origin', 'x-forwarded-proto': 'https' } },
    )
    expect(answer.headers.get('set-cookie')).toContain('Secure')
  })

  it.each(['/api/studies', '/api/events', '/api/openapi.json', '/api/nothing', '/dicomweb/studies', '/metrics'])(
    'answers an anonymous request for %s with 401 and a problem document',
    async (where) => {
      const answer = await app.fetch(where, { token: null })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      expect(await answer.json()).toMatchObject({ status: 401, code: 'unauthorized' })
    },
  )

  it('lets anybody see whether it lives and is ready, and the page that asks for the login', async () => {
    for (const where of ['/healthz', '/readyz', '/admin', '/admin/', '/admin/scheme.js', '/admin/studies/1.2.3'])
      expect((await app.fetch(where, { token: null })).status, where).toBe(200)
    const root = await app.fetch('/', { token: null })
    expect([root.status, root.headers.get('location')]).toEqual([302, '/admin'])
  })

  it('leads a browser that opens the viewer to the login and says where it wanted to go', async () => {
    const where = '/viewer?StudyInstanceUIDs=1.2.3'
    // Not by fetch, which says of itself that it is no navigation.
    const [navigation] = (await once(get(`${app.url}${where}`, { headers: { accept: 'text/html' } }), 'response')) as [
      IncomingMessage,
    ]
    navigation.resume()
    expect([navigation.statusCode, navigation.headers.location]).toEqual([
      302,
      `/admin?next=${encodeURIComponent(where)}`,
    ])
    expect((await app.fetch(where, { token: null })).status).toBe(401)
    expect((await app.fetch('/app.bundle.js', { token: null })).status).toBe(200)
    expect((await app.fetch(where)).status).toBe(200)
  })

  it('refuses a token that is unknown, revoked or has expired, even where nobody need be logged in', async () => {
    expect((await app.fetch('/api/session', { token: 'guess' })).status).toBe(401)
    const made = (await (
      await app.post('/api/tokens', { name: 'pacs', role: 'viewer', expiresAt: '2030-01-01T00:00:00Z' })
    ).json()) as { id: number; token: string }
    expect((await app.fetch('/api/studies', { token: made.token })).status).toBe(200)
    expect(JSON.stringify(await app.knex('tokens'))).not.toContain(made.token)
    app.now = () => new Date('2030-01-01T00:00:01Z')
    expect((await app.fetch('/api/studies', { token: made.token })).status).toBe(401)
    app.now = () => new Date()
    expect((await app.fetch(`/api/tokens/${made.id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await app.fetch('/api/studies', { token: made.token })).status).toBe(401)
  })

  it('gives each role what it needs, and no more', async () => {
    const token = async (role: string) =>
      ((await (await app.post('/api/tokens', { name: role, role })).json()) as { token: string }).token
    const [viewer, operator] = [await token('viewer'), await token('operator')]
    const status = async (where: string, who: string, method = 'GET') =>
      (await app.fetch(where, { token: who, method })).status
    expect(await status('/dicomweb/studies', viewer)).toBe(200)
    expect(await status('/dicomweb/studies', viewer, 'POST')).toBe(403)
    expect(await status('/dicomweb/studies', operator, 'POST')).toBe(200)
    expect(await status('/api/jobs/x/retry', viewer, 'POST')).toBe(403)
    expect(await status('/api/jobs/x/retry', operator, 'POST')).toBe(404)
    expect(await status('/api/tokens', operator)).toBe(403)
    expect(await status('/api/audit', operator)).toBe(403)
  })

  it('takes an unsafe request with the cookie only from a page of its own origin', async () => {
    await ready()
    const { cookie } = await logIn('operator', password)
    const post = (headers: Record<string, string>) =>
      app.post('/api/session/password', {}, { token: null, headers: { cookie, ...headers } })
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await post({ 'sec-fetch-site': 'same-site' })).status).toBe(403)
    expect((await post({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await post({})).status).toBe(403)
    // Let through, and only then is the body looked at.
    expect((await post({ origin: app.url })).status).toBe(400)
    expect((await post({ 'sec-fetch-site': 'same-origin' })).status).toBe(400)
    const foreign = await app.post(
      '/api/session',
      { name: 'operator', password },
      { token: null, headers: { 'sec-fetch-site': 'cross-site' } },
    )
    expect(foreign.status).toBe(403)
  })

  it('ends a session at logout, and when its time is over', async () => {
    await ready()
    const { cookie } = await logIn('operator', password)
    const headers = { cookie, 'sec-fetch-site': 'same-origin' }
    expect((await app.fetch('/api/studies', { token: null, headers })).status).toBe(200)
    app.now = () => new Date(Date.now() + 13 * 3600 * 1000)
    expect((await app.fetch('/api/studies', { token: null, headers })).status).toBe(401)
    app.now = () => new Date()
    expect((await app.fetch('/api/session', { token: null, headers, method: 'DELETE' })).status).toBe(200)
    expect((await app.fetch('/api/studies', { token: null, headers })).status).toBe(401)
  })

  it('slows the guessing of a password, and tells how long to wait', async () => {
    await ready()
    for (let i = 0; i < 5; i++) expect((await logIn('operator', `guess ${i}`)).status).toBe(401)
    const answer = await app.post('/api/session', { name: 'operator', password }, { token: null })
    expect(answer.status).toBe(429)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(600)
    app.now = () => new Date(Date.now() + 16 * 60 * 1000)
    expect((await logIn('operator', password)).status).toBe(200)
  })

  it('slows the guessing of the own password too, also where many guesses come at once', async () => {
    await ready()
    const { cookie } = await logIn('operator', password)
    const headers = { cookie, 'sec-fetch-site': 'same-origin' }
    const guess = (current: string) =>
      app.post('/api/session/password', { current, next: 'another password of mine' }, { token: null, headers })
    const statuses = (await Promise.all(Array.from({ length: 12 }, (_, n) => guess(`guess ${n}`)))).map((a) => a.status)
    expect(statuses.filter((status) => status === 403)).toHaveLength(5)
    expect(statuses.filter((status) => status === 429)).toHaveLength(7)
    expect((await guess(password)).status).toBe(429)
  })

  it('writes logins and changes of tokens into the audit', async () => {
    await ready()
    await logIn('operator', 'wrong')
    await logIn('operator', password)
    await app.post('/api/tokens', { name: 'pacs' })
    const { entries } = (await (await app.fetch('/api/audit')).json()) as { entries: Record<string, unknown>[] }
    expect(entries.map(({ actor, action, outcome }) => [actor, action, outcome])).toEqual([
      ['token:bootstrap', 'token-create', 'success'],
      ['user:operator', 'login', 'success'],
      ['user:operator', 'login', 'failure'],
    ])
  })
})
