import { z } from 'zod'
import { adminSchema, auditSchema } from './config-access.ts'
import { inferSchema } from './config-infer.ts'
import { insightsSchema } from './config-insights.ts'
import { notifySchema } from './config-notify.ts'
import { pageSchema } from './config-page.ts'
import { bytes, type Environment, isAddressOrBlock, parsedBy, readableFile, seconds, secret } from './config-values.ts'
import { parseAETitle } from './dicom/ae-title.ts'
import { routeDefinitionSchema } from './route/route-definition.ts'

const port = z.number().int().min(0).max(65_535)
const aeTitle = (description: string) => parsedBy(parseAETitle, description)

const addresses = (description: string) =>
  z
    .array(z.string().refine(isAddressOrBlock, 'expected an IP address, or a block of them as in 10.0.0.0/8'))
    .default([])
    .describe(description)

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
    transferSyntaxes: z
      .array(z.string().regex(/^[0-9][0-9.]{0,63}$/, 'expected transfer syntax UIDs'))
      .default([])
      .describe(
        'Transfer syntax UIDs to choose from what is proposed, best first; what is not named comes after them in the proposer’s order.',
      ),
    asynchronousOperations: z
      .number()
      .int()
      .min(1)
      .max(64)
      .default(16)
      .describe('Operations that a peer may have under way on one association, where it asks for it (PS3.7 D.3.3.3).'),
    userIdentity: z
      .strictObject({
        check: z
          .enum(['none', 'accounts', 'authoriser'])
          .default('none')
          .describe('none: not looked at; accounts: user name and password of this node; authoriser: asked by HTTP.'),
        required: z.boolean().default(false).describe('Reject associations without a user identity.'),
        authoriser: z
          .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
          .optional()
          .describe('URL that a user identity is posted to as JSON; 2xx admits.'),
      })
      .prefault({})
      .describe('User identity negotiation (PS3.7 D.3.3.7).'),
    tls: z
      .strictObject({
        port: port.default(2762).describe('TCP port of the listener with TLS; 0 takes a free one.'),
        certificate: readableFile('PEM file of the certificate and its chain.'),
        key: readableFile('PEM file of the private key.'),
        ca: readableFile('PEM file of the authorities whose client certificates are accepted.').optional(),
        clientCertificate: z
          .enum(['required', 'requested', 'none'])
          .default('required')
          .describe('Whether callers have to show a certificate of those authorities; required needs ca.'),
      })
      .optional()
      .describe('A second listener with TLS (BCP 195). The files are read again when they change.'),
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

const watchedFolder = z.strictObject({
  path: z.string().min(1).describe('The folder, with all that is in it; relative to the working directory.'),
  settle: seconds('Seconds without a change until a file counts as whole.').default(2),
  afterwards: z
    .enum(['delete', 'keep'])
    .default('delete')
    .describe('What becomes of a file that is taken in, or in quarantine: deleted, or left and remembered.'),
  callingAETitle: aeTitle('AE title that its instances are listed under.').default('FOLDER'),
})

const receive = z
  .strictObject({
    sync: z.boolean().default(true).describe('Sync each instance to the disk before Success is answered.'),
    warnFree: bytes('Bytes, or text such as "5 GiB": with less free space, a warning is given.').default(5 * 2 ** 30),
    minimumFree: bytes('Bytes, or text such as "1 GiB": with less free space, instances are refused (0xA700).').default(
      2 ** 30,
    ),
    emergencyFree: bytes(
      'Bytes, or text such as "256 MiB": with less free space, instances under way are ended and no job is started.',
    ).default(2 ** 28),
    folders: z.array(watchedFolder).default([]).describe('Folders whose DICOM files are taken in as they appear.'),
  })
  .prefault({})
  .describe('Arriving instances.')

const assemble = z
  .strictObject({
    quiet: seconds('Seconds after the last instance until a study counts as complete.').default(20),
    release: seconds('Seconds after the last association was released, when that is sooner.').default(5),
    longest: seconds(
      'Seconds after the last instance until a study counts as complete although an expected count or a required series is missing.',
    ).default(300),
    expect: z
      .array(
        z.discriminatedUnion(
          'kind',
          [
            z.strictObject({
              kind: z.literal('qido-rs'),
              destination: z.string().min(1).describe('Name of a destination that answers QIDO-RS.'),
            }),
            z.strictObject({
              kind: z.literal('c-find'),
              remote: aeTitle('AE title of a remote with host and port that answers C-FIND.'),
            }),
          ],
          { error: 'expected kind: qido-rs or c-find' },
        ),
      )
      .default([])
      .describe('Archives that are asked how many instances a study has, the first that knows it decides.'),
    hl7: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
        port: port.default(2575).describe('TCP port; 0 takes a free one.'),
        addresses: addresses('IP addresses, or blocks as in 10.0.0.0/8, that may send; empty: this machine only.'),
      })
      .optional()
      .describe(
        'A listener for HL7 v2 messages over MLLP: ORM and ORU tell what a study should hold and when it is done.',
      ),
  })
  .prefault({})
  .describe('When a study is complete.')

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
  addresses: addresses('IP addresses, or blocks as in 10.0.0.0/8, that it may call from; empty: any.'),
  may: z
    .array(z.enum(['store', 'query', 'retrieve']))
    .min(1)
    .default(['store'])
    .describe('What it may do here: send instances, search (C-FIND), have instances sent (C-MOVE, C-GET).'),
  host: z.string().min(1).optional().describe('Where it listens: needed to send to it, and to ask it.'),
  port: port.min(1).default(104).describe('TCP port where it listens.'),
  tls: z
    .strictObject({
      ca: readableFile('PEM file of the authorities to trust instead of the system’s.').optional(),
      certificate: readableFile('PEM file of the client certificate.').optional(),
      key: readableFile('PEM file of the client key.').optional(),
    })
    .optional()
    .describe('Call it with TLS.'),
})

const retention = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens'),
  schedule: z.string().min(1).default('30 2 * * *').describe('When it runs: a cron expression, local time.'),
  olderThanDays: z.number().min(0).max(36_500).describe('Days since the last instance of a study came.'),
  states: z
    .array(z.enum(['complete', 'done', 'failed']))
    .min(1)
    .default(['done'])
    .describe('Only studies in these states.'),
  verifiedAt: z
    .array(z.string().min(1))
    .default([])
    .describe('Destinations, other than self, that have to hold every result of the study, proven by reading back.'),
  storedAt: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Destinations that have to hold every instance of the study, asked by QIDO-RS before anything is deleted.',
    ),
  belowFree: bytes('Bytes, or text: only while less than this is free; 0: always.').default(0),
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
      infer: inferSchema(environment),
      deliver,
      remotes: z.array(remote).default([]).describe('Applications that may call, and that may be called.'),
      retention: z
        .array(retention)
        .default([])
        .describe('Rules by which studies are deleted; without any, nothing ever is.'),
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
      page: pageSchema,
      insights: insightsSchema,
      notify: notifySchema,
      admin: adminSchema(environment),
      audit: auditSchema,
    })
    .describe('Configuration of Hilum.')
}

export type ConfigSchema = ReturnType<typeof configSchema>
