import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { api } from 'dicomweb-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import { stowRouter } from '../../src/receive/stow-rs.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'
import { sharedData } from '../support/data.ts'
import { available } from '../support/programs.ts'
import { identity, pixels, sampleFile, writeSample } from '../view/sample-file.ts'
import { type ServedStore, serveStore } from '../view/served-store.ts'

// dicomweb-client is written for browsers: it takes XMLHttpRequest from the global object.
Object.assign(globalThis, { XMLHttpRequest: createRequire(import.meta.url)('xhr2') })

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-samples-'))
const table = Buffer.alloc(4000, 7)
const words = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8])
const files = [1, 2].map((n) =>
  writeSample(
    folder,
    `${n}.dcm`,
    sampleFile(
      identity({
        instance: `1.2.3.1.${n}`,
        number: n,
        more: [...pixels(2, 1, 16, 2), ['00281201', 'OW', table], ['7FE00010', 'OW', words]],
      }),
    ),
  ),
)
const ids = { studyInstanceUID: '1.2.3', seriesInstanceUID: '1.2.3.1', sopInstanceUID: '1.2.3.1.1' }
const bytesOf = (buffer: unknown) => Buffer.from(buffer as ArrayBuffer)

/** Its declared types ask for options that it does not need. */
type Client = Record<
  | 'searchForStudies'
  | 'searchForSeries'
  | 'searchForInstances'
  | 'retrieveStudyMetadata'
  | 'retrieveSeriesMetadata'
  | 'retrieveInstanceMetadata'
  | 'retrieveBulkData'
  | 'retrieveStudy'
  | 'retrieveSeries'
  | 'retrieveInstance'
  | 'retrieveInstanceFrames'
  | 'storeInstances',
  (options?: object) => Promise<unknown>
>

function clientOf(served: ServedStore): Client {
  const options = { url: `${served.url}/dicomweb`, verbose: false, singlepart: '' }
  return new api.DICOMwebClient(options) as unknown as Client
}

let store: ServedStore
let client: Client

beforeAll(async () => {
  store = await serveStore(files, {
    storeInstances: ({ database, objects, dataDir }) => {
      const incoming = new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0 })
      const indexer = new Indexer({ database, objects, incomingFolder: incoming.folder, log: silentLog })
      const indexWriter = new IndexWriter({ indexer, log: silentLog })
      return stowRouter({ incoming, indexWriter, onQuarantined: () => {}, log: silentLog })
    },
  })
  client = clientOf(store)
})

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

describe('dicomweb-client', () => {
  it('searches', async () => {
    const studies = (await client.searchForStudies({ queryParams: { PatientID: 'P-1.2.3' } })) as DicomJson[]
    expect(studies[0]?.['0020000D']?.Value).toEqual(['1.2.3'])
    expect(await client.searchForStudies({ queryParams: { PatientID: 'nobody' } })).toEqual([])
    expect(await client.searchForSeries({ studyInstanceUID: '1.2.3' })).toHaveLength(1)
    expect(await client.searchForInstances({ studyInstanceUID: '1.2.3', seriesInstanceUID: '1.2.3.1' })).toHaveLength(2)
  })

  it('retrieves metadata, and the bulk data that it names', async () => {
    const metadata = (await client.retrieveSeriesMetadata(ids)) as DicomJson[]
    expect(metadata).toHaveLength(2)
    expect(await client.retrieveStudyMetadata(ids)).toEqual(metadata)
    expect(await client.retrieveInstanceMetadata(ids)).toEqual([metadata[0]])
    const uri = metadata[0]?.['00281201']?.BulkDataURI as string
    const [bulk] = (await client.retrieveBulkData({ BulkDataURI: uri })) as unknown[]
    expect(bytesOf(bulk)).toEqual(table)
  })

  it('retrieves instances, series and studies', async () => {
    const sent = files.map((file) => readFileSync(file))
    expect(bytesOf(await client.retrieveInstance(ids))).toEqual(sent[0])
    const series = (await client.retrieveSeries(ids)) as ArrayBuffer[]
    expect(series.map(bytesOf)).toEqual(sent)
    expect(((await client.retrieveStudy(ids)) as ArrayBuffer[]).map(bytesOf)).toEqual(sent)
  })

  it('retrieves frames', async () => {
    for (const mediaTypes of [undefined, [{ mediaType: 'application/octet-stream', transferSyntaxUID: '*' }]]) {
      const frames = (await client.retrieveInstanceFrames({
        ...ids,
        frameNumbers: [1, 2],
        ...(mediaTypes && { mediaTypes }),
      })) as ArrayBuffer[]
      expect(frames.map(bytesOf)).toEqual([words.subarray(0, 4), words.subarray(4)])
    }
  })

  it('stores', async () => {
    const bytes = sampleFile(identity({ study: '1.2.5', series: '1.2.5.1', instance: '1.2.5.1.1' }))
    const dataset = new Uint8Array(bytes).buffer
    const answer = JSON.parse(String(await client.storeInstances({ datasets: [dataset] })))
    expect(answer['00081199'].Value).toHaveLength(1)
    const back = await client.retrieveInstance({
      studyInstanceUID: '1.2.5',
      seriesInstanceUID: '1.2.5.1',
      sopInstanceUID: '1.2.5.1.1',
    })
    expect(bytesOf(back)).toEqual(bytes)
    const other = new Uint8Array(sampleFile(identity({ instance: '1.2.9.1' }))).buffer
    await expect(client.storeInstances({ datasets: [other], studyInstanceUID: '1.2.9' })).rejects.toMatchObject({
      status: 409,
    })
  })
})

const chest = sharedData('ct-chest-nlst')

describe.runIf(available(chest))('dicomweb-client on a real chest CT (143 slices, JPEG-LS)', () => {
  let ct: ServedStore

  beforeAll(async () => {
    const root = chest as string
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.dcm'))
    ct = await serveStore(names.map((name) => path.join(root, name)))
  })
  afterAll(() => ct.close())

  it('retrieves the metadata of the series and a compressed frame of it', async () => {
    const real = clientOf(ct)
    const [study] = (await real.searchForStudies()) as DicomJson[]
    expect(study?.['00201208']?.Value).toEqual([144])
    const studyInstanceUID = study?.['0020000D']?.Value?.[0] as string
    const series = (await real.searchForSeries({ studyInstanceUID, queryParams: { Modality: 'CT' } })) as DicomJson[]
    const seriesInstanceUID = series[0]?.['0020000E']?.Value?.[0] as string
    const metadata = (await real.retrieveSeriesMetadata({ studyInstanceUID, seriesInstanceUID })) as DicomJson[]
    expect(metadata).toHaveLength(143)
    const sopInstanceUID = metadata[70]?.['00080018']?.Value?.[0] as string
    const mediaTypes = [{ mediaType: 'image/jls', transferSyntaxUID: '1.2.840.10008.1.2.4.80' }]
    const request = { studyInstanceUID, seriesInstanceUID, sopInstanceUID, frameNumbers: [1], mediaTypes }
    const [frame] = (await real.retrieveInstanceFrames(request)) as ArrayBuffer[]
    // JPEG-LS: Start Of Image, then the JPEG-LS frame header (ISO/IEC 14495-1 C.1.1, C.2.2).
    expect(bytesOf(frame).subarray(0, 4).toString('hex')).toBe('ffd8fff7')
  })
})
