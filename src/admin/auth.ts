import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { Credentials, Identity } from './credentials.ts'
import type { Need } from './permissions.ts'
import { rolesWith } from './permissions.ts'
import { refuse } from './refusal.ts'

export const sessionCookie = 'hilum_session'
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The identity of each request that is under way; a request that is not in it is anonymous. */
const identities = new WeakMap<Request, Identity>()

/** Who sent a request, or null for somebody unknown. Known after `authenticate` has run. */
export function identityOf(req: Request): Identity | null {
  return identities.get(req) ?? null
}

/**
 * Finds out who sent a request: a bearer token, else the session cookie. Refuses nobody but those who present a token that is not
 * valid, and unsafe requests that come with the cookie from another site's page.
 */
export function authenticate(credentials: Credentials): RequestHandler {
  return async (req, res, next) => {
    const header = req.headers.authorization
    const bearer = header === undefined ? undefined : /^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1]
    if (bearer !== undefined) {
      const identity = await credentials.identifyToken(bearer)
      if (!identity) return refuseUnknown(res, 'The bearer token is unknown, revoked or has expired.')
      identities.set(req, identity)
      return next()
    }
    const cookie = readCookie(req.headers.cookie, sessionCookie)
    const identity = cookie === null ? null : await credentials.identifySession(cookie)
    if (identity) {
      if (!safeMethods.has(req.method) && !isSameOrigin(req))
        return refuse(
          res,
          403,
          'cross-site',
          'A request that carries the session cookie must come from a page of this origin.',
        )
      identities.set(req, identity)
    }
    next()
  }
}

/**
 * Lets pass who may do what is asked.
 * @param needed for every method, or apart for those that change nothing
 */
export function requirePermission(needed: Need | { read: Need; write: Need }): RequestHandler {
  return (req, res, next) => {
    const need = typeof needed === 'string' ? needed : safeMethods.has(req.method) ? needed.read : needed.write
    if (need === 'nothing') return next()
    const identity = identityOf(req)
    if (!identity) return refuseUnknown(res, 'Log in at /admin, or send an Authorization header with a bearer token.')
    if (need === 'login') return next()
    if (identity.user?.mustChangePassword)
      return refuse(res, 403, 'password-change-needed', 'The one-time password has to be changed first.')
    if (!identity.permissions.has(need))
      return refuse(
        res,
        403,
        'permission-needed',
        `This needs the permission ${need}, which these roles have: ${rolesWith(need).join(', ')}.`,
      )
    next()
  }
}

/** Sends browsers that open a page without being logged in to the login, which leads them back; lets everything else pass. */
export function redirectToLogin(req: Request, res: Response, next: NextFunction): void {
  const identity = identityOf(req)
  if ((identity && !identity.user?.mustChangePassword) || !isNavigation(req)) return next()
  res.redirect(302, `/admin?next=${encodeURIComponent(req.originalUrl)}`)
}

/** A browser that opens a page, not one of a page's own requests. */
export function isNavigation(req: Request): boolean {
  if (req.method !== 'GET') return false
  const mode = req.headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return (req.headers.accept ?? '').includes('text/html')
}

/** True when a request comes from a page of this origin; browsers say so in Sec-Fetch-Site, older ones in Origin. */
export function isSameOrigin(req: Request): boolean {
  const site = req.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const origin = req.headers.origin
  if (origin === undefined) return false
  try {
    return new URL(origin).host === req.headers.host
  } catch {
    return false
  }
}

/**
 * Gives the browser a session: readable by no script, sent to no other site, and only over TLS where TLS is used.
 * @param session `lifetime` in milliseconds
 */
export function setSessionCookie(req: Request, res: Response, session: { value: string; lifetime: number }): void {
  res.cookie(sessionCookie, session.value, { ...cookieOptions(req), maxAge: session.lifetime })
}

export function clearSessionCookie(req: Request, res: Response): void {
  res.clearCookie(sessionCookie, cookieOptions(req))
}

function cookieOptions(req: Request) {
  return { httpOnly: true, sameSite: 'strict' as const, path: '/', secure: req.secure }
}

function refuseUnknown(res: Response, detail: string): void {
  res.setHeader('WWW-Authenticate', 'Bearer realm="hilum"')
  refuse(res, 401, 'unauthorized', detail)
}

export function readCookie(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return null
}
