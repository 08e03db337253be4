import { describe, expect, it } from 'vitest'
import { codeItem } from '../../src/dicom/codes.ts'
import { itemsOf, numberOf, numbersOf, textOf, textsOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { isSignDependent, keywordOf, keywords, tagOf, vrOf } from '../../src/dicom/dictionary.ts'
import { isStorageSOPClass, SOP, sopClassName, storageSOPClassUIDs } from '../../src/dicom/sop-class.ts'
import { TS, transferSyntax } from '../../src/dicom/transfer-syntax.ts'
import { isUID } from '../../src/dicom/uid.ts'

describe('the data dictionary', () => {
  it('knows tags, keywords and VRs', () => {
    expect(tagOf('Modality')).toBe('00080060')
    expect(keywordOf('00080060')).toBe('Modality')
    expect(vrOf('00080060')).toBe('CS')
    expect(vrOf(tagOf('ExtendedOffsetTable') ?? '')).toBe('OV')
    expect(tagOf('NoSuchKeyword')).toBeUndefined()
  })

  it('knows retired elements by their keyword', () => {
    expect(tagOf('StudyComments')).toBe('00324000')
    expect(keywordOf('00324000')).toBe('StudyComments')
  })

  it('knows repeating groups', () => {
    expect(keywordOf('60023000')).toBe('OverlayData')
    expect(vrOf('60100010')).toBe('US')
    expect(keywordOf('60013000')).toBeUndefined()
  })

  it('gives VRs of the standard only', () => {
    const standard = new Set(
      'AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(
        ' ',
      ),
    )
    for (const keyword of keywords()) expect(standard, keyword).toContain(vrOf(tagOf(keyword) ?? ''))
  })

  it('says where Pixel Representation decides about the sign', () => {
    expect(isSignDependent('00280106')).toBe(true)
    expect(isSignDependent('00280010')).toBe(false)
    expect(vrOf('00280106')).toBe('US')
  })

  it('takes private creators for LO, group lengths for UL, and the unknown for UN', () => {
    expect(vrOf('00290010')).toBe('LO')
    expect(vrOf('00291010')).toBe('UN')
    expect(vrOf('00290000')).toBe('UL')
  })
})

describe('transfer syntaxes', () => {
  it('knows how each is written', () => {
    expect(transferSyntax(TS.implicitVRLittleEndian)).toMatchObject({
      explicitVR: false,
      littleEndian: true,
      encapsulated: false,
    })
    expect(transferSyntax(TS.explicitVRBigEndian)).toMatchObject({
      explicitVR: true,
      littleEndian: false,
      encapsulated: false,
    })
    expect(transferSyntax(TS.deflated)).toMatchObject({ deflated: true, encapsulated: false })
    expect(transferSyntax(TS.rle)).toMatchObject({ encapsulated: true, deflated: false })
    expect(transferSyntax(TS.geImplicitBigEndianPixels)).toMatchObject({ explicitVR: false, littleEndian: true })
  })

  it('names every one with a valid UID', () => {
    for (const uid of Object.values(TS)) {
      expect(isUID(uid)).toBe(true)
      expect(transferSyntax(uid)).toMatchObject({ uid, known: true })
    }
    expect(new Set(Object.values(TS)).size).toBe(Object.values(TS).length)
  })

  it('takes an unknown one for explicit VR and encapsulated', () => {
    expect(transferSyntax('1.2.3')).toMatchObject({
      explicitVR: true,
      littleEndian: true,
      encapsulated: true,
      known: false,
    })
  })
})

describe('SOP classes', () => {
  it('tells storage from services, and the unknown from both', () => {
    expect(isStorageSOPClass(SOP.ctImage)).toBe(true)
    expect(isStorageSOPClass(SOP.labelMapSegmentation)).toBe(true)
    expect(isStorageSOPClass(SOP.verification)).toBe(false)
    expect(isStorageSOPClass(SOP.studyRootFind)).toBe(false)
    expect(isStorageSOPClass('1.2.840.10008.1.3.10')).toBe(false)
    expect(isStorageSOPClass('1.3.12.2.1107.5.9.1')).toBeUndefined()
  })

  it('names every one that the code speaks of', () => {
    for (const [key, uid] of Object.entries(SOP))
      if (key !== 'storageCommitmentPushModelInstance') expect(sopClassName(uid), key).toBeDefined()
    expect(sopClassName(SOP.segmentation)).toBe('Segmentation Storage')
  })

  it('lists storage classes with valid, distinct UIDs', () => {
    const uids = storageSOPClassUIDs()
    expect(uids.length).toBeGreaterThan(180)
    for (const uid of uids) expect(isUID(uid)).toBe(true)
  })
})

describe('reading a data set by keyword', () => {
  const dataSet: DicomJson = {
    '00080008': { vr: 'CS', Value: ['ORIGINAL', null, 'AXIAL'] },
    '00080060': { vr: 'CS' },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'A^B', Ideographic: 'C' }] },
    '00080096': { vr: 'SQ', Value: [{ '00080060': { vr: 'CS', Value: ['CT'] } }] },
    '00280030': { vr: 'DS', Value: [0.5, '0.25'] },
    '00281050': { vr: 'DS', Value: ['forty', 40] },
    '00200013': { vr: 'IS', Value: [7] },
  }

  it('gives texts', () => {
    expect(textOf(dataSet, 'ImageType')).toBe('ORIGINAL')
    expect(textsOf(dataSet, 'ImageType')).toEqual(['ORIGINAL', '', 'AXIAL'])
    expect(textOf(dataSet, 'PatientName')).toBe('A^B')
    expect(textOf(dataSet, 'InstanceNumber')).toBe('7')
    expect(textOf(dataSet, 'Modality')).toBeNull()
    expect(textOf(dataSet, 'PatientID')).toBeNull()
  })

  it('gives numbers, and none where a value is no number', () => {
    expect(numberOf(dataSet, 'InstanceNumber')).toBe(7)
    expect(numbersOf(dataSet, 'PixelSpacing')).toEqual([0.5, 0.25])
    expect(numberOf(dataSet, 'WindowCenter')).toBeNull()
    expect(numbersOf(dataSet, 'WindowCenter')).toEqual([])
  })

  it('gives items', () => {
    expect(
      itemsOf(dataSet, 'ReferringPhysicianIdentificationSequence').map((item) => textOf(item, 'Modality')),
    ).toEqual(['CT'])
    expect(itemsOf(dataSet, 'ProcedureCodeSequence')).toEqual([])
  })

  it('makes the item of a code', () => {
    expect(codeItem({ value: '39607008', scheme: 'SCT', meaning: 'Lung' })).toEqual({
      CodeValue: '39607008',
      CodingSchemeDesignator: 'SCT',
      CodeMeaning: 'Lung',
    })
  })
})
