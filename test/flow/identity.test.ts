import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type IdentityQuestion, identityJudge } from '../../src/flow/identity.ts'
import { silentLog } from '../../src/log.ts'

const question = (type: IdentityQuestion['type'], primary = 'radiologist', secondary = 'secret'): IdentityQuestion => ({
  about: 'identity',
  type,
  primary: Buffer.from(primary).toString('base64'),
  secondary: Buffer.from(secondary).toString('base64'),
  sender: { callingAETitle: 'WS', calledAETitle: 'HILUM', address: '10.0.0.7' },
})

let server: Server
let asked: unknown[] = []
let answer: { status: number; body: string }

beforeEach(async () => {
  asked = []
  answer = { status: 204, body: '' }
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      asked.push(JSON.parse(body))
      response.writeHead(answer.status).end(answer.status === 204 ? undefined : answer.body)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const judge = (check: 'none' | 'accounts' | 'authoriser', port = (server.address() as AddressInfo).port) =>
  identityJudge({
    settings: { check, required: false, authoriser: `http://127.0.0.1:${port}/authorise` },
    verify: (name, password) => Promise.resolve(name === 'radiologist' && password === 'secret'),
    log: silentLog,
  })

it('accounts know names with passwords, and nothing else', async () => {
  expect(await judge('accounts')(question('username-passcode'))).toMatchObject({ admitted: true })
  expect(await judge('accounts')(question('username-passcode', 'radiologist', 'guess'))).toMatchObject({
    admitted: false,
  })
  expect(await judge('accounts')(question('username'))).toMatchObject({ admitted: false })
  expect(await judge('accounts')(question('jwt'))).toMatchObject({ admitted: false })
})

it('an authoriser is asked, and its status decides', async () => {
  expect(await judge('authoriser')(question('jwt', 'a.b.c', ''))).toEqual({
    about: 'identity',
    admitted: true,
    serverResponse: null,
  })
  expect(asked).toEqual([{ type: 'jwt', primary: 'a.b.c', secondary: '', callingAETitle: 'WS', address: '10.0.0.7' }])
  answer = { status: 200, body: '{"serverResponse":"dGlja2V0"}' }
  expect(await judge('authoriser')(question('kerberos'))).toMatchObject({ admitted: true, serverResponse: 'dGlja2V0' })
  expect(asked[1]).toMatchObject({ type: 'kerberos', primary: Buffer.from('radiologist').toString('base64') })
  answer = { status: 403, body: 'no' }
  expect(await judge('authoriser')(question('saml'))).toMatchObject({ about: 'identity', admitted: false })
})

it('an authoriser that fails has not decided', async () => {
  answer = { status: 503, body: 'later' }
  expect(await judge('authoriser')(question('jwt'))).toMatchObject({ about: 'failure' })
  const { port } = server.address() as AddressInfo
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
  expect(await judge('authoriser', port)(question('jwt'))).toMatchObject({ about: 'failure' })
})
