import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Browser, clientId, clientSecret, OpenIDProvider } from '../support/openid-provider.ts'
import { RunningApp } from './running-app.ts'

let app: RunningApp
let provider: OpenIDProvider
let browser: Browser
let callback: string

beforeEach(async () => {
  // The provider says at length that it is not meant for this.
  for (const level of ['info', 'warn'] as const) vi.spyOn(console, level).mockImplementation(() => {})
  // The provider has to know the node's address, and the node the provider's.
  const placeholder = await new RunningApp().start()
  const port = Number(new URL(placeholder.url).port)
  await placeholder.stop()
  const url = `http://127.0.0.1:${port}`
  callback = `${url}/api/session/oidc/callback`
  const backchannel = `${url}/api/session/oidc/logout`
  provider = await new OpenIDProvider().start({ redirectUri: callback, afterLogout: `${url}/admin`, backchannel })
  app = new RunningApp()
  app.oidc = {
    issuer: provider.issuer,
    clientId,
    clientSecret,
    scopes: ['openid', 'profile'],
    rolesClaim: 'groups',
    roles: { 'reading-room': 'radiologist', admins: 'administrator', staff: 'viewer' },
    defaultRole: null,
    nameClaim: 'preferred_username',
    label: 'Log in at the hospital',
  }
  await app.start(port)
  browser = new Browser()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await app.stop()
  await provider.stop()
})

const logIn = (next = '/admin') =>
  browser.follow(`${app.url}/api/session/oidc?next=${encodeURIComponent(next)}`, `${app.url}/admin`)
const session = async () =>
  (await (await browser.get(`${app.url}/api/session`)).json()) as { name?: string; role?: string; code?: string }
const logins = async () => {
  const { entries } = await app.auth.audit.list({ action: 'login', limit: 10 })
  return entries.map(({ actor, outcome, detail }) => [actor, outcome, detail.reason])
}

it('logs somebody in at the provider, with the role of a claim, and leads on to where they wanted to go', async () => {
  expect(await (await app.fetch('/api/session/methods', { token: null })).json()).toEqual({
    oidc: { label: 'Log in at the hospital', url: '/api/session/oidc' },
  })
  const { url } = await logIn('/viewer?StudyInstanceUIDs=1.2.3')
  expect(url).toBe(`${app.url}/admin?next=${encodeURIComponent('/viewer?StudyInstanceUIDs=1.2.3')}`)
  expect(await session()).toMatchObject({ name: 'anna', role: 'radiologist' })
  expect(browser.cookie('hilum_login')).toBeUndefined()
  expect(await app.knex('users').first('name', 'kind', 'oidc_issuer', 'oidc_subject', 'password_hash')).toEqual({
    name: 'anna',
    kind: 'oidc',
    oidc_issuer: provider.issuer,
    oidc_subject: '1',
    password_hash: '',
  })
  expect(await logins()).toEqual([['user:anna', 'success', undefined]])
})

it('finds the roles where they stand within a claim', async () => {
  if (app.oidc) app.oidc.rolesClaim = 'realm_access.roles'
  provider.account = { sub: '1', preferred_username: 'anna', realm_access: { roles: ['admins'] } }
  await logIn()
  expect(await session()).toMatchObject({ name: 'anna', role: 'administrator' })
})

it('takes the role of each login, the widest of several', async () => {
  await logIn()
  provider.account = { sub: '1', preferred_username: 'anna', groups: ['staff', 'admins', 'other'] }
  browser = new Browser()
  await logIn()
  expect(await session()).toMatchObject({ name: 'anna', role: 'administrator' })
  expect(await app.knex('users')).toHaveLength(1)
})

it('keeps what it needs for the way back in a cookie that no script reads and that is sealed', async () => {
  const answer = await browser.get(`${app.url}/api/session/oidc`)
  const asked = new URL(answer.headers.get('location') ?? '').searchParams
  expect(asked.get('code_challenge_method')).toBe('S256')
  expect([asked.get('response_type'), asked.get('scope'), asked.get('redirect_uri')]).toEqual([
    'code',
    'openid profile',
    callback,
  ])
  const cookie = answer.headers.getSetCookie().find((line) => line.startsWith('hilum_login='))
  expect(cookie).toMatch(/HttpOnly/)
  expect(cookie).toMatch(/SameSite=Lax/)
  expect(cookie).toMatch(/Path=\/api\/session\/oidc/)
  for (const secret of [asked.get('state'), asked.get('nonce')]) expect(secret).toMatch(/.{20}/)
  expect(Buffer.from(browser.cookie('hilum_login') ?? '', 'base64url').toString('latin1')).not.toContain(
    asked.get('state'),
  )
})

