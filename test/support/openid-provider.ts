import { generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

export const clientId = 'hilum'
export const clientSecret = 'a secret of the client and the provider'

/** Somebody at the provider, with the claims that it tells. */
export interface Account {
  sub: string
  [claim: string]: unknown
}

/** A real OpenID provider on a port of its own, which logs in whoever `account` is without asking. */
export class OpenIDProvider {
  account: Account = { sub: '1', preferred_username: 'anna', groups: ['reading-room'] }
  issuer = ''
  #server!: Server
  #provider!: Provider

  /** @param redirectUri where browsers are led back to; @param backchannel where logouts are told */
  async start(client: { redirectUri: string; afterLogout: string; backchannel: string }): Promise<this> {
    this.#server = createServer((req, res) => void this.#answer(req, res))
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = { ...privateKey.export({ format: 'jwk' }), kid: 'tests', use: 'sig', alg: 'RS256' }
    this.#provider = new Provider(this.issuer, {
      jwks: { keys: [key] },
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [client.redirectUri],
          post_logout_redirect_uris: [client.afterLogout],
          backchannel_logout_uri: client.backchannel,
          backchannel_logout_session_required: true,
        },
      ],
      claims: { openid: ['sub'], profile: ['preferred_username', 'groups', 'realm_access'] },
      features: {
        devInteractions: { enabled: false },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: { enabled: true },
      },
      pkce: { required: () => true },
      findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => this.account }),
      interactions: { url: (_: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
      cookies: { keys: ['of the tests'] },
      // Its own way refuses loopback addresses.
      fetch: (url: URL, { dispatcher: _, ...options }: RequestInit) => fetch(url, options),
    })
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!req.url?.startsWith('/interaction/')) return this.#provider.callback()(req, res)
    const { prompt, params, session } = await this.#provider.interactionDetails(req, res)
    if (prompt.name === 'login')
      return await this.#provider.interactionFinished(req, res, { login: { accountId: this.account.sub } })
    const grant = new this.#provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params.client_id) })
    grant.addOIDCScope('openid profile email')
    const consent = { grantId: await grant.save() }
    await this.#provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true })
  }
}

/** A browser that keeps cookies by origin and path, and is led where it is told to go. */
export class Browser {
  readonly #cookies = new Map<string, { name: string; value: string; path: string; origin: string }>()

  get(url: string): Promise<Response> {
    return this.#send(url, {})
  }

  post(url: string, form: Record<string, string>): Promise<Response> {
    return this.#send(url, { method: 'POST', body: new URLSearchParams(form) })
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    const where = new URL(url)
    const cookies = [...this.#cookies.values()].filter(
      ({ origin, path }) => origin === where.origin && where.pathname.startsWith(path),
    )
    const headers = { accept: 'text/html', cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }
    const answer = await fetch(where, { ...init, redirect: 'manual', headers })
    for (const line of answer.headers.getSetCookie()) this.#keep(line, where.origin)
    return answer
  }

  /** Follows redirections until there is none, or one leads to `until`. @returns the last address and answer */
  async follow(url: string, until?: string): Promise<{ url: string; answer: Response }> {
    let at = url
    for (let i = 0; i < 20; i++) {
      const answer = await this.get(at)
      const location = answer.headers.get('location')
      if (location === null) return { url: at, answer }
      at = new URL(location, at).href
      if (until !== undefined && at.startsWith(until)) return { url: at, answer }
    }
    throw new Error(`led around without an end, at last to ${at}`)
  }

  cookie(name: string): string | undefined {
    return [...this.#cookies.values()].find((cookie) => cookie.name === name)?.value
  }

  #keep(line: string, origin: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    const attribute = (key: string) =>
      attributes.find((one) => one.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1)
    const path = attribute('path') ?? '/'
    const expires = attribute('expires')
    const key = `${origin} ${path} ${name}`
    if (expires !== undefined && Date.parse(expires) < Date.now()) this.#cookies.delete(key)
    else this.#cookies.set(key, { name, value, path, origin })
  }
}
