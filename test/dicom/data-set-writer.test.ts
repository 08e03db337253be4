import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { readHead } from '../../src/dicom/head.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { decimalString } from '../../src/dicom/value-encoder.ts'
import { ctSlice, part10Bytes } from '../support/part10-file.ts'
import { available, runProgram } from '../support/programs.ts'

const explicit = TS.explicitVRLittleEndian

function roundTrip(natural: Record<string, unknown>, transferSyntaxUID: string = explicit) {
  return readHead(encodeDataSet(natural, transferSyntaxUID), { transferSyntaxUID })
}

describe('writing a data set', () => {
  it('writes elements in tag order, whatever the order of the keys', () => {
    const head = roundTrip({ PatientID: 'P1', Modality: 'CT', Rows: 4, SOPClassUID: '1.2.3' })
    expect(Object.keys(head.elements)).toEqual(['00080016', '00080060', '00100020', '00280010'])
    expect(head.ended).toBe('end')
  })

  it('keeps decimal strings as they are given, and long values whole', () => {
    const bytes = encodeDataSet(
      { PixelSpacing: ['0.70', '0.700'], SliceThickness: 1.5, SeriesDescription: 'x'.repeat(80) },
      explicit,
    )
    expect(bytes.includes('0.70\\0.700')).toBe(true)
    expect(bytes.includes('x'.repeat(80))).toBe(true)
  })

  it('writes UTF-8 with lengths in bytes, and says so', () => {
    const head = roundTrip({ PatientName: 'Müller^Jörg=山田', SpecificCharacterSet: 'ISO_IR 100', PatientID: 'Ä' })
    expect(head.elements['00080005']?.Value).toEqual(['ISO_IR 192'])
    expect(head.elements['00100010']?.Value).toEqual([{ Alphabetic: 'Müller^Jörg', Ideographic: '山田' }])
    expect(head.elements['00100020']?.Value).toEqual(['Ä'])
  })

  it('says so as well where another character set is given by its tag', () => {
    const head = roundTrip({
      '00080005': { vr: 'CS', Value: ['ISO_IR 100'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller' }] },
    })
    expect(head.elements['00080005']?.Value).toEqual(['ISO_IR 192'])
    expect(head.elements['00100010']?.Value).toEqual([{ Alphabetic: 'Müller' }])
  })

  it('finds text beyond ASCII in items, and lets items name no character set of their own', () => {
    const head = roundTrip({
      SpecificCharacterSet: 'ISO_IR 100',
      RequestAttributesSequence: [{ SpecificCharacterSet: 'ISO_IR 144', RequestedProcedureDescription: 'Łódź' }],
    })
    expect(head.elements['00080005']?.Value).toEqual(['ISO_IR 192'])
    expect(head.elements['00400275']?.Value).toEqual([{ '00321060': { vr: 'LO', Value: ['Łódź'] } }])
  })

  it('leaves the character set of plain text alone', () => {
    expect(roundTrip({ SpecificCharacterSet: 'ISO_IR 100', PatientID: 'P1' }).elements['00080005']?.Value).toEqual([
      'ISO_IR 100',
    ])
    expect(roundTrip({ PatientID: 'P1' }).elements['00080005']).toBeUndefined()
  })

  it.each([explicit, TS.implicitVRLittleEndian, TS.explicitVRBigEndian])(
    'writes nested sequences in %s',
    (transferSyntaxUID) => {
      const natural = {
        ContentSequence: [
          { ValueType: 'NUM', MeasuredValueSequence: { NumericValue: '4.31', FloatingPointValue: 4.31 } },
          { ValueType: 'CONTAINER', ContentSequence: [] },
        ],
        Modality: 'SR',
      }
      const head = roundTrip(natural, transferSyntaxUID)
      expect(head.elements['0040A730']).toEqual({
        vr: 'SQ',
        Value: [
          {
            '0040A040': { vr: 'CS', Value: ['NUM'] },
            '0040A300': {
              vr: 'SQ',
              Value: [{ '0040A161': { vr: 'FD', Value: [4.31] }, '0040A30A': { vr: 'DS', Value: [4.31] } }],
            },
          },
          { '0040A040': { vr: 'CS', Value: ['CONTAINER'] }, '0040A730': { vr: 'SQ' } },
        ],
      })
    },
  )

  it('decides VRs that the dictionary leaves open', () => {
    expect(roundTrip({ PixelRepresentation: 0, PixelPaddingValue: 5 }).elements['00280120']).toEqual({
      vr: 'US',
      Value: [5],
    })
    expect(roundTrip({ PixelRepresentation: 1, PixelPaddingValue: 5 }).elements['00280120']).toEqual({
      vr: 'SS',
      Value: [5],
    })
    expect(roundTrip({ PixelPaddingValue: -2000 }).elements['00280120']).toEqual({ vr: 'SS', Value: [-2000] })
    expect(roundTrip({ BitsAllocated: 8, PixelData: new Uint8Array(2) }).pixelData?.vr).toBe('OB')
    expect(roundTrip({ BitsAllocated: 16, PixelData: new Uint16Array(2) }).pixelData).toMatchObject({
      vr: 'OW',
      length: 4,
    })
    expect(
      roundTrip({ RealWorldValueFirstValueMapped: 7, _vrMap: { RealWorldValueFirstValueMapped: 'SS' } }).elements[
        '00409216'
      ]?.vr,
    ).toBe('SS')
  })

  it('writes private elements and elements as they were read', () => {
    const { elements } = roundTrip({
      '00290010': { vr: 'LO', Value: ['HILUM'] },
      '00291001': { vr: 'FL', Value: [0.5] },
      '00291002': { vr: 'OB', InlineBinary: 'AQI=' },
    })
    expect(elements).toEqual({
      '00290010': { vr: 'LO', Value: ['HILUM'] },
      '00291001': { vr: 'FL', Value: [0.5] },
      '00291002': { vr: 'OB', InlineBinary: 'AQI=' },
    })
    const slice = roundTrip(ctSlice()).elements
    expect(roundTrip(slice).elements).toEqual(slice)
  })

  it('writes empty elements for null, none for undefined', () => {
    expect(
      roundTrip({ PatientID: null, PatientName: '', AccessionNumber: undefined, ReferencedSeriesSequence: [] })
        .elements,
    ).toEqual({
      '00081115': { vr: 'SQ' },
      '00100010': { vr: 'PN' },
      '00100020': { vr: 'LO' },
    })
  })

  it('writes values that a length of 16 bits cannot hold as UN', () => {
    const contour = Array.from({ length: 30_000 }, (_, index) => index)
    const bytes = encodeDataSet({ ContourData: contour, Modality: 'RTSTRUCT' }, explicit)
    expect(bytes.toString('latin1', bytes.indexOf(Buffer.from([0x06, 0x30, 0x50, 0x00])) + 4).startsWith('UN')).toBe(
      true,
    )
    expect(readHead(bytes, { transferSyntaxUID: explicit }).elements['30060050']?.Value).toEqual(contour)
  })

  it('refuses what cannot be written, without naming the value', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ NoSuchKeyword: 1 }, 'NoSuchKeyword'],
      [{ Rows: 65536 }, 'Rows'],
      [{ Rows: 'secret' }, 'Rows'],
      [{ InstanceNumber: 1.5 }, 'InstanceNumber'],
      [{ SliceThickness: Number.NaN }, 'SliceThickness'],
      [{ PatientID: { a: 1 } }, 'PatientID'],
      [{ ReferencedSeriesSequence: ['secret'] }, 'ReferencedSeriesSequence'],
      [{ PatientID: 'P1', '00100020': { vr: 'LO', Value: ['P2'] } }, 'PatientID'],
    ]
    for (const [natural, keyword] of cases) {
      let message = ''
      expect(() => {
        try {
          encodeDataSet(natural, explicit)
        } catch (error) {
          message = (error as Error).message
          throw error
        }
      }).toThrow(expect.objectContaining({ code: 'invalid-value' }))
      expect(message).toContain(keyword)
      expect(message).not.toContain('secret')
    }
  })

  it('fits every number into a decimal string of 16 characters, as exactly as it goes', () => {
    expect(decimalString(1 / 3)).toBe('0.33333333333333')
    expect(decimalString(-1 / 3)).toBe('-0.3333333333333')
    expect(decimalString(0.1)).toBe('0.1')
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = decimalString(value)
        expect(text.length).toBeLessThanOrEqual(16)
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-8)
      }),
    )
  })

  it('gives back any text of a name, and any number', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .filter((value) => !/[\p{Cc}\\=^]|\s$|^\s/u.test(value) && value !== '')
    fc.assert(
      fc.property(
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 0, max: 65535 }),
        (name, real, rows) => {
          const { elements } = roundTrip({ PatientName: name, RealWorldValueSlope: real, Rows: rows })
          expect(elements['00100010']?.Value).toEqual([{ Alphabetic: name }])
          expect(elements['00409225']?.Value).toEqual([real])
          expect(elements['00280010']?.Value).toEqual([rows])
        },
      ),
    )
  })
})

