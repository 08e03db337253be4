import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { InferenceServer } from '../../../src/infer/runtime/model.ts'
import { openGrpc } from '../../../src/infer/runtime/open-inference-grpc.ts'
import type { Endpoint } from '../../../src/infer/runtime/open-inference-protocol.ts'
import type { Tensor } from '../../../src/infer/runtime/tensor.ts'
import { TestAuthority } from '../../dimse/certificates.ts'
import { using } from './contexts.ts'
import { type GrpcServerDouble, grpcServerDouble } from './grpc-server-double.ts'

let double: GrpcServerDouble
beforeEach(async () => {
  double = await grpcServerDouble()
})
afterEach(() => double.server.forceShutdown())

const endpoint = (server: Partial<InferenceServer> = {}, more: Partial<Endpoint> = {}): Endpoint => ({
  server: { name: 'triton', url: `http://127.0.0.1:${double.port}`, ...server },
  model: 'scale',
  version: undefined,
  deadline: 5000,
  maximumBytes: 2 ** 31 - 1,
  signal: undefined,
  ...more,
})
const image: Tensor = { type: 'float32', dims: [1, 1, 2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6.5) }

describe('open inference over gRPC', () => {
  it('says what the server says of the model, and sends and takes tensors as bytes', async () => {
    const headers = { Authorization: 'Bearer of-a-secret' }
    await using(openGrpc(endpoint({ headers })), async (model) => {
      expect(model.provider).toBe('open-inference double 1')
      expect(model.inputs).toEqual([{ name: 'image', type: 'float32', dims: [null, 1, null, null] }])
      const { scaled: result } = await model.run({ image }, ['scaled'])
      expect(result).toEqual({ ...image, data: Float32Array.of(2, 4, 6, 8, 10, 13) })
    })
    expect(double.calls.map(({ method }) => method)).toEqual([
      'ServerMetadata',
      'ModelReady',
      'ModelMetadata',
      'ModelInfer',
    ])
    expect(double.calls.every(({ metadata }) => metadata.get('authorization')[0] === 'Bearer of-a-secret')).toBe(true)
  })

  it('takes a tensor beyond gRPC’s usual 4 MB', async () => {
    const large: Tensor = { type: 'float32', dims: [1, 1, 2000, 1500], data: new Float32Array(3_000_000).fill(0.25) }
    await using(openGrpc(endpoint()), async (model) => {
      const { scaled: result } = await model.run({ image: large }, ['scaled'])
      expect(result?.data.every((v) => v === 0.5)).toBe(true)
    })
  })

  it.each([
    [
      'a model that the server does not have',
      {},
      { model: 'other' },
      'model-failed',
      /NOT_FOUND to ModelReady: unknown model/,
    ],
    ['a server that is not there', { url: 'http://127.0.0.1:9' }, {}, 'model-unreachable', /cannot be reached/],
  ] as const)('says so: %s', async (_, server, more, code, message) => {
    await expect(openGrpc(endpoint(server, more))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  it('ends with its deadline', async () => {
    await using(openGrpc(endpoint({}, { deadline: 400 })), async (model) => {
      double.answer = () => {}
      await expect(model.run({ image }, ['scaled'])).rejects.toMatchObject({
        code: 'model-deadline',
        retry: 'transient',
      })
    })
  })

  it('ends with its job', async () => {
    const abort = new AbortController()
    await using(openGrpc(endpoint({}, { signal: abort.signal })), async (model) => {
      double.answer = () => abort.abort(new Error('the job is over'))
      await expect(model.run({ image }, ['scaled'])).rejects.toThrowError('the job is over')
    })
  })

  it('sends no more than the limit', async () => {
    await using(openGrpc(endpoint({}, { maximumBytes: 600 })), async (model) => {
      const large: Tensor = { type: 'float32', dims: [1, 1, 1, 200], data: new Float32Array(200) }
      await expect(model.run({ image: large }, ['scaled'])).rejects.toMatchObject({
        code: 'model-failed',
        message: expect.stringContaining('at most 600'),
      })
      double.answer = (done) => done(null, { outputs: [], raw_output_contents: [Buffer.alloc(2000)] })
      await expect(model.run({ image }, ['scaled'])).rejects.toMatchObject({
        code: 'model-failed',
        message: expect.stringMatching(/the answer of inference server triton has more than \d+ bytes/),
      })
    })
  })

  const output = { name: 'scaled', datatype: 'FP32', shape: [1, 1, 2, 3] }
  const broken: readonly [string, object, string, RegExp][] = [
    [
      'bytes that are not the shape’s',
      { outputs: [output], raw_output_contents: [Buffer.alloc(20)] },
      'wrong-shape',
      /has 24/,
    ],
    [
      'more contents than outputs',
      { outputs: [output], raw_output_contents: [Buffer.alloc(24), Buffer.alloc(1)] },
      'model-failed',
      /1 outputs and 2/,
    ],
    [
      'another shape than the model’s',
      { outputs: [{ ...output, shape: [6] }], raw_output_contents: [Buffer.alloc(24)] },
      'wrong-shape',
      /\[6\]/,
    ],
    ['no data', { outputs: [output] }, 'wrong-shape', /0 elements/],
    [
      'another output',
      { outputs: [{ ...output, name: 'x' }], raw_output_contents: [Buffer.alloc(24)] },
      'wrong-shape',
      /no output scaled/,
    ],
  ]
  it.each(broken)('fails precisely on an answer with %s', async (_, answer, code, message) => {
    await using(openGrpc(endpoint()), async (model) => {
      double.answer = (done) => done(null, answer)
      await expect(model.run({ image }, ['scaled'])).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      })
    })
  })

  it('takes numbers in the messages’ own fields', async () => {
    await using(openGrpc(endpoint()), async (model) => {
      double.answer = (done) =>
        done(null, { outputs: [{ ...output, contents: { fp32_contents: [1, 2, 3, 4, 5, 6] } }] })
      expect((await model.run({ image }, ['scaled'])).scaled?.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
    })
  })

  it('trusts the authority of the configuration, and shows its certificate', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'hilum-grpc-'))
    const authority = new TestAuthority(folder)
    const [own, client] = [authority.issue('server'), authority.issue('client')]
    const ca = await readFile(authority.ca)
    const pair = { cert_chain: await readFile(own.certificate), private_key: await readFile(own.key) }
    const secure = await grpcServerDouble(grpc.ServerCredentials.createSsl(ca, [pair], true))
    const url = `https://127.0.0.1:${secure.port}`
    try {
      const tls = {
        ca: String(ca),
        certificate: await readFile(client.certificate, 'utf8'),
        key: await readFile(client.key, 'utf8'),
      }
      await using(openGrpc(endpoint({ url, tls })), async ({ provider }) =>
        expect(provider).toBe('open-inference double 1'),
      )
      await expect(openGrpc(endpoint({ url }, { deadline: 2000 }))).rejects.toMatchObject({
        code: expect.stringMatching(/unreachable|deadline/),
      })
    } finally {
      secure.server.forceShutdown()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
