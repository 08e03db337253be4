import { describe, expect, it } from 'vitest'
import { itemsOf, textOf, textsOf } from '../../../src/dicom/dataset.ts'
import { cleanText, pixelRisk } from '../../../src/dicom/deidentify/clean-text.ts'
import { Deidentification } from '../../../src/dicom/deidentify/deidentification.ts'
import { actionFor, type RetainOption } from '../../../src/dicom/deidentify/profile.ts'
import { profileRow, profileTags } from '../../../src/dicom/deidentify/profile-table.ts'
import type { DicomJson, DicomJsonElement } from '../../../src/dicom/dicom-json.ts'
import { tagOf, vrOf } from '../../../src/dicom/dictionary.ts'

/** A data set of keywords: lists are values, lists of objects sequences. */
function dataSet(natural: Record<string, unknown>): DicomJson {
  return Object.fromEntries(
    Object.entries(natural).map(([key, given]) => {
      if (/^[0-9A-F]{8}$/.test(key)) return [key, given as DicomJsonElement]
      const tag = tagOf(key) as string
      const vr = vrOf(tag)
      const values = [given].flat()
      if (vr === 'SQ') return [tag, { vr, Value: values.map((item) => dataSet(item as Record<string, unknown>)) }]
      return [tag, { vr, Value: vr === 'PN' ? values.map((Alphabetic) => ({ Alphabetic })) : values }]
    }),
  )
}

