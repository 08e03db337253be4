import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { encodeInTurns } from '../../src/dicom/encode-in-turns.ts'
import { readHead } from '../../src/dicom/head.ts'
import { readHeadInTurns } from '../../src/dicom/head-in-turns.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'

const syntaxes = [TS.explicitVRLittleEndian, TS.implicitVRLittleEndian]
const references = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    ReferencedSOPInstanceUID: `1.2.826.0.1.3680043.8.498.1.${n}`,
  }))
const step = {
  SpecificCharacterSet: 'ISO_IR 100',
  PatientName: 'Phantom^Long',
  ScheduledStepAttributesSequence: [{ StudyInstanceUID: '1.2.3' }],
  PerformedSeriesSequence: [
    { SeriesInstanceUID: '1.2.3.1', ReferencedImageSequence: references(1500) },
    { SeriesInstanceUID: '1.2.3.2', ReferencedImageSequence: references(3) },
    { SeriesInstanceUID: '1.2.3.3', ReferencedImageSequence: [] },
  ],
  PerformedProcedureStepStatus: 'COMPLETED',
}

/** The same data set with undefined lengths: of sequences, of items, or of both. */
function undelimited(dataSet: Buffer, of: { sequences: boolean; items: boolean }): Buffer {
  const delimiter = (element: number) => Buffer.from([0xfe, 0xff, element, 0xe0, 0, 0, 0, 0])
  const elements = (from: number, to: number): Buffer[] => {
    const parts: Buffer[] = []
    for (let at = from; at < to; ) {
      const isSequence = dataSet.toString('latin1', at + 4, at + 6) === 'SQ'
      const value = at + (isSequence ? 12 : 8)
      const length = isSequence ? dataSet.readUInt32LE(at + 8) : dataSet.readUInt16LE(at + 6)
      const head = Buffer.from(dataSet.subarray(at, value))
      if (isSequence && of.sequences) head.writeUInt32LE(0xffffffff, 8)
      const inside = isSequence ? items(value, value + length) : [dataSet.subarray(value, value + length)]
      if (isSequence && !of.sequences) head.writeUInt32LE(Buffer.concat(inside).length, 8)
      parts.push(head, ...inside, ...(isSequence && of.sequences ? [delimiter(0xdd)] : []))
      at = value + length
    }
    return parts
  }
  const items = (from: number, to: number): Buffer[] => {
    const parts: Buffer[] = []
    for (let at = from; at < to; ) {
      const end = at + 8 + dataSet.readUInt32LE(at + 4)
      const head = Buffer.from(dataSet.subarray(at, at + 8))
      const inside = Buffer.concat(elements(at + 8, end))
      head.writeUInt32LE(of.items ? 0xffffffff : inside.length, 4)
      parts.push(head, inside, ...(of.items ? [delimiter(0x0d)] : []))
      at = end
    }
    return parts
  }
  return Buffer.concat(elements(0, dataSet.length))
}

/** Counts the turns that others have while something is done. */
async function turnsDuring(act: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let going = true
  const count = () => {
    turns++
    if (going) setImmediate(count)
  }
  setImmediate(count)
  await act()
  going = false
  return turns
}

describe('reading in turns', () => {
  const forms: [string, Buffer, string][] = [
    ...syntaxes.map((syntax): [string, Buffer, string] => [`in ${syntax}`, encodeDataSet(step, syntax), syntax]),
    ...[
      { sequences: true, items: false },
      { sequences: false, items: true },
      { sequences: true, items: true },
    ].map((of): [string, Buffer, string] => [
      `with undefined lengths ${JSON.stringify(of)}`,
      undelimited(encodeDataSet(step, TS.explicitVRLittleEndian), of),
      TS.explicitVRLittleEndian,
    ]),
  ]

  it.each(forms)('gives what reading at one go gives, %s', async (_, dataSet, transferSyntaxUID) => {
    const whole = readHead(dataSet, { transferSyntaxUID })
    expect(whole.ended).toBe('end')
    expect(Object.keys(whole.elements)).toContain('00400340')
    expect(await readHeadInTurns(dataSet, { transferSyntaxUID })).toEqual(whole)
    const only = new Set([0x00400252, 0x00400340])
    expect(await readHeadInTurns(dataSet, { transferSyntaxUID, only })).toEqual(
      readHead(dataSet, { transferSyntaxUID, only }),
    )
  })

  it.each(forms)('says the same of what is cut off or broken, %s', async (_, dataSet, transferSyntaxUID) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(dataSet.length), fc.nat(dataSet.length - 1), fc.nat(255), async (cut, at, byte) => {
        for (const spoilt of [dataSet.subarray(0, cut), Buffer.from(dataSet)]) {
          if (spoilt.length === dataSet.length) spoilt[at] = byte
          const expected = readHead(spoilt, { transferSyntaxUID })
          const read = await readHeadInTurns(spoilt, { transferSyntaxUID })
          expect([read.ended, Object.keys(read.elements)]).toEqual([expected.ended, Object.keys(expected.elements)])
        }
      }),
      { numRuns: 30 },
    )
  })

  it('lets others have their turn', async () => {
    const dataSet = encodeDataSet({ ReferencedSOPSequence: references(30_000) }, TS.explicitVRLittleEndian)
    const turns = await turnsDuring(() => readHeadInTurns(dataSet, { transferSyntaxUID: TS.explicitVRLittleEndian }))
    expect(turns).toBeGreaterThan(1)
  })
})

describe('writing in turns', () => {
  it.each(syntaxes)('gives the same bytes, and lets others have their turn, in %s', async (syntax) => {
    const natural = { TransactionUID: '1.2.3', RetrieveAETitle: 'HILUM', ReferencedSOPSequence: references(1700) }
    let written: Buffer | null = null
    const turns = await turnsDuring(async () => {
      written = await encodeInTurns(natural, syntax)
    })
    expect(encodeDataSet(natural, syntax).equals(written ?? Buffer.alloc(0))).toBe(true)
    expect(turns).toBeGreaterThan(3)
  })
})
