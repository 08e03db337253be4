import type { Knex } from 'knex'
import type { DestinationInput, DestinationsDeps, ShownDestination } from '../admin/api-destinations.ts'
import { DestinationError } from '../admin/api-destinations.ts'
import type { Config, DestinationConfig } from '../config.ts'
import type { Destinations } from '../deliver/destinations.ts'
import { type Certificate, certificateOfPEM } from '../dicomweb/certificate.ts'
import type { DicomwebServerOptions } from '../dicomweb/client.ts'
import { probeService } from '../dicomweb/probe.ts'
import { messageOf } from '../errors.ts'
import { pauseOf, pauseSentence, pausesOf } from '../jobs/pauses.ts'
import type { Log } from '../log.ts'
import { deliveryHealth } from '../store/delivery-health.ts'

import type { SecretBox } from '../store/secret-box.ts'
import {
  deleteDestination,
  insertDestination,
  type StoredDestination,
  storedDestinations,
  updateDestination,
} from '../store/stored-destinations.ts'
import { destinationOptions } from './destination-options.ts'
import { clientOptions, placeSentence, type SecretsOptions, storedFrom } from './destination-secrets.ts'
import { rememberPeerCertificate } from './peer-certificates.ts'

type Whole = Awaited<ReturnType<DestinationsDeps['destinations']['add']>>
type TestAnswer = Awaited<ReturnType<DestinationsDeps['destinations']['test']>>

export interface ManagedDestinationsOptions {
  config: Pick<Config, 'destinations' | 'dataDir'>
  database: Knex
  /** Where deliveries find them. */
  destinations: Destinations
  /** The node's own store. */
  self: { url: string; token: string }
  box: SecretBox
  log: Log
  env?: Readonly<Record<string, string | undefined>>
  /** Called when there may be something to deliver, or what is shown has changed. */
  onChange?: () => void
  now?: () => Date
}

/** How soon a change by another process is noticed, ms. */
const lookMs = 5000
/** Tests under way at once. */
const mostTests = 4

/**
 * Where results go: the configured destinations, which only the file changes, and those of the database, which the API changes. A name in the
 * file wins. Deliveries find both in `destinations`.
 */
export class ManagedDestinations {
  readonly #options: ManagedDestinationsOptions
  readonly #secrets: SecretsOptions
  #stored: StoredDestination[] = []
  #timer: NodeJS.Timeout | undefined
  #testing = 0

  constructor(options: ManagedDestinationsOptions) {
    this.#options = options
    const { box, config, env = process.env } = options
    this.#secrets = { box, dataDir: config.dataDir, env }
  }

