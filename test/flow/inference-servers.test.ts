import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { configSchema } from '../../src/config-schema.ts'
import { inferenceServers } from '../../src/flow/inference-servers.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'hilum-servers-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const serversOf = (servers: unknown) => {
  const { infer } = configSchema({ TRITON_TOKEN: 'secret' }).parse({ infer: { servers } })
  return inferenceServers({ infer })
}

it('inference servers are given to workers with their token and the certificates themselves', () => {
  const ca = path.join(folder, 'ca.pem')
  writeFileSync(ca, 'a certificate')
  expect(
    serversOf({
      triton: { url: 'https://triton.example:8000', token: { env: 'TRITON_TOKEN' }, tls: { ca }, deadline: 60 },
      plain: { url: 'http://127.0.0.1:8000/v2' },
    }),
  ).toEqual([
    {
      name: 'triton',
      url: 'https://triton.example:8000',
      headers: { authorization: 'Bearer secret' },
      tls: { ca: 'a certificate' },
      deadlineSeconds: 60,
    },
    { name: 'plain', url: 'http://127.0.0.1:8000/v2' },
  ])
})

it('an inference server has an address, and its secret is there', () => {
  expect(() => serversOf({ triton: { url: 'triton:8000' } })).toThrow('expected the URL of an inference server')
  const token = { env: 'NOWHERE' }
  expect(() => serversOf({ triton: { url: 'http://triton', token } })).toThrow('the environment variable NOWHERE')
})