it('refuses whoever has no role here, and says so on a page', async () => {
  provider.account = { sub: '2', preferred_username: 'eve<script>', groups: ['kitchen'] }
  const { answer } = await logIn()
  expect([answer.status, answer.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8'])
  const page = await answer.text()
  expect(page).toContain('none of the groups that the provider names has a role on this node'.replace('n', 'N'))
  expect(page).not.toContain('<script')
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await session()).toMatchObject({ code: 'unauthorized' })
  expect(await app.knex('users')).toEqual([])
  expect(await logins()).toEqual([['anonymous', 'failure', 'no-role']])
})

it('refuses a way back with a wrong state, or in a browser that has not begun a login', async () => {
  const { url } = await browser.follow(`${app.url}/api/session/oidc`, callback)
  const wrong = new URL(url)
  wrong.searchParams.set('state', 'another')
  expect((await browser.get(wrong.href)).status).toBe(400)
  expect((await new Browser().get(url)).status).toBe(400)
  expect((await fetch(url, { redirect: 'manual', headers: { cookie: 'hilum_login=forged' } })).status).toBe(400)
  expect(await session()).toMatchObject({ code: 'unauthorized' })
  // Anybody can come back so without a login: one entry, and how many there were afterwards.
  expect((await logins()).map(([, , reason]) => reason)).toEqual(['login-unknown'])
  await app.auth.audit.sweep({ all: true })
  const { entries } = await app.auth.audit.list({ action: 'login', limit: 10 })
  expect(entries.map(({ detail }) => detail.requests)).toEqual([2, undefined])
})

it('refuses a login that took too long', async () => {
  const { url } = await browser.follow(`${app.url}/api/session/oidc`, callback)
  app.now = () => new Date(Date.now() + 11 * 60_000)
  const answer = await browser.get(url)
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('login-expired')])
})

it('takes a code once, also from somebody who has copied the cookie', async () => {
  const { url } = await browser.follow(`${app.url}/api/session/oidc`, callback)
  const cookie = `hilum_login=${browser.cookie('hilum_login')}`
  expect((await browser.get(url)).status).toBe(302)
  const again = await fetch(url, { redirect: 'manual', headers: { cookie } })
  expect([again.status, await again.text()]).toEqual([400, expect.stringContaining('login-unknown')])
  expect(again.headers.getSetCookie().some((line) => line.startsWith('hilum_session='))).toBe(false)
})

it('refuses what the provider refuses', async () => {
  const answer = await browser.get(`${app.url}/api/session/oidc`)
  const state = new URL(answer.headers.get('location') ?? '').searchParams.get('state')
  const back = `${callback}?error=access_denied&state=${state}&iss=${encodeURIComponent(provider.issuer)}`
  const refused = await browser.get(back)
  expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('access_denied')])
})

it('logs people of this node in while the provider is away, and says that it is away', async () => {
  await provider.stop()
  const answer = await browser.get(`${app.url}/api/session/oidc`)
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('provider-away')])
  const password = 'a password of my own'
  await app.auth.accounts.create({ name: 'berta', password, role: 'operator', mustChangePassword: false })
  expect((await app.post('/api/session', { name: 'berta', password }, { token: null })).status).toBe(200)
  provider = await new OpenIDProvider()
    .start({ redirectUri: callback, afterLogout: '', backchannel: '' })
    .catch(() => provider)
})

it('does not let somebody of the provider take the place of a user of this node', async () => {
  await app.auth.accounts.create({
    name: 'anna',
    password: 'a password of my own',
    role: 'administrator',
    mustChangePassword: false,
  })
  const { answer } = await logIn()
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('user-exists')])
  expect(await session()).toMatchObject({ code: 'unauthorized' })
})

it('takes no name that cannot be told from another', async () => {
  const password = 'a password of my own'
  await app.auth.accounts.create({ name: 'chief', password, role: 'administrator', mustChangePassword: false })
  for (const [name, code] of [
    ['Chief', 'user-exists'],
    ['chief\u200b', 'no-name'],
  ] as const) {
    browser = new Browser()
    provider.account = { sub: name, preferred_username: name, groups: ['admins'] }
    const { answer } = await logIn()
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining(code)])
  }
})

it('leads to the provider at logout, where the session ends too', async () => {
  await logIn()
  const cookie = `hilum_session=${browser.cookie('hilum_session')}`
  const headers = { cookie, 'sec-fetch-site': 'same-origin' }
  const answer = await app.fetch('/api/session', { method: 'DELETE', token: null, headers })
  const { logoutUrl } = (await answer.json()) as { logoutUrl: string }
  const url = new URL(logoutUrl)
  expect(url.href.startsWith(`${provider.issuer}/session/end`)).toBe(true)
  expect(url.searchParams.get('post_logout_redirect_uri')).toBe(`${app.url}/admin`)
  expect(url.searchParams.get('id_token_hint')).toMatch(/^ey/)
  expect((await app.fetch('/api/session', { token: null, headers })).status).toBe(401)
  expect(JSON.stringify(await app.knex('sessions'))).not.toContain(url.searchParams.get('id_token_hint'))
})

it('ends the session when the provider says that somebody has logged out there, and takes no forged word of it', async () => {
  await logIn()
  const forged = new URLSearchParams({ logout_token: 'eyJhbGciOiJub25lIn0.e30.' })
  const refused = await fetch(`${app.url}/api/session/oidc/logout`, { method: 'POST', body: forged })
  expect(refused.status).toBe(400)
  expect(await session()).toMatchObject({ name: 'anna' })
  // The provider's own page of logout, confirmed.
  const page = await (await browser.get(`${provider.issuer}/session/end`)).text()
  const xsrf = /name="xsrf" value="(\w+)"/.exec(page)?.[1] ?? ''
  await browser.post(`${provider.issuer}/session/end/confirm`, { xsrf, logout: 'yes' })
  await vi.waitFor(async () => expect(await session()).toMatchObject({ code: 'unauthorized' }), { timeout: 5000 })
})
