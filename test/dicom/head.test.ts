import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { readHead } from '../../src/dicom/head.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { ctSlice } from '../support/part10-file.ts'

const explicit = TS.explicitVRLittleEndian
const implicit = TS.implicitVRLittleEndian

/** Bytes from hex, with text in quotes: `08006000 'CS' 0200 'CT'`. */
function bytes(...parts: string[]): Buffer {
  return Buffer.concat(
    parts
      .join(' ')
      .split(/\s+(?=(?:[^']*'[^']*')*[^']*$)/)
      .filter((part) => part !== '')
      .map((part) => (part.startsWith("'") ? Buffer.from(part.slice(1, -1), 'latin1') : Buffer.from(part, 'hex'))),
  )
}

const modality = "08006000 'CS' 0200 'CT'"
const end = 'feff0de000000000'
const sequenceEnd = 'feffdde000000000'

describe('reading a head', () => {
  it.each([explicit, implicit, TS.explicitVRBigEndian, TS.deflated])(
    'reads a CT slice in %s up to its pixel data',
    (transferSyntaxUID) => {
      const dataSet = encodeDataSet(ctSlice({ PixelData: new Uint8Array(512) }), transferSyntaxUID)
      const head = readHead(dataSet, { transferSyntaxUID, baseOffset: 1000 })
      expect(head).toMatchObject({ ended: 'pixel-data', reason: null })
      expect(head.elements['00080060']).toEqual({ vr: 'CS', Value: ['CT'] })
      expect(head.elements['00080008']).toEqual({ vr: 'CS', Value: ['ORIGINAL', 'PRIMARY', 'AXIAL'] })
      expect(head.elements['00100010']).toEqual({ vr: 'PN', Value: [{ Alphabetic: 'Test^Patient' }] })
      expect(head.elements['00280010']).toEqual({ vr: 'US', Value: [16] })
      expect(head.elements['00200032']).toEqual({ vr: 'DS', Value: [-8, -8, 1] })
      expect(head.elements['00281052']).toEqual({ vr: 'DS', Value: [-1024] })
      expect(head.elements['00201040']).toEqual({ vr: 'LO' })
      expect(head.elements['7FE00010']).toBeUndefined()
      expect(head.pixelData).toMatchObject({ tag: '7FE00010', vr: 'OW', length: 512 })
      if (transferSyntaxUID !== TS.deflated) expect(head.pixelData?.offset).toBe(1000 + dataSet.length - 512)
    },
  )

  it('reads numbers of every size in both byte orders', () => {
    const natural = {
      Rows: 65535,
      ReferencePixelX0: -2147483648,
      SelectorULValue: [1, 4294967295],
      SelectorSSValue: [-1, 2],
      RecommendedDisplayFrameRateInFloat: 0.5,
      RealWorldValueSlope: -1.25e-300,
      SelectorSVValue: ['-9223372036854775808', 5],
      SelectorUVValue: ['18446744073709551615'],
      FrameIncrementPointer: ['00181063', '00540010'],
    }
    for (const transferSyntaxUID of [explicit, TS.explicitVRBigEndian]) {
      const { elements } = readHead(encodeDataSet(natural, transferSyntaxUID), { transferSyntaxUID })
      expect(elements['00280010']?.Value).toEqual([65535])
      expect(elements['00186020']?.Value).toEqual([-2147483648])
      expect(elements['00720078']?.Value).toEqual([1, 4294967295])
      expect(elements['0072007E']?.Value).toEqual([-1, 2])
      expect(elements['00409225']?.Value).toEqual([-1.25e-300])
      expect(elements['00720082']?.Value).toEqual(['-9223372036854775808', 5])
      expect(elements['00720083']?.Value).toEqual(['18446744073709551615'])
      expect(elements['00280009']?.Value).toEqual(['00181063', '00540010'])
    }
  })

  it('keeps decimal and integer strings that are no numbers, and empty values in their places', () => {
    const dataSet = bytes("20003200 'DS' 0800 '1\\\\2.50 '", "20001300 'IS' 0400 'abc '", "08000800 'CS' 0400 'A\\\\B'")
    const { elements } = readHead(dataSet, { transferSyntaxUID: explicit })
    expect(elements['00200032']?.Value).toEqual([1, null, 2.5])
    expect(elements['00200013']?.Value).toEqual(['abc'])
    expect(elements['00080008']?.Value).toEqual(['A', null, 'B'])
  })

  it('leaves group lengths out, and takes odd lengths', () => {
    const dataSet = bytes("08000000 'UL' 0400 10000000", "08006000 'CS' 0300 'CT '", "08007000 'LO' 0100 'X'")
    const head = readHead(dataSet, { transferSyntaxUID: explicit })
    expect(head.ended).toBe('end')
    expect(Object.keys(head.elements)).toEqual(['00080060', '00080070'])
    expect(head.elements['00080060']?.Value).toEqual(['CT'])
  })

  it('reads sequences of defined and undefined length, nested', () => {
    const inner = bytes(
      `40009600 'SQ' 0000 ffffffff feff00e0ffffffff ${modality} ${end} feff00e000000000 ${sequenceEnd}`,
    )
    const dataSet = Buffer.concat([
      bytes("08001511 'SQ' 0000"),
      Buffer.from(Uint32Array.of(inner.length + 8).buffer),
      bytes('feff00e0'),
      Buffer.from(Uint32Array.of(inner.length).buffer),
      inner,
      bytes("10002000 'LO' 0200 'P1'"),
    ])
    const head = readHead(dataSet, { transferSyntaxUID: explicit })
    expect(head).toMatchObject({ ended: 'end', reason: null })
    expect(head.elements['00081115']).toEqual({
      vr: 'SQ',
      Value: [{ '00400096': { vr: 'SQ', Value: [{ '00080060': { vr: 'CS', Value: ['CT'] } }, {}] } }],
    })
    expect(head.elements['00100020']?.Value).toEqual(['P1'])
  })

  it('reads UN of undefined length as a sequence in implicit VR', () => {
    const dataSet = bytes(
      `29001010 'UN' 0000 ffffffff feff00e0ffffffff 08006000 02000000 'CT' ${end} ${sequenceEnd} ${modality}`,
    )
    const head = readHead(dataSet, { transferSyntaxUID: explicit })
    expect(head.elements['00291010']).toEqual({ vr: 'SQ', Value: [{ '00080060': { vr: 'CS', Value: ['CT'] } }] })
    expect(head.elements['00080060']?.Value).toEqual(['CT'])
  })

  it('reads UN of a tag of the standard by the dictionary', () => {
    const head = readHead(bytes("08006000 'UN' 0000 02000000 'CT' 28001000 'UN' 0000 02000000 0002"), {
      transferSyntaxUID: explicit,
    })
    expect(head.elements).toEqual({ '00080060': { vr: 'CS', Value: ['CT'] }, '00280010': { vr: 'US', Value: [512] } })
  })

  it('decides between US and SS by Pixel Representation in implicit VR', () => {
    for (const [representation, expected] of [
      [0, { vr: 'US', Value: [65535] }],
      [1, { vr: 'SS', Value: [-1] }],
    ] as const) {
      const dataSet = bytes(`28000301 02000000 0${representation}00 28000601 02000000 ffff`)
      expect(readHead(dataSet, { transferSyntaxUID: implicit }).elements['00280106']).toEqual(expected)
    }
  })

  it('gives short binary values inline and refers to long ones by their place', () => {
    const long = Buffer.alloc(2000, 7)
    const dataSet = encodeDataSet(
      { '00091010': { vr: 'OB', Value: [Buffer.from([1, 2])] }, '00091011': { vr: 'OB', Value: [long] } },
      explicit,
    )
    const { elements } = readHead(dataSet, { transferSyntaxUID: explicit, baseOffset: 300 })
    expect(elements['00091010']).toEqual({ vr: 'OB', InlineBinary: 'AQI=' })
    const place = /^#(\d+),(\d+)$/.exec(elements['00091011']?.BulkDataURI ?? '')
    expect(dataSet.subarray(Number(place?.[1]) - 300, Number(place?.[1]) - 300 + Number(place?.[2]))).toEqual(long)
  })

  it('gives inline words in little endian whatever the byte order was', () => {
    const dataSet = bytes("00091010 'OW' 0000 00000004 0102 0304")
    const head = readHead(dataSet, { transferSyntaxUID: TS.explicitVRBigEndian })
    expect(head.elements['00091010']).toEqual({ vr: 'OW', InlineBinary: Buffer.from([2, 1, 4, 3]).toString('base64') })
  })

  it('reads elements whose VR is missing or unknown', () => {
    const dataSet = bytes(
      "08006000 'CS' 0200 'CT'",
      "10002000 02000000 'P1'",
      "09001010 'ZZ' 0000 02000000 'XY'",
      "28001000 'US' 0200 1000",
    )
    const { elements, ended } = readHead(dataSet, { transferSyntaxUID: explicit })
    expect(ended).toBe('end')
    expect(elements['00100020']?.Value).toEqual(['P1'])
    expect(elements['00091010']).toEqual({ vr: 'UN', InlineBinary: 'WFk=' })
    expect(elements['00280010']?.Value).toEqual([16])
  })

  it('reads a data set that is explicit although its transfer syntax says implicit, and the other way', () => {
    expect(readHead(bytes(modality), { transferSyntaxUID: implicit }).elements['00080060']?.Value).toEqual(['CT'])
    const other = bytes("08006000 02000000 'CT'")
    expect(readHead(other, { transferSyntaxUID: explicit }).elements['00080060']?.Value).toEqual(['CT'])
  })

  it('says where the bytes end too early, and keeps what came before', () => {
    const dataSet = bytes(modality, "10002000 'LO' 1000 'P1'")
    const head = readHead(dataSet, { transferSyntaxUID: explicit })
    expect(head).toMatchObject({ ended: 'truncated', reason: 'element 00100020 announces 16 bytes, 2 follow' })
    expect(Object.keys(head.elements)).toEqual(['00080060'])
  })

  it('keeps a sequence that is broken inside as bytes, and reads on', () => {
    const dataSet = bytes("08001511 'SQ' 0000 08000000 'NONSENSE'", "10002000 'LO' 0200 'P1'")
    const head = readHead(dataSet, { transferSyntaxUID: explicit })
    expect(head.ended).toBe('end')
    expect(head.reason).toContain('00081115')
    expect(head.elements['00081115']?.vr).toBe('UN')
    expect(head.elements['00100020']?.Value).toEqual(['P1'])
  })

  it('refuses sequences that are nested without limit', () => {
    const level = bytes("08001511 'SQ' 0000 ffffffff feff00e0ffffffff")
    const head = readHead(Buffer.concat(Array(10_000).fill(level)), { transferSyntaxUID: explicit })
    expect(head.ended).toBe('malformed')
    expect(head.reason).toContain('32')
  })

  it('inflates a large deflated data set only as far as its head goes', () => {
    const dataSet = deflateRawSync(encodeDataSet(ctSlice({ PixelData: new Uint8Array(200 * 1024 * 1024) }), explicit))
    const head = readHead(dataSet, { transferSyntaxUID: TS.deflated })
    expect(head.ended).toBe('pixel-data')
    expect(readHead(dataSet.subarray(0, 300), { transferSyntaxUID: TS.deflated }).elements['00080060']?.Value).toEqual([
      'CT',
    ])
    expect(readHead(Buffer.from('not deflated'), { transferSyntaxUID: TS.deflated }).ended).toBe('malformed')
  })

  it('never throws and never runs away, whatever the bytes', () => {
    const whole = encodeDataSet(
      ctSlice({ RequestAttributesSequence: [{ ScheduledProcedureStepID: '1' }, {}] }),
      explicit,
    )
    const syntaxes = fc.constantFrom(explicit, implicit, TS.explicitVRBigEndian, TS.deflated, TS.rle)
    fc.assert(
      fc.property(
        syntaxes,
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(whole.length),
        (transferSyntaxUID, changes, cut) => {
          const changed = Buffer.from(whole)
          for (const [at, value] of changes) changed[at] = value
          const head = readHead(changed.subarray(0, cut), { transferSyntaxUID })
          expect(['pixel-data', 'end', 'truncated', 'malformed']).toContain(head.ended)
        },
      ),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(syntaxes, fc.uint8Array({ maxLength: 300 }), (transferSyntaxUID, noise) => {
        readHead(noise, { transferSyntaxUID })
      }),
      { numRuns: 2000 },
    )
  })
})
