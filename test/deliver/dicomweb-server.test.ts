import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDestinations } from '../../src/deliver/destinations.ts'
import { DicomwebServer } from '../../src/dicomweb/client.ts'
import { classOfStatus } from '../../src/dicomweb/client-error.ts'
import { available, runProgram } from '../support/programs.ts'
import { Archive } from './archive.ts'
import { writeSmallObject } from './small-object.ts'

let folder: string
let archive: Archive
let url: string
const opened: DicomwebServer[] = []

function server(options: Partial<ConstructorParameters<typeof DicomwebServer>[0]> = {}): DicomwebServer {
  const made = new DicomwebServer({ url, timeoutMs: 2_000, ...options })
  opened.push(made)
  return made
}

/** A certificate for 127.0.0.1 that vouches for itself. */
function certificate(where: string): { ca: string; cert: string; key: string } {
  const [key, cert] = [path.join(where, 'key.pem'), path.join(where, 'cert.pem')]
  const subject = ['-subj', '/CN=archive', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1']
  const made = runProgram('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ])
  if (made.code !== 0) throw new Error(made.output)
  const pem = readFileSync(cert, 'utf8')
  return { ca: pem, cert: pem, key: readFileSync(key, 'utf8') }
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-dicomweb-'))
  archive = new Archive()
  url = await archive.start()
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
  await archive.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a DICOMweb server as a destination', () => {
  it.each([
    [401, 'permanent'],
    [404, 'permanent'],
    [413, 'permanent'],
    [415, 'permanent'],
    [302, 'permanent'],
    [408, 'transient'],
    [429, 'transient'],
    [500, 'ambiguous'],
    [503, 'transient'],
  ] as const)('classes an answer of HTTP %i as %s, and follows nothing', async (status, retry) => {
    archive.onStore = (_uids, res) => {
      res.writeHead(status, { location: `${url}/elsewhere` }).end()
      return true
    }
    const [outcome] = await server().store([writeSmallObject(folder, { number: 1 })])
    expect(outcome).toMatchObject({ kind: 'failed', retry, status })
    expect(classOfStatus(status)).toBe(retry)
    expect(archive.requests).toHaveLength(1)
  })

  it('takes HTTP 200 without a word about the object for no success', async () => {
    archive.onStore = (_uids, res) => {
      res.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>')
      return true
    }
    const [outcome] = await server().store([writeSmallObject(folder, { number: 1 })])
    expect(outcome).toMatchObject({
      kind: 'failed',
      retry: 'ambiguous',
      reason: 'STOW-RS answered HTTP 200, but the answer is not a STOW-RS answer',
    })
  })

  it('classes a refused connection as transient, and does not try the remaining objects', async () => {
    await archive.stop()
    const objects = [1, 2].map((number) => writeSmallObject(folder, { number }))
    const outcomes = await server({ batchBytes: 1 }).store(objects)
    expect(outcomes).toMatchObject([
      { kind: 'failed', retry: 'transient', reason: 'STOW-RS: the server could not be reached (ECONNREFUSED)' },
      { kind: 'failed', retry: 'transient', reason: expect.stringContaining('not tried') },
    ])
  })

  it('gives up a server that takes the request and never answers, as ambiguous', async () => {
    archive.onStore = () => true
    const [outcome] = await server({ timeoutMs: 300 }).store([writeSmallObject(folder, { number: 1 })])
    expect(outcome).toMatchObject({
      kind: 'failed',
      retry: 'ambiguous',
      reason: expect.stringContaining('within the time allowed'),
    })
  })

  it.runIf(available('openssl'))(
    'talks TLS to a certificate that it was told to trust, shows its own, and to no other',
    async () => {
      const { ca, cert, key } = certificate(folder)
      const tls = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (req, res) => {
        req.resume().on('end', () => res.writeHead(200, { 'content-type': 'application/dicom+json' }).end('[]'))
      })
      await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
      const address = `https://127.0.0.1:${(tls.address() as AddressInfo).port}/dicom-web`
      const object = writeSmallObject(folder, { number: 1 })

      const trusting = server({ url: address, tls: { ca, cert, key } })
      expect(await trusting.echo()).toBe(0)
      expect(await trusting.store([object])).toMatchObject([{ kind: 'failed', status: 200 }])
      const [stranger] = await server({ url: address }).store([object])
      expect(stranger).toMatchObject({
        kind: 'failed',
        retry: 'permanent',
        reason: expect.stringContaining('no trusted TLS connection'),
      })
      tls.closeAllConnections()
      await new Promise((resolve) => tls.close(resolve))
    },
  )

  it('streams an object that is larger than a batch, and reads back the same bytes', async () => {
    const pixels = Buffer.alloc(3_000_000, 'hilum')
    const object = writeSmallObject(folder, { number: 1, pixels })
    const one = server({ batchBytes: 1_000_000 })
    expect(await one.store([object])).toEqual([
      { sopInstanceUID: object.sopInstanceUID, kind: 'stored', warning: null },
    ])
    const digest = await one.retrieveInstance(object.studyInstanceUID, object.seriesInstanceUID, object.sopInstanceUID)
    expect(digest?.dataSetBytes).toBeGreaterThan(pixels.length)
    expect(digest?.head.length).toBe(1024 * 1024)
  })

  it('sends basic credentials and custom headers with every request', async () => {
    const one = server({ auth: { kind: 'basic', username: 'u', password: 'pä' } })
    await one.store([writeSmallObject(folder, { number: 1 })])
    await one.echo()
    expect(new Set(archive.authorizations)).toEqual(new Set([`Basic ${Buffer.from('u:pä').toString('base64')}`]))
  })

  it('explains in a sentence whether a destination works', async () => {
    const destinations = createDestinations({ archive: { url }, wrong: { url: `${url}/nowhere` } }, { url, token: 't' })
    expect(destinations.names()).toEqual(['self', 'archive', 'wrong'])
    expect(await destinations.test('archive')).toMatchObject({
      ok: true,
      sentence: 'QIDO-RS answers; it lists no study',
    })
    archive.onRead = (_req, res) => {
      res.writeHead(401).end()
      return true
    }
    expect(await destinations.test('archive')).toMatchObject({
      ok: false,
      sentence: expect.stringContaining('the credentials are missing or wrong'),
    })
    expect(await destinations.test('unknown')).toBeNull()
    await destinations.close()
  })
})
