import type { Request } from 'express'
import { z } from 'zod'
import type { Accounts, User } from './accounts.ts'
import { AccountError } from './accounts.ts'
import { session as sessionSchema } from './api-schemas.ts'
import type { Audit } from './audit.ts'
import { clearSessionCookie, identityOf, isSameOrigin, setSessionCookie } from './auth.ts'
import type { Credentials, Identity } from './credentials.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import type { LoginThrottle } from './login-throttle.ts'
import type { OidcLogin } from './oidc.ts'
import { permissionsOf } from './permissions.ts'

export interface SessionDeps {
  /** AE title of this node. */
  nodeName: string
  accounts: Accounts
  credentials: Credentials
  throttle: LoginThrottle
  audit: Audit
  /** null: nobody logs in at an OpenID provider. */
  oidc: OidcLogin | null
}

const login = z.strictObject({ name: z.string().min(1).max(100), password: z.string().min(1).max(256) })
const passwords = z.strictObject({ current: z.string().min(1).max(256), next: z.string().min(1).max(256) })

export const listedSession = z
  .object({
    id: z.string().describe('names the session; not its secret'),
    user: z.string(),
    createdAt: z.string(),
    lastSeenAt: z.string(),
    expiresAt: z.string(),
    address: z.string().nullable(),
    agent: z.string().nullable().describe('what the browser calls itself'),
    current: z.boolean().describe('the one that asks'),
  })
  .meta({ id: 'LoginSession' })

/** Logging in and out, the own password and the own sessions. */
export function sessionEndpoints(deps: SessionDeps): Endpoint[] {
  return [...loginEndpoints(deps), ...ownEndpoints(deps)]
}

function loginEndpoints(deps: SessionDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/session/methods',
      summary: 'How one can log in',
      answer: z.object({
        oidc: z
          .object({ label: z.string(), url: z.string().describe('where a browser goes; takes ?next=') })
          .nullable(),
      }),
      handle: () => ({ oidc: deps.oidc ? { label: deps.oidc.label, url: '/api/session/oidc' } : null }),
    }),
    endpoint({
      method: 'post',
      path: '/session',
      summary: 'Log in: sets the session cookie that /admin and /viewer share',
      body: login,
      answer: sessionSchema,
      handle: async ({ body, req, res }) => {
        const user = await logIn(deps, body, req)
        const cookie = await deps.credentials.sessions.open(user, originOf(req))
        setSessionCookie(req, res, { value: cookie, lifetime: deps.credentials.sessions.lifetime })
        const { name, role, mustChangePassword } = user
        return { name, node: deps.nodeName, role, permissions: [...permissionsOf(role)], mustChangePassword }
      },
    }),
    endpoint({
      method: 'get',
      path: '/session',
      summary: 'Who is logged in, and what they may do',
      answer: sessionSchema,
      handle: ({ req }) => {
        const identity = known(req)
        const mustChangePassword = identity.user?.mustChangePassword ?? false
        const permissions = [...identity.permissions]
        const name = identity.user?.name ?? identity.actor
        return { name, node: deps.nodeName, role: identity.role, permissions, mustChangePassword }
      },
    }),
    endpoint({
      method: 'delete',
      path: '/session',
      summary: 'Log out',
      answer: z.object({
        logoutUrl: z.string().nullable().describe('where the browser goes to log out at the OpenID provider too'),
      }),
      handle: async ({ req, res, actor }) => {
        const identity = identityOf(req)
        let logoutUrl: string | null = null
        if (identity?.session) {
          const idToken = await deps.credentials.sessions.close(identity.session)
          if (idToken !== null) logoutUrl = (await deps.oidc?.logoutUrl(idToken, req)) ?? null
          await deps.audit.record({ actor, action: 'logout', outcome: 'success', detail: addressOf(req) })
        }
        clearSessionCookie(req, res)
        return { logoutUrl }
      },
    }),
  ]
}