  /** Takes the destinations of the database into use, and looks for changes by other processes from then on. */
  async start(): Promise<void> {
    await this.refresh()
    this.#timer = setInterval(() => {
      this.refresh().catch((error: unknown) =>
        this.#options.log.warn('the destinations cannot be read now', { reason: messageOf(error) }),
      )
    }, lookMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async refresh(): Promise<void> {
    const { database, destinations, log } = this.#options
    const stored = (await storedDestinations(database)).filter(({ name }) => !this.#isOfFile(name))
    for (const { name } of this.#stored) if (!stored.some((one) => one.name === name)) destinations.remove(name)
    for (const one of stored) {
      const there = this.#stored.find(({ name }) => name === one.name)
      if (there && JSON.stringify(there) === JSON.stringify(one)) continue
      try {
        destinations.set(one.name, clientOptions(one, this.#secrets))
      } catch (error) {
        destinations.remove(one.name)
        log.error('a destination cannot be used', { destination: one.name, reason: messageOf(error) })
      }
    }
    this.#stored = stored
  }

  async list(): Promise<Whole[]> {
    const { config } = this.#options
    const all = [
      ...Object.entries(config.destinations).map(([name, one]) => this.#ofFile(name, one)),
      ...this.#stored.map(shownOf),
    ]
    return await Promise.all(all.sort((a, b) => (a.name < b.name ? -1 : 1)).map((one) => this.#whole(one)))
  }

  /** @throws DestinationError */
  async add(name: string, definition: DestinationInput, author: string): Promise<Whole> {
    const { database } = this.#options
    this.#checkWritable(name)
    checkPEMs(definition)
    const stored = storedFrom(name, definition, null, this.#secrets)
    if (!(await insertDestination(database, stored, this.#by(author))))
      throw new DestinationError('destination-exists', `there is a destination ${name} already`)
    return await this.#changed(name)
  }

  /** @throws DestinationError */
  async replace(name: string, definition: DestinationInput, author: string): Promise<Whole> {
    const { database } = this.#options
    this.#checkWritable(name)
    checkPEMs(definition)
    const stored = storedFrom(name, definition, await this.#find(name), this.#secrets)
    await updateDestination(database, stored, this.#by(author))
    return await this.#changed(name)
  }

  /** @throws DestinationError */
  async remove(name: string): Promise<void> {
    const { database, onChange } = this.#options
    this.#checkWritable(name)
    await this.#find(name)
    const routes = await routesTo(database, name)
    if (routes.length > 0)
      throw new DestinationError('destination-in-use', `routes deliver to ${name}: ${routes.join(', ')}`)
    const open = await database('jobs')
      .where({ kind: 'deliver', destination: name })
      .whereIn('state', ['queued', 'running'])
      .first('id')
    if (open) throw new DestinationError('destination-in-use', `deliveries to ${name} wait or run: end them first`)
    await deleteDestination(database, name)
    await this.refresh()
    onChange?.()
  }

  /** Tries a destination, and remembers what came of it. @throws DestinationError `destination-unknown` */
  async test(name: string): Promise<TestAnswer> {
    const { database } = this.#options
    const answer = await this.#probe(name, await this.#optionsOf(name))
    const row = { name, at: answer.at, ok: answer.ok ? 1 : 0, answer: JSON.stringify(answer) }
    await database('destination_tests').insert(row).onConflict('name').merge()
    return answer
  }

  /** Tries a definition that is not stored. @throws DestinationError */
  async tryOut(name: string | null, definition: DestinationInput): Promise<TestAnswer> {
    checkPEMs(definition)
    const earlier = name === null ? null : (this.#stored.find((one) => one.name === name) ?? null)
    const stored = storedFrom(name ?? 'new', definition, earlier, this.#secrets)
    return await this.#probe(name ?? definition.url, clientOptions(stored, this.#secrets))
  }

  async #probe(destination: string, options: DicomwebServerOptions): Promise<TestAnswer> {
    const { database, now } = this.#options
    if (this.#testing >= mostTests)
      throw new DestinationError(
        'destination-in-use',
        'several destinations are being tried already: try again in a moment',
      )
    const begun = performance.now()
    const at = (now?.() ?? new Date()).toISOString()
    this.#testing++
    const { ok, steps, certificate } = await probeService(options).finally(() => this.#testing--)
    const { host, port, protocol } = new URL(options.url)
    if (certificate)
      await rememberPeerCertificate(database, `${host}${port || protocol !== 'https:' ? '' : ':443'}`, certificate, at)
    const failed = steps.find(({ outcome }) => outcome === 'failed')
    const warning = steps.find(({ outcome }) => outcome === 'warning')
    const sentence = failed
      ? `${failed.title}: ${failed.sentence}`
      : warning
        ? `It works; ${warning.title.toLowerCase()}: ${warning.sentence}`
        : 'It works: results can be stored there, and proven to be there'
    return {
      destination,
      url: options.url,
      ok,
      ms: Math.round(performance.now() - begun),
      at,
      sentence,
      steps,
      certificate,
    }
  }

  async #optionsOf(name: string): Promise<DicomwebServerOptions> {
    const { config, self } = this.#options
    if (name === 'self') return { url: self.url, auth: { kind: 'bearer', token: self.token } }
    const ofFile = this.#isOfFile(name) ? destinationOptions(config)[name] : undefined
    return ofFile ?? clientOptions(await this.#find(name), this.#secrets)
  }

  async #find(name: string): Promise<StoredDestination> {
    await this.refresh()
    const found = this.#stored.find((one) => one.name === name)
    if (!found) throw new DestinationError('destination-unknown', `there is no destination ${name}`)
    return found
  }

  async #changed(name: string): Promise<Whole> {
    await this.refresh()
    this.#options.onChange?.()
    return await this.#whole(shownOf(await this.#find(name)))
  }

  async #whole(shown: ShownDestination): Promise<Whole> {
    const { database } = this.#options
    const { name } = shown
    const pause = pauseOf({ kind: 'deliver', pipeline: null, destination: name }, await pausesOf(database))
    const test = await database('destination_tests').where({ name }).first<{ answer: string } | undefined>('answer')
    return {
      ...shown,
      usedBy: await routesTo(database, name),
      health: { ...(await deliveryHealth(database, name)), paused: pause ? pauseSentence(pause) : null },
      lastTest: test ? (JSON.parse(test.answer) as TestAnswer) : null,
    }
  }

  #isOfFile(name: string): boolean {
    return name === 'self' || Object.hasOwn(this.#options.config.destinations, name)
  }

  #checkWritable(name: string): void {
    if (this.#isOfFile(name))
      throw new DestinationError(
        'destination-in-file',
        `${name} is in the configuration file, and can only be changed there`,
      )
  }

  #by(author: string): { at: string; author: string } {
    return { at: (this.#options.now?.() ?? new Date()).toISOString(), author: author.slice(0, 255) }
  }

  #ofFile(name: string, one: DestinationConfig): ShownDestination {
    const nobody = { author: null, createdAt: null, updatedAt: null }
    if (one.kind === 'self') {
      const auth = { kind: 'bearer' as const, username: null, secret: 'set' }
      return {
        name,
        kind: 'self',
        url: this.#options.self.url,
        auth,
        headers: [],
        tls: null,
        timeout: 60,
        origin: 'built-in',
        ...nobody,
      }
    }
    const { url, auth, headers, tls, timeout } = one
    return {
      name,
      kind: 'stow-rs',
      url: withoutCredentials(url),
      auth: {
        kind: auth.kind,
        username: auth.kind === 'basic' ? auth.username : null,
        secret: auth.kind === 'none' ? null : 'set',
      },
      headers: Object.keys(headers),
      tls: tls
        ? {
            ca: tls.ca !== undefined,
            certificate: null,
            key: tls.key !== undefined,
            rejectUnauthorized: tls.rejectUnauthorized,
          }
        : null,
      timeout,
      origin: 'file',
      ...nobody,
    }
  }
}

function shownOf({ name, definition, author, createdAt, updatedAt }: StoredDestination): ShownDestination {
  const { kind, url, auth, headers, tls, timeout, secrets } = definition
  return {
    name,
    kind,
    url: withoutCredentials(url),
    auth: {
      kind: auth.kind,
      username: auth.kind === 'basic' ? auth.username : null,
      secret: placeSentence(secrets.password ?? secrets.token),
    },
    headers: [...headers],
    tls: tls && {
      ca: tls.ca !== null,
      certificate: tls.certificate === null ? null : certificateIn(tls.certificate),
      key: secrets.key !== undefined,
      rejectUnauthorized: tls.rejectUnauthorized,
    },
    timeout,
    origin: 'api',
    author,
    createdAt,
    updatedAt,
  }
}

function withoutCredentials(url: string): string {
  return url.replace(/:\/\/[^@/]*@/, '://')
}

function certificateIn(pem: string): Certificate | null {
  try {
    return certificateOfPEM(pem)
  } catch {
    return null
  }
}

/** @throws DestinationError `bad-definition` */
function checkPEMs({ url, tls }: DestinationInput): void {
  if (new URL(url).username || new URL(url).password)
    throw new DestinationError('bad-definition', 'url: credentials belong into auth, where they are sealed')
  for (const [what, pem] of [
    ['ca', tls?.ca],
    ['certificate', tls?.certificate],
  ] as const)
    if (pem && !certificateIn(pem))
      throw new DestinationError('bad-definition', `tls.${what}: a certificate in PEM is expected`)
}

/** The active routes that deliver to a destination. */
async function routesTo(database: Knex, destination: string): Promise<string[]> {
  const rows: { name: string; definition: string }[] = await database('routes')
    .where({ active: 1 })
    .orderBy(['position', 'name'])
    .select('name', 'definition')
  return rows
    .filter(({ definition }) => {
      const { destinations } = JSON.parse(definition) as { destinations?: unknown }
      return Array.isArray(destinations) && destinations.includes(destination)
    })
    .map(({ name }) => name)
}
