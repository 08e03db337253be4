import { DestinationError } from '../admin/api-destinations.ts'
import { NotifyError } from '../admin/api-notifications.ts'
import type { NotifySecretInput, ShownTarget, TargetInput } from '../admin/api-schemas-notifications.ts'
import type { TargetRow } from '../notify/rows.ts'
import type { EmailTarget, WebhookTarget } from '../notify/target.ts'
import type { SecretPlace } from '../store/stored-destinations.ts'
import { placeSentence, readPlace, type SecretsOptions } from './destination-secrets.ts'

/** A target's definition as the database keeps it: where its secrets are, not what they say. */
export interface StoredTarget {
  mostPerHour: number
  digestMinutes: number
  timeout: number
  via:
    | Omit<Extract<ShownTarget['via'], { kind: 'webhook' }>, 'secret'>
    | Omit<Extract<ShownTarget['via'], { kind: 'email' }>, 'password'>
  places: Record<string, SecretPlace>
}

const purposeOf = (name: string) => `notification target ${name}`

/**
 * A target as it is stored: secrets apart, and sealed.
 * @param earlier whose secrets are kept where the definition says so
 * @throws NotifyError `bad-definition`
 */
export function storedTarget(
  given: TargetInput,
  earlier: TargetRow | null,
  options: SecretsOptions,
): { definition: StoredTarget; secrets: string | null } {
  const places: Record<string, SecretPlace> = {}
  const sealed: Record<string, string> = {}
  const before = earlier ? (JSON.parse(earlier.definition) as StoredTarget) : null
  for (const [what, secret] of givenSecrets(given)) {
    if (typeof secret === 'string') {
      places[what] = { kind: 'sealed' }
      sealed[what] = secret
    } else if ('keep' in secret) {
      const place = before?.places[what]
      if (!earlier || !before || !place) throw bad(`${what}: there is nothing to keep`)
      if (place.kind === 'sealed') {
        if (whereTo(given.via) !== whereTo(before.via))
          throw bad(`${what}: a secret is not kept for another host: give it again`)
        sealed[what] = openSecrets(earlier, options)[what] ?? ''
      }
      places[what] = place
    } else {
      places[what] = 'env' in secret ? { kind: 'env', name: secret.env } : { kind: 'file', path: secret.file }
      read(what, places[what], options)
    }
  }
  const { mostPerHour, digestMinutes, timeout } = given
  const definition = { mostPerHour, digestMinutes, timeout, via: withoutSecrets(given.via), places }
  const any = Object.keys(sealed).length > 0
  return { definition, secrets: any ? options.box.seal(JSON.stringify(sealed), purposeOf(given.name)) : null }
}

/** A stored target with its secrets. @throws HilumError where one cannot be read */
export function openTarget(row: TargetRow, options: SecretsOptions): WebhookTarget | EmailTarget {
  const { via, timeout, places } = JSON.parse(row.definition) as StoredTarget
  const sealed = openSecrets(row, options)
  const secret = (what: string): string | null => {
    const place = places[what]
    return place === undefined ? null : place.kind === 'sealed' ? (sealed[what] ?? '') : read(what, place, options)
  }
  const timeoutMs = timeout * 1000
  if (via.kind === 'email') return { ...via, password: secret('password'), timeoutMs }
  const headers = Object.fromEntries(via.headers.map((name) => [name, secret(`header:${name}`) ?? '']))
  return { ...via, secret: secret('secret'), headers, timeoutMs }
}

/** A target as it can be shown. */
export function shownTarget(row: TargetRow): ShownTarget {
  const { via, places, mostPerHour, digestMinutes, timeout } = JSON.parse(row.definition) as StoredTarget
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled === 1,
    phi: row.phi === 1,
    mostPerHour,
    digestMinutes,
    timeout,
    via:
      via.kind === 'email'
        ? { ...via, password: placeSentence(places.password) }
        : { ...via, url: withoutPassword(via.url), secret: placeSentence(places.secret) },
    author: row.author,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function withoutPassword(url: string): string {
  return url.replace(/:\/\/[^@/]*@/, '://')
}

function withoutSecrets(via: TargetInput['via']): StoredTarget['via'] {
  if (via.kind === 'email') {
    const { password: _, ...rest } = via
    return rest
  }
  const { username, password } = new URL(via.url)
  if (username || password) throw bad('url: credentials belong into headers, where they are sealed')
  const { secret: _, headers, ...rest } = via
  return { ...rest, headers: Object.keys(headers) }
}

function whereTo(via: { kind: 'webhook'; url: string } | { kind: 'email'; host: string; port: number }): string {
  return via.kind === 'webhook' ? new URL(via.url).origin : `smtp://${via.host}:${via.port}`
}

function givenSecrets({ via }: TargetInput): [what: string, secret: NotifySecretInput][] {
  if (via.kind === 'email') return via.password === null ? [] : [['password', via.password]]
  return [
    ...(via.secret === null ? [] : [['secret', via.secret] as [string, NotifySecretInput]]),
    ...Object.entries(via.headers).map(([name, secret]): [string, NotifySecretInput] => [`header:${name}`, secret]),
  ]
}

function openSecrets({ name, secrets }: TargetRow, { box }: SecretsOptions): Record<string, string> {
  return secrets === null ? {} : (JSON.parse(box.open(secrets, purposeOf(name))) as Record<string, string>)
}

function read(what: string, place: SecretPlace, options: SecretsOptions): string {
  try {
    return readPlace(what, place, options)
  } catch (error) {
    throw error instanceof DestinationError ? bad(error.message) : error
  }
}

function bad(why: string): NotifyError {
  return new NotifyError('bad-definition', why)
}
