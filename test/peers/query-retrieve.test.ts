import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readHead } from '../../src/dicom/head.ts'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { deriveUID } from '../../src/dicom/uid.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { repository } from '../support/data.ts'
import { NodeProcess } from '../support/node-process.ts'
import { freePort, type OrthancProcess, startOrthanc } from '../support/orthanc.ts'
import { ctSlice, type Natural, writePart10 } from '../support/part10-file.ts'
import { available, runProgram } from '../support/programs.ts'

const ready = available('findscu', 'movescu', 'getscu', 'storescp', 'Orthanc')
const odil = available('/usr/lib/python3/dist-packages/odil')
const instances = 12

describe.skipIf(!ready)('query and retrieve', () => {
  let folder = ''
  let node: NodeProcess
  let orthanc: OrthancProcess
  let storescpPort = 0
  let implicitPort = 0
  const stop: (() => void)[] = []
  const studyUID = deriveUID('test', 'results')
  const priorUID = deriveUID('test', 'prior')
  const sent = () => path.join(folder, 'sent')
  const here = () => ['-aec', 'HILUM', '127.0.0.1', String(node.dimsePort)]

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-query-'))
    for (const name of ['sent', 'prior', 'moved', 'implicit', 'got', 'got-all']) mkdirSync(path.join(folder, name))
    orthanc = await startOrthanc({ user: 'hilum', password: 'secret' })
    storescpPort = await freePort()
    implicitPort = await freePort()
    const config = path.join(folder, 'hilum.json')
    const may = ['store', 'query', 'retrieve']
    const remotes = [
      { aeTitle: 'STORESCP', host: '127.0.0.1', port: storescpPort, may },
      { aeTitle: 'IMPLICIT', host: '127.0.0.1', port: implicitPort, may },
      { aeTitle: 'ORTHANC', host: '127.0.0.1', port: orthanc.dimsePort, may },
      { aeTitle: 'SCANNER' },
    ]
    writeFileSync(config, JSON.stringify({ dimse: { unknownCallers: 'loopback' }, remotes }))
    node = await new NodeProcess({}, config).start()
    await orthancRequest('PUT', '/modalities/hilum', { AET: 'HILUM', Host: '127.0.0.1', Port: node.dimsePort })
    await startStorescp({ aeTitle: 'STORESCP', port: storescpPort, into: 'moved' })
    await startStorescp({ aeTitle: 'IMPLICIT', port: implicitPort, into: 'implicit' }, '+xi')
    const doe = { StudyID: 'results', PatientName: 'Müller^Jörg', PatientID: 'D1' }
    for (let n = 1; n <= instances; n++) write('sent', { ...doe, InstanceNumber: n })
    // What an algorithm found, as legacy workstations have to find it.
    const report = { SOPClassUID: SOP.comprehensive3DSR, Modality: 'SR', SeriesNumber: 2 }
    writePart10(path.join(sent(), 'sr.dcm'), ctSlice({ ...doe, ...report }), { pixelData: null })
    // A data set that is stored in implicit VR, for peers that want explicit VR.
    const mr = { SOPClassUID: SOP.mrImage, Modality: 'MR', SeriesNumber: 3 }
    writePart10(path.join(sent(), 'mr.dcm'), ctSlice({ ...doe, ...mr }), {
      transferSyntaxUID: TS.implicitVRLittleEndian,
    })
    const stored = await sendInstances({
      host: '127.0.0.1',
      port: node.dimsePort,
      callingAETitle: 'SCANNER',
      calledAETitle: 'HILUM',
      files: readdirSync(sent()).map((name) => path.join(sent(), name)),
    })
    if (stored.stored !== instances + 2) throw new Error('the study was not stored')
  })
  afterAll(async () => {
    for (const act of stop) act()
    await node?.dispose()
    await orthanc?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  function write(into: string, attributes: Natural): void {
    writePart10(path.join(folder, into, `${String(attributes.InstanceNumber)}.dcm`), ctSlice(attributes))
  }

  async function startStorescp(
    { aeTitle, port, into }: { aeTitle: string; port: number; into: string },
    ...options: string[]
  ): Promise<void> {
    const args = ['-v', '-aet', aeTitle, '+B', ...options, '-od', path.join(folder, into), String(port)]
    const child = spawn('storescp', args, { stdio: 'ignore', env: { ...process.env, TCP_NODELAY: '1' } })
    stop.push(() => child.kill())
    const { echo } = await import('../../src/dimse/send.ts')
    for (;;) {
      const peer = { host: '127.0.0.1', port, callingAETitle: 'TEST', calledAETitle: aeTitle }
      const answered = await echo(peer).catch(() => null)
      if (answered !== null) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async function orthancRequest<T>(method: string, where: string, body: unknown): Promise<T> {
    const response = await fetch(orthanc.url + where, {
      method,
      headers: { authorization: orthanc.authorization },
      body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`Orthanc: ${where}: ${response.status} ${await response.text()}`)
    const text = await response.text()
    return (text === '' ? null : JSON.parse(text)) as T
  }

  const find = (...keys: string[]) => {
    const { output, code } = runProgram('findscu', ['-v', '-S', ...here(), ...keys.flatMap((key) => ['-k', key])])
    const values = (keyword: string) =>
      [...output.matchAll(new RegExp(`\\[([^\\]]*)\\][^\\n]*${keyword}\\n`, 'g'))].map((found) => found[1]?.trim())
    return { output, code, values }
  }

  /** SOP Instance UID to the bytes of the data set. */
  const dataSets = (where: string) =>
    new Map(
      readdirSync(where).map((name) => {
        const bytes = readFileSync(path.join(where, name))
        const meta = parseFileMeta(bytes)
        return [meta.mediaStorageSOPInstanceUID, bytes.subarray(meta.dataSetOffset).toString('base64')] as const
      }),
    )

  /** SOP Instance UID to the transfer syntax and the elements. */
  const contents = (where: string) =>
    new Map(
      readdirSync(where).map((name) => {
        const bytes = readFileSync(path.join(where, name))
        const { transferSyntaxUID, mediaStorageSOPInstanceUID, dataSetOffset } = parseFileMeta(bytes)
        const { elements, pixelData } = readHead(bytes.subarray(dataSetOffset), { transferSyntaxUID })
        const pixels = pixelData && bytes.subarray(dataSetOffset + pixelData.offset).toString('base64')
        return [mediaStorageSOPInstanceUID, { transferSyntaxUID, elements, pixels }] as const
      }),
    )
  const inSyntax = (transferSyntaxUID: string) =>
    new Map([...contents(sent())].map(([uid, content]) => [uid, { ...content, transferSyntaxUID }]))

  it('findscu finds source objects and results, level by level', () => {
    const studies = find('QueryRetrieveLevel=STUDY', 'PatientID=D1', 'StudyInstanceUID', 'ModalitiesInStudy')
    expect(studies.values('StudyInstanceUID')).toEqual([studyUID])
    expect(studies.values('ModalitiesInStudy')).toEqual(['CT\\MR\\SR'])
    expect(studies.output).toContain('Received Final Find Response (Success)')
    const inStudy = `StudyInstanceUID=${studyUID}`
    const series = find('QueryRetrieveLevel=SERIES', inStudy, 'Modality', 'NumberOfSeriesRelatedInstances')
    expect(new Set(series.values('Modality'))).toEqual(new Set(['CT', 'MR', 'SR']))
    expect(series.values('NumberOfSeriesRelatedInstances')).toEqual([String(instances), '1', '1'])
    const inSeries = `SeriesInstanceUID=${deriveUID('test', 'results', '1')}`
    const images = find('QueryRetrieveLevel=IMAGE', inStudy, inSeries, 'InstanceNumber', 'SOPInstanceUID')
    expect(images.values('InstanceNumber')).toHaveLength(instances)
    const refused = find('QueryRetrieveLevel=SERIES', 'Modality=CT')
    expect(refused.output).toContain('DataSetDoesNotMatchSOPClass')
    const unsupported = find('QueryRetrieveLevel=STUDY', inStudy, 'Modality=MR')
    expect(unsupported.output).toContain('WarningUnsupportedOptionalKeys')
  })

  const study = () => ['-k', 'QueryRetrieveLevel=STUDY', '-k', `StudyInstanceUID=${studyUID}`]
  const move = (destination: string) => runProgram('movescu', [...here(), '-v', '-S', '-aem', destination, ...study()])

  it('movescu has them sent to a remote, bytes as they are', () => {
    expect(move('STORESCP')).toMatchObject({ code: 0 })
    expect(dataSets(path.join(folder, 'moved'))).toEqual(dataSets(sent()))
    expect(move('NOBODY').output).toContain('MoveDestinationUnknown')
    expect(move('SCANNER').output).toContain('MoveDestinationUnknown')
  })

  it('getscu fetches a series on its own association', () => {
    const keys = [`StudyInstanceUID=${studyUID}`, `SeriesInstanceUID=${deriveUID('test', 'results', '1')}`]
    const got = runProgram(
      'getscu',
      ['-S', '+B', '-od', path.join(folder, 'got'), ...here(), '-k', 'QueryRetrieveLevel=SERIES'].concat(
        keys.flatMap((key) => ['-k', key]),
      ),
    )
    expect(got).toMatchObject({ code: 0 })
    const received = dataSets(path.join(folder, 'got'))
    expect(received.size).toBe(instances)
    const original = dataSets(sent())
    for (const [uid, bytes] of received) expect(bytes).toBe(original.get(uid))
  })

  it('movescu has them sent to a remote that takes implicit VR only, with the same values', () => {
    expect(move('IMPLICIT')).toMatchObject({ code: 0 })
    expect(contents(path.join(folder, 'implicit'))).toEqual(inSyntax(TS.implicitVRLittleEndian))
  })

  it('getscu fetches the study in the syntax that it prefers, whatever it is stored in', () => {
    const into = path.join(folder, 'got-all')
    expect(runProgram('getscu', ['-S', '+B', '-od', into, ...here(), ...study()])).toMatchObject({ code: 0 })
    expect(contents(into)).toEqual(inSyntax(TS.explicitVRLittleEndian))
  })

  it.skipIf(!odil)('odil finds, and gets what it has contexts for', () => {
    const done = runProgram('python3', ['test/peers/query.py', String(node.dimsePort), studyUID])
    expect(done).toMatchObject({ code: 0 })
    const { modalities, instances: uids } = JSON.parse(done.stdout) as { modalities: string[][]; instances: string[] }
    expect(modalities).toEqual([['CT', 'MR', 'SR']])
    expect(uids).toHaveLength(instances)
  })

  it('Orthanc queries, and has what it found sent to itself', async () => {
    const { ID } = await orthancRequest<{ ID: string }>('POST', '/modalities/hilum/query', {
      Level: 'Study',
      Query: { PatientName: 'MÜLLER*', StudyInstanceUID: '' },
    })
    const response = await fetch(`${orthanc.url}/queries/${ID}/answers?expand&simplify`, {
      headers: { authorization: orthanc.authorization },
    })
    expect(await response.json()).toMatchObject([{ StudyInstanceUID: studyUID, PatientName: 'Müller^Jörg' }])
    await orthancRequest('POST', `/queries/${ID}/retrieve`, { TargetAet: 'ORTHANC', Synchronous: true })
    const statistics = await fetch(`${orthanc.url}/statistics`, { headers: { authorization: orthanc.authorization } })
    expect(await statistics.json()).toMatchObject({ CountInstances: instances + 2, CountSeries: 3 })
  })

  it('fetch has an earlier study sent here from Orthanc', async () => {
    for (let n = 1; n <= 3; n++)
      write('prior', { StudyID: 'prior', StudyDate: '20200101', PatientID: 'D1', InstanceNumber: n })
    for (const name of readdirSync(path.join(folder, 'prior')))
      await orthancRequest('POST', '/instances', readFileSync(path.join(folder, 'prior', name)))
    const config = path.join(folder, 'hilum.json')
    const fetchPriors = (...args: string[]) =>
      runProgram(process.execPath, ['dist/main.js', 'fetch', '--config', config, '--from', 'ORTHANC', ...args], {
        cwd: repository,
        env: { HILUM_DATADIR: node.dataDir, HILUM_LOG_LEVEL: 'silent' },
      })
    const before = ['--patient', 'D1', '--modality', 'CT', '--before', '2024-01-01']
    expect(fetchPriors(...before, '--dry-run').stdout).toContain(`2020-01-01  CT        ${priorUID}  3 instances`)
    const fetched = fetchPriors(...before)
    expect(fetched.stdout).toContain('3 of 3 instances came')
    expect(fetched).toMatchObject({ code: 0 })
    const found = find('QueryRetrieveLevel=STUDY', `StudyInstanceUID=${priorUID}`, 'NumberOfStudyRelatedInstances')
    expect(found.values('NumberOfStudyRelatedInstances')).toEqual(['3'])
    const unreachable = fetchPriors('--patient', 'D1', '--from', 'STORESCP')
    expect(unreachable.output).toMatch(/STORESCP cannot be asked: .* does not support SOP class/)
    expect(unreachable.code).toBe(1)
  })

  it('a caller that may only store is not let in for a query', async () => {
    const refused = runProgram('findscu', ['-aet', 'SCANNER', '-S', ...here(), '-k', 'QueryRetrieveLevel=STUDY'])
    expect(refused.code).not.toBe(0)
  })
})
