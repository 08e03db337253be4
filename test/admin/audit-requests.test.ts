import { once } from 'node:events'
import { get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { auditRequests } from '../../src/admin/audit-requests.ts'
import { authenticate } from '../../src/admin/auth.ts'
import type { Credentials } from '../../src/admin/credentials.ts'
import type { Sighting } from '../../src/admin/sightings.ts'
import { silentLog } from '../../src/log.ts'

let server: Server
let port: number
const seen: Sighting[] = []
const study = '/dicomweb/studies/1.2.3'

beforeEach(async () => {
  const credentials = {
    identifyToken: () => Promise.resolve({ actor: 'user:eve', role: 'viewer', permissions: new Set(), user: null }),
  } as unknown as Credentials
  const audit = { saw: (one: Sighting) => Promise.resolve(void seen.push(one)) }
  const app = express()
  app.use(authenticate(credentials), auditRequests(audit, silentLog))
  // Sends nearly all, and waits with the last byte.
  app.get(study, (_req, res) => void res.write(Buffer.alloc(1000)))
  app.get('/dicomweb/studies/1.2.4', (_req, res) => void res.status(404).end())
  server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterEach(() => {
  seen.length = 0
  server.closeAllConnections()
  server.close()
})

async function ask(path: string): Promise<IncomingMessage> {
  const request = get({ port, host: '127.0.0.1', path, headers: { authorization: 'Bearer x' } })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  return answer
}

it('records what was seen by somebody who hangs up before the last byte', async () => {
  const answer = await ask(study)
  await once(answer, 'data')
  answer.destroy()
  await vi.waitFor(() =>
    expect(seen).toMatchObject([{ actor: 'user:eve', action: 'study-retrieve', studyInstanceUID: '1.2.3' }]),
  )
})

it('records nothing of what was refused', async () => {
  const refused = await ask('/dicomweb/studies/1.2.4')
  refused.resume()
  await once(refused, 'close')
  const answer = await ask(study)
  answer.destroy()
  await vi.waitFor(() => expect(seen.map(({ studyInstanceUID }) => studyInstanceUID)).toEqual(['1.2.3']))
})
