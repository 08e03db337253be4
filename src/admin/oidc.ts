import { createRemoteJWKSet, jwtVerify } from 'jose'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client'
import { HilumError, messageOf } from '../errors.ts'
import type { SecretBox } from '../store/secret-box.ts'
import type { ProvidedUser } from './accounts.ts'
import type { Role } from './permissions.ts'
import { permissionsOf, roles } from './permissions.ts'

/** `admin.oidc` of the settings. */
export interface OidcSettings {
  issuer: string
  clientId: string
  clientSecret?: string | undefined
  scopes: readonly string[]
  publicUrl?: string | undefined
  rolesClaim: string
  roles: Readonly<Record<string, Role>>
  defaultRole: Role | null
  nameClaim: string
  label: string
}

/** Why a login at the provider does not lead in. */
export class OidcError extends HilumError<
  'provider-away' | 'provider-refused' | 'login-unknown' | 'login-expired' | 'login-failed' | 'no-role' | 'no-name'
> {}

/** How long somebody may take to log in at the provider, in milliseconds. */
const loginMs = 10 * 60 * 1000
/** After a discovery that failed the provider is left alone for so long, in milliseconds. */
const againMs = 5_000
/** Seconds. */
const requestTimeout = 10
const mostUsed = 10_000
const callbackPath = '/api/session/oidc/callback'

/** What is remembered of a login in its cookie, sealed. */
interface LoginState {
  state: string
  nonce: string
  verifier: string
  next: string
  redirectUri: string
  expiresAt: number
}

/** Where a request came to: enough of express's for this. */
export interface Addressed {
  protocol: string
  headers: { host?: string | undefined }
}

/** Somebody whom the provider has vouched for. */
export interface OidcUser extends ProvidedUser {
  sid: string | undefined
  /** Sealed; for `logoutUrl`. */
  idToken: string | undefined
  next: string
}

export interface OidcLoginOptions {
  settings: OidcSettings
  box: SecretBox
  now?: (() => Date) | undefined
}

/**
 * Login at an OpenID provider (OpenID Connect Core 1.0: authorization code with PKCE, RFC 7636). The provider is asked for its metadata at the
 * first login; while it is away, the users of this node log in as ever.
 */
export class OidcLogin {
  readonly #settings: OidcSettings
  readonly #box: SecretBox
  readonly #now: () => Date
  #configuration: Promise<Configuration> | null = null
  #failedAt = 0
  #keys: ReturnType<typeof createRemoteJWKSet> | null = null
  /** States of logins that have come back: each counts once. */
  readonly #used = new Map<string, number>()

  constructor({ settings, box, now }: OidcLoginOptions) {
    this.#settings = settings
    this.#box = box
    this.#now = now ?? (() => new Date())
  }

  get label(): string {
    return this.#settings.label
  }

  get issuer(): string {
    return this.#settings.issuer
  }

  /** The cookie of a login lasts for so long, in milliseconds. */
  readonly lifetime = loginMs

