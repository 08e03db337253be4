import { describe, expect, it } from 'vitest'
import { encodeFileMeta, parseFileMeta } from '../../src/dicom/part10.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'

const meta = {
  mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
  mediaStorageSOPInstanceUID: '1.2.3.4',
  transferSyntaxUID: TS.jpegLSLossless,
}
const nextElement = Buffer.from('08000500', 'hex')

describe('file meta information', () => {
  it('is read as it was written', () => {
    const bytes = Buffer.concat([encodeFileMeta({ ...meta, sourceApplicationEntityTitle: 'CT1' }), nextElement])
    expect(parseFileMeta(bytes)).toEqual({ ...meta, dataSetOffset: bytes.length - nextElement.length })
  })

  it('has the group length that its elements have, and even lengths', () => {
    const bytes = encodeFileMeta(meta)
    expect(bytes.toString('latin1', 128, 132)).toBe('DICM')
    expect(bytes.readUInt32LE(140)).toBe(bytes.length - 144)
    expect(bytes.length % 2).toBe(0)
  })

  it('is read without trusting the group length', () => {
    const bytes = Buffer.concat([encodeFileMeta(meta), nextElement])
    bytes.writeUInt32LE(12, 140)
    expect(parseFileMeta(bytes).dataSetOffset).toBe(bytes.length - nextElement.length)
  })

  it('says when the bytes end inside it', () => {
    const bytes = encodeFileMeta(meta)
    for (const cut of [134, 150, 170, bytes.length - 1])
      expect(() => parseFileMeta(bytes.subarray(0, cut))).toThrow(expect.objectContaining({ code: 'truncated' }))
  })

  it('refuses what is no DICOM file, or names no transfer syntax', () => {
    const notPart10 = expect.objectContaining({ code: 'not-part10' })
    expect(() => parseFileMeta(Buffer.alloc(0))).toThrow(notPart10)
    expect(() => parseFileMeta(Buffer.alloc(500))).toThrow(notPart10)
    expect(() =>
      parseFileMeta(Buffer.concat([encodeFileMeta({ ...meta, transferSyntaxUID: '' }), nextElement])),
    ).toThrow(notPart10)
  })
})
