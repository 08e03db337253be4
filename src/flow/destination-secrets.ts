import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { DestinationInput, SecretInput } from '../admin/api-destinations.ts'
import { DestinationError } from '../admin/api-destinations.ts'
import type { DicomwebServerOptions } from '../dicomweb/client.ts'
import { messageOf } from '../errors.ts'
import type { SecretBox } from '../store/secret-box.ts'
import type { SecretPlace, StoredDefinition, StoredDestination } from '../store/stored-destinations.ts'

type Secrets = Record<string, string>

export interface SecretsOptions {
  box: SecretBox
  /** Secrets may lie in files of its folder `secrets`. */
  dataDir: string
  env: Readonly<Record<string, string | undefined>>
}

/** Secrets of containers lie here. */
const runSecrets = '/run/secrets'

/**
 * A definition as it is stored: secrets apart, and sealed.
 * @param earlier whose secrets are kept where the definition says so
 * @throws DestinationError `bad-definition`
 */
export function storedFrom(
  name: string,
  given: DestinationInput,
  earlier: StoredDestination | null,
  options: SecretsOptions,
): Pick<StoredDestination, 'name' | 'definition' | 'secrets'> {
  const places: Record<string, SecretPlace> = {}
  const sealed: Secrets = {}
  const before = earlier ? openSecrets(earlier, options) : {}
  for (const [what, secret] of givenSecrets(given)) {
    if (typeof secret === 'string') {
      places[what] = { kind: 'sealed' }
      sealed[what] = secret
    } else if ('keep' in secret) {
      const place = earlier?.definition.secrets[what]
      if (!earlier || !place) throw new DestinationError('bad-definition', `${what}: there is nothing to keep`)
      if (place.kind === 'sealed' && !sameOrigin(given.url, earlier.definition.url))
        throw new DestinationError('bad-definition', `${what}: a secret is not kept for another host: give it again`)
      places[what] = place
      if (place.kind === 'sealed') sealed[what] = before[what] ?? ''
    } else {
      places[what] = 'env' in secret ? { kind: 'env', name: secret.env } : { kind: 'file', path: secret.file }
      readPlace(what, places[what], options)
    }
  }
  const { kind, url, auth, headers, tls, timeout } = given
  const definition: StoredDefinition = {
    kind,
    url,
    auth: auth.kind === 'basic' ? { kind: 'basic', username: auth.username } : { kind: auth.kind },
    headers: Object.keys(headers),
    tls: tls && { ca: tls.ca, certificate: tls.certificate, rejectUnauthorized: tls.rejectUnauthorized },
    timeout,
    secrets: places,
  }
  const anySealed = Object.keys(sealed).length > 0
  return { name, definition, secrets: anySealed ? options.box.seal(JSON.stringify(sealed), purposeOf(name)) : null }
}

/** A stored destination as the DICOMweb client takes it. @throws HilumError where a secret cannot be read */
export function clientOptions(
  stored: Pick<StoredDestination, 'name' | 'definition' | 'secrets'>,
  options: SecretsOptions,
): DicomwebServerOptions {
  const { url, auth, headers, tls, timeout, secrets } = stored.definition
  const sealed = openSecrets(stored, options)
  const secret = (what: string): string => {
    const place = secrets[what]
    return place === undefined ? '' : place.kind === 'sealed' ? (sealed[what] ?? '') : readPlace(what, place, options)
  }
  return {
    url,
    auth:
      auth.kind === 'basic'
        ? { kind: 'basic', username: auth.username, password: secret('password') }
        : auth.kind === 'bearer'
          ? { kind: 'bearer', token: secret('token') }
          : { kind: 'none' },
    headers: Object.fromEntries(headers.map((name) => [name, secret(`header:${name}`)])),
    timeoutMs: timeout * 1000,
    ...(tls && {
      tls: {
        rejectUnauthorized: tls.rejectUnauthorized,
        ...(tls.ca === null ? {} : { ca: tls.ca }),
        ...(tls.certificate === null ? {} : { cert: tls.certificate }),
        ...(secrets.key === undefined ? {} : { key: secret('key') }),
      },
    }),
  }
}

/** Where a secret comes from, for a person. */
export function placeSentence(place: SecretPlace | undefined): string | null {
  switch (place?.kind) {
    case undefined:
      return null
    case 'sealed':
      return 'set'
    case 'env':
      return `from the variable ${place.name}`
    case 'file':
      return `from the file ${place.path}`
  }
}

function givenSecrets({ auth, headers, tls }: DestinationInput): [what: string, secret: SecretInput][] {
  return [
    ...(auth.kind === 'basic' ? [['password', auth.password] as [string, SecretInput]] : []),
    ...(auth.kind === 'bearer' ? [['token', auth.token] as [string, SecretInput]] : []),
    ...(tls?.key ? [['key', tls.key] as [string, SecretInput]] : []),
    ...Object.entries(headers).map(([name, secret]): [string, SecretInput] => [`header:${name}`, secret]),
  ]
}

function openSecrets({ name, secrets }: Pick<StoredDestination, 'name' | 'secrets'>, { box }: SecretsOptions): Secrets {
  return secrets === null ? {} : (JSON.parse(box.open(secrets, purposeOf(name))) as Secrets)
}

function purposeOf(name: string): string {
  return `destination ${name}`
}

/** Who may add destinations may not have any file of the machine sent to them: secrets lie where secrets are put. */
export function readPlace(what: string, place: SecretPlace, { dataDir, env }: SecretsOptions): string {
  if (place.kind === 'sealed') return ''
  const bad = (why: string) => new DestinationError('bad-definition', `${what}: ${why}`)
  if (place.kind === 'env') {
    const value = env[place.name]
    if (!value) throw bad(`the node’s environment has no variable ${place.name}`)
    return value
  }
  const folders = [path.join(dataDir, 'secrets'), runSecrets]
  const file = path.resolve(folders[0] as string, place.path)
  if (!folders.some((folder) => file.startsWith(`${folder}${path.sep}`)))
    throw bad(`a file in ${folders.join(' or ')} is expected`)
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw bad(`the file cannot be read: ${messageOf(error)}`)
  }
}

/** A secret is never sent to where it was not given for. */
function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin
}
