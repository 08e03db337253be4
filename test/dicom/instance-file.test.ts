import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { numberOf, textOf } from '../../src/dicom/dataset.ts'
import { DicomError } from '../../src/dicom/error.ts'
import { findDefect, locateFrames, readFrame, readInstanceFile } from '../../src/dicom/instance-file.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { sharedData } from '../support/data.ts'
import { ctSlice, encapsulated, part10Bytes, writePart10 } from '../support/part10-file.ts'
import { available } from '../support/programs.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-instance-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function fileOf(bytes: Uint8Array): string {
  const file = path.join(folder, `${++files}.dcm`)
  writeFileSync(file, bytes)
  return file
}

function failure(code: string) {
  return expect.objectContaining({ code })
}

describe('reading an instance file', () => {
  it('reads the head, and says where the pixel data lies', async () => {
    const file = path.join(folder, 'ct.dcm')
    const bytes = writePart10(file, ctSlice(), { pixelData: new Uint8Array(512).fill(7) })
    const read = await readInstanceFile(file)
    expect(read).toMatchObject({ path: file, size: bytes.length, transferSyntaxUID: TS.explicitVRLittleEndian })
    expect(textOf(read.elements, 'Modality')).toBe('CT')
    expect(read.pixelData).toEqual({ tag: '7FE00010', vr: 'OW', offset: bytes.length - 512, length: 512 })
  })

  it('reads heads that are larger than a window, and passes over large binary values', async () => {
    const items = Array.from({ length: 4000 }, (_, index) => ({
      ReferencedFrameNumber: index + 1,
      PurposeOfReferenceCodeSequence: [],
    }))
    const natural = ctSlice({
      ReferencedImageSequence: items,
      '00291010': { vr: 'OB', Value: [Buffer.alloc(3_000_000, 1)] },
      PatientComments: 'x'.repeat(5000),
      LongCodeValue: 'y'.repeat(200_000),
    })
    const bytes = part10Bytes(natural)
    const read = await readInstanceFile(fileOf(bytes))
    expect(read.elements['00081140']?.Value).toHaveLength(4000)
    expect(textOf(read.elements, 'LongCodeValue')).toHaveLength(200_000)
    expect(numberOf(read.elements, 'Rows')).toBe(16)
    const [offset, length] = (read.elements['00291010']?.BulkDataURI ?? '').slice(1).split(',').map(Number)
    expect(length).toBe(3_000_000)
    expect(bytes.subarray(offset, (offset ?? 0) + 3_000_000).every((byte) => byte === 1)).toBe(true)
    expect(read.pixelData?.offset).toBe(bytes.length - 512)
  })

  it('reads a file without pixel data, and one that ends with a large binary value', async () => {
    const report = await readInstanceFile(
      fileOf(part10Bytes({ SOPClassUID: '1.2', SOPInstanceUID: '1.3', Modality: 'SR' })),
    )
    expect(report.pixelData).toBeNull()
    expect(textOf(report.elements, 'Modality')).toBe('SR')
    const document = part10Bytes({
      SOPClassUID: '1.2',
      SOPInstanceUID: '1.3',
      EncapsulatedDocument: Buffer.alloc(500_000),
    })
    const read = await readInstanceFile(fileOf(document))
    expect(read.elements['00420011']?.BulkDataURI).toBe(`#${document.length - 500_000},500000`)
    await expect(readInstanceFile(fileOf(document.subarray(0, -2)))).rejects.toThrow(failure('truncated'))
  })

  it('says precisely what is wrong with other files', async () => {
    await expect(readInstanceFile(fileOf(Buffer.from('hello')))).rejects.toThrow(failure('not-part10'))
    const bytes = part10Bytes(ctSlice())
    await expect(readInstanceFile(fileOf(bytes.subarray(0, 700)))).rejects.toThrow(failure('truncated'))
    await expect(readInstanceFile(fileOf(bytes.subarray(0, 200)))).rejects.toThrow(failure('truncated'))
  })
})

