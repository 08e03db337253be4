import type { Request, Response } from 'express'
import { urlencoded } from 'express'
import { z } from 'zod'
import { AccountError } from './accounts.ts'
import type { SessionDeps } from './api-session.ts'
import { originOf } from './api-session.ts'
import { readCookie, setSessionCookie } from './auth.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import type { OidcLogin } from './oidc.ts'
import { OidcError } from './oidc.ts'

/** Only for the way to the provider and back. */
const loginCookie = 'hilum_login'

/** Login at an OpenID provider: pages that a browser is led through, not calls of a program. */
export function oidcEndpoints(deps: SessionDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/session/oidc',
      summary: 'Log in at the OpenID provider: leads the browser there',
      query: z.strictObject({ next: z.string().max(2000).default('/admin').describe('path to go to afterwards') }),
      answerType: 'text/html',
      handle: async ({ query, req, res }) => {
        try {
          const { url, cookie } = await offered(deps).begin(req, query.next)
          res.cookie(loginCookie, cookie, { ...cookieOptions(req), maxAge: offered(deps).lifetime })
          res.setHeader('Cache-Control', 'no-store')
          res.redirect(302, url)
        } catch (error) {
          tell(res, error)
        }
        return undefined
      },
    }),
    endpoint({
      method: 'get',
      path: '/session/oidc/callback',
      summary: 'Where the OpenID provider leads the browser back to',
      query: z.looseObject({}),
      answerType: 'text/html',
      handle: async ({ req, res }) => {
        try {
          await comeBack(deps, req, res)
        } catch (error) {
          // Anybody may come here without a login: what fails is gathered, so that nobody fills the audit.
          if (deps.oidc)
            await deps.audit.saw({
              actor: 'anonymous',
              address: req.ip ?? 'unknown',
              action: 'login',
              subject: req.ip,
              outcome: 'failure',
              detail: { reason: codeOf(error) },
            })
          tell(res, error)
        }
        return undefined
      },
    }),
    endpoint({
      method: 'post',
      path: '/session/oidc/logout',
      summary: 'By which the OpenID provider says that somebody has logged out there (Back-Channel Logout)',
      bodyType: 'application/x-www-form-urlencoded',
      handle: async ({ req, res }) => {
        const token = await logoutTokenOf(req, res)
        const about = await offered(deps)
          .loggedOut(token)
          .catch((error: unknown) => {
            if (!(error instanceof OidcError)) throw error
            throw new ApiError(error.code === 'provider-away' ? 503 : 400, error.code, sentenceOf(error))
          })
        const sessions = await deps.credentials.sessions.endProvided(about)
        const subject = `${sessions} sessions`
        await deps.audit.record({ actor: 'oidc', action: 'logout', subject, outcome: 'success' })
        return undefined
      },
    }),
  ]
}

function offered({ oidc }: SessionDeps): OidcLogin {
  if (oidc) return oidc
  throw new ApiError(404, 'not-offered', 'No OpenID provider is set up here.')
}

async function comeBack(deps: SessionDeps, req: Request, res: Response): Promise<void> {
  res.clearCookie(loginCookie, cookieOptions(req))
  res.setHeader('Cache-Control', 'no-store')
  const query = req.originalUrl.split('?')[1] ?? ''
  const provided = await offered(deps).finish(readCookie(req.headers.cookie, loginCookie), query)
  const user = await deps.accounts.provided(provided)
  const cookie = await deps.credentials.sessions.open(user, {
    ...originOf(req),
    oidcSid: provided.sid,
    idToken: provided.idToken,
  })
  await deps.accounts.loggedIn(user)
  const address = req.ip ?? 'unknown'
  const act = { actor: `user:${user.name}`, action: 'login', subject: address, detail: { address } }
  await deps.audit.record({ ...act, outcome: 'success' })
  setSessionCookie(req, res, { value: cookie, lifetime: deps.credentials.sessions.lifetime })
  // The page first, whatever comes next: a browser that was led here from another site shows no strict cookie yet.
  res.redirect(
    302,
    provided.next.startsWith('/admin') ? provided.next : `/admin?next=${encodeURIComponent(provided.next)}`,
  )
}

/** Sent along when another site, the provider, leads back here: not strict, as the session's is. */
function cookieOptions(req: Request) {
  return { httpOnly: true, sameSite: 'lax' as const, path: '/api/session/oidc', secure: req.secure }
}

const form = urlencoded({ extended: false, limit: '20kb' })

async function logoutTokenOf(req: Request, res: Response): Promise<string> {
  await new Promise<void>((resolve, reject) =>
    form(req, res, (error?: unknown) => (error instanceof Error ? reject(error) : resolve())),
  )
  const token = (req.body as { logout_token?: unknown } | undefined)?.logout_token
  if (typeof token !== 'string') throw new ApiError(400, 'bad-parameter', 'A form with logout_token is expected.')
  return token
}

const statuses: Record<string, number> = {
  'provider-away': 503,
  'login-unknown': 400,
  'login-expired': 400,
  'not-offered': 404,
}

function codeOf(error: unknown): string {
  if (error instanceof OidcError || error instanceof AccountError || error instanceof ApiError) return error.code
  return 'internal-error'
}

function sentenceOf({ message }: Error): string {
  return `${message[0]?.toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`
}

/** Tells a person, who has no page of ours before them, why the login failed. */
function tell(res: Response, error: unknown): void {
  const code = codeOf(error)
  if (code === 'internal-error') throw error
  const sentence = escaped(sentenceOf(error as Error))
  res.setHeader('Cache-Control', 'no-store')
  res
    .status(statuses[code] ?? 403)
    .type('html')
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>Not logged in</title><h1>Not logged in</h1><p>${sentence}</p>` +
        `<p>Code: ${code}</p><p><a href="/admin">Back to the login</a></p></html>`,
    )
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