  /**
   * Begins a login.
   * @param next path of this origin to go to afterwards
   * @returns where the browser goes, and the value of the cookie that it must show on its way back
   * @throws OidcError `provider-away`
   */
  async begin(req: Addressed, next: string): Promise<{ url: string; cookie: string }> {
    const configuration = await this.#discovered()
    const login: LoginState = {
      state: randomState(),
      nonce: randomNonce(),
      verifier: randomPKCECodeVerifier(),
      next: pathOfOrigin(next),
      redirectUri: this.#origin(req) + callbackPath,
      expiresAt: this.#now().getTime() + loginMs,
    }
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: login.redirectUri,
      scope: this.#settings.scopes.join(' '),
      code_challenge: await calculatePKCECodeChallenge(login.verifier),
      code_challenge_method: 'S256',
      state: login.state,
      nonce: login.nonce,
    })
    const cookie = Buffer.from(this.#box.seal(JSON.stringify(login), 'oidc-login'), 'base64').toString('base64url')
    return { url: url.href, cookie }
  }

  /**
   * Ends a login: takes the code to the provider, checks what it says, and finds the role.
   * @param query of the callback, as it came
   * @throws OidcError
   */
  async finish(cookie: string | null, query: string): Promise<OidcUser> {
    const login = this.#opened(cookie)
    const url = new URL(`${login.redirectUri}${query === '' ? '' : `?${query}`}`)
    if (url.searchParams.get('state') !== login.state || this.#used.has(login.state))
      throw new OidcError('login-unknown', 'this login was not begun here, or has been used')
    if (login.expiresAt <= this.#now().getTime()) throw new OidcError('login-expired', 'the login took too long')
    this.#use(login)
    const configuration = await this.#discovered()
    const tokens = await authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: login.verifier,
      expectedState: login.state,
      expectedNonce: login.nonce,
      idTokenExpected: true,
    }).catch(refusedByProvider)
    const claims = tokens.claims()
    if (!claims) throw new OidcError('login-failed', 'the provider gave no ID token')
    const said: Record<string, unknown> = { ...(await this.#userInfo(configuration, tokens, claims.sub)), ...claims }
    return {
      issuer: claims.iss,
      subject: claims.sub,
      name: this.#nameOf(said),
      role: this.#roleOf(said),
      sid: typeof said.sid === 'string' ? said.sid : undefined,
      idToken: tokens.id_token === undefined ? undefined : this.#box.seal(tokens.id_token, 'oidc-id-token'),
      next: login.next,
    }
  }

  /** Where a browser goes to log out at the provider too (RP-Initiated Logout 1.0); null where the provider has no such place. */
  async logoutUrl(idToken: string, req: Addressed): Promise<string | null> {
    try {
      const configuration = await this.#discovered()
      if (configuration.serverMetadata().end_session_endpoint === undefined) return null
      return buildEndSessionUrl(configuration, {
        id_token_hint: this.#box.open(idToken, 'oidc-id-token'),
        post_logout_redirect_uri: `${this.#origin(req)}/admin`,
      }).href
    } catch {
      return null // the session here is over in any case
    }
  }

  /**
   * Reads a logout token, by which the provider says that somebody has logged out elsewhere (Back-Channel Logout 1.0, 2.6).
   * @throws OidcError `login-failed` for a token that is not the provider's
   */
  async loggedOut(token: string): Promise<{ issuer: string; sid?: string; subject?: string }> {
    const configuration = await this.#discovered()
    const { issuer, jwks_uri } = configuration.serverMetadata()
    this.#keys ??= createRemoteJWKSet(new URL(jwks_uri ?? `${issuer}/jwks`))
    const { payload } = await jwtVerify(token, this.#keys, {
      issuer,
      audience: this.#settings.clientId,
      requiredClaims: ['iat', 'jti', 'events'],
      maxTokenAge: '5 minutes',
      currentDate: this.#now(),
    }).catch((cause: unknown) => {
      throw new OidcError('login-failed', 'this is no logout token of the provider', { cause })
    })
    const events = payload.events as Record<string, unknown> | undefined
    const { sid, sub, nonce } = payload
    const about = { ...(typeof sid === 'string' && { sid }), ...(sub !== undefined && { subject: sub }) }
    if (!events?.['http://schemas.openid.net/event/backchannel-logout'] || nonce !== undefined)
      throw new OidcError('login-failed', 'the token is no logout token')
    if (Object.keys(about).length === 0) throw new OidcError('login-failed', 'the logout token names nobody')
    return { issuer, ...about }
  }

  #opened(cookie: string | null): LoginState {
    if (cookie === null) throw new OidcError('login-unknown', 'this browser has not begun a login here')
    try {
      const sealed = Buffer.from(cookie, 'base64url').toString('base64')
      return JSON.parse(this.#box.open(sealed, 'oidc-login')) as LoginState
    } catch (cause) {
      throw new OidcError('login-unknown', 'the cookie of the login is not one of this node', { cause })
    }
  }

  #use({ state, expiresAt }: LoginState): void {
    const now = this.#now().getTime()
    for (const [used, until] of this.#used) if (until <= now || this.#used.size > mostUsed) this.#used.delete(used)
    this.#used.set(state, expiresAt)
  }

  /** @throws OidcError `provider-away` */
  async #discovered(): Promise<Configuration> {
    if (this.#configuration) return await this.#configuration
    if (Date.now() - this.#failedAt < againMs) throw away(this.#settings.issuer, 'it did not answer a moment ago')
    const { issuer, clientId, clientSecret } = this.#settings
    const insecure = issuer.startsWith('http:')
    this.#configuration = discovery(new URL(issuer), clientId, clientSecret, clientSecret ? undefined : None(), {
      timeout: requestTimeout,
      ...(insecure && { execute: [allowInsecureRequests] }),
    })
    try {
      return await this.#configuration
    } catch (error) {
      this.#configuration = null
      this.#failedAt = Date.now()
      throw away(issuer, messageOf(error), error)
    }
  }

  async #userInfo(
    configuration: Configuration,
    { access_token }: { access_token: string },
    subject: string,
  ): Promise<Record<string, unknown>> {
    if (configuration.serverMetadata().userinfo_endpoint === undefined) return {}
    return await fetchUserInfo(configuration, access_token, subject).catch(refusedByProvider)
  }

  #nameOf(said: Record<string, unknown>): string {
    const name = valueAt(said, this.#settings.nameClaim)
    if (typeof name === 'string' && name.trim() !== '') {
      if (/\p{C}/u.test(name))
        throw new OidcError('no-name', 'the name that the provider gives has characters that cannot be seen')
      return name.trim().slice(0, 100)
    }
    throw new OidcError('no-name', `the provider does not say the name: there is no claim ${this.#settings.nameClaim}`)
  }

  #roleOf(said: Record<string, unknown>): Role {
    const claimed = valueAt(said, this.#settings.rolesClaim)
    const values = Array.isArray(claimed) ? claimed : typeof claimed === 'string' ? [claimed] : []
    const found = values.flatMap((value) => {
      const role =
        typeof value === 'string' ? Object.entries(this.#settings.roles).find(([name]) => name === value) : undefined
      return role ? [role[1]] : []
    })
    const widest = roles
      .filter((role) => found.includes(role))
      .sort((a, b) => permissionsOf(b).size - permissionsOf(a).size)
    const role = widest[0] ?? this.#settings.defaultRole
    if (role === null)
      throw new OidcError('no-role', 'none of the groups that the provider names has a role on this node')
    return role
  }

  #origin({ protocol, headers }: Addressed): string {
    return this.#settings.publicUrl?.replace(/\/+$/, '') ?? `${protocol}://${headers.host ?? 'localhost'}`
  }
}

function away(issuer: string, reason: string, cause?: unknown): OidcError {
  return new OidcError('provider-away', `the OpenID provider ${issuer} cannot be asked: ${reason}`, { cause })
}

function refusedByProvider(cause: unknown): never {
  const code = (cause as { error?: unknown }).error
  const reason = typeof code === 'string' ? code : messageOf(cause)
  throw new OidcError('provider-refused', `the OpenID provider refuses the login: ${reason}`, { cause })
}

/** The value at a path such as `realm_access.roles`; a claim whose own name has dots comes first. */
function valueAt(claims: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  return path.split('.').reduce<unknown>((value, part) => {
    return typeof value === 'object' && value !== null && Object.hasOwn(value, part)
      ? (value as Record<string, unknown>)[part]
      : undefined
  }, claims)
}

/** A path of this origin and nothing else: no open redirect. */
export function pathOfOrigin(next: string): string {
  if (!next.startsWith('/') || next.startsWith('//') || /[\\\p{Cc}]/u.test(next)) return '/admin'
  const url = new URL(next, 'http://origin.invalid')
  // Without its dots, /.//host has become //host.
  if (url.host !== 'origin.invalid' || url.pathname.startsWith('//')) return '/admin'
  return `${url.pathname}${url.search}`
}