describe('finding defects', () => {
  const whole = part10Bytes(ctSlice({ RequestAttributesSequence: [{ RequestedProcedureID: '1' }] }))

  it.each([TS.explicitVRLittleEndian, TS.implicitVRLittleEndian, TS.explicitVRBigEndian, TS.deflated])(
    'finds none in a whole file of %s',
    async (transferSyntaxUID) => {
      expect(
        await findDefect(fileOf(part10Bytes(ctSlice({ RequestAttributesSequence: [{}] }), { transferSyntaxUID }))),
      ).toBeNull()
    },
  )

  it('says how many bytes of the pixel data are there', async () => {
    expect(await findDefect(fileOf(whole.subarray(0, -100)))).toBe('Pixel Data announces 512 bytes, the file holds 412')
  })

  it('finds every cut through an element', async () => {
    const start = (await readInstanceFile(fileOf(whole))).dataSetOffset
    let atBoundaries = 0
    for (let cut = start + 1; cut < whole.length - 512; cut += 7)
      if ((await findDefect(fileOf(whole.subarray(0, cut)))) === null) atBoundaries++
    // A cut between two elements leaves a data set that is whole; there are as few of those as there are elements.
    expect(atBoundaries).toBeLessThan(15)
  })

  it('finds every cut through a deflated data set', async () => {
    const deflated = part10Bytes(ctSlice(), { transferSyntaxUID: TS.deflated })
    for (const cut of [deflated.length - 10, deflated.length - 200])
      expect(await findDefect(fileOf(deflated.subarray(0, cut)))).toContain('deflated data set')
  })

  it('walks fragments to the sequence delimiter', async () => {
    const transferSyntaxUID = TS.jpegBaseline
    const bytes = part10Bytes(ctSlice({ NumberOfFrames: 2 }), {
      transferSyntaxUID,
      pixelData: [Buffer.alloc(1000), Buffer.alloc(501)],
    })
    expect(await findDefect(fileOf(bytes))).toBeNull()
    expect(await findDefect(fileOf(bytes.subarray(0, -8)))).toBe(
      'Pixel Data ends with the file, without its sequence delimitation item',
    )
    expect(await findDefect(fileOf(bytes.subarray(0, -30)))).toBe(
      'Pixel Data: item 2 of its fragments announces 502 bytes, the file holds 480',
    )
  })

  it('walks sequences of undefined length', async () => {
    const meta = part10Bytes({ SOPClassUID: '1.2', SOPInstanceUID: '1.3' })
    const sequence = Buffer.from(
      '08001511535100 00ffffffff feff00e0ffffffff 080060004353 0200 4354 feff0de000000000 feffdde000000000'.replaceAll(
        ' ',
        '',
      ),
      'hex',
    )
    const bytes = Buffer.concat([meta, sequence])
    expect(await findDefect(fileOf(bytes))).toBeNull()
    for (const cut of [1, 9, 17, 22])
      expect(await findDefect(fileOf(bytes.subarray(0, -cut)))).toMatch(/Referenced Series Sequence|header|Modality/)
  })

  it('tolerates padding after the last element', async () => {
    expect(await findDefect(fileOf(Buffer.concat([whole, Buffer.alloc(1)])))).toBeNull()
    const padding = Buffer.from('fcfffcff4f420000040000000000 0000'.replaceAll(' ', ''), 'hex')
    expect(await findDefect(fileOf(Buffer.concat([whole, padding])))).toBeNull()
  })
})

