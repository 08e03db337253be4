import { z } from 'zod'
import { bytes, type Environment, isAddressOrBlock, parsedBy, readableFile, seconds, secret } from './config-values.ts'
import { parseAETitle } from './dicom/ae-title.ts'
import { routeDefinitionSchema } from './route/route-definition.ts'

const port = z.number().int().min(0).max(65_535)
const aeTitle = (description: string) => parsedBy(parseAETitle, description)

const dimse = z
  .strictObject({
    host: z.string().min(1).default('0.0.0.0').describe('Address to listen on.'),
    port: port.default(11_112).describe('TCP port; 0 takes a free one.'),
    maxPduLength: z
      .number()
      .int()
      .min(4096)
      .max(16_777_216)
      .default(262_144)
      .describe('Bytes; the longest PDU that is accepted (PS3.8 D.1).'),
    maxAssociations: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(200)
      .describe('More associations at once are rejected as transient.'),
    idleTimeout: seconds('Seconds without a message before an association is aborted.', { min: 1 }).default(60),
    pduTimeout: seconds('Seconds for the rest of a PDU whose first byte has come.', { min: 1 }).default(30),
    associationTimeout: seconds('Seconds for the association request after the connection (ARTIM, PS3.8 9.1.5).', {
      min: 1,
    }).default(30),
    unknownCallers: z
      .enum(['loopback', 'reject', 'accept'])
      .default('loopback')
      .describe('Callers that are not among the remotes: accepted from this machine only, rejected, or accepted.'),
    acceptAnyCalledAETitle: z.boolean().default(false).describe('Accept associations that call another AE title.'),
  })
  .prefault({})
  .describe('The DICOM listener.')

const http = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
    port: port.default(8080).describe('TCP port; 0 takes a free one.'),
    trustProxy: z
      .array(
        z
          .string()
          .refine(
            (text) => text === 'loopback' || isAddressOrBlock(text),
            'expected loopback, an IP address, or a block of them as in 10.0.0.0/8',
          ),
      )
      .default([])
      .describe('Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: loopback, addresses or blocks.'),
  })
  .prefault({})
  .describe('DICOMweb, API, page and viewer.')

const database = z
  .strictObject({
    url: z
      .string()
      .regex(/^$|^postgres(ql)?:\/\/./, "expected '' (SQLite in the data folder) or postgres://…")
      .default('')
      .describe("'': SQLite in the data folder; postgres://user:password@host/name: PostgreSQL."),
  })
  .prefault({})
  .describe('Where the index is kept.')

const objects = z
  .strictObject({
    url: z
      .string()
      .regex(/^$/, "expected '' (disk in the data folder): other object stores are not supported by this version")
      .default('')
      .describe("'': disk in the data folder. This version supports nothing else."),
  })
  .prefault({})
  .describe('Where the instances are kept.')

const receive = z
  .strictObject({
    sync: z.boolean().default(true).describe('Sync each instance to the disk before Success is answered.'),
    minimumFree: bytes('Bytes, or text such as "1 GiB": with less free space, instances are refused (0xA700).').default(
      2 ** 30,
    ),
  })
  .prefault({})
  .describe('Arriving instances.')

const assemble = z
  .strictObject({
    quiet: seconds('Seconds after the last instance until a study counts as complete.').default(20),
    release: seconds('Seconds after the last association was released, when that is sooner.').default(5),
  })
  .prefault({})
  .describe('When a study is complete.')

const infer = z
  .strictObject({
    slots: z.number().int().min(1).max(64).default(1).describe('Inference jobs at once, each in a process of its own.'),
    threads: z
      .number()
      .int()
      .min(0)
      .max(1024)
      .default(0)
      .describe('CPU threads of a job; 0: the cores divided among the slots.'),
    deadline: seconds('Seconds until a job is ended.', { min: 1 }).default(900),
    providers: z
      .array(z.string().min(1))
      .min(1)
      .default(['cpu'])
      .describe('ONNX Runtime execution providers, best first; cpu is always there.'),
    memoryLimit: bytes('Bytes, or text such as "8 GiB", that an inference process may hold; 0: no limit.').default(0),
  })
  .prefault({})
  .describe('Inference.')

