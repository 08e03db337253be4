import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { InferenceServer } from '../../../src/infer/runtime/model.ts'
import { openOpenInference } from '../../../src/infer/runtime/open-inference.ts'
import type { OpenInferenceOptions } from '../../../src/infer/runtime/options.ts'
import type { Tensor } from '../../../src/infer/runtime/tensor.ts'
import { TestAuthority } from '../../dimse/certificates.ts'
import { modelContext, using } from './contexts.ts'
import { binaryAnswer, type InferenceServerDouble, inferenceServerDouble, json } from './inference-server-double.ts'

let double: InferenceServerDouble
beforeEach(async () => {
  double = await inferenceServerDouble()
})
afterEach(() => double.close())

const open = (server: Partial<InferenceServer> = {}, options: Partial<OpenInferenceOptions> = {}) =>
  openOpenInference(
    { runtime: 'open-inference', server: 'triton', model: 'scale', protocol: 'http', deadlineSeconds: 5, ...options },
    modelContext(os.tmpdir(), {
      serverOf: (name) => (name === 'triton' ? { name, url: double.url, ...server } : undefined),
    }),
  )

const image: Tensor = { type: 'float32', dims: [1, 1, 2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6.5) }

describe('open inference over HTTP', () => {
  it('says what the server says of the model', async () => {
    await using(open({}, { version: '2' }), async ({ inputs, outputs, provider }) => {
      expect(provider).toBe('open-inference double 1')
      expect(inputs).toEqual([{ name: 'image', type: 'float32', dims: [null, 1, null, null] }])
      expect(outputs?.[1]).toEqual({ name: 'count', type: 'int64', dims: [1] })
      expect(double.requests.map((request) => request.path)).toEqual([
        '/base/v2',
        '/base/v2/models/scale/versions/2/ready',
        '/base/v2/models/scale/versions/2',
      ])
    })
  })

  it('sends tensors and takes what comes back, some in JSON and some behind it', async () => {
    await using(open(), async (model) => {
      const { scaled, count } = await model.run({ image }, ['count', 'scaled'])
      expect(scaled).toEqual({ ...image, data: Float32Array.of(2, 4, 6, 8, 10, 13) })
      expect(count).toEqual({ type: 'int64', dims: [1], data: BigInt64Array.of(6n) })
    })
  })

  it('sends nothing but the tensors, and the headers of the configuration', async () => {
    const headers = { authorization: 'Bearer of-a-secret' }
    await using(open({ headers }), async (model) => {
      const place = {
        grid: { size: [3, 2, 1], spacing: [1, 1, 1], origin: [-77, 0, 0], axes: [] } as never,
        layout: 'NCHW',
      }
      await model.run({ image: { ...image, place } }, ['scaled'])
    })
    const post = double.requests.find(({ method }) => method === 'POST')
    const length = Number(post?.headers['inference-header-content-length'])
    expect(JSON.parse(post?.body.toString('utf8', 0, length) ?? '')).toEqual({
      inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 1, 2, 3], parameters: { binary_data_size: 24 } }],
      outputs: [{ name: 'scaled', parameters: { binary_data: true } }],
    })
    expect(post?.body.length).toBe(length + 24)
    expect(double.requests.every((request) => request.headers.authorization === 'Bearer of-a-secret')).toBe(true)
  })

  it('takes a large tensor', async () => {
    const large: Tensor = { type: 'float32', dims: [1, 1, 2000, 1500], data: new Float32Array(3_000_000).fill(0.25) }
    await using(open(), async (model) => {
      const { scaled } = await model.run({ image: large }, ['scaled'])
      expect(scaled?.data.length).toBe(3_000_000)
      expect(scaled?.data.every((v) => v === 0.5)).toBe(true)
    })
  })

  it('refuses tensors that the model does not take, before they are sent', async () => {
    await using(open(), async (model) => {
      const flat: Tensor = { ...image, dims: [1, 6] }
      await expect(model.run({ image: flat }, ['scaled'])).rejects.toMatchObject({
        code: 'wrong-shape',
        message: expect.stringContaining('float32 [?, 1, ?, ?] is expected, float32 [1, 6] was found'),
      })
      expect(double.requests.some(({ method }) => method === 'POST')).toBe(false)
    })
  })

  it.each([
    [
      'a model that the server does not have',
      {},
      { model: 'other' },
      'model-failed',
      /404 to GET .*unknown model other/,
    ],
    ['a server that the configuration does not have', {}, { server: 'elsewhere' }, 'model-failed', /elsewhere/],
    [
      'a server that is not there',
      { url: 'http://127.0.0.1:9' },
      {},
      'model-unreachable',
      /triton cannot be reached: ECONNREFUSED/,
    ],
  ] as const)('says so: %s', async (_, server, options, code, message) => {
    await expect(open(server, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('says that the server is busy in a way that may pass', async () => {
    double.answer = (_, response) => {
      json(response, 503, { error: 'model is loading' })
      return true
    }
    await expect(open()).rejects.toMatchObject({
      code: 'model-unreachable',
      retry: 'transient',
      message: expect.stringContaining('503'),
    })
  })

  it('refuses a server without binary tensors', async () => {
    double.answer = (request, response) => {
      if (request.path !== '/base/v2') return false
      json(response, 200, { name: 'plain', version: '1', extensions: [] })
      return true
    }
    await expect(open()).rejects.toMatchObject({
      code: 'model-failed',
      message: expect.stringContaining('binary_tensor_data'),
    })
  })

  it('ends with its deadline, whether nothing comes or half an answer', async () => {
    for (const half of [false, true]) {
      await using(open({ deadlineSeconds: 0.3 }), async (model) => {
        double.answer = (_, response) => {
          if (half) response.writeHead(200, { 'content-length': '1000' }).write('{')
          return true
        }
        await expect(model.run({ image }, ['scaled'])).rejects.toMatchObject({
          code: 'model-deadline',
          message: 'inference server triton did not answer within 0.3 s',
        })
        double.answer = null
      })
    }
  })

  it('sends and takes no more than the limit', async () => {
    await using(open({ maximumBytes: 600 }), async (model) => {
      const large: Tensor = { type: 'float32', dims: [1, 1, 1, 200], data: new Float32Array(200) }
      await expect(model.run({ image: large }, ['scaled'])).rejects.toMatchObject({
        code: 'model-failed',
        message: expect.stringContaining('at most 600 are sent'),
      })
      double.answer = (_, response) => {
        response.end(Buffer.alloc(2000))
        return true
      }
      await expect(model.run({ image }, ['scaled'])).rejects.toMatchObject({
        code: 'model-failed',
        message: expect.stringContaining('more than 600 bytes'),
      })
    })
  })

  const scaled = { name: 'scaled', datatype: 'FP32', shape: [1, 1, 2, 3] }
  const broken: readonly [string, object, number, string, RegExp][] = [
    [
      'fewer bytes than announced',
      { outputs: [{ ...scaled, parameters: { binary_data_size: 24 } }] },
      20,
      'model-failed',
      /24 bytes, 20 are left/,
    ],
    [
      'bytes that nobody announced',
      { outputs: [{ ...scaled, parameters: { binary_data_size: 24 } }] },
      28,
      'model-failed',
      /4 bytes follow/,
    ],
    [
      'bytes that are not the shape’s',
      { outputs: [{ ...scaled, parameters: { binary_data_size: 20 } }] },
      20,
      'wrong-shape',
      /FP32 \[1, 1, 2, 3\] has 24/,
    ],
    [
      'another shape than the model’s',
      { outputs: [{ ...scaled, shape: [6], parameters: { binary_data_size: 24 } }] },
      24,
      'wrong-shape',
      /is expected, float32 \[6\]/,
    ],
    [
      'another type',
      { outputs: [{ ...scaled, datatype: 'INT32', parameters: { binary_data_size: 24 } }] },
      24,
      'wrong-shape',
      /int32/,
    ],
    ['fewer numbers than the shape', { outputs: [{ ...scaled, data: [1, 2] }] }, 0, 'wrong-shape', /2 elements/],
    ['texts for numbers', { outputs: [{ ...scaled, data: [1, 2, 3, 4, 5, 'x'] }] }, 0, 'model-failed', /no numbers/],
    [
      'another output',
      { outputs: [{ ...scaled, name: 'other', data: [1, 2, 3, 4, 5, 6] }] },
      0,
      'wrong-shape',
      /no output scaled/,
    ],
    ['no data', { outputs: [scaled] }, 0, 'model-failed', /no data/],
    ['another structure', { output: [] }, 0, 'model-failed', /outputs is not as expected/],
  ]
  it.each(broken)('fails precisely on an answer with %s', async (_, header, bytes, code, message) => {
    await using(open(), async (model) => {
      double.answer = (_request, response) => {
        binaryAnswer(response, header, [Buffer.alloc(bytes)])
        return true
      }
      await expect(model.run({ image }, ['scaled'])).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      })
    })
  })

  it('takes numbers nested by dimension', async () => {
    await using(open(), async (model) => {
      double.answer = (_, response) => {
        json(response, 200, {
          outputs: [
            {
              ...scaled,
              data: [
                [
                  [
                    [1, 2, 3],
                    [4, 5, 6],
                  ],
                ],
              ],
            },
          ],
        })
        return true
      }
      expect((await model.run({ image }, ['scaled'])).scaled?.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
    })
  })
})

describe('open inference over TLS', () => {
  it('trusts the authority of the configuration, and shows its certificate', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'hilum-tls-'))
    const authority = new TestAuthority(folder)
    const [own, client] = [authority.issue('server'), authority.issue('client')]
    const ca = readFileSync(authority.ca, 'utf8')
    const seen: (string | undefined)[] = []
    const server = createServer(
      {
        ca,
        cert: readFileSync(own.certificate),
        key: readFileSync(own.key),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        seen.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string | undefined)
        json(
          response,
          200,
          request.url === '/v2' ? { name: 's', extensions: ['binary_tensor_data'] } : { inputs: [], outputs: [] },
        )
      },
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const tls = { ca, certificate: readFileSync(client.certificate, 'utf8'), key: readFileSync(client.key, 'utf8') }
      await using(open({ url, tls }), async ({ inputs }) => expect(inputs).toEqual([]))
      expect(seen).toEqual(['client', 'client', 'client'])
      await expect(open({ url })).rejects.toMatchObject({ code: 'model-unreachable' })
      await expect(open({ url, tls: { ca } })).rejects.toMatchObject({ code: 'model-unreachable' })
    } finally {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
