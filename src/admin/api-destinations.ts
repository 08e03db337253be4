import { z } from 'zod'
import { HilumError } from '../errors.ts'
import { refusing } from './api-error.ts'
import { destinationHealth } from './api-schemas-node.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import { entityTag, requireMatch } from './entity-tag.ts'

const at = z.string().describe('ISO 8601, UTC')

/** A certificate, as it can be shown. */
export const certificate = z
  .object({
    subject: z.string(),
    issuer: z.string(),
    names: z.array(z.string()).describe('Subject Alternative Names'),
    validFrom: at,
    validTo: at,
    daysLeft: z.number().describe('negative: it has expired'),
    fingerprint: z.string().describe('SHA-256'),
  })
  .meta({ id: 'Certificate' })

const secret = z
  .union([
    z.string().min(1).max(20_000).describe('the secret itself: sealed, and never shown again'),
    z
      .strictObject({
        env: z.string().regex(/^DESTINATION_[A-Z0-9_]{1,60}$/, 'the name of a variable begins with DESTINATION_'),
      })
      .describe('a variable of the node’s environment'),
    z
      .strictObject({ file: z.string().min(1).max(500) })
      .describe('a file in the folder secrets of the data folder, or in /run/secrets'),
    z.strictObject({ keep: z.literal(true) }).describe('what is there already; only when it is changed'),
  ])
  .meta({ id: 'SecretInput' })

const auth = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('basic'), username: z.string().min(1).max(255), password: secret }),
    z.strictObject({ kind: z.literal('bearer'), token: secret }),
  ])
  .default({ kind: 'none' })

const pem = z
  .string()
  .max(200_000)
  .regex(/-----BEGIN /, 'a PEM text is expected')

const definitionShape = {
  kind: z.literal('stow-rs').default('stow-rs'),
  url: z
    .url({
      protocol: /^https?$/,
      error: 'the URL of a DICOMweb service is expected, as in https://pacs.example/dicom-web',
    })
    .max(1000),
  auth,
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), secret)
    .default({})
    .describe('further HTTP headers, sealed'),
  tls: z
    .strictObject({
      ca: pem.nullable().default(null).describe('PEM: authorities to trust instead of the system’s'),
      certificate: pem.nullable().default(null).describe('PEM: the client’s'),
      key: secret.nullable().default(null).describe('PEM: of the client’s certificate'),
      rejectUnauthorized: z.boolean().default(true).describe('false accepts any certificate: for tests only'),
    })
    .nullable()
    .default(null),
  timeout: z.number().min(1).max(3600).default(60).describe('seconds for one request'),
}
const name = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens are expected')

const definition = z.strictObject(definitionShape)
/** A destination as somebody gives it; secrets are only ever given. */
export type DestinationInput = z.output<typeof definition>
export type SecretInput = z.output<typeof secret>

const testStep = z
  .object({
    step: z.enum(['address', 'connection', 'tls', 'answer', 'access', 'search', 'store']),
    title: z.string(),
    outcome: z.enum(['passed', 'failed', 'warning', 'skipped']),
    ms: z.number(),
    sentence: z.string().describe('what was seen'),
    advice: z.string().nullable().describe('what may be done about it'),
  })
  .meta({ id: 'TestStep' })

const testAnswer = z
  .object({
    destination: z.string(),
    url: z.string(),
    ok: z.boolean(),
    ms: z.number(),
    at,
    sentence: z.string().describe('the whole in one sentence'),
    steps: z.array(testStep),
    certificate: certificate.nullable(),
  })
  .meta({ id: 'DestinationTest' })

const shownShape = {
  name: z.string(),
  kind: z.enum(['self', 'stow-rs']),
  url: z.string(),
  auth: z.object({
    kind: z.enum(['none', 'basic', 'bearer']),
    username: z.string().nullable(),
    secret: z.string().nullable().describe('set, or where it comes from; null where none is needed'),
  }),
  headers: z.array(z.string()).describe('names; their values are secrets'),
  tls: z
    .object({
      ca: z.boolean(),
      certificate: certificate.nullable().describe('the client’s'),
      key: z.boolean(),
      rejectUnauthorized: z.boolean(),
    })
    .nullable(),
  timeout: z.number(),
  origin: z.enum(['built-in', 'file', 'api']).describe('file: in the configuration file, and changed only there'),
  author: z.string().nullable(),
  createdAt: at.nullable(),
  updatedAt: at.nullable(),
}
const shown = z.object(shownShape)
const destination = shown
  .extend({
    usedBy: z.array(z.string()).describe('routes that deliver there'),
    health: destinationHealth,
    lastTest: testAnswer.nullable(),
    etag: z.string().describe('for If-Match'),
  })
  .meta({ id: 'Destination' })

