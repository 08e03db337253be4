import { z } from 'zod'
import { DicomError } from '../dicom/error.ts'
import type { RefusedCaller } from '../store/refused-callers.ts'
import { RemoteError, type RemoteErrorCode } from '../store/remote-error.ts'
import type { Remote, RemotePermission } from '../store/remotes.ts'
import { refusing } from './api-error.ts'
import { refusedCaller } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import { entityTag, requireMatch } from './entity-tag.ts'

const pem = z.string().min(1).exactOptional()
const permission = z.enum(['store', 'query', 'retrieve'])
const sum = z.object({ instances: z.number(), bytes: z.number() })

const traffic = z.object({
  associations: z.number(),
  refused: z.number().describe('associations'),
  instances: z.number(),
  bytes: z.number(),
  rejected: z.number().describe('instances'),
  lastSeenAt: z.string().nullable().describe('ISO 8601, UTC'),
  lastMinute: sum,
  lastHour: sum,
  lastDay: sum,
})

/** What can be said of a remote; what is absent has the configuration's default. */
const definition = {
  addresses: z
    .array(z.string().max(64))
    .max(100)
    .default([])
    .describe('IP addresses, or blocks as in 10.0.0.0/8, that it may call from; empty: any'),
  may: z.array(permission).min(1).default(['store']),
  host: z.string().min(1).max(255).nullable().default(null).describe('where it listens'),
  port: z.number().int().min(1).max(65_535).default(104),
  tls: z
    .strictObject({ ca: pem, certificate: pem, key: pem })
    .nullable()
    .default(null)
    .describe('paths of PEM files on the node; null: called without TLS'),
}

const remote = z
  .object({
    aeTitle: z.string(),
    addresses: z.array(z.string()),
    may: z.array(permission),
    host: z.string().nullable(),
    port: z.number(),
    tls: z.boolean(),
    origin: z.enum(['file', 'api']).describe('file: in the configuration file, and changed only there'),
    etag: z.string().describe('for If-Match'),
  })
  .meta({ id: 'Remote' })

const echoed = z.object({
  aeTitle: z.string(),
  host: z.string(),
  port: z.number(),
  ok: z.boolean(),
  ms: z.number(),
  sentence: z.string(),
})

type KnownRemote = Remote & { origin: 'file' | 'api' }
type NewRemote = Pick<Remote, 'aeTitle'> & Partial<Remote>

/** Who may call; every refusal is a RemoteError. */
export interface RemotesDeps {
  remotes: {
    readonly unknownCallers: string
    list(): KnownRemote[]
    refused(): Promise<(RefusedCaller & { useless: string | null })[]>
    add(remote: NewRemote, author: string): Promise<KnownRemote>
    replace(remote: NewRemote, author: string): Promise<KnownRemote>
    remove(aeTitle: string): Promise<void>
    echo(aeTitle: string): Promise<z.input<typeof echoed>>
    forget(id: number): Promise<RefusedCaller>
    admit(id: number, may: RemotePermission[] | undefined, author: string): Promise<KnownRemote>
    counters: { traffic(): Promise<(aeTitle: string) => z.input<typeof traffic>> }
  }
}

const titleParams = z.strictObject({ aeTitle: z.string().min(1).max(32) })
const refusalParams = z.strictObject({ id: z.coerce.number().int().min(1).max(2_147_483_647) })

