import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { headLength } from '../../src/receive/data-set-tap.ts'
import { examineDataSet } from '../../src/receive/examine.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-examine-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const uids = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.2.1',
  SOPInstanceUID: '1.2.3.4',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.1',
}
const expected = { sopClassUID: uids.SOPClassUID, sopInstanceUID: uids.SOPInstanceUID }
const image = { ...uids, InstanceNumber: 7, Rows: 2, Columns: 3, BitsAllocated: 16, NumberOfFrames: 3000 }
const frames = Array.from({ length: 3000 }, (_, n) => ({
  PlanePositionSequence: [{ ImagePositionPatient: [0, 0, n] }],
}))

/** A data set on disk, and what an association keeps of it. */
function received(natural: Record<string, unknown>, cutBy = 0) {
  const whole = encodeDataSet(natural, TS.explicitVRLittleEndian)
  const bytes = whole.subarray(0, whole.length - cutBy)
  const file = path.join(folder, `${Math.random().toString(36).slice(2)}.dcm`)
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: uids.SOPClassUID,
    mediaStorageSOPInstanceUID: uids.SOPInstanceUID,
    transferSyntaxUID: TS.explicitVRLittleEndian,
  })
  writeFileSync(file, Buffer.concat([meta, bytes]))
  return {
    path: file,
    transferSyntaxUID: TS.explicitVRLittleEndian,
    head: bytes.subarray(0, headLength),
    tail: bytes.subarray(-16),
    size: bytes.length,
  }
}

describe('the examination of a data set', () => {
  it('takes its facts and its elements from the first bytes where they are all there', async () => {
    const { facts, elements } = await examineDataSet(received(image), expected)
    expect(facts).toMatchObject({ sopInstanceUID: '1.2.3.4', instanceNumber: 7, rows: 2, columns: 3 })
    expect(elements()?.['00200013']).toMatchObject({ Value: [7] })
  })

  it('takes its facts from the first bytes of a long header, and leaves its elements to whoever reads the file', async () => {
    const long = received({ ...image, PerFrameFunctionalGroupsSequence: frames })
    expect(long.size).toBeGreaterThan(2 * headLength)
    const { facts, elements } = await examineDataSet(long, expected)
    expect(facts).toMatchObject({ sopInstanceUID: '1.2.3.4', bitsAllocated: 16, numberOfFrames: 3000 })
    expect(elements()).toBeNull()
  })

  it('finds its facts behind a long sequence as well', async () => {
    const items = Array.from({ length: 3000 }, (_, n) => ({
      ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
      ReferencedSOPInstanceUID: `1.2.3.9.${n}`,
    }))
    const { facts } = await examineDataSet(received({ ...image, ReferencedImageSequence: items }), expected)
    expect(facts).toMatchObject({ studyInstanceUID: '1.2.3', rows: 2, numberOfFrames: 3000 })
  })

  it('finds a long header that is cut short', async () => {
    const cut = received({ ...image, PerFrameFunctionalGroupsSequence: frames }, 10)
    await expect(examineDataSet(cut, expected)).rejects.toMatchObject({ code: 'truncated-data-set' })
  })
})
