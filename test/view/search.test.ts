import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { identity, pixels, sampleFile, writeSample } from './sample-file.ts'
import { type ServedStore, serveStore } from './served-store.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-samples-'))
let store: ServedStore

beforeAll(async () => {
  const files: string[] = []
  const add = (options: Parameters<typeof identity>[0]) => {
    files.push(writeSample(folder, `${files.length}.dcm`, sampleFile(identity(options))))
  }
  for (let n = 1; n <= 3; n++) {
    add({
      study: '1.2.3',
      series: '1.2.3.1',
      instance: `1.2.3.1.${n}`,
      modality: 'CT',
      number: n,
      more: pixels(4, 5, 16, 1),
    })
  }
  add({ study: '1.2.3', series: '1.2.3.2', instance: '1.2.3.2.1', modality: 'SR', more: [['00200011', 'IS', '8']] })
  add({
    study: '1.2.4',
    series: '1.2.4.1',
    instance: '1.2.4.1.1',
    modality: 'MR',
    more: [
      ['00080020', 'DA', '20240305'],
      ['00080030', 'TM', '120059.5'],
      ['00100010', 'PN', 'Doe^Jane'],
      ['00081030', 'LO', 'Head_1'],
    ],
  })
  store = await serveStore(files)
})

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

async function found(where: string): Promise<DicomJson[]> {
  const response = await store.fetch(`/dicomweb${where}`)
  expect(response.status, where).toBe(200)
  expect(response.headers.get('content-type')).toContain('application/dicom+json')
  return (await response.json()) as DicomJson[]
}

const uids = (answers: DicomJson[], tag: string) => answers.map((answer) => answer[tag]?.Value?.[0])
const studies = async (query: string) => uids(await found(`/studies?${query}`), '0020000D')