const uids = { study: '1.2.3.4', series: '1.2.3.4.5', instance: '1.2.3.4.5.6', frame: '1.2.3.9', other: '1.2.3.4.5.7' }
const original = dataSet({
  SpecificCharacterSet: 'ISO_IR 192',
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
  SOPInstanceUID: uids.instance,
  StudyInstanceUID: uids.study,
  SeriesInstanceUID: uids.series,
  FrameOfReferenceUID: uids.frame,
  StudyDate: '20240229',
  SeriesDate: '20240301',
  AcquisitionDateTime: '20240301093000.5+0100',
  StudyTime: '093000',
  AccessionNumber: 'ACC-77123',
  Modality: 'CT',
  InstitutionName: 'Sankt Hilarius',
  StationName: 'CT-ROOM-3',
  DeviceSerialNumber: 'SN-90210',
  ReferringPhysicianName: 'Miller^Ann',
  StudyDescription: 'Chest CT of Jörgensen, ordered by Dr. Miller on 29.02.2024, see 5550123456',
  SeriesDescription: 'axial lung 1 mm',
  ProtocolName: 'Thorax routine',
  PatientName: 'Jörgensen^Maria',
  PatientID: 'PID-4711',
  IssuerOfPatientID: 'HIS',
  PatientBirthDate: '19510704',
  PatientSex: 'F',
  PatientAge: '072Y',
  PatientWeight: 61.5,
  OtherPatientIDs: ['X-1', 'X-2'],
  ReferencedImageSequence: [
    { ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.2', ReferencedSOPInstanceUID: uids.other },
  ],
  RequestAttributesSequence: [{ AccessionNumber: 'ACC-77123', RequestedProcedureID: 'RP1' }],
  SharedFunctionalGroupsSequence: [
    {
      PixelMeasuresSequence: [{ SliceThickness: 1 }],
      DerivationImageSequence: [
        { SourceImageSequence: [{ ReferencedSOPInstanceUID: uids.instance, PersonName: 'Jörgensen^Maria' }] },
      ],
    },
  ],
  ContentSequence: [
    {
      ValueType: 'CONTAINER',
      ContentSequence: [
        {
          ValueType: 'TEXT',
          TextValue: 'Mrs Jörgensen is well',
          ConceptNameCodeSequence: [{ CodeValue: '121071', CodeMeaning: 'Finding' }],
        },
        { ValueType: 'NUM', MeasuredValueSequence: [{ NumericValue: 1951.0704 }] },
      ],
    },
  ],
  Rows: 512,
  '00090010': { vr: 'LO', Value: ['ACME 1.0'] },
  '00091001': { vr: 'LO', Value: ['Jörgensen'] },
  '00190010': { vr: 'LO', Value: ['SIEMENS MR HEADER'] },
  '0019100C': { vr: 'IS', Value: [1000] },
  '00191099': { vr: 'LO', Value: ['Jörgensen'] },
  '60000010': { vr: 'US', Value: [512] },
  '60003000': { vr: 'OW', InlineBinary: 'AAAA' },
  '60004000': { vr: 'LT', Value: ['Jörgensen'] },
  '00120099': { vr: 'UN', InlineBinary: 'SsO2cmdlbnNlbg==' },
})
const identifying =
  /J.rgensen|Maria|PID-4711|ACC-77123|Miller|Hilarius|SN-90210|ROOM|X-1|RP1|19510704|20240229|20240301|1\.2\.3\.|5550123456|Jörgensen|well|1951/

const of = (...retain: RetainOption[]) => new Deidentification({ retain, key: Buffer.alloc(32, 7) })

describe('the profile', () => {
  it('has the table of the standard', () => {
    expect(profileTags()).toHaveLength(617)
    // Rows of PS3.15 table E.1-1, by hand.
    const rows = {
      PatientName: 'Z',
      PatientID: 'Z/D',
      StudyDate: 'Z',
      AcquisitionDateTime: 'X/Z/D',
      SOPInstanceUID: 'U',
      ContentSequence: 'D',
    }
    for (const [keyword, basic] of Object.entries(rows))
      expect([keyword, profileRow(tagOf(keyword) as string)?.basic]).toEqual([keyword, basic])
  })

  it('keeps none of its attributes', () => {
    const kept = profileTags().filter((tag) => actionFor(tag, vrOf(tag), new Set()) === 'keep')
    expect(kept).toEqual([])
  })

  it.each([
    ['PatientName', 'PN', 'empty'],
    ['AcquisitionDateTime', 'DT', 'dummy'],
    ['AcquisitionDate', 'DA', 'empty'],
    ['PatientAge', 'AS', 'remove'],
    ['SourceImageSequence', 'SQ', 'items'],
    ['ContentSequence', 'SQ', 'dummy-items'],
    ['OtherPatientIDsSequence', 'SQ', 'remove'],
    ['Rows', 'US', 'keep'],
    ['SOPClassUID', 'UI', 'keep'],
    // Outside of the table, and identifiers all the same.
    ['EvaluatorName', 'PN', 'dummy'],
    ['VolumeFrameOfReferenceUID', 'UI', 'uid'],
  ])('treats %s', (keyword, vr, action) => {
    expect(actionFor(tagOf(keyword) as string, vr, new Set())).toBe(action)
  })
})

describe('deidentify', () => {
  it('leaves nothing that identifies, at no depth', () => {
    const result = of().deidentify(original)
    expect(JSON.stringify(result)).not.toMatch(identifying)
    expect(Object.keys(result).filter((tag) => /^(6000|0009|0019|00120099)/.test(tag))).toEqual([])
    expect(textOf(result, 'PatientID')).toMatch(/^[0-9A-F]{16}$/)
    expect(textOf(result, 'PatientName')).toBe(textOf(result, 'PatientID'))
  })

  it('keeps what the picture needs', () => {
    const result = of().deidentify(original)
    expect([textOf(result, 'Modality'), textOf(result, 'SOPClassUID'), textOf(result, 'Rows')]).toEqual([
      'CT',
      '1.2.840.10008.5.1.4.1.1.2',
      '512',
    ])
    const [shared] = itemsOf(result, 'SharedFunctionalGroupsSequence')
    expect(textOf(itemsOf(shared as DicomJson, 'PixelMeasuresSequence')[0] as DicomJson, 'SliceThickness')).toBe('1')
  })

  it('keeps of a report what is no word, number or date', () => {
    const [container] = itemsOf(of().deidentify(original), 'ContentSequence') as [DicomJson]
    const [text, number] = itemsOf(container, 'ContentSequence') as [DicomJson, DicomJson]
    expect([textOf(text, 'ValueType'), textOf(text, 'TextValue')]).toEqual(['TEXT', 'ANONYMIZED'])
    expect(textOf(itemsOf(text, 'ConceptNameCodeSequence')[0] as DicomJson, 'CodeMeaning')).toBe('Finding')
    expect(textOf(itemsOf(number, 'MeasuredValueSequence')[0] as DicomJson, 'NumericValue')).toBe('0')
  })

  it('gives one UID the same replacement wherever it stands', () => {
    const result = of().deidentify(original)
    const [shared] = itemsOf(result, 'SharedFunctionalGroupsSequence')
    const [derivation] = itemsOf(shared as DicomJson, 'DerivationImageSequence')
    const [source] = itemsOf(derivation as DicomJson, 'SourceImageSequence')
    expect(textOf(source as DicomJson, 'ReferencedSOPInstanceUID')).toBe(textOf(result, 'SOPInstanceUID'))
    expect(textOf(result, 'SOPInstanceUID')).toMatch(/^2\.25\.\d{1,39}$/)
    const [referenced] = itemsOf(result, 'ReferencedImageSequence')
    const sibling = of().deidentify({ ...original, ...dataSet({ SOPInstanceUID: uids.other }) })
    expect(textOf(sibling, 'SOPInstanceUID')).toBe(textOf(referenced as DicomJson, 'ReferencedSOPInstanceUID'))
  })

  it('gives others under another key', () => {
    const other = new Deidentification().deidentify(original)
    expect(textOf(other, 'StudyInstanceUID')).not.toBe(textOf(of().deidentify(original), 'StudyInstanceUID'))
    expect(textOf(other, 'PatientID')).not.toBe(textOf(of().deidentify(original), 'PatientID'))
  })

  it('says what was done', () => {
    const result = of('patient-characteristics', 'full-dates').deidentify(original)
    expect(textOf(result, 'PatientIdentityRemoved')).toBe('YES')
    expect(textOf(result, 'LongitudinalTemporalInformationModified')).toBe('UNMODIFIED')
    const codes = itemsOf(result, 'DeidentificationMethodCodeSequence').map((item) => textOf(item, 'CodeValue'))
    expect(codes).toEqual(['113100', '113108', '113106'])
  })

  it('does not change what it is given', () => {
    const before = JSON.stringify(original)
    of('cleaned-descriptors').deidentify(original)
    expect(JSON.stringify(original)).toBe(before)
  })
})

describe('options', () => {
  const values = (option: RetainOption, ...keywords: string[]) => {
    const result = of(option).deidentify(original)
    return keywords.map((keyword) => textOf(result, keyword))
  }

  it('keep what they name, and no more', () => {
    expect(values('patient-characteristics', 'PatientSex', 'PatientAge', 'PatientWeight', 'StudyDate')).toEqual([
      'F',
      '072Y',
      '61.5',
      null,
    ])
    expect(values('full-dates', 'StudyDate', 'AcquisitionDateTime', 'StudyTime', 'PatientBirthDate')).toEqual([
      '20240229',
      '20240301093000.5+0100',
      '093000',
      null,
    ])
    expect(values('device-identity', 'DeviceSerialNumber', 'StationName', 'InstitutionName')).toEqual([
      'SN-90210',
      'CT-ROOM-3',
      'ANONYMIZED',
    ])
    expect(values('institution-identity', 'InstitutionName', 'StationName')).toEqual(['Sankt Hilarius', 'ANONYMIZED'])
    expect(values('uids', 'StudyInstanceUID', 'FrameOfReferenceUID')).toEqual([uids.study, uids.frame])
  })

  it('move dates by the same days, and keep the time', () => {
    const [study, series, acquired, time] = values(
      'modified-dates',
      'StudyDate',
      'SeriesDate',
      'AcquisitionDateTime',
      'StudyTime',
    )
    const day = (text: string | null | undefined) =>
      Date.UTC(Number(text?.slice(0, 4)), Number(text?.slice(4, 6)) - 1, Number(text?.slice(6, 8)))
    expect(day(series) - day(study)).toBe(86_400_000)
    expect(day('20240229') - day(study)).toBeGreaterThanOrEqual(365 * 86_400_000)
    expect(acquired).toBe(`${series}093000.5+0100`)
    expect(time).toBe('093000')
  })

  it('clean descriptions of what is known to identify', () => {
    const [study, series] = values('cleaned-descriptors', 'StudyDescription', 'SeriesDescription')
    expect(study).not.toMatch(identifying)
    expect(study).toMatch(/^Chest CT of\b/)
    expect(series).toBe('axial lung 1 mm')
  })

  it('keep private elements that are known to be safe, with their creators', () => {
    const result = of('safe-private').deidentify(original)
    expect(result['0019100C']).toEqual({ vr: 'IS', Value: [1000] })
    expect(result['00190010']).toEqual({ vr: 'LO', Value: ['SIEMENS MR HEADER'] })
    expect(Object.keys(result).filter((tag) => tag.startsWith('0009') || tag === '00191099')).toEqual([])
  })

  it('are not for dates in full and modified at once', () => {
    expect(() => of('full-dates', 'modified-dates')).toThrowError(/not both/)
  })
})

describe('reidentify', () => {
  /** What somebody may make of a de-identified object: new UIDs for itself, references to what it was given, nested. */
  const made = (given: DicomJson): DicomJson => ({
    ...dataSet({
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4',
      SOPInstanceUID: '2.25.1234',
      SeriesInstanceUID: '2.25.12345',
      Modality: 'SEG',
      ContentDate: '20260101',
      SeriesDescription: 'Lungs',
      ReferencedSeriesSequence: [
        {
          SeriesInstanceUID: textOf(given, 'SeriesInstanceUID'),
          ReferencedInstanceSequence: [{ ReferencedSOPInstanceUID: textOf(given, 'SOPInstanceUID') }],
        },
      ],
      ReferencedRequestSequence: [{ StudyInstanceUID: textOf(given, 'StudyInstanceUID'), AccessionNumber: [] }],
    }),
    ...Object.fromEntries(
      [
        'StudyInstanceUID',
        'FrameOfReferenceUID',
        'PatientName',
        'PatientID',
        'StudyDate',
        'AcquisitionDateTime',
        'PatientIdentityRemoved',
        'DeidentificationMethodCodeSequence',
      ]
        .map((keyword) => tagOf(keyword) as string)
        .filter((tag) => given[tag])
        .map((tag) => [tag, given[tag] as DicomJsonElement]),
    ),
  })

  it.each([[[]], [['modified-dates', 'patient-characteristics']], [['uids']]] as [RetainOption[]][])(
    'gives patient, study and references back, at every depth: %j',
    (retain) => {
      const deidentification = of(...retain)
      const result = deidentification.reidentify(made(deidentification.deidentify(original)))
      for (const keyword of [
        'PatientName',
        'PatientID',
        'PatientBirthDate',
        'PatientSex',
        'OtherPatientIDs',
        'StudyDate',
        'StudyTime',
        'AccessionNumber',
        'ReferringPhysicianName',
        'StudyDescription',
        'StudyInstanceUID',
        'FrameOfReferenceUID',
      ])
        expect([keyword, textsOf(result, keyword)]).toEqual([keyword, textsOf(original, keyword)])
      const [series] = itemsOf(result, 'ReferencedSeriesSequence') as [DicomJson]
      expect(textOf(series, 'SeriesInstanceUID')).toBe(uids.series)
      expect(textOf(itemsOf(series, 'ReferencedInstanceSequence')[0] as DicomJson, 'ReferencedSOPInstanceUID')).toBe(
        uids.instance,
      )
      const [request] = itemsOf(result, 'ReferencedRequestSequence') as [DicomJson]
      expect([textOf(request, 'StudyInstanceUID'), textOf(request, 'AccessionNumber')]).toEqual([
        uids.study,
        'ACC-77123',
      ])
      // What is new stays new, and nothing says any longer that the identity was removed.
      expect([
        textOf(result, 'SOPInstanceUID'),
        textOf(result, 'ContentDate'),
        textOf(result, 'SeriesDescription'),
      ]).toEqual(['2.25.1234', '20260101', 'Lungs'])
      expect(textOf(result, 'PatientIdentityRemoved')).toBeNull()
      expect(itemsOf(result, 'DeidentificationMethodCodeSequence')).toEqual([])
      if (retain.includes('modified-dates')) expect(textOf(result, 'AcquisitionDateTime')).toBe('20240301093000.5+0100')
    },
  )

  it('gives each of several studies its own', () => {
    const deidentification = of()
    const prior = {
      ...original,
      ...dataSet({ StudyInstanceUID: '1.2.3.8', AccessionNumber: 'ACC-1', StudyDate: '20200101' }),
    }
    const [first, second] = [deidentification.deidentify(original), deidentification.deidentify(prior)]
    expect(textOf(first, 'PatientID')).toBe(textOf(second, 'PatientID'))
    expect(textOf(deidentification.reidentify(made(second)), 'AccessionNumber')).toBe('ACC-1')
    expect(textOf(deidentification.reidentify(made(first)), 'AccessionNumber')).toBe('ACC-77123')
  })

  it('refuses an object of a study that was never handed out', () => {
    const deidentification = of()
    deidentification.deidentify(original)
    const stranger = { ...original, ...dataSet({ StudyInstanceUID: '1.9.9' }) }
    expect(() => deidentification.reidentify(stranger)).toThrowError(/none of those that were handed out/)
  })

  it('takes nothing from another key’s replacements', () => {
    const [one, other] = [of(), new Deidentification()]
    one.deidentify(original)
    expect(() => one.reidentify(made(other.deidentify(original)))).toThrowError(/handed out/)
  })
})

describe('texts', () => {
  it.each([
    ['seen by Dr. House, MRN 00123456', 'seen by , MRN'],
    ['write to a.b@example.org', 'write to'],
    ['CT 2024-02-29 axial', 'CT axial'],
    ['T1 MPRAGE 1.0mm', 'T1 MPRAGE 1.0mm'],
  ])('%s', (text, cleaned) => {
    expect(cleanText(text, new Set())).toBe(cleaned)
  })

  it('and pixels that show who it is are told by the header', () => {
    expect(pixelRisk(dataSet({ BurnedInAnnotation: 'YES' }))).toMatch(/Burned In/)
    expect(pixelRisk(dataSet({ BurnedInAnnotation: 'NO' }))).toBeNull()
  })
})
