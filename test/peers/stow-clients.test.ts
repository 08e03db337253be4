import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import type { QuarantinedObject } from '../../src/receive/received.ts'
import { stowRouter } from '../../src/receive/stow-rs.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'
import { sharedData } from '../support/data.ts'
import { type OrthancProcess, startOrthanc } from '../support/orthanc.ts'
import { available } from '../support/programs.ts'
import { type ServedStore, serveStore } from '../view/served-store.ts'

const files = sharedData('syntaxes', 'pydicom', 'test_files')
const quarantined: QuarantinedObject[] = []
let store: ServedStore

beforeAll(async () => {
  store = await serveStore([], {
    storeInstances: ({ database, objects, dataDir }) => {
      const incoming = new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0 })
      const indexer = new Indexer({ database, objects, incomingFolder: incoming.folder, log: silentLog })
      const indexWriter = new IndexWriter({ indexer, log: silentLog })
      return stowRouter({ incoming, indexWriter, onQuarantined: (object) => quarantined.push(object), log: silentLog })
    },
  })
})

afterAll(() => store.close())

const read = (name: string) => readFileSync(path.join(files ?? '', name))

async function post(bytes: Buffer) {
  const response = await store.fetch('/dicomweb/studies', {
    method: 'POST',
    headers: { 'content-type': 'application/dicom' },
    body: new Uint8Array(bytes),
  })
  return { status: response.status, body: (await response.json()) as Record<string, { Value?: unknown[] }> }
}

const hasPydicom = available('/usr/lib/python3/dist-packages/pydicom', files)

describe.runIf(hasPydicom)('pydicom sends metadata with bulk data', () => {
  /** What lacks a UID that it is filed by, and what pydicom cannot read without being told how. */
  const notSendable = /NoMeta|no_meta|meta_missing|truncated|rtstruct\.dcm|[Bb]ig_?[Ee]nd|expb/
  const lacksUIDs =
    /^(JPEGLSNearLossless_(08|16)|SC_rgb_jls_lossy_(line|sample)|UN_sequence|empty_charset_LEI|(nested_)?priv_SQ)\.dcm$/

  it('and every real file is stored element by element and frame by frame, or refused for what it lacks', async () => {
    const names = readdirSync(files ?? '').filter((name) => name.endsWith('.dcm') && !notSendable.test(name))
    const script = fileURLToPath(new URL('./stow-metadata.py', import.meta.url))
    // Not waited for synchronously: the server lives in this process.
    const python = spawn('/usr/bin/python3', [
      '-W',
      'ignore',
      script,
      `${store.url}/dicomweb`,
      ...names.map((name) => path.join(files ?? '', name)),
    ])
    let output = ''
    python.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await once(python, 'close')
    const results = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; status: number; problem: string | null })
    expect(results.length).toBeGreaterThan(names.length * 0.9)
    for (const { file, status, problem } of results)
      if (lacksUIDs.test(file)) expect(status, file).toBe(409)
      else expect([file, problem]).toEqual([file, null])
    expect(quarantined.map(({ code }) => code)).toEqual(quarantined.map(() => 'missing-uid'))
    expect(readdirSync(path.join(store.dataDir, 'incoming'))).toEqual([])
  })
})

describe.runIf(available(files))('files as they are found', () => {
  it.each([
    ['ExplVR_LitEndNoMeta.dcm', '1.2.840.10008.1.2.1'],
    ['ExplVR_BigEndNoMeta.dcm', '1.2.840.10008.1.2.2'],
    ['rtstruct.dcm', '1.2.840.10008.1.2'],
  ])('are stored without meta information: %s', async (name, transferSyntaxUID) => {
    const bytes = read(name)
    const { status, body } = await post(bytes)
    expect(status).toBe(200)
    const [item] = (body['00081199']?.Value ?? []) as Record<string, { Value: string[] }>[]
    const back = await fetch(item?.['00081190']?.Value[0] ?? '', {
      headers: { accept: 'application/dicom; transfer-syntax=*' },
    })
    const stored = Buffer.from(await back.arrayBuffer())
    const meta = parseFileMeta(stored)
    expect(meta.transferSyntaxUID).toBe(transferSyntaxUID)
    expect(stored.subarray(meta.dataSetOffset).equals(bytes)).toBe(true)
  })

  it('are put aside with the reason where they are cut off', async () => {
    quarantined.length = 0
    expect((await post(read('rtplan_truncated.dcm'))).status).toBe(409)
    expect((await post(read('MR_truncated.dcm'))).status).toBe(409)
    expect(quarantined.map(({ code }) => code)).toEqual(['truncated-data-set', 'truncated-data-set'])
  })
})

const runsOrthanc = available('Orthanc', '/usr/share/orthanc/plugins/libOrthancDicomWeb.so', files)

describe.runIf(runsOrthanc)('Orthanc’s DICOMweb plug-in sends by STOW-RS', () => {
  let orthanc: OrthancProcess

  beforeAll(async () => {
    orthanc = await startOrthanc({ user: 'hilum', password: 'right' })
  })

  afterAll(() => orthanc?.dispose())

  async function ask(where: string, init: RequestInit): Promise<Record<string, unknown>> {
    const headers = { authorization: orthanc.authorization }
    const response = await fetch(`${orthanc.url}${where}`, { ...init, headers })
    if (!response.ok) throw new Error(`${where}: HTTP ${response.status} ${await response.text()}`)
    const text = await response.text()
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }

  it('and every instance arrives, uncompressed and compressed', async () => {
    const names = ['CT_small.dcm', 'MR_small_RLE.dcm', 'JPEG2000.dcm', 'SC_rgb_rle_2frame.dcm', 'waveform_ecg.dcm']
    const uploaded: { ID: string }[] = []
    for (const name of names)
      uploaded.push((await ask('/instances', { method: 'POST', body: new Uint8Array(read(name)) })) as { ID: string })
    await ask('/dicom-web/servers/hilum', { method: 'PUT', body: JSON.stringify({ Url: `${store.url}/dicomweb/` }) })
    const before: number = (await store.database('arrivals').sum({ n: 'instances' }).first())?.n ?? 0
    const Resources = uploaded.map(({ ID }) => ID)
    await ask('/dicom-web/servers/hilum/stow', {
      method: 'POST',
      body: JSON.stringify({ Resources, Synchronous: true }),
    })
    const told = await store.database('arrivals').select('instances', 'identical', 'replaced')
    const all = told.reduce((sum, one) => sum + one.instances + one.identical + one.replaced, 0)
    expect(all - before).toBeGreaterThanOrEqual(names.length)
    const stored = await Promise.all(
      Resources.map(async (id) => (await ask(`/instances/${id}/simplified-tags`, {})).SOPInstanceUID),
    )
    const indexed = await store.database('instances').whereIn('sop_instance_uid', stored as string[])
    expect(indexed).toHaveLength(names.length)
  })
})
