import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { numberOf } from '../../src/dicom/dataset.ts'
import { locateFrames, readFrame, readInstanceFile } from '../../src/dicom/instance-file.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { canDecode, decodeFrame, type FrameFormat, frameFormat, loadCodecs } from '../../src/infer/read/decode.ts'
import { headerOf } from '../encode/synthetic.ts'
import { sharedData } from '../support/data.ts'

beforeAll(loadCodecs)

const format = (change: Partial<FrameFormat>): FrameFormat => ({
  transferSyntaxUID: TS.explicitVRLittleEndian,
  rows: 1,
  columns: 2,
  samplesPerPixel: 1,
  bitsAllocated: 16,
  bitsStored: 16,
  highBit: 15,
  signed: false,
  float: false,
  photometricInterpretation: 'MONOCHROME2',
  planarConfiguration: 0,
  ...change,
})

describe('decodeFrame, native', () => {
  it('takes unsigned and signed words', () => {
    const bytes = Uint8Array.of(0xff, 0xff, 0x01, 0x80)
    expect([...decodeFrame(bytes, format({}))]).toEqual([65535, 32769])
    expect([...decodeFrame(bytes, format({ signed: true }))]).toEqual([-1, -32767])
  })

  it('swaps big endian words and leaves bytes alone', () => {
    const big = { transferSyntaxUID: TS.explicitVRBigEndian }
    expect([...decodeFrame(Uint8Array.of(0x12, 0x34, 0x00, 0x01), format(big))]).toEqual([0x1234, 1])
    expect([
      ...decodeFrame(Uint8Array.of(7, 9), format({ ...big, bitsAllocated: 8, bitsStored: 8, highBit: 7 })),
    ]).toEqual([7, 9])
  })

  it('extends the sign of 12 stored bits and drops what lies above them', () => {
    const bytes = Uint8Array.of(0xff, 0xaf, 0x01, 0x58)
    expect([...decodeFrame(bytes, format({ bitsStored: 12, highBit: 11, signed: true }))]).toEqual([-1, -2047])
    expect([...decodeFrame(bytes, format({ bitsStored: 12, highBit: 11 }))]).toEqual([4095, 2049])
  })

  it('takes stored bits from where the high bit says', () => {
    const bytes = Uint8Array.of(0xff, 0x7f, 0xf0, 0xff)
    expect([...decodeFrame(bytes, format({ bitsStored: 12, highBit: 15, signed: true }))]).toEqual([0x7ff, -1])
  })

  it('takes 32 bits, floats and doubles, from unaligned bytes as well', () => {
    const bytes = new Uint8Array(17)
    new DataView(bytes.buffer).setInt32(1, -70000, true)
    new DataView(bytes.buffer).setInt32(5, 5, true)
    const at = bytes.subarray(1)
    expect([...decodeFrame(at, format({ bitsAllocated: 32, bitsStored: 32, highBit: 31, signed: true }))]).toEqual([
      -70000, 5,
    ])
    new DataView(bytes.buffer).setFloat32(1, 1.5, true)
    expect(decodeFrame(at, format({ bitsAllocated: 32, bitsStored: 32, highBit: 31, float: true }))[0]).toBe(1.5)
    new DataView(bytes.buffer).setFloat64(1, -0.1, true)
    expect(decodeFrame(at, format({ bitsAllocated: 64, bitsStored: 64, highBit: 63, float: true }))[0]).toBe(-0.1)
  })

  it('says how many bytes a damaged frame has', () => {
    expect(() => decodeFrame(new Uint8Array(3), format({}))).toThrow('a frame has 3 bytes, 4 are expected')
  })

  it('names the transfer syntax that it has no decoder for', () => {
    expect(canDecode(TS.mpeg2MainProfile)).toBe(false)
    expect(() => decodeFrame(new Uint8Array(4), format({ transferSyntaxUID: TS.mpeg2MainProfile }))).toThrow(
      'MPEG2 Main Profile',
    )
    expect(() => decodeFrame(new Uint8Array(4), format({ transferSyntaxUID: '1.2.3' }))).toThrow('1.2.3')
  })

  it('refuses bytes that are no code stream, and goes on after them', () => {
    for (const transferSyntaxUID of [TS.jpegBaseline, TS.jpegLSLossless, TS.jpeg2000Lossless, TS.htj2kLossless])
      expect(() => decodeFrame(Uint8Array.of(1, 2, 3, 4), format({ transferSyntaxUID }))).toThrow('cannot be decoded')
    expect([...decodeFrame(Uint8Array.of(1, 0, 2, 0), format({}))]).toEqual([1, 2])
  })

  it('refuses headers that contradict themselves', () => {
    const place = { transferSyntaxUID: TS.explicitVRLittleEndian, pixelDataTag: '7FE00010' }
    const header = { Rows: 2, Columns: 2, BitsAllocated: 16, BitsStored: 12, HighBit: 5 }
    expect(() => frameFormat(headerOf(header), place)).toThrow('12 bits stored with high bit 5 in 16 bits allocated')
    expect(() => frameFormat(headerOf({ ...header, Rows: 0 }), place)).toThrow('no rows or columns')
  })
})