describe('locating frames', () => {
  it.each([TS.explicitVRLittleEndian, TS.implicitVRLittleEndian, TS.deflated])(
    'finds native frames in %s',
    async (transferSyntaxUID) => {
      const pixelData = Uint8Array.from({ length: 3 * 512 }, (_, index) => Math.floor(index / 512) + 1)
      const file = await readInstanceFile(
        fileOf(part10Bytes(ctSlice({ NumberOfFrames: 3 }), { transferSyntaxUID, pixelData })),
      )
      const frames = await locateFrames(file)
      expect(frames.map((ranges) => ranges.length)).toEqual([1, 1, 1])
      expect([...new Set(await readFrame(file, frames[2] ?? []))]).toEqual([3])
    },
  )

  it('counts the samples of colour, and half the chrominance of YBR_FULL_422', async () => {
    const colour = { SamplesPerPixel: 3, BitsAllocated: 8, NumberOfFrames: 2, PhotometricInterpretation: 'RGB' }
    const rgb = await readInstanceFile(fileOf(part10Bytes(ctSlice(colour), { pixelData: new Uint8Array(1536) })))
    expect((await locateFrames(rgb)).map((ranges) => ranges[0]?.length)).toEqual([768, 768])
    const halved = ctSlice({ ...colour, PhotometricInterpretation: 'YBR_FULL_422' })
    const ybr = await readInstanceFile(fileOf(part10Bytes(halved, { pixelData: new Uint8Array(1024) })))
    expect((await locateFrames(ybr)).map((ranges) => ranges[0]?.length)).toEqual([512, 512])
  })

  it('takes frames of one bit a pixel for one value', async () => {
    const natural = ctSlice({ BitsAllocated: 1, Rows: 3, Columns: 3, NumberOfFrames: 5 })
    const file = await readInstanceFile(fileOf(part10Bytes(natural, { pixelData: new Uint8Array(6) })))
    expect((await locateFrames(file)).map((ranges) => ranges.map((range) => range.length))).toEqual([[6]])
  })

  it('refuses pixel data that holds fewer frames than announced', async () => {
    const file = await readInstanceFile(
      fileOf(part10Bytes(ctSlice({ NumberOfFrames: 3 }), { pixelData: new Uint8Array(600) })),
    )
    await expect(locateFrames(file)).rejects.toThrow(failure('truncated'))
  })

  it('takes one fragment for one frame, and all fragments for the only frame', async () => {
    const transferSyntaxUID = TS.jpegLSLossless
    const pixelData = [Buffer.from('aaaa'), Buffer.from('bbbb')]
    const two = await readInstanceFile(
      fileOf(part10Bytes(ctSlice({ NumberOfFrames: 2 }), { transferSyntaxUID, pixelData })),
    )
    const frames = await locateFrames(two)
    expect(Buffer.from(await readFrame(two, frames[1] ?? [])).toString()).toBe('bbbb')
    const one = await readInstanceFile(fileOf(part10Bytes(ctSlice(), { transferSyntaxUID, pixelData })))
    expect(await locateFrames(one)).toHaveLength(1)
    expect(Buffer.from(await readFrame(one, (await locateFrames(one))[0] ?? [])).toString()).toBe('aaaabbbb')
  })

  it('finds whole fragments although the delimiter after them is missing', async () => {
    const transferSyntaxUID = TS.jpegLSLossless
    const bytes = part10Bytes(ctSlice(), { transferSyntaxUID, pixelData: [Buffer.from('aaaa')] })
    const file = await readInstanceFile(fileOf(bytes.subarray(0, -8)))
    expect((await locateFrames(file)).map((ranges) => ranges.length)).toEqual([1])
    const cut = await readInstanceFile(fileOf(bytes.subarray(0, -9)))
    await expect(locateFrames(cut)).rejects.toThrow(failure('truncated'))
  })

  it('tells frames of several fragments apart by the code streams, or says that it cannot', async () => {
    const transferSyntaxUID = TS.jpegBaseline
    const start = Buffer.from('ffd8ffe0', 'hex')
    const natural = ctSlice({ NumberOfFrames: 2 })
    const split = part10Bytes(natural, {
      transferSyntaxUID,
      pixelData: [start, Buffer.from('aa'), Buffer.from('bb'), start, Buffer.from('cc')],
    })
    const file = await readInstanceFile(fileOf(split))
    expect((await locateFrames(file)).map((ranges) => ranges.length)).toEqual([3, 2])
    const vague = part10Bytes(natural, { transferSyntaxUID, pixelData: [start, Buffer.from('aa'), Buffer.from('bb')] })
    await expect(locateFrames(await readInstanceFile(fileOf(vague)))).rejects.toThrow(failure('unreadable'))
  })

  it('follows the Basic Offset Table and the Extended Offset Table', async () => {
    const transferSyntaxUID = TS.jpegLSLossless
    const natural = ctSlice({ NumberOfFrames: 2 })
    const head = part10Bytes(natural, { transferSyntaxUID, pixelData: null })
    const fragments = encapsulated([Buffer.from('aaaa'), Buffer.from('bbbb'), Buffer.from('cccc')], transferSyntaxUID)
    const table = Buffer.from('feff00e0080000000000000018000000', 'hex')
    const basic = fileOf(Buffer.concat([head, fragments.subarray(0, 12), table, fragments.subarray(20)]))
    const file = await readInstanceFile(basic)
    expect((await locateFrames(file)).map((ranges) => ranges.length)).toEqual([2, 1])

    const extended = {
      ...natural,
      ExtendedOffsetTable: new BigUint64Array([0n, 12n]),
      ExtendedOffsetTableLengths: new BigUint64Array([3n, 4n]),
    }
    const other = await readInstanceFile(
      fileOf(part10Bytes(extended, { transferSyntaxUID, pixelData: [Buffer.from('aaa'), Buffer.from('bbbb')] })),
    )
    const frames = await locateFrames(other)
    expect(Buffer.from(await readFrame(other, frames[0] ?? [])).toString()).toBe('aaa')
    expect(Buffer.from(await readFrame(other, frames[1] ?? [])).toString()).toBe('bbbb')
  })

  it('says when there is no pixel data', async () => {
    const file = await readInstanceFile(fileOf(part10Bytes(ctSlice(), { pixelData: null })))
    await expect(locateFrames(file)).rejects.toThrow(failure('no-pixel-data'))
  })
})

