import type { Knex } from 'knex'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { seriesColumns, studyColumns } from '../../src/receive/index-header.ts'
import { insertRows } from '../../src/store/insert-rows.ts'
import { listStudies } from '../../src/store/study-list.ts'
import { effort, walkStudies } from '../../src/store/study-walk.ts'
import type { Level } from '../../src/view/attributes.ts'
import { search } from '../../src/view/search.ts'
import { parseSearchRequest } from '../../src/view/search-request.ts'
import { findInstances } from '../../src/view/stored-instances.ts'
import { receiveSmall, seriesUID, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

interface AddedStudy {
  n: number
  name?: Record<string, string>
  physician?: Record<string, string>
  date?: string
  patientID?: string
  modality?: string
  description?: string
  /** Instances by series. */
  series?: number[]
}

const instanceColumns = [
  'study_id',
  'series_id',
  'sop_instance_uid',
  'sop_class_uid',
  'transfer_syntax_uid',
  'instance_number',
  'size',
  'object_key',
  'origin',
  'received_at',
]

const element = (vr: string, value: unknown) => ({ vr, Value: [value] })

function headerOf({ n, ...study }: AddedStudy): DicomJson {
  return {
    ...(study.date !== undefined && { '00080020': element('DA', study.date) }),
    '00080050': element('SH', `A${n}`),
    '00080060': element('CS', study.modality ?? 'CT'),
    ...(study.physician && { '00080090': element('PN', study.physician) }),
    '00081030': element('LO', study.description ?? 'Thorax'),
    ...(study.name && { '00100010': element('PN', study.name) }),
    '00100020': element('LO', study.patientID ?? `P${n}`),
    '0020000D': element('UI', `1.2.${n}`),
  }
}

async function addStudy(database: Knex, study: AddedStudy): Promise<void> {
  const header = headerOf(study)
  const at = `2026-01-01T00:00:00.${String(study.n % 1000).padStart(3, '0')}Z`
  const times = { last_instance_at: at, created_at: at, updated_at: at }
  const uid = `1.2.${study.n}`
  const [{ id }] = await database('studies')
    .insert({ ...studyColumns(header), ...times, study_instance_uid: uid, state: study.n % 2 ? 'done' : 'failed' })
    .returning('id')
  for (const [i, instances] of (study.series ?? [1]).entries()) {
    const [series] = await database('series')
      .insert({
        ...seriesColumns({ ...header, '00200011': element('IS', i + 1) }),
        study_id: id,
        series_instance_uid: `${uid}.${i + 1}`,
        origin: 'source',
        instances,
        created_at: at,
      })
      .returning('id')
    const row = (k: number) => [
      id,
      series.id,
      `${uid}.${i + 1}.${k + 1}`,
      '1.2.840.10008.5.1.4.1.1.2',
      '1.2.840.10008.1.2.1',
      instances - k,
      1,
      `00/00/${k}.dcm`,
      'source',
      at,
    ]
    await insertRows(database, {
      table: 'instances',
      columns: instanceColumns,
      rows: Array.from({ length: instances }, (_, k) => row(k)),
    })
  }
}

/** What searches promise of an archive of any size, on any database. */
export function searchCases(open: () => Promise<TemporaryStore>): void {
  let database: Knex
  let store: TemporaryStore
  beforeEach(async () => {
    store = await open()
    database = store.database
  })
  afterEach(() => store.dispose())

  const add = async (...studies: AddedStudy[]) => {
    for (const study of studies) await addStudy(database, study)
  }
  const found = async (query: string, level: Level = 'study', most = 1e6) => {
    const request = parseSearchRequest(new URLSearchParams(query), level)
    const question = { level, scope: {}, request, base: 'http://n' }
    const { matches, ...rest } = await search(database, question, effort(most))
    const tag = { study: '0020000D', series: '0020000E', instance: '00080018' }[level]
    return { ...rest, matches, uids: matches.map((match) => String(match[tag]?.Value?.[0])) }
  }
  const uids = async (query: string, level?: Level) => (await found(query, level)).uids
  const byName = (name: string) => uids(`PatientName=${encodeURIComponent(name)}`)

  it('walks more studies than it looks at in one statement: by date, undated ones last, none twice', async () => {
    const studies = Array.from({ length: 700 }, (_, n) => ({
      n,
      ...(n % 7 !== 0 && { date: `2020010${1 + (n % 3)}` }),
      ...(n % 100 === 0 && { description: 'Rare' }),
    }))
    await database.transaction((trx) =>
      studies.reduce((before, study) => before.then(() => addStudy(trx, study)), Promise.resolve()),
    )
    const key = (n: number) => (n % 7 === 0 ? 0 : 1 + (n % 3))
    const expected = studies
      .map(({ n }) => n)
      .sort((a, b) => key(b) - key(a) || b - a)
      .map((n) => `1.2.${n}`)
    expect(await uids('limit=1000')).toEqual(expected)
    expect(await uids('limit=300&offset=350')).toEqual(expected.slice(350, 650))
    const rare = expected.filter((uid) => Number(uid.slice(4)) % 100 === 0)
    expect(await uids('StudyDescription=*are')).toEqual(rare)
    expect((await uids('StudyDate=20200102-&limit=1000')).every((uid) => key(Number(uid.slice(4))) >= 2)).toBe(true)
    expect(await uids('StudyDate=20200103&limit=5')).toEqual(expected.slice(0, 5))
    const listed = await listStudies(database, { limit: 3, offset: 2, search: 'RARE' })
    expect(listed).toMatchObject({ total: 7, totalIsExact: true })
    expect(listed.studies.map((study) => study.studyInstanceUID)).toEqual(['1.2.400', '1.2.300', '1.2.200'])
    expect(await listStudies(database, { limit: 1, offset: 0, search: 'rare', state: 'done' })).toMatchObject({
      total: 0,
    })
    expect(await listStudies(database, { limit: 1, offset: 0, state: 'done' })).toMatchObject({ total: 350 })
  })

  it('ends a search that would look at too much, and says so', async () => {
    const ids = Array.from({ length: 260 }, (_, n) => ({ n }))
    await database.transaction((trx) =>
      ids.reduce((before, study) => before.then(() => addStudy(trx, study)), Promise.resolve()),
    )
    const spent = effort(200)
    const walked: number[] = []
    const walk = { order: 'search_date' as const, conditions: () => {} }
    for await (const batch of walkStudies(database, walk, spent)) walked.push(...batch)
    expect(walked).toHaveLength(250)
    expect(spent.exhausted).toBe(true)
    expect(await found('StudyDescription=*nothing*')).toMatchObject({ uids: [], truncated: false, incomplete: null })
    const ended = await found('StudyDescription=*nothing*', 'study', 200)
    expect(ended).toMatchObject({ uids: [], truncated: false })
    expect(ended.incomplete).toContain('Only the newest studies were searched')
    expect(await found('PatientID=P3', 'study', 1)).toMatchObject({ uids: ['1.2.3'], incomplete: null })
    expect((await found('SOPClassUID=1.9', 'instance', 100)).incomplete).not.toBeNull()
  })

  it('finds the few studies of a key that an index knows, with every other key', async () => {
    await add(
      { n: 1, patientID: 'ANON', date: '20200101', modality: 'MR' },
      { n: 2, patientID: 'ANON', date: '20210101' },
      { n: 3, date: '20210101' },
    )
    expect(await uids('PatientID=ANON')).toEqual(['1.2.2', '1.2.1'])
    expect(await uids('PatientID=ANON%5CP3')).toEqual(['1.2.3', '1.2.2', '1.2.1'])
    expect(await uids('PatientID=ANON&StudyDate=20210101-')).toEqual(['1.2.2'])
    expect(await uids('PatientID=ANON&ModalitiesInStudy=MR')).toEqual(['1.2.1'])
    expect(await uids('AccessionNumber=A3&PatientID=ANON')).toEqual([])
    expect(await uids('SeriesInstanceUID=1.2.3.1&PatientID=P3', 'series')).toEqual(['1.2.3.1'])
    expect(await uids('SOPInstanceUID=1.2.3.1.1,1.2.1.1.1', 'instance')).toEqual(['1.2.3.1.1', '1.2.1.1.1'])
    expect(await uids('SOPInstanceUID=1.2.3.1.1&PatientID=ANON', 'instance')).toEqual([])
  })

  it('finds names in any case, script and component group', async () => {
    await add(
      { n: 1, name: { Alphabetic: 'Müller^Jürgen' }, physician: { Alphabetic: 'Weiß^Eva' } },
      { n: 2, name: { Alphabetic: 'Διονυσιος' } },
      { n: 3, name: { Alphabetic: 'Люкceмбypг' } },
      { n: 4, name: { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' } },
      { n: 5, name: { Alphabetic: 'ﾔﾏﾀﾞ^ﾀﾛｳ', Ideographic: '山田^花子' } },
      { n: 6, name: { Ideographic: '王^小東' } },
      { n: 7, name: { Alphabetic: '100%_Sure^^^' } },
    )
    expect(await byName('MÜLLER^JÜRGEN')).toEqual(['1.2.1'])
    expect(await byName('mü?ler*')).toEqual(['1.2.1'])
    expect(await byName('ΔΙΟΝΥΣΙΟΣ')).toEqual(['1.2.2'])
    expect(await byName('διον*')).toEqual(['1.2.2'])
    expect(await byName('ЛЮК*')).toEqual(['1.2.3'])
    expect(await byName('*yamada*')).toEqual(['1.2.4'])
    expect(await byName('山田*')).toEqual(['1.2.5', '1.2.4'])
    expect(await byName('山田^太郎')).toEqual(['1.2.4'])
    expect(await byName('やまだ*')).toEqual(['1.2.4'])
    expect(await byName('ヤマダ*')).toEqual(['1.2.5'])
    expect(await byName('=山田*')).toEqual(['1.2.5', '1.2.4'])
    expect(await byName('yam*=*太*')).toEqual(['1.2.4'])
    expect(await byName('*=*=やまだ^たろう')).toEqual(['1.2.4'])
    expect(await byName('=yamada*')).toEqual([])
    expect(await byName('王*')).toEqual(['1.2.6'])
    expect(await byName('100%_sure')).toEqual(['1.2.7'])
    expect(await byName('100%*')).toEqual(['1.2.7'])
    expect(await byName('1_0*')).toEqual([])
    expect(await uids(`ReferringPhysicianName=${encodeURIComponent('WEISS*')}`)).toEqual(['1.2.1'])
    const listed = async (text: string) =>
      (await listStudies(database, { limit: 10, offset: 0, search: text })).studies.map(
        ({ studyInstanceUID, patientName, patientNameIdeographic, patientNamePhonetic }) => [
          studyInstanceUID,
          patientName,
          patientNameIdeographic,
          patientNamePhonetic,
        ],
      )
    expect(await listed('太郎')).toEqual([['1.2.4', 'Yamada^Tarou', '山田^太郎', 'やまだ^たろう']])
    expect(await listed('νυσ')).toEqual([['1.2.2', 'Διονυσιος', null, null]])
    expect(await listed('小東')).toEqual([['1.2.6', '王^小東', '王^小東', null]])
  })

  it('lists neither series nor studies that hold nothing any more', async () => {
    await add({ n: 1, series: [0], modality: 'MR' }, { n: 2, series: [0, 2], modality: 'CT' })
    const { matches } = await found('')
    expect(matches).toHaveLength(1)
    expect(matches[0]).toMatchObject({ '0020000D': { Value: ['1.2.2'] }, '00201206': { Value: [1] } })
    expect(await uids('ModalitiesInStudy=MR')).toEqual([])
    expect(await uids('', 'series')).toEqual(['1.2.2.2'])
    expect(await uids('SeriesInstanceUID=1.2.1.1', 'series')).toEqual([])
    const { studies } = await listStudies(database, { limit: 10, offset: 0 })
    expect(studies.map(({ modalities }) => modalities)).toEqual([['CT'], []])
  })

  it('lists an instance that came again in another study there, and nothing where it was', async () => {
    const index = (study: number, instance: number) =>
      store.indexer.index([receiveSmall(store.incoming, { study, series: 1, instance })])
    await index(1, 1)
    await index(2, 1)
    expect(await uids('')).toEqual([studyUID(2)])
    expect(await uids('', 'series')).toEqual([seriesUID(2, 1)])
    const { studies } = await listStudies(database, { limit: 10, offset: 0 })
    const left = studies.find(({ studyInstanceUID }) => studyInstanceUID === studyUID(1))
    expect(left).toMatchObject({ instances: 0, modalities: [] })
    expect(left?.remark).toBe(
      '1 instance came again with different content: the newer is kept, the older is kept aside; 1 of them in another study, to which they belong now',
    )
    await index(1, 2)
    expect(await uids('')).toEqual([studyUID(2), studyUID(1)])
  })

  it('gives the instances of large series in order, and in pages', async () => {
    await add({ n: 1, series: [2300, 3] }, { n: 2, date: '20200101', series: [2] })
    const expected = [
      '1.2.2.1.2',
      '1.2.2.1.1',
      ...Array.from({ length: 2300 }, (_, k) => `1.2.1.1.${2300 - k}`),
      '1.2.1.2.3',
      '1.2.1.2.2',
      '1.2.1.2.1',
    ]
    expect(await uids('', 'instance')).toEqual(expected)
    expect(await uids('limit=5&offset=2298', 'instance')).toEqual(expected.slice(2298, 2303))
    expect(await uids('InstanceNumber=2', 'instance')).toEqual(['1.2.2.1.1', '1.2.1.1.2299', '1.2.1.2.2'])
    const stored = await findInstances(database, { study: '1.2.1' })
    expect(stored.map(({ sopInstanceUID }) => sopInstanceUID)).toEqual(expected.slice(2))
    expect(await findInstances(database, { study: '1.2.1', series: '1.2.1.2' })).toHaveLength(3)
    await expect(findInstances(database, { study: '1.2.1', series: '1.2.2.1' })).rejects.toThrow('no such series')
  })
}
