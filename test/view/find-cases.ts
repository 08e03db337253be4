import { afterEach, beforeEach, expect, it } from 'vitest'
import { textsOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { tagOf, vrOf } from '../../src/dicom/dictionary.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { deriveUID } from '../../src/dicom/uid.ts'
import { find } from '../../src/view/find.ts'
import type { FindLevel } from '../../src/view/find-keys.ts'
import { whyNotHeld } from '../../src/view/held-instances.ts'
import { findRetrievable } from '../../src/view/retrievable.ts'
import { arrive } from '../support/arrive.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

/** Keywords and values as an Identifier; an empty text is a zero-length key. */
export function identifierOf(keys: Record<string, string | string[] | DicomJson[]>): DicomJson {
  return Object.fromEntries(
    Object.entries(keys).map(([keyword, value]) => {
      const tag = tagOf(keyword) ?? keyword
      const vr = vrOf(tag)
      const values = (Array.isArray(value) ? value : [value]).map((one) => (vr === 'PN' ? { Alphabetic: one } : one))
      return [tag, value === '' ? { vr } : { vr, Value: values }]
    }),
  )
}

const studyUID = (id: string) => deriveUID('test', id)
const seriesUID = (id: string, series: number) => deriveUID('test', id, String(series))
const instanceUID = (id: string, series: number, instance: number) =>
  deriveUID('test', id, String(series), String(instance))

/** What C-FIND, C-MOVE, C-GET and storage commitment ask of the index, on any database. */
export function findCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  beforeEach(async () => {
    store = await open()
    const slices = (attributes: Record<string, unknown>, count: number) =>
      Array.from({ length: count }, (_, n) => ({ ...attributes, InstanceNumber: n + 1 }))
    const doe = { PatientName: 'Doe^Jane', PatientID: 'D1', AccessionNumber: 'A7' }
    await arrive(store, [
      ...slices({ StudyID: 'ct', SeriesNumber: 1, StudyDate: '20240131', ...doe }, 3),
      ...slices({ StudyID: 'ct', SeriesNumber: 2, Modality: 'SEG', SOPClassUID: SOP.segmentation, ...doe }, 1),
      ...slices({ StudyID: 'mr', SeriesNumber: 1, Modality: 'MR', StudyDate: '20230101', ...doe }, 2),
      ...slices({ StudyID: 'other', PatientName: 'Müller^Jörg', PatientID: 'M1', AccessionNumber: 'A9' }, 1),
      ...slices({ StudyID: 'nameless', PatientName: '', PatientID: '' }, 1),
    ])
  })
  afterEach(() => store.dispose())

  async function ask(level: FindLevel, keys: Parameters<typeof identifierOf>[0]) {
    const { pages, unsupported } = find(
      store.database,
      { level, keys: identifierOf(keys) },
      { retrieveAETitle: 'HILUM' },
    )
    const matches: DicomJson[] = []
    for await (const page of pages) matches.push(...page)
    return {
      matches,
      unsupported,
      values: (keyword: string) => matches.map((match) => textsOf(match, keyword).join('\\')),
    }
  }

  it('finds studies by single values, wildcards, ranges and lists, whatever the case of a name', async () => {
    const found = async (keys: Record<string, string | string[]>) =>
      (await ask('STUDY', { StudyID: '', ...keys })).values('StudyID').sort()
    expect(await found({ StudyInstanceUID: '' })).toEqual(['ct', 'mr', 'nameless', 'other'])
    expect(await found({ PatientName: 'doe^j*' })).toEqual(['ct', 'mr'])
    expect(await found({ PatientName: 'MÜLLER^JÖRG' })).toEqual(['other'])
    expect(await found({ PatientID: 'D?' })).toEqual(['ct', 'mr'])
    expect(await found({ AccessionNumber: 'A9' })).toEqual(['other'])
    expect(await found({ StudyDate: '20230101-20231231' })).toEqual(['mr'])
    expect(await found({ StudyDate: '2023.01.01' })).toEqual(['mr'])
    expect(await found({ StudyInstanceUID: [studyUID('ct'), studyUID('other'), '1.2.3'] })).toEqual(['ct', 'other'])
    expect(await found({ ModalitiesInStudy: 'SEG' })).toEqual(['ct'])
    expect(await found({ PatientName: 'Nobody' })).toEqual([])
  })

  it('answers the keys that were asked for, and those that every answer has', async () => {
    const { matches, unsupported } = await ask('STUDY', {
      PatientName: 'Doe*',
      StudyInstanceUID: studyUID('ct'),
      ModalitiesInStudy: '',
      SOPClassesInStudy: '',
      NumberOfStudyRelatedSeries: '',
      NumberOfStudyRelatedInstances: '',
      NumberOfPatientRelatedStudies: '',
      NumberOfPatientRelatedInstances: '',
      InstanceAvailability: '',
      InstitutionName: '',
    })
    expect(unsupported).toBe(false)
    expect(matches).toEqual([
      {
        '00080052': { vr: 'CS', Value: ['STUDY'] },
        '00080054': { vr: 'AE', Value: ['HILUM'] },
        '00080056': { vr: 'CS', Value: ['ONLINE'] },
        '00080061': { vr: 'CS', Value: ['CT', 'SEG'] },
        '00080062': { vr: 'UI', Value: [SOP.ctImage, SOP.segmentation] },
        '00080080': { vr: 'LO' },
        '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^Jane' }] },
        '0020000D': { vr: 'UI', Value: [studyUID('ct')] },
        '00201200': { vr: 'IS', Value: [2] },
        '00201204': { vr: 'IS', Value: [6] },
        '00201206': { vr: 'IS', Value: [2] },
        '00201208': { vr: 'IS', Value: [4] },
      },
    ])
  })

  it('says when a key is not supported, and leaves it out', async () => {
    const asked = await ask('STUDY', { StudyInstanceUID: studyUID('ct'), Modality: 'MR', InstitutionName: 'X' })
    expect(asked.unsupported).toBe(true)
    expect(asked.matches).toHaveLength(1)
    expect(asked.matches[0]).not.toHaveProperty('00080060')
    expect((await ask('STUDY', { StudyInstanceUID: '', PatientComments: '*' })).unsupported).toBe(false)
    for (const [key, comment] of [
      [{ StudyDate: 'yesterday' }, 'StudyDate: a date YYYYMMDD or range'],
      [{ StudyInstanceUID: '1.2.*' }, 'StudyInstanceUID: no wildcard is allowed'],
    ] as const)
      await expect(ask('STUDY', key)).rejects.toMatchObject({ code: 'bad-parameter', detail: { comment } })
  })

  it('finds patients, series and instances, results among them', async () => {
    const patients = await ask('PATIENT', { PatientID: '', PatientName: '', NumberOfPatientRelatedStudies: '' })
    expect(patients.values('PatientID')).toEqual(['D1', 'M1'])
    expect(patients.values('NumberOfPatientRelatedStudies')).toEqual(['2', '1'])
    expect((await ask('PATIENT', { PatientID: '', PatientName: 'mül*' })).values('PatientID')).toEqual(['M1'])

    const series = { StudyInstanceUID: studyUID('ct'), SeriesInstanceUID: '', Modality: '' }
    const all = await ask('SERIES', { ...series, NumberOfSeriesRelatedInstances: '', SeriesDate: '', PatientID: '' })
    expect(all.values('Modality')).toEqual(['CT', 'SEG'])
    expect(all.values('NumberOfSeriesRelatedInstances')).toEqual(['3', '1'])
    expect(all.values('SeriesDate')).toEqual(['20240131', '20240131'])
    expect(all.values('PatientID')).toEqual(['D1', 'D1'])
    expect((await ask('SERIES', { ...series, Modality: 'SEG' })).values('SeriesInstanceUID')).toEqual([
      seriesUID('ct', 2),
    ])

    const instances = await ask('IMAGE', {
      StudyInstanceUID: studyUID('ct'),
      SeriesInstanceUID: seriesUID('ct', 1),
      SOPInstanceUID: '',
      InstanceNumber: '',
      SOPClassUID: '',
    })
    expect(instances.values('InstanceNumber')).toEqual(['1', '2', '3'])
    expect(instances.values('SOPClassUID')[0]).toBe(SOP.ctImage)
  })

  it('names what is to be sent at every level, and only what the keys above allow', async () => {
    const total = async (keys: Record<string, string | string[]>) =>
      (await findRetrievable(store.database, store.objects, { keys: identifierOf(keys), after: null })).total
    expect(await total({ PatientID: 'D1' })).toBe(6)
    expect(await total({ StudyInstanceUID: [studyUID('ct'), studyUID('other')] })).toBe(5)
    expect(await total({ PatientID: 'M1', StudyInstanceUID: studyUID('ct') })).toBe(0)
    const series = { StudyInstanceUID: studyUID('ct'), SeriesInstanceUID: seriesUID('ct', 1) }
    expect(await total(series)).toBe(3)
    expect(await total({ ...series, StudyInstanceUID: studyUID('mr') })).toBe(0)
    const image = { ...series, SOPInstanceUID: [instanceUID('ct', 1, 2), instanceUID('ct', 2, 1)] }
    const { instances, next } = await findRetrievable(store.database, store.objects, {
      keys: identifierOf(image),
      after: null,
    })
    expect(next).toBeNull()
    expect(instances).toMatchObject([{ sopClassUID: SOP.ctImage, sopInstanceUID: instanceUID('ct', 1, 2) }])
    expect(instances[0]?.path).toContain('objects')
  })

  it('answers for what is there, with the right class, and whole', async () => {
    const row = (uid: string) => store.database('instances').where({ sop_instance_uid: uid })
    await row(instanceUID('ct', 1, 2)).update({ size: 1 })
    await store.objects.remove((await row(instanceUID('ct', 1, 3)).first()).object_key)
    const reference = (sopInstanceUID: string, sopClassUID: string = SOP.ctImage) => ({ sopInstanceUID, sopClassUID })
    const reasons = await whyNotHeld(store.database, store.objects, [
      reference(instanceUID('ct', 1, 1)),
      reference(instanceUID('ct', 1, 2)),
      reference(instanceUID('ct', 1, 3)),
      reference(instanceUID('ct', 2, 1)),
      reference('1.2.3'),
    ])
    expect(reasons).toEqual([null, 0x0110, 0x0112, 0x0119, 0x0112])
  })
}