/** The applications that may call, and those that were refused. */
export function remoteEndpoints({ remotes }: RemotesDeps): Endpoint[] {
  return [
    ...refusalEndpoints(remotes),
    endpoint({
      method: 'get',
      path: '/remotes',
      summary: 'The callers that may send, what they sent, and those that were refused',
      answer: z.object({
        unknownCallers: z.string(),
        configured: z.array(remote.extend({ traffic })),
        others: traffic.describe('of callers that are no remotes'),
        refused: z.array(refusedCaller),
      }),
      handle: async () => {
        const trafficOf = await remotes.counters.traffic()
        return {
          unknownCallers: remotes.unknownCallers,
          configured: remotes.list().map((one) => ({ ...shown(one), traffic: trafficOf(one.aeTitle) })),
          others: trafficOf(''),
          refused: await remotes.refused(),
        }
      },
    }),
    endpoint({
      method: 'get',
      path: '/remotes/{aeTitle}',
      summary: 'One remote; its field etag is what If-Match wants',
      params: titleParams,
      answer: remote,
      handle: ({ params }) => shown(known(remotes, params.aeTitle)),
    }),
    endpoint({
      method: 'post',
      path: '/remotes',
      summary: 'Add a remote; it may call at once',
      body: z.strictObject({ aeTitle: z.string(), ...definition }),
      answer: remote,
      status: 201,
      action: 'remote-add',
      subject: ({ body }) => body.aeTitle,
      handle: async ({ body, actor }) => shown(await explained(remotes.add(body, actor))),
    }),
    endpoint({
      method: 'put',
      path: '/remotes/{aeTitle}',
      summary: 'Define a remote anew, from now on; open associations go on',
      params: titleParams,
      body: z.strictObject(definition),
      answer: remote,
      action: 'remote-change',
      edits: true,
      handle: async ({ params, body, actor, req }) => {
        requireMatch(req, shown(known(remotes, params.aeTitle)))
        return shown(await explained(remotes.replace({ ...params, ...body }, actor)))
      },
    }),
    endpoint({
      method: 'delete',
      path: '/remotes/{aeTitle}',
      summary: 'Remove a remote; open associations go on',
      params: titleParams,
      action: 'remote-remove',
      edits: true,
      handle: async ({ params, req }) => {
        requireMatch(req, shown(known(remotes, params.aeTitle)))
        await explained(remotes.remove(params.aeTitle))
        return undefined
      },
    }),
    endpoint({
      method: 'post',
      path: '/remotes/{aeTitle}/echo',
      summary: 'Ask a remote by C-ECHO whether it answers; the sentence says what is wrong where it does not',
      params: titleParams,
      answer: echoed,
      handle: ({ params }) => explained(remotes.echo(params.aeTitle)),
    }),
  ]
}

function refusalEndpoints(remotes: RemotesDeps['remotes']): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/remotes/refused',
      summary: 'Callers that were refused, the last first',
      answer: z.object({ refused: z.array(refusedCaller) }),
      handle: async () => ({ refused: await remotes.refused() }),
    }),
    endpoint({
      method: 'post',
      path: '/remotes/refused/{id}/admit',
      summary: 'Add a refused caller to the remotes: its AE title, at exactly this address',
      params: refusalParams,
      body: z.strictObject({ may: z.array(permission).min(1).optional() }),
      answer: remote,
      action: 'remote-admit',
      handle: async ({ params, body, actor, about }) => {
        const admitted = await explained(remotes.admit(params.id, body.may, actor))
        about(admitted.aeTitle)
        return shown(admitted)
      },
    }),
    endpoint({
      method: 'delete',
      path: '/remotes/refused/{id}',
      summary: 'Forget a refused caller',
      params: refusalParams,
      action: 'remote-forget',
      handle: async ({ params, about }) => {
        const { callingAETitle, address } = await explained(remotes.forget(params.id))
        about(`${callingAETitle}@${address}`)
        return undefined
      },
    }),
  ]
}

/** @throws ApiError 404 */
function known(remotes: RemotesDeps['remotes'], aeTitle: string): KnownRemote {
  const found = remotes.list().find((one) => one.aeTitle === aeTitle.trim())
  if (!found) throw new ApiError(404, 'remote-unknown', `There is no remote ${aeTitle}.`)
  return found
}

/** Where the keys lie is the node's own matter. */
function shown({ aeTitle, addresses, may, host, port, tls, origin }: KnownRemote): z.input<typeof remote> {
  const plain = { aeTitle, addresses, may, host, port, tls: tls !== null, origin }
  return { ...plain, etag: entityTag(plain) }
}

const statusOf: Readonly<Record<RemoteErrorCode, number>> = {
  'bad-definition': 400,
  'remote-unknown': 404,
  'remote-exists': 409,
  'remote-in-file': 409,
  'remote-without-host': 409,
  'refusal-unknown': 404,
  'admission-useless': 409,
}

/** @throws ApiError in place of what says why it cannot be done */
const ofRemotes = refusing(RemoteError, (code) => statusOf[code])
const ofAddresses = refusing(DicomError, () => 400)
const explained = <T>(act: Promise<T>): Promise<T> => ofAddresses(ofRemotes(act))
