import type { Request } from 'express'
import { z } from 'zod'
import type { Accounts } from './accounts.ts'
import { AccountError } from './accounts.ts'
import { session as sessionSchema } from './api-schemas.ts'
import type { Audit } from './audit.ts'
import { clearSessionCookie, identityOf, isSameOrigin, setSessionCookie } from './auth.ts'
import type { Credentials } from './credentials.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import type { LoginThrottle } from './login-throttle.ts'

export interface SessionDeps {
  accounts: Accounts
  credentials: Credentials
  throttle: LoginThrottle
  audit: Audit
}

const login = z.strictObject({ name: z.string().min(1).max(100), password: z.string().min(1).max(256) })
const passwords = z.strictObject({ current: z.string().min(1).max(256), next: z.string().min(1).max(256) })

/** Logging in and out, and the own password. */
export function sessionEndpoints(deps: SessionDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/session',
      summary: 'Log in: sets the session cookie that /admin and /viewer share',
      role: null,
      body: login,
      answer: sessionSchema,
      handle: ({ body, req, res }) =>
        logIn(deps, body, req).then(async ({ cookie, user }) => {
          setSessionCookie(req, res, { value: cookie, lifetime: deps.credentials.sessionLifetime })
          return { name: user.name, role: user.role, mustChangePassword: user.mustChangePassword }
        }),
    }),
    endpoint({
      method: 'get',
      path: '/session',
      summary: 'Who is logged in',
      role: null,
      answer: sessionSchema,
      handle: ({ req }) => {
        const identity = identityOf(req)
        if (!identity) throw new ApiError(401, 'unauthorized', 'Nobody is logged in.')
        const mustChangePassword = identity.user?.mustChangePassword ?? false
        return { name: identity.user?.name ?? identity.actor, role: identity.role, mustChangePassword }
      },
    }),
    endpoint({
      method: 'delete',
      path: '/session',
      summary: 'Log out',
      role: null,
      handle: async ({ req, res, actor }) => {
        const identity = identityOf(req)
        if (identity?.session) {
          await deps.credentials.closeSession(identity.session)
          await deps.audit.record({ actor, action: 'logout', outcome: 'success' })
        }
        clearSessionCookie(req, res)
        return undefined
      },
    }),
    endpoint({
      method: 'post',
      path: '/session/password',
      summary: 'Change the own password; every other session of the user ends',
      role: null,
      body: passwords,
      action: 'password-change',
      handle: async ({ body, req }) => {
        await changePassword(deps, body, req)
        return undefined
      },
    }),
  ]
}

async function logIn(deps: SessionDeps, { name, password }: z.output<typeof login>, req: Request) {
  // Login is unsafe without a cookie too: another site's page must not be able to log this browser in as somebody else.
  const fromBrowser = req.headers.origin !== undefined || req.headers['sec-fetch-site'] !== undefined
  if (fromBrowser && !isSameOrigin(req)) throw new ApiError(403, 'cross-site', 'Log in from a page of this origin.')
  const address = req.ip ?? 'unknown'
  const wait = deps.throttle.waitSeconds(name, address)
  if (wait > 0) {
    req.res?.setHeader('Retry-After', String(wait))
    throw new ApiError(429, 'too-many-logins', `Too many failed logins: try again in ${Math.ceil(wait / 60)} minutes.`)
  }
  // Counted before the check, so that many tries at once do not all pass the limit.
  deps.throttle.failed(name, address)
  const user = await deps.accounts.authenticate(name, password)
  if (!user) {
    await deps.audit.record({ actor: `user:${name}`, action: 'login', subject: address, outcome: 'failure' })
    throw new ApiError(401, 'wrong-login', 'The user name or the password is not right.')
  }
  deps.throttle.succeeded(name, address)
  const cookie = await deps.credentials.openSession(user)
  await deps.audit.record({ actor: `user:${name}`, action: 'login', subject: address, outcome: 'success' })
  return { cookie, user }
}

async function changePassword(deps: SessionDeps, body: z.output<typeof passwords>, req: Request): Promise<void> {
  const identity = identityOf(req)
  if (!identity) throw new ApiError(401, 'unauthorized', 'Nobody is logged in.')
  if (!identity.user) throw new ApiError(403, 'no-password', 'A token has no password: log in as a user.')
  const wait = deps.throttle.waitSeconds(identity.user.name, req.ip ?? 'unknown')
  if (wait > 0)
    throw new ApiError(
      429,
      'too-many-logins',
      `Too many wrong passwords: try again in ${Math.ceil(wait / 60)} minutes.`,
    )
  try {
    await deps.accounts.changePassword(identity.user, { ...body, keepSession: identity.session })
  } catch (error) {
    if (!(error instanceof AccountError)) throw error
    if (error.code === 'wrong-password') deps.throttle.failed(identity.user.name, req.ip ?? 'unknown')
    throw new ApiError(
      error.code === 'wrong-password' ? 403 : 422,
      error.code,
      `${error.message[0]?.toUpperCase()}${error.message.slice(1)}.`,
    )
  }
}