function ownEndpoints(deps: SessionDeps): Endpoint[] {
  const { sessions } = deps.credentials
  return [
    endpoint({
      method: 'post',
      path: '/session/password',
      summary: 'Change the own password; every other session of the user ends',
      body: passwords,
      action: 'password-change',
      handle: async ({ body, req }) => {
        await changePassword(deps, body, req)
        return undefined
      },
    }),
    endpoint({
      method: 'get',
      path: '/session/sessions',
      summary: 'The own sessions, the last used first',
      answer: z.object({ sessions: z.array(listedSession) }),
      handle: async ({ req }) => {
        const { user, session } = known(req)
        return { sessions: user ? await sessions.list({ user: user.name, current: session }) : [] }
      },
    }),
    endpoint({
      method: 'delete',
      path: '/session/sessions/{id}',
      summary: 'End one of the own sessions',
      params: z.strictObject({ id: z.string().max(64) }),
      action: 'session-end',
      handle: async ({ params, req }) => {
        const { user } = known(req)
        if (!user || (await sessions.end(params.id, user)) === null)
          throw new ApiError(404, 'not-found', 'You have no such session.')
        return undefined
      },
    }),
  ]
}

function known(req: Request): Identity {
  const identity = identityOf(req)
  if (!identity) throw new ApiError(401, 'unauthorized', 'Nobody is logged in.')
  return identity
}

/** Whence a session is opened. */
export function originOf(req: Request): { address: string | undefined; agent: string | undefined } {
  return { address: req.ip, agent: req.headers['user-agent'] }
}

function addressOf(req: Request): { address: string } {
  return { address: req.ip ?? 'unknown' }
}

async function logIn(deps: SessionDeps, { name, password }: z.output<typeof login>, req: Request): Promise<User> {
  // Login is unsafe without a cookie too: another site's page must not be able to log this browser in as somebody else.
  const fromBrowser = req.headers.origin !== undefined || req.headers['sec-fetch-site'] !== undefined
  if (fromBrowser && !isSameOrigin(req)) throw new ApiError(403, 'cross-site', 'Log in from a page of this origin.')
  const { address } = addressOf(req)
  const wait = deps.throttle.waitSeconds(name, address)
  if (wait > 0) throw tooMany(req, wait)
  // Counted before the check, so that many tries at once do not all pass the limit.
  deps.throttle.failed(name, address)
  const user = await deps.accounts.authenticate(name, password)
  const act = { actor: `user:${name}`, action: 'login', subject: address, detail: addressOf(req) }
  if (!user) {
    await deps.audit.record({ ...act, outcome: 'failure' })
    throw new ApiError(401, 'wrong-login', 'The user name or the password is not right.')
  }
  deps.throttle.succeeded(name, address)
  await deps.accounts.loggedIn(user)
  await deps.audit.record({ ...act, outcome: 'success' })
  return user
}

function tooMany(req: Request, wait: number): ApiError {
  req.res?.setHeader('Retry-After', String(wait))
  const sentence = `Too many failed logins: try again in ${Math.ceil(wait / 60)} minutes.`
  return new ApiError(429, 'too-many-logins', sentence)
}

async function changePassword(deps: SessionDeps, body: z.output<typeof passwords>, req: Request): Promise<void> {
  const identity = known(req)
  if (!identity.user) throw new ApiError(403, 'no-password', 'A token has no password: log in as a user.')
  const { address } = addressOf(req)
  const wait = deps.throttle.waitSeconds(identity.user.name, address)
  if (wait > 0) throw tooMany(req, wait)
  // Counted before the check, as at the login.
  deps.throttle.failed(identity.user.name, address)
  try {
    await deps.accounts.changePassword(identity.user, { ...body, keepSession: identity.session })
  } catch (error) {
    if (!(error instanceof AccountError)) throw error
    if (error.code !== 'wrong-password') deps.throttle.succeeded(identity.user.name, address)
    throw refusalOf(error)
  }
  deps.throttle.succeeded(identity.user.name, address)
}

const statuses: Partial<Record<AccountError['code'], number>> = {
  'wrong-password': 403,
  oneself: 403,
  'user-disabled': 403,
  'user-unknown': 404,
  'user-exists': 409,
  'user-of-provider': 409,
  'last-administrator': 409,
}

/** What the API answers where something cannot be done with an account. */
export function refusalOf(error: AccountError): ApiError {
  const sentence = `${error.message[0]?.toUpperCase()}${error.message.slice(1)}.`
  return new ApiError(statuses[error.code] ?? 422, error.code, sentence)
}