/** What is edited of a destination: its entity tag is made of it. */
export type ShownDestination = z.input<typeof shown>
type Whole = Omit<z.input<typeof destination>, 'etag'>
type TestAnswer = z.input<typeof testAnswer>

/**
 * Why a destination cannot be changed.
 * - `destination-unknown`: 404
 * - `bad-definition`: 400
 * - the others: 409
 */
export class DestinationError extends HilumError<
  'destination-unknown' | 'bad-definition' | 'destination-exists' | 'destination-in-file' | 'destination-in-use'
> {}

/** Where results go; refusals are DestinationErrors. */
export interface DestinationsDeps {
  destinations: {
    list(): Promise<Whole[]>
    add(name: string, definition: DestinationInput, by: string): Promise<Whole>
    replace(name: string, definition: DestinationInput, by: string): Promise<Whole>
    remove(name: string): Promise<void>
    test(name: string): Promise<TestAnswer>
    /** @param name whose secrets are kept, where the definition says so; null: a new one */
    tryOut(name: string | null, definition: DestinationInput): Promise<TestAnswer>
  }
}

const nameParams = z.strictObject({ name: z.string().max(100) })

/** Where results go: those of the configuration file, and those that were added while the node runs. */
export function destinationEndpoints({ destinations }: DestinationsDeps): Endpoint[] {
  const find = async (wanted: string): Promise<Whole> => {
    const found = (await destinations.list()).find(({ name: known }) => known === wanted)
    if (!found) throw new ApiError(404, 'destination-unknown', 'There is no destination of that name.')
    return found
  }
  return [
    endpoint({
      method: 'get',
      path: '/destinations',
      summary: 'Where results can go, and how that went lately',
      answer: z.object({ destinations: z.array(destination) }),
      handle: async () => ({ destinations: (await destinations.list()).map(tagged) }),
    }),
    endpoint({
      method: 'get',
      path: '/destinations/{name}',
      summary: 'One destination; its field etag is what If-Match wants',
      params: nameParams,
      answer: destination,
      handle: async ({ params }) => tagged(await find(params.name)),
    }),
    endpoint({
      method: 'post',
      path: '/destinations',
      summary: 'Add a destination; routes may deliver to it at once',
      body: z.strictObject({ name, ...definitionShape }),
      answer: destination,
      status: 201,
      action: 'destination-add',
      subject: ({ body }) => body.name,
      handle: async ({ body: { name: added, ...rest }, actor }) =>
        tagged(await explained(destinations.add(added, rest, actor))),
    }),
    endpoint({
      method: 'put',
      path: '/destinations/{name}',
      summary: 'Define a destination anew; deliveries under way go on',
      params: nameParams,
      body: definition,
      answer: destination,
      action: 'destination-change',
      edits: true,
      handle: async ({ params, body, actor, req }) => {
        requireMatch(req, shownOf(await find(params.name)))
        return tagged(await explained(destinations.replace(params.name, body, actor)))
      },
    }),
    endpoint({
      method: 'delete',
      path: '/destinations/{name}',
      summary: 'Remove a destination that no route uses and nothing is to be delivered to',
      params: nameParams,
      action: 'destination-remove',
      edits: true,
      handle: async ({ params, req }) => {
        requireMatch(req, shownOf(await find(params.name)))
        await explained(destinations.remove(params.name))
        return undefined
      },
    }),
    endpoint({
      method: 'post',
      path: '/destinations/{name}/echo',
      summary:
        'Try a destination step by step: address, connection, certificate, access, search, store; nothing is stored',
      params: nameParams,
      answer: testAnswer,
      action: 'destination-test',
      handle: ({ params }) => explained(destinations.test(params.name)),
    }),
    endpoint({
      method: 'post',
      path: '/destinations/try',
      summary: 'Try a definition before it is added, or put in place of one',
      body: z.strictObject({
        name: name.nullable().default(null).describe('whose secrets are kept'),
        ...definitionShape,
      }),
      answer: testAnswer,
      action: 'destination-try',
      subject: ({ body }) => body.name ?? new URL(body.url).host,
      handle: ({ body: { name: of, ...rest } }) => explained(destinations.tryOut(of, rest)),
    }),
  ]
}

function shownOf(whole: Whole): ShownDestination {
  const { usedBy: _, health: _health, lastTest: _test, ...rest } = whole
  return rest
}

function tagged(whole: Whole): z.input<typeof destination> {
  return { ...whole, etag: entityTag(shownOf(whole)) }
}

/** @throws ApiError in place of what says why it cannot be done */
const explained = refusing(
  DestinationError,
  (code) => ({ 'destination-unknown': 404, 'bad-definition': 400 })[code as string] ?? 409,
)