describe.skipIf(!available(sharedData('syntaxes')))('public files', () => {
  const under = (...parts: string[]) => path.join(sharedData('syntaxes') ?? '', ...parts)

  it('reads every one, or says in a DicomError what is wrong', async () => {
    let read = 0
    for (const name of readdirSync(under(), { recursive: true, encoding: 'utf8' })) {
      const file = under(name)
      if (!statSync(file).isFile()) continue
      try {
        await readInstanceFile(file)
        read++
      } catch (error) {
        if (!(error instanceof DicomError)) throw error
      }
      await findDefect(file)
    }
    expect(read).toBeGreaterThan(200)
  })

  it.each([
    ['pydicom/test_files/MR_truncated.dcm', 'Pixel Data announces 8192 bytes, the file holds 8130'],
    ['pydicom/test_files/rtplan_truncated.dcm', 'Beam Sequence announces 976 bytes, the file holds 711'],
    [
      'pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm',
      'Pixel Data ends with the file, without its sequence delimitation item',
    ],
    ['pydicom/test_files/MR_small_padded.dcm', null],
    ['pydicom/test_files/image_dfl.dcm', null],
    ['pydicom/test_files/JPEG2000-embedded-sequence-delimiter.dcm', null],
  ])('finds the defect of %s', async (name, expected) => {
    expect(await findDefect(under(name))).toBe(expected)
  })

  it.each(['nema-wg04/J2KR', 'nema-wg04/JLSL', 'nema-wg04/JPLL', 'nema-wg04/RLE', 'cornerstone'])(
    'finds all frames in %s',
    async (name) => {
      for (const entry of readdirSync(under(name))) {
        if (entry.startsWith('no-pixel')) continue
        const file = await readInstanceFile(under(name, entry))
        expect(await locateFrames(file), entry).toHaveLength(numberOf(file.elements, 'NumberOfFrames') ?? 1)
      }
    },
  )
})