/** First frame of a file, as stored values and as its rescale makes them. */
async function decodeFile(file: string): Promise<{ values: number[]; rescaled: number[] }> {
  const instance = await readInstanceFile(file)
  const frame = await readFrame(instance, (await locateFrames(instance))[0] ?? [])
  const place = { transferSyntaxUID: instance.transferSyntaxUID, pixelDataTag: instance.pixelData?.tag ?? '7FE00010' }
  const values = [...decodeFrame(frame, frameFormat(instance.elements, place))]
  const slope = numberOf(instance.elements, 'RescaleSlope') ?? 1
  const intercept = numberOf(instance.elements, 'RescaleIntercept') ?? 0
  return { values, rescaled: values.map((v) => v * slope + intercept) }
}

const furthest = (a: number[], b: number[]): number =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] ?? Number.NaN))), 0)

const cornerstone = sharedData('syntaxes', 'cornerstone')
describe.skipIf(!cornerstone)('decodeFrame, on one CT slice in many transfer syntaxes (needs ../shared/data)', () => {
  const folder = cornerstone ?? '.'
  const files = cornerstone ? readdirSync(folder).filter((name) => name.startsWith('CTImage.dcm_')) : []
  const lossless = /_1\.2\.840\.10008\.1\.2(\.1|\.2|\.5|\.4\.(57|70|80|90))?\.dcm$/

  it.each(files.filter((name) => lossless.test(name)))('%s: bit for bit', async (name) => {
    const raw = await decodeFile(path.join(folder, 'CTImage.dcm'))
    const { values } = await decodeFile(path.join(folder, name))
    expect(values).toHaveLength(raw.values.length)
    expect(furthest(values, raw.values)).toBe(0)
  })

  it.each([
    [files.find((name) => name.includes('4.91')) ?? '', 5],
    [files.find((name) => name.includes('4.81')) ?? '', 3],
  ])('%s: within %d of the raw values', async (name, limit) => {
    const raw = await decodeFile(path.join(folder, 'CTImage.dcm'))
    expect(furthest((await decodeFile(path.join(folder, name))).values, raw.values)).toBeLessThanOrEqual(limit)
  })
})

const nema = sharedData('syntaxes', 'nema-wg04')
describe.skipIf(!nema)('decodeFrame, on the NEMA WG-04 images (needs ../shared/data)', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-nema-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(
    ['J2KR', 'JPLL', 'RLE', 'JLSL'].flatMap((codec) => ['CT1', 'MR1', 'NM1'].map((image) => [codec, image] as const)),
  )('%s %s: bit for bit', async (codec, image) => {
    const reference = path.join(folder, `${image}.dcm`)
    execFileSync('zstd', ['-dqf', path.join(nema ?? '', 'REF', `${image}_UNC.zst`), '-o', reference])
    const raw = await decodeFile(reference)
    const { values } = await decodeFile(path.join(nema ?? '', codec, `${image}_${codec}`))
    expect(furthest(values, raw.values)).toBe(0)
  })
})

const htj2k = sharedData('syntaxes', 'htj2k-raw-pairs', 'interop')
describe.skipIf(!htj2k)('decodeFrame, on HTJ2K code streams with raw pairs (needs ../shared/data)', () => {
  it.each([
    ['mono_s16_128x128', { rows: 128, columns: 128, signed: true }],
    ['mono_u16_128x128', { rows: 128, columns: 128 }],
    ['mono_u8_127x129', { rows: 129, columns: 127, bitsAllocated: 8, bitsStored: 8, highBit: 7 }],
  ])('%s: bit for bit', async (name, change) => {
    const { readFile } = await import('node:fs/promises')
    const folder = path.join(htj2k ?? '', name)
    const raw = decodeFrame(await readFile(path.join(folder, 'input.raw')), format(change))
    const stream = await readFile(path.join(folder, 'fo_htj2k_lossless.j2c'))
    const decoded = decodeFrame(stream, format({ ...change, transferSyntaxUID: TS.htj2kLossless }))
    expect(furthest([...decoded], [...raw])).toBe(0)
  })
})
