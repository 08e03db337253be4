import type { Dispatcher } from 'undici'
import { request } from 'undici'
import { limitedBody } from './client-body.ts'

/** STOW-RS answers are small; one that is not is no STOW-RS answer. */
const maximumAnswer = 16 * 1024 * 1024

export interface RequestLimits {
  dispatcher: Dispatcher
  /** Ends the request when it fires, however far it is. */
  signal: AbortSignal
}

/**
 * The part of XMLHttpRequest that dicomweb-client uses, over undici.
 *
 * dicomweb-client takes the request object to use, and is given this one instead of the `xhr2` package because xhr2 drops the reason of
 * a network error (so that "refused before sending" and "lost after sending" look alike), follows redirects with the credentials in
 * the headers, and has one TLS configuration for the whole process.
 */
export class UndiciRequest {
  readyState = 0
  status = 0
  response: unknown = ''
  responseType = ''
  onreadystatechange: (() => void) | null = null
  /** Why there is no whole answer, when `status` is 0. */
  failure: unknown = null
  readonly #limits: RequestLimits
  readonly #requestHeaders: Record<string, string> = {}
  #method: Dispatcher.HttpMethod = 'GET'
  #url = ''
  #responseHeaders: Record<string, string> = {}

  constructor(limits: RequestLimits) {
    this.#limits = limits
  }

  open(method: string, url: string): void {
    this.#method = method.toUpperCase()
    this.#url = url
  }

  setRequestHeader(name: string, value: string): void {
    this.#requestHeaders[name.toLowerCase()] = value
  }

  getResponseHeader(name: string): string | null {
    return this.#responseHeaders[name.toLowerCase()] ?? null
  }

  getAllResponseHeaders(): string {
    return Object.entries(this.#responseHeaders)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\r\n')
  }

  /** Never rejects: like XMLHttpRequest it ends with readyState 4, and with status 0 where there is no answer. */
  send(data?: ArrayBuffer): void {
    this.#exchange(data)
      .catch((error: unknown) => {
        this.status = 0
        this.failure = error
      })
      .finally(() => {
        this.readyState = 4
        this.onreadystatechange?.()
      })
  }

  async #exchange(data: ArrayBuffer | undefined): Promise<void> {
    const answer = await request(this.#url, {
      method: this.#method,
      headers: this.#requestHeaders,
      body: data === undefined ? null : new Uint8Array(data),
      dispatcher: this.#limits.dispatcher,
      signal: this.#limits.signal,
    })
    for (const [name, value] of Object.entries(answer.headers))
      if (value !== undefined) this.#responseHeaders[name] = Array.isArray(value) ? value.join(', ') : value
    // dicomweb-client would try to decode any `multipart` answer, and throw inside the callback: STOW-RS never answers with one.
    if (this.#responseHeaders['content-type']?.includes('multipart')) delete this.#responseHeaders['content-type']
    this.response = (await limitedBody(answer.body, maximumAnswer)).toString('utf8')
    this.status = answer.statusCode
  }
}
