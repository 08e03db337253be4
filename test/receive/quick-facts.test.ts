import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { readHead } from '../../src/dicom/head.ts'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { headLength } from '../../src/receive/data-set-tap.ts'
import { factsOf } from '../../src/receive/examine.ts'
import { quickFacts } from '../../src/receive/quick-facts.ts'
import { sharedData } from '../support/data.ts'

/** What reading all elements gives; null where that finds no facts. */
function slowFacts(dataSet: Buffer, transferSyntaxUID: string) {
  const head = readHead(dataSet, { transferSyntaxUID })
  try {
    return { head, facts: factsOf(head.elements) }
  } catch {
    return null
  }
}

function expectSame(dataSet: Buffer, transferSyntaxUID: string): boolean {
  const quick = quickFacts(dataSet, transferSyntaxUID)
  if (quick === null) return false
  const slow = slowFacts(dataSet, transferSyntaxUID)
  expect(quick.facts).toEqual(slow?.facts)
  expect(quick.pixelData).toEqual(
    slow?.head.pixelData ? { offset: slow.head.pixelData.offset, length: slow.head.pixelData.length } : null,
  )
  expect(slow?.head.ended).toBe(quick.pixelData ? 'pixel-data' : 'end')
  return true
}

const syntaxes = sharedData('syntaxes')

describe('the quick look at a data set', () => {
  it.skipIf(syntaxes === null)(
    'finds what reading every element finds, in every public file where it finds anything',
    () => {
      let found = 0
      let files = 0
      for (const name of readdirSync(syntaxes ?? '', { recursive: true, encoding: 'utf8' })) {
        const file = path.join(syntaxes ?? '', name)
        if (!statSync(file).isFile()) continue
        const bytes = readFileSync(file)
        if (bytes.toString('latin1', 128, 132) !== 'DICM') continue
        let meta: ReturnType<typeof parseFileMeta>
        try {
          meta = parseFileMeta(bytes)
        } catch {
          continue
        }
        files++
        const dataSet = bytes.subarray(meta.dataSetOffset, meta.dataSetOffset + headLength)
        if (expectSame(dataSet, meta.transferSyntaxUID)) found++
      }
      expect(found).toBeGreaterThan(files / 3)
    },
  )

  const natural = {
    SpecificCharacterSet: 'ISO_IR 100',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: '1.2.3.4',
    Modality: 'CT',
    ReferencedStudySequence: [{ ReferencedSOPClassUID: '1.2.3', ReferencedSOPInstanceUID: '1.2.4' }],
    StudyInstanceUID: '1.2.3',
    SeriesInstanceUID: '1.2.3.1',
    InstanceNumber: 7,
    NumberOfFrames: 2,
    Rows: 2,
    Columns: 3,
    BitsAllocated: 16,
    PixelData: new Uint8Array(24),
    _vrMap: { PixelData: 'OW' },
  }

  it.each([
    ['explicit', TS.explicitVRLittleEndian],
    ['implicit', TS.implicitVRLittleEndian],
  ])('takes regular ones in %s VR', (_name, transferSyntaxUID) => {
    expect(expectSame(encodeDataSet(natural, transferSyntaxUID), transferSyntaxUID)).toBe(true)
    const { PixelData: _, ...report } = natural
    expect(expectSame(encodeDataSet(report, transferSyntaxUID), transferSyntaxUID)).toBe(true)
  })

  it.each([
    ['without a UID', { ...natural, StudyInstanceUID: undefined }],
    ['with a UID that is none', { ...natural, SOPInstanceUID: 'abc' }],
    ['with an instance number that is none', { ...natural, InstanceNumber: '7a' }],
  ])('leaves those %s to a closer look', (_name, unusual) => {
    expect(quickFacts(encodeDataSet(unusual, TS.explicitVRLittleEndian), TS.explicitVRLittleEndian)).toBeNull()
  })

  it('leaves big endian and deflated ones to a closer look', () => {
    for (const syntax of [TS.explicitVRBigEndian, TS.deflated])
      expect(quickFacts(encodeDataSet(natural, syntax), syntax)).toBeNull()
  })

  it('never says anything else than a closer look, whatever is broken', () => {
    const whole = encodeDataSet(natural, TS.explicitVRLittleEndian)
    const damage = fc.record({
      at: fc.nat(whole.length - 1),
      bytes: fc.uint8Array({ maxLength: 6 }),
      length: fc.integer({ min: 1, max: whole.length }),
    })
    let found = 0
    fc.assert(
      fc.property(damage, ({ at, bytes, length }) => {
        const broken = Buffer.from(whole)
        broken.set(bytes.subarray(0, whole.length - at), at)
        const quick = quickFacts(broken.subarray(0, length), TS.explicitVRLittleEndian)
        if (quick !== null) found++
        if (quick !== null)
          expect(quick.facts).toEqual(slowFacts(broken.subarray(0, length), TS.explicitVRLittleEndian)?.facts)
      }),
      { numRuns: 3000 },
    )
    expect(found).toBeGreaterThan(0)
  })
})
