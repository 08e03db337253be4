import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliverResults } from '../../src/deliver/deliver-results.ts'
import { createDestinations } from '../../src/deliver/destinations.ts'
import { DicomwebServer } from '../../src/dicomweb/client.ts'
import { writeSmallObject } from '../deliver/small-object.ts'
import type { OrthancProcess } from '../support/orthanc.ts'
import { startOrthanc } from '../support/orthanc.ts'
import { available } from '../support/programs.ts'

const runs = available('Orthanc', '/usr/share/orthanc/plugins/libOrthancDicomWeb.so')

describe.runIf(runs)('delivering to a real Orthanc', () => {
  let folder: string
  let orthanc: OrthancProcess
  const opened: DicomwebServer[] = []
  const credentials = { username: 'hilum', password: 'right' }

  function server(password = credentials.password): DicomwebServer {
    const auth = { kind: 'basic' as const, username: credentials.username, password }
    const made = new DicomwebServer({ url: `${orthanc.url}/dicom-web`, auth, timeoutMs: 20_000 })
    opened.push(made)
    return made
  }

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-peer-'))
    orthanc = await startOrthanc({ user: credentials.username, password: credentials.password })
  })

  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()))
    await orthanc?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  it('stores objects, finds them by QIDO-RS and reads the identical data set back by WADO-RS', async () => {
    const results = [1, 2, 3].map((number) => writeSmallObject(folder, { number }))
    const destination = server()
    const report = await deliverResults({ destination, results, lookFirst: false })
    expect(report.instances.map((instance) => instance.state)).toEqual(['verified', 'verified', 'verified'])
    for (const instance of report.instances)
      expect(instance).toMatchObject({
        proof: expect.stringMatching(/identical data set \([\d,]+ bytes, sha256 [0-9a-f]{12}…\)/),
      })

    const again = await deliverResults({
      destination,
      results,
      lookFirst: true,
      onSent: () => Promise.reject(new Error('sent again')),
    })
    expect(again.instances.map((instance) => instance.state)).toEqual(['verified', 'verified', 'verified'])
  })

  it('takes an object that is streamed because it is larger than a batch', async () => {
    const object = writeSmallObject(folder, { number: 9 })
    const destination = new DicomwebServer({
      url: `${orthanc.url}/dicom-web`,
      auth: { kind: 'basic', ...credentials },
      batchBytes: 100,
    })
    opened.push(destination)
    const report = await deliverResults({ destination, results: [object], lookFirst: false })
    expect(report.instances[0]?.state).toBe('verified')
  })

  it('fails at once with the wrong password', async () => {
    const results = [writeSmallObject(folder, { number: 4 })]
    const report = await deliverResults({ destination: server('wrong'), results, lookFirst: false })
    expect(report.instances[0]).toMatchObject({
      state: 'failed',
      retry: 'permanent',
      error: expect.stringContaining('the credentials are missing or wrong'),
    })
  })

  it('tells an administrator whether the destination works', async () => {
    const destinations = createDestinations(
      { pacs: { url: `${orthanc.url}/dicom-web`, auth: { kind: 'basic', ...credentials } } },
      { url: 'http://127.0.0.1:9/dicomweb', token: 'none' },
    )
    expect(await destinations.test('pacs')).toMatchObject({ ok: true })
    expect(await destinations.test('self')).toMatchObject({
      ok: false,
      sentence: expect.stringContaining('could not be reached'),
    })
    await destinations.close()
  })

  it('tries again later where the server is stopped', async () => {
    const results = [writeSmallObject(folder, { number: 5 })]
    const destination = server()
    await orthanc.stop()
    const report = await deliverResults({ destination, results, lookFirst: false })
    expect(report.instances[0]).toMatchObject({
      state: 'failed',
      retry: 'transient',
      error: expect.stringContaining('could not be reached'),
    })
  })
})
