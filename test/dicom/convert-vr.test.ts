import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertDataSet, syntaxesFor } from '../../src/dicom/convert-vr.ts'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { readHead } from '../../src/dicom/head.ts'
import { findDefect } from '../../src/dicom/instance-file.ts'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { sharedData } from '../support/data.ts'
import { available } from '../support/programs.ts'

const { implicitVRLittleEndian: implicit, explicitVRLittleEndian: explicit } = TS
const pydicom = sharedData('syntaxes', 'pydicom', 'test_files')
const objects = sharedData('objects', 'highdicom')

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-convert-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Converts a data set without file meta information. */
async function convert(dataSet: Buffer, from: string, to: string): Promise<Buffer> {
  const file = path.join(folder, 'data-set')
  writeFileSync(file, dataSet)
  return await converted({ path: file, transferSyntaxUID: from, offset: 0 }, to)
}

async function converted(stored: Parameters<typeof convertDataSet>[0], to: string): Promise<Buffer> {
  const parts: Buffer[] = []
  await convertDataSet(stored, to, (bytes) => void parts.push(Buffer.from(bytes)))
  return Buffer.concat(parts)
}

/** Tag and VR, as an explicit VR header begins. */
const header = (tag: number, vr: string): Buffer => {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt16LE(Math.floor(tag / 0x10000), 0)
  bytes.writeUInt16LE(tag % 0x10000, 2)
  bytes.write(vr, 4, 'latin1')
  return bytes
}

/** An element of explicit VR with a length of 32 bits. */
const long = (tag: number, vr: string, length: number, value: Buffer | string): Buffer => {
  const lengths = Buffer.alloc(6)
  lengths.writeUInt32LE(length, 2)
  return Buffer.concat([header(tag, vr), lengths, Buffer.from(value)])
}

