import { describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { readHead } from '../../src/dicom/head.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { encodeIdentifier } from '../../src/receive/query-answer.ts'
import { readIdentifier, uniqueKeysOf } from '../../src/receive/query-identifier.ts'

function read(operation: 'find' | 'move', abstractSyntax: string, keys: Record<string, unknown> | null) {
  const context = { id: 1, abstractSyntax, transferSyntax: TS.implicitVRLittleEndian }
  return readIdentifier({ context, dataSet: keys && encodeDataSet(keys, context.transferSyntax) }, operation)
}

describe('an Identifier', () => {
  it('is read with its model, level, keys and character sets', () => {
    const keys = {
      SpecificCharacterSet: 'ISO_IR 100',
      QueryRetrieveLevel: 'SERIES',
      StudyInstanceUID: '1.2',
      Modality: '',
    }
    expect(read('find', SOP.studyRootFind, keys)).toEqual({
      model: 'study-root',
      level: 'SERIES',
      keys: { '0020000D': { vr: 'UI', Value: ['1.2'] }, '00080060': { vr: 'CS' } },
      characterSets: ['ISO_IR 100'],
    })
  })

  it.each([
    ['no data set', null],
    ['no level', { StudyInstanceUID: '1.2' }],
    ['a level that the model does not have', { QueryRetrieveLevel: 'PATIENT', PatientID: 'X' }],
    ['no key of the level above', { QueryRetrieveLevel: 'SERIES', SeriesInstanceUID: '1.2.3' }],
    ['several values above', { QueryRetrieveLevel: 'SERIES', StudyInstanceUID: ['1.2', '1.3'] }],
    ['a wildcard above', { QueryRetrieveLevel: 'SERIES', StudyInstanceUID: '1.*' }],
    ['no series of an image', { QueryRetrieveLevel: 'IMAGE', StudyInstanceUID: '1.2' }],
  ])('with %s does not match the SOP class', (_, keys) => {
    expect(() => read('find', SOP.studyRootFind, keys)).toThrow(
      expect.objectContaining({ code: 'bad-identifier', detail: { status: 0xa900 } }),
    )
  })

  it('of Patient Root needs the patient', () => {
    const keys = { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: '1.2' }
    expect(() => read('find', SOP.patientRootFind, keys)).toThrow('PatientID: one value is expected at level STUDY')
    expect(read('find', SOP.patientRootFind, { ...keys, PatientID: 'X' }).model).toBe('patient-root')
  })

  it('of a retrieval has to name what is retrieved, and only that counts', () => {
    expect(() => read('move', SOP.studyRootMove, { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: '' })).toThrow(
      'one or more values',
    )
    const keys = { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: ['1.2', '1.3'], Modality: 'CT' }
    expect(uniqueKeysOf(read('move', SOP.studyRootMove, keys))).toEqual({
      '0020000D': { vr: 'UI', Value: ['1.2', '1.3'] },
    })
  })

  it('that cannot be read is not understood', () => {
    const context = { id: 1, abstractSyntax: SOP.studyRootFind, transferSyntax: TS.explicitVRLittleEndian }
    expect(() => readIdentifier({ context, dataSet: Buffer.from('nonsense and more') }, 'find')).toThrow(
      expect.objectContaining({ detail: { status: 0xc000 } }),
    )
  })
})

describe('the Identifier of a response', () => {
  const named = (name: string): DicomJson => ({
    '00080052': { vr: 'CS', Value: ['STUDY'] },
    '00081032': {
      vr: 'SQ',
      Value: [{ '00080104': { vr: 'LO', Value: [name] }, '00080005': { vr: 'CS', Value: ['GB18030'] } }],
    },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: name }] },
    '00201208': { vr: 'IS', Value: [143] },
  })
  const encode = (name: string, characterSets: string[], transferSyntaxUID: string = TS.explicitVRLittleEndian) =>
    encodeIdentifier(named(name), { transferSyntaxUID, characterSets })
  const setOf = (bytes: Buffer, transferSyntaxUID: string = TS.explicitVRLittleEndian) =>
    readHead(bytes, { transferSyntaxUID }).elements['00080005']?.Value?.[0]

  it.each([
    ['Doe^Jane', ['ISO_IR 100'], undefined],
    ['Müller^Jörg', [], 'ISO_IR 100'],
    ['Müller^Jörg', ['ISO_IR 100'], 'ISO_IR 100'],
    ['Müller^Jörg', ['ISO 2022 IR 100', 'ISO 2022 IR 126'], 'ISO_IR 100'],
    ['Müller^Jörg', ['ISO_IR 192'], 'ISO_IR 192'],
    ['Müller^Jörg', ['ISO_IR 144'], 'ISO_IR 192'],
    ['Люкceмбypг', ['ISO_IR 144'], 'ISO_IR 144'],
    ['Διονυσιος', ['ISO_IR 126'], 'ISO_IR 126'],
    ['ﾔﾏﾀﾞ^ﾀﾛｳ', ['ISO_IR 13'], 'ISO_IR 13'],
    ['Διονυσιος', [], 'ISO_IR 192'],
    ['山田^太郎', ['', 'ISO 2022 IR 87'], 'ISO_IR 192'],
  ])('%s is written so that an asker that names %j can read it', (name, asked, expected) => {
    for (const transferSyntaxUID of [TS.explicitVRLittleEndian, TS.implicitVRLittleEndian]) {
      const bytes = encode(name, asked, transferSyntaxUID)
      expect(setOf(bytes, transferSyntaxUID)).toBe(expected)
      const { elements, ended } = readHead(bytes, { transferSyntaxUID })
      expect(ended).toBe('end')
      expect(elements['00100010']?.Value).toEqual([{ Alphabetic: name }])
      expect(elements['00081032']?.Value).toMatchObject([{ '00080104': { Value: [name] } }])
      expect(elements['00201208']?.Value).toEqual([143])
    }
  })

  it('has one byte a character in such a set', () => {
    expect(encode('Jörg', ['ISO_IR 100']).includes(Buffer.from([0x4a, 0xf6, 0x72, 0x67]))).toBe(true)
  })
})