const deliver = z
  .strictObject({
    attempts: z.number().int().min(1).max(1000).default(100).describe('Attempts until a delivery counts as failed.'),
    firstDelay: seconds('Seconds before the second attempt; each further wait is twice as long, with jitter.').default(
      5,
    ),
    longestDelay: seconds('Seconds; no wait is longer.').default(900),
    slots: z.number().int().min(1).max(64).default(4).describe('Deliveries at once.'),
  })
  .prefault({})
  .describe('Delivery of results.')

const remote = z.strictObject({
  aeTitle: aeTitle('AE title of the remote, at most 16 characters.'),
  addresses: z
    .array(z.string().refine(isAddressOrBlock, 'expected an IP address, or a block of them as in 10.0.0.0/8'))
    .default([])
    .describe('IP addresses, or blocks as in 10.0.0.0/8, that it may call from; empty: any.'),
})

function destination(environment: Environment) {
  const auth = z.discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({
        kind: z.literal('basic'),
        username: z.string().min(1),
        password: secret(environment, 'Text, {env: NAME} or {file: path}.'),
      }),
      z.strictObject({ kind: z.literal('bearer'), token: secret(environment, 'Text, {env: NAME} or {file: path}.') }),
    ],
    { error: 'expected kind: none, basic or bearer' },
  )
  const tls = z.strictObject({
    ca: readableFile('PEM file of the authorities to trust instead of the system’s.').optional(),
    cert: readableFile('PEM file of the client certificate.').optional(),
    key: readableFile('PEM file of the client key.').optional(),
    rejectUnauthorized: z.boolean().default(true).describe('false accepts any certificate: for tests only.'),
  })
  const stow = z.strictObject({
    kind: z.literal('stow-rs'),
    url: z.url({
      protocol: /^https?$/,
      error: 'expected the URL of a DICOMweb service, as in https://pacs.example/dicom-web',
    }),
    auth: auth.default({ kind: 'none' }),
    headers: z.record(z.string(), z.string()).default({}).describe('Further HTTP headers.'),
    tls: tls.optional(),
    timeout: seconds('Seconds for one request.', { min: 1 }).default(60),
  })
  return z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('self') }), stow], {
    error: 'expected kind: self or stow-rs',
  })
}

/**
 * The configuration, as `config/hilum.yaml` gives it.
 * @param environment where `{env: NAME}` secrets are looked up
 */
export function configSchema(environment: Environment) {
  return z
    .strictObject({
      aeTitle: aeTitle('AE title of the node, at most 16 characters.').default('HILUM'),
      dataDir: z
        .string()
        .min(1)
        .default('./data')
        .describe('Folder for everything that the node keeps; relative to the working directory.'),
      log: z
        .strictObject({
          level: z
            .enum(['debug', 'info', 'warn', 'error', 'silent'])
            .default('info')
            .describe('The least severe level that is written.'),
        })
        .prefault({})
        .describe('JSON lines on standard error, without patient data.'),
      dimse,
      http,
      database,
      objects,
      roles: z
        .array(z.enum(['receive', 'work', 'serve']))
        .min(1)
        .default(['receive', 'work', 'serve'])
        .describe('What this process does.'),
      receive,
      assemble,
      infer,
      deliver,
      remotes: z.array(remote).default([]).describe('Applications that may call.'),
      destinations: z
        .record(
          z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens'),
          destination(environment),
        )
        .default({ self: { kind: 'self' } })
        .describe('Where results go, by name; self is the node’s own DICOMweb store and always there.'),
      routes: z
        .array(routeDefinitionSchema)
        .default([])
        .describe('Routes that the first start puts into the database.'),
      pipelines: z
        .strictObject({
          folder: z
            .string()
            .min(1)
            .default('models')
            .describe('Folder with one folder a pipeline; relative to the working directory.'),
        })
        .prefault({})
        .describe('The pipelines.'),
      admin: z
        .strictObject({
          token: secret(
            environment,
            "A bearer token for the API; '': none. Text, {env: NAME} or {file: path}.",
          ).default(''),
          sessionHours: z.number().min(0.1).max(720).default(12).describe('Hours until a login expires.'),
        })
        .prefault({})
        .describe('Access.'),
    })
    .describe('Configuration of Hilum.')
}

export type ConfigSchema = ReturnType<typeof configSchema>
