import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SOP } from '../../src/dicom/sop-class.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OrthancProcess, startOrthanc } from '../support/orthanc.ts'
import { ctSlice, writePart10 } from '../support/part10-file.ts'
import { available, runProgram } from '../support/programs.ts'

const ready = available('Orthanc')
const odil = available('/usr/lib/python3/dist-packages/odil')

describe.skipIf(!ready)('storage commitment', () => {
  let folder = ''
  let node: NodeProcess
  let orthanc: OrthancProcess
  const slices = [1, 2].map((n) => ctSlice({ StudyID: 'commit', InstanceNumber: n }))
  const uids = slices.map((slice) => String(slice.SOPInstanceUID))

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-commit-'))
    orthanc = await startOrthanc({ user: 'hilum', password: 'secret' })
    const config = path.join(folder, 'hilum.json')
    const remotes = [{ aeTitle: 'ORTHANC', host: '127.0.0.1', port: orthanc.dimsePort }]
    writeFileSync(config, JSON.stringify({ remotes }))
    node = await new NodeProcess({}, config).start()
  })
  afterAll(async () => {
    await node?.dispose()
    await orthanc?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  it.skipIf(!odil)('is reported to odil on its own association, right after the instances came', async () => {
    const files = slices.map((slice, n) => {
      const file = path.join(folder, `${n}.dcm`)
      writePart10(file, slice)
      return file
    })
    const to = { host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'ODIL', calledAETitle: 'HILUM' }
    expect(await sendInstances({ ...to, files })).toMatchObject({ stored: 2 })
    const ask = (transaction: string, ...references: string[]) => {
      const done = runProgram('python3', ['test/peers/commit.py', String(node.dimsePort), transaction, ...references])
      expect(done).toMatchObject({ code: 0 })
      return JSON.parse(done.stdout) as unknown
    }
    expect(ask('1.2.3.1', ...uids.flatMap((uid) => [SOP.ctImage, uid]))).toEqual({
      status: 0,
      event: 1,
      transaction: '1.2.3.1',
      committed: uids,
      failed: [],
    })
    expect(ask('1.2.3.2', SOP.ctImage, uids[0] ?? '', SOP.ctImage, '1.2.3.999')).toMatchObject({
      event: 2,
      committed: uids.slice(0, 1),
      failed: ['1.2.3.999'],
    })
  })

  it('is reported to Orthanc, which has released its association, on another one', async () => {
    const request = async <T>(method: string, where: string, body?: unknown): Promise<T> => {
      const response = await fetch(orthanc.url + where, {
        method,
        headers: { authorization: orthanc.authorization },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      if (!response.ok) throw new Error(`Orthanc: ${where}: ${response.status} ${await response.text()}`)
      const text = await response.text()
      return (text === '' ? null : JSON.parse(text)) as T
    }
    const modality = { AET: 'HILUM', Host: '127.0.0.1', Port: node.dimsePort, AllowStorageCommitment: true }
    await request('PUT', '/modalities/hilum', modality)
    const { ID } = await request<{ ID: string }>('POST', '/modalities/hilum/storage-commitment', {
      DicomInstances: [
        [SOP.ctImage, uids[0]],
        [SOP.mrImage, uids[1]],
        [SOP.ctImage, '1.2.3.999'],
      ],
    })
    interface Report {
      Status: string
      Success?: { SOPInstanceUID: string }[]
      Failures?: { FailureReason: number; SOPInstanceUID: string }[]
    }
    let report: Report
    do {
      await sleep(100)
      report = await request<Report>('GET', `/storage-commitment/${ID}`)
    } while (report.Status === 'Pending')
    expect(report).toMatchObject({
      Status: 'Failure',
      Success: [{ SOPInstanceUID: uids[0] }],
      Failures: [
        { FailureReason: 0x0119, SOPInstanceUID: uids[1] },
        { FailureReason: 0x0112, SOPInstanceUID: '1.2.3.999' },
      ],
    })
  })
})