describe('a data set with other headers', () => {
  it('is offered for uncompressed little endian only, its own syntax first', () => {
    expect(syntaxesFor(implicit)).toEqual([implicit, explicit])
    expect(syntaxesFor(explicit)).toEqual([explicit, implicit])
    expect(syntaxesFor(TS.deflated)).toEqual([TS.deflated, explicit, implicit])
    for (const uid of [TS.explicitVRBigEndian, TS.jpegBaseline, TS.rle, '1.2.3'])
      expect(syntaxesFor(uid)).toEqual([uid])
  })

  it('has the same elements, values and items, whatever it is stored in', async () => {
    const natural = {
      SOPInstanceUID: '1.2.3',
      PatientName: 'Doe^Jane',
      ReferencedSeriesSequence: [
        { SeriesInstanceUID: '1.2', ReferencedSOPSequence: [{ ReferencedSOPInstanceUID: '1' }] },
        {},
      ],
      Rows: 2,
      PixelRepresentation: 1,
      SmallestImagePixelValue: -5,
      PixelData: Buffer.from([1, 2, 3, 4]),
    }
    const elements = (dataSet: Buffer, transferSyntaxUID: string) => readHead(dataSet, { transferSyntaxUID }).elements
    for (const from of [implicit, explicit, TS.deflated])
      for (const to of syntaxesFor(from).slice(1)) {
        const result = await convert(encodeDataSet(natural, from), from, to)
        expect(elements(result, to)).toEqual(elements(encodeDataSet(natural, explicit), explicit))
        expect(result.subarray(-4)).toEqual(natural.PixelData)
      }
  })

  it('gets its VRs from the dictionary, US or SS by Pixel Representation even before it, UN where nothing is known', async () => {
    const element = (tag: number, value: Buffer) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(value.length)
      return Buffer.concat([header(tag, 'UN').subarray(0, 4), length, value])
    }
    const two = Buffer.from([1, 0])
    const dataSet = Buffer.concat([
      element(0x00080000, Buffer.alloc(4)), // a group length
      element(0x00189810, two), // Zero Velocity Pixel Value: US or SS, before Pixel Representation
      element(0x00280103, two),
      element(0x00283002, Buffer.alloc(6)), // LUT Descriptor
      element(0x00283006, two), // LUT Data: US or OW
      element(0x00290010, Buffer.from('HILUM ')),
      element(0x00291011, two),
      element(0x00400275, Buffer.alloc(0)),
      element(0x00400254, Buffer.alloc(70_000, 'A')), // no text of 70,000 bytes fits LO
      element(0x7fe00010, two),
    ])
    const result = await convert(dataSet, implicit, explicit)
    const { elements } = readHead(result, { transferSyntaxUID: explicit })
    expect(elements['00080000']).toBeUndefined()
    for (const [tag, vr] of [
      [0x00189810, 'SS'],
      [0x00280103, 'US'],
      [0x00283002, 'SS'],
      [0x00283006, 'OW'],
      [0x00290010, 'LO'],
      [0x00291011, 'UN'],
      [0x00400275, 'SQ'],
      [0x00400254, 'UN'],
      [0x7fe00010, 'OW'],
    ] as const)
      expect(result.includes(header(tag, vr)), `${tag.toString(16)} ${vr}`).toBe(true)
    expect(result.includes(header(0x00080000, 'UL'))).toBe(false)
  })

  it('reads UN of undefined length as implicit, and keeps private sequences sequences', async () => {
    const inner = encodeDataSet({ CodeValue: 'A' }, implicit)
    const item = Buffer.concat([Buffer.from('feff00e0ffffffff', 'hex'), inner, Buffer.from('feff0de000000000', 'hex')])
    const end = Buffer.from('feffdde000000000', 'hex')
    const asUN = long(0x00091001, 'UN', 0xffffffff, Buffer.concat([item, end]))
    const inImplicit = await convert(asUN, explicit, implicit)
    expect(inImplicit).toEqual(Buffer.concat([Buffer.from('09000110ffffffff', 'hex'), item, end]))
    const back = await convert(inImplicit, implicit, explicit)
    expect(readHead(back, { transferSyntaxUID: explicit }).elements).toEqual({
      '00091001': { vr: 'SQ', Value: [{ '00080100': { vr: 'SH', Value: ['A'] } }] },
    })
  })

  it.each([
    ['fragments', long(0x7fe00010, 'OB', 0xffffffff, Buffer.from('feff00e000000000feffdde000000000', 'hex'))],
    ['a value that goes beyond the end', long(0x00081190, 'UT', 100, 'too short')],
    [
      'an item that goes beyond its sequence',
      long(0x00081115, 'SQ', 8, Buffer.from('feff00e01000000000000000000000000000', 'hex')),
    ],
    ['something that is no item', long(0x00081115, 'SQ', 8, Buffer.from('0800000000000000', 'hex'))],
    ['a sequence without an end', long(0x00081115, 'SQ', 0xffffffff, Buffer.from('feff00e0ffffffff', 'hex'))],
  ])('is not begun where it has %s', async (_, broken) => {
    let written = 0
    writeFileSync(path.join(folder, 'broken'), Buffer.concat([encodeDataSet({ Modality: 'CT' }, explicit), broken]))
    const stored = { path: path.join(folder, 'broken'), transferSyntaxUID: explicit, offset: 0 }
    const conversion = convertDataSet(stored, implicit, (bytes) => void (written += bytes.length))
    await expect(conversion).rejects.toMatchObject({ code: expect.stringMatching(/unreadable|truncated/) as string })
    expect(written).toBe(0)
  })

  it('says when the deflated bytes break off', async () => {
    const deflated = deflateRawSync(encodeDataSet({ PixelData: Buffer.alloc(1000, 'hilum') }, explicit))
    await expect(convert(deflated.subarray(0, -9), TS.deflated, implicit)).rejects.toMatchObject({ code: 'unreadable' })
  })
})

describe.skipIf(!available(pydicom, objects))('public files', () => {
  const files = [pydicom, objects].flatMap((root) =>
    readdirSync(root ?? '', { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.dcm'))
      .map((entry) => path.join(root ?? '', entry.name)),
  )

  it('are the same after implicit, explicit, and implicit again', async () => {
    let compared = 0
    const different: string[] = []
    for (const file of files) {
      const bytes = readFileSync(file)
      let meta: ReturnType<typeof parseFileMeta>
      try {
        meta = parseFileMeta(bytes)
      } catch {
        continue
      }
      if (syntaxesFor(meta.transferSyntaxUID).length === 1 || (await findDefect(file)) !== null) continue
      const { transferSyntaxUID, dataSetOffset: offset } = meta
      const inImplicit = await converted({ path: file, transferSyntaxUID, offset }, implicit)
      const inExplicit = await convert(inImplicit, implicit, explicit)
      const again = await convert(inExplicit, explicit, implicit)
      if (!again.equals(inImplicit)) different.push(file)
      expect(readHead(inExplicit, { transferSyntaxUID: explicit }).ended, file).not.toMatch(/truncated|malformed/)
      compared++
    }
    expect(different).toEqual([])
    expect(compared).toBeGreaterThan(30)
  })
})