describe('QIDO-RS', () => {
  it('answers a study with its counts, modalities and URL, newest first', async () => {
    const all = await found('/studies')
    expect(uids(all, '0020000D')).toEqual(['1.2.4', '1.2.3'])
    const study = all[1] as DicomJson
    expect(study['00080061']).toEqual({ vr: 'CS', Value: ['CT', 'SR'] })
    expect(study['00201206']).toEqual({ vr: 'IS', Value: [2] })
    expect(study['00201208']).toEqual({ vr: 'IS', Value: [4] })
    expect(study['00080056']).toEqual({ vr: 'CS', Value: ['ONLINE'] })
    expect(study['00081190']).toEqual({ vr: 'UR', Value: [`${store.url}/dicomweb/studies/1.2.3`] })
    expect(study['00100010']).toEqual({ vr: 'PN', Value: [{ Alphabetic: 'Müller^Jürgen' }] })
    expect(study['00080005']).toEqual({ vr: 'CS', Value: ['ISO_IR 192'] })
    expect(Object.keys(study)).toEqual(Object.keys(study).sort())
  })

  it.each([
    ['PatientID=P-1.2.3', ['1.2.3']],
    ['00100020=P-1.2.4', ['1.2.4']],
    ['PatientID=p-1.2.4', []],
    ['PatientID=*1.2.4*', ['1.2.4']],
    ['PatientName=doe%5Ejane', ['1.2.4']],
    ['PatientName=D?e*', ['1.2.4']],
    ['PatientName=', ['1.2.4', '1.2.3']],
    ['StudyDescription=*100%25*', ['1.2.3']],
    ['StudyDescription=*100_*', []],
    ['StudyDescription=Head_1', ['1.2.4']],
    ['StudyDate=20240131', ['1.2.3']],
    ['StudyDate=20240201-20240401', ['1.2.4']],
    ['StudyDate=-20240131', ['1.2.3']],
    ['StudyDate=20240131-', ['1.2.4', '1.2.3']],
    ['StudyTime=1200', ['1.2.4']],
    ['StudyTime=10-11', ['1.2.3']],
    ['StudyInstanceUID=1.2.3,1.2.4', ['1.2.4', '1.2.3']],
    ['StudyInstanceUID=1.2.3%5C1.2.99', ['1.2.3']],
    ['ModalitiesInStudy=SR', ['1.2.3']],
    ['ModalitiesInStudy=MR%5CSR', ['1.2.4', '1.2.3']],
    ['ModalitiesInStudy=MR,SR', ['1.2.4', '1.2.3']],
    ['ModalitiesInStudy=XA', []],
    ['AccessionNumber=ACC-1.2.4&PatientID=P-1.2.3', []],
    ["PatientID='; drop table studies; --", []],
    ['limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060,00080090,00100030', ['1.2.4', '1.2.3']],
  ])('finds studies by %s', async (query, expected) => {
    expect(await studies(query)).toEqual(expected)
  })

  it('gives pages, and warns when there is more', async () => {
    const first = await store.fetch('/dicomweb/studies?limit=1')
    expect(first.headers.get('warning')).toMatch(/^299 .*additional results/)
    expect(uids((await first.json()) as DicomJson[], '0020000D')).toEqual(['1.2.4'])
    const second = await store.fetch('/dicomweb/studies?limit=1&offset=1')
    expect(second.headers.get('warning')).toBeNull()
    expect(uids((await second.json()) as DicomJson[], '0020000D')).toEqual(['1.2.3'])
    expect((await store.fetch('/dicomweb/studies?fuzzymatching=true')).headers.get('warning')).toMatch(
      /literal matching/,
    )
  })

  it('searches series and instances at every place where the standard has them', async () => {
    expect(uids(await found('/studies/1.2.3/series'), '0020000E')).toEqual(['1.2.3.1', '1.2.3.2'])
    expect(uids(await found('/studies/1.2.3/series?Modality=SR'), '0020000E')).toEqual(['1.2.3.2'])
    expect(uids(await found('/studies/1.2.3/series?SeriesNumber=8'), '0020000E')).toEqual(['1.2.3.2'])
    expect(uids(await found('/series?PatientID=P-1.2.4'), '0020000E')).toEqual(['1.2.4.1'])
    expect(uids(await found('/studies/1.2.3/instances'), '00080018')).toHaveLength(4)
    expect(uids(await found('/studies/1.2.3/series/1.2.3.1/instances'), '00080018')).toEqual([
      '1.2.3.1.1',
      '1.2.3.1.2',
      '1.2.3.1.3',
    ])
    expect(uids(await found('/instances?SOPInstanceUID=1.2.4.1.1,1.2.3.1.2'), '00080018')).toEqual([
      '1.2.4.1.1',
      '1.2.3.1.2',
    ])
    expect(await found('/studies/1.2.9/series')).toEqual([])
  })

  it('describes series and instances, with the higher levels where the URL does not name them', async () => {
    const [series] = await found('/series?SeriesInstanceUID=1.2.3.1&includefield=00080021')
    expect(series?.['00201209']).toEqual({ vr: 'IS', Value: [3] })
    expect(series?.['00100020']).toEqual({ vr: 'LO', Value: ['P-1.2.3'] })
    expect(series?.['00081190']?.Value).toEqual([`${store.url}/dicomweb/studies/1.2.3/series/1.2.3.1`])
    const [instance] = await found('/instances?SOPInstanceUID=1.2.3.1.2')
    expect(instance).toMatchObject({
      '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.7'] },
      '00080060': { vr: 'CS', Value: ['CT'] },
      '00083002': { vr: 'UI', Value: ['1.2.840.10008.1.2.1'] },
      '00081190': { vr: 'UR', Value: [`${store.url}/dicomweb/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.2`] },
      '00100020': { vr: 'LO', Value: ['P-1.2.3'] },
      '00200013': { vr: 'IS', Value: [2] },
      '00280010': { vr: 'US', Value: [4] },
      '00280011': { vr: 'US', Value: [5] },
    })
    const [scoped] = await found('/studies/1.2.3/series/1.2.3.1/instances')
    expect(scoped?.['00100020']).toBeUndefined()
  })

  it.each([
    ['/studies?PatientNam=x', 'PatientNam'],
    ['/studies?Modality=CT', 'Modality'],
    ['/studies?Manufacturer=x', 'Manufacturer'],
    ['/studies?StudyDate=yesterday', 'StudyDate'],
    ['/studies?StudyDate=20240101-20240102-20240103', 'StudyDate'],
    ['/studies?limit=-1', 'limit'],
    ['/studies?fuzzymatching=perhaps', 'fuzzymatching'],
    ['/studies?PatientID=a&00100020=b', '00100020'],
    ['/studies?StudyInstanceUID=abc', 'StudyInstanceUID'],
    ['/studies/1.2.3/series?SeriesNumber=x', 'SeriesNumber'],
    ['/studies/abc/series', 'Study Instance UID'],
    [`/studies/${'1.'.repeat(40)}1/series`, 'Study Instance UID'],
  ])('refuses %s with a problem that names what is wrong', async (where, named) => {
    const response = await store.fetch(`/dicomweb${where}`)
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    const problem = (await response.json()) as { detail: string; status: number }
    expect(problem.status).toBe(400)
    expect(problem.detail).toContain(named)
  })

  it('answers 406 to who wants XML, and 404 and 405 as problems elsewhere', async () => {
    const xml = await store.fetch('/dicomweb/studies', {
      headers: { accept: 'multipart/related; type="application/dicom+xml"' },
    })
    expect(xml.status).toBe(406)
    expect((await store.fetch('/dicomweb/patients')).status).toBe(404)
    const removal = await store.fetch('/dicomweb/studies/1.2.3', { method: 'DELETE' })
    expect(removal.status).toBe(405)
    expect(removal.headers.get('allow')).toContain('GET')
    const broken = await store.fetch('/dicomweb/studies/%E0%A4%A')
    expect(broken.status).toBe(400)
    expect(broken.headers.get('content-type')).toContain('application/problem+json')
  })
})
