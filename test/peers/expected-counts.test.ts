import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Destinations } from '../../src/deliver/destinations.ts'
import { DicomwebServer } from '../../src/dicomweb/client.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { countingArchives } from '../../src/flow/expected-counts.ts'
import { type OrthancProcess, startOrthanc } from '../support/orthanc.ts'
import { available } from '../support/programs.ts'
import { smallFile, studyUID } from '../support/small-instance.ts'

describe.skipIf(!available('Orthanc'))('Orthanc as the archive that is asked for expected counts', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-counts-'))
  let orthanc: OrthancProcess
  let server: DicomwebServer

  beforeAll(async () => {
    orthanc = await startOrthanc({ user: 'hilum', password: 'for-tests' })
    // Orthanc answers queries of those that it knows.
    const known = await fetch(`${orthanc.url}/modalities/hilum`, {
      method: 'PUT',
      headers: { authorization: orthanc.authorization },
      body: JSON.stringify({ AET: 'HILUM', Host: '127.0.0.1', Port: 11112 }),
    })
    if (!known.ok) throw new Error(`Orthanc does not know us: HTTP ${known.status}`)
    const auth = { kind: 'basic', username: 'hilum', password: 'for-tests' } as const
    server = new DicomwebServer({ url: `${orthanc.url}/dicom-web`, auth })
    const files = [1, 2, 3].map((instance) => {
      const file = path.join(folder, `${instance}.dcm`)
      writeFileSync(file, smallFile({ study: 1, series: instance, instance }))
      return file
    })
    const report = await sendInstances({
      host: '127.0.0.1',
      port: orthanc.dimsePort,
      callingAETitle: 'HILUM',
      calledAETitle: 'ORTHANC',
      files,
    })
    if (report.stored !== 3) throw new Error(`Orthanc has stored ${report.stored} of 3`)
  })
  afterAll(async () => {
    await server?.close()
    await orthanc?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const archives = (port: number) =>
    countingArchives(
      [
        { kind: 'qido-rs', destination: 'pacs' },
        { kind: 'c-find', remote: 'ORTHANC' },
      ],
      {
        aeTitle: 'HILUM',
        destinations: new Destinations(new Map([['pacs', server]])),
        remote: (aeTitle) => ({ aeTitle, host: '127.0.0.1', port, tls: null }),
      },
    )

  it('counts by QIDO-RS and by C-FIND, and knows what it does not know', async () => {
    for (const archive of archives(orthanc.dimsePort)) {
      expect([archive.name, await archive.count(studyUID(1), AbortSignal.timeout(10_000))]).toEqual([archive.name, 3])
      expect([archive.name, await archive.count('1.2.3.99', AbortSignal.timeout(10_000))]).toEqual([archive.name, null])
    }
  })

  it('ends a query whose signal is raised', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const [, find] = archives(typeof address === 'object' && address ? address.port : 0)
    await expect(find?.count(studyUID(1), AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'cancelled' })
    silent.close()
  })
})