describe('what others read', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-writer-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const natural = ctSlice({
    PatientName: { Alphabetic: 'Müller^Jörg', Ideographic: '山田' },
    PixelSpacing: ['0.70', '0.70'],
    PixelPaddingValue: -2000,
    RequestAttributesSequence: [
      {
        RequestedProcedureID: '1',
        ScheduledProtocolCodeSequence: [{ CodeValue: '1', CodingSchemeDesignator: '99X', CodeMeaning: 'x' }],
      },
    ],
    '00290010': { vr: 'LO', Value: ['HILUM TEST'] },
    '00291001': { vr: 'FD', Value: [0.1] },
  })

  const python = runProgram('python3', ['-c', 'import pydicom']).code === 0
  it
    .skipIf(!python && process.env.CI !== 'true')
    .each([explicit, TS.implicitVRLittleEndian, TS.explicitVRBigEndian, TS.deflated])(
    'pydicom reads the same in %s',
    (transferSyntaxUID) => {
      const file = path.join(folder, 'pydicom.dcm')
      writeFileSync(file, part10Bytes(natural, { transferSyntaxUID }))
      const script = `
import json, sys, pydicom
d = pydicom.dcmread(sys.argv[1])
print(json.dumps([str(d.PatientName), d.SpecificCharacterSet, [str(x) for x in d.PixelSpacing], d.PixelPaddingValue,
  d.RequestAttributesSequence[0].ScheduledProtocolCodeSequence[0].CodeMeaning, d[0x0029, 0x0010].value, len(d.PixelData),
  d.Rows, [float(x) for x in d.ImagePositionPatient], d.SOPInstanceUID == d.file_meta.MediaStorageSOPInstanceUID]))`
      const { stdout, output } = runProgram('python3', ['-c', script, file])
      expect(stdout, output).not.toBe('')
      expect(JSON.parse(stdout)).toEqual([
        'Müller^Jörg=山田',
        'ISO_IR 192',
        ['0.70', '0.70'],
        -2000,
        'x',
        'HILUM TEST',
        512,
        16,
        [-8, -8, 1],
        true,
      ])
    },
  )

  it.skipIf(!available('dcmdump', 'dciodvfy'))('dcmdump reads it without a word, and dciodvfy finds no error', () => {
    const file = path.join(folder, 'valid.dcm')
    writeFileSync(file, part10Bytes(ctSlice()))
    const dump = runProgram('dcmdump', ['-q', file])
    expect(dump.code).toBe(0)
    expect(dump.output).not.toMatch(/^[EW]:/m)
    const verified = runProgram('dciodvfy', ['-new', file])
    expect(verified.output.split('\n').filter((line) => line.startsWith('Error'))).toEqual([])
  })
})
