import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sharedData } from '../../support/data.ts'
import { open, writeInstance } from './instances.ts'

describe('single images and frames', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-stills-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const radiograph = (name: string, change: Record<string, unknown> = {}): string =>
    writeInstance(
      folder,
      name,
      { Modality: 'DX', BitsStored: 12, HighBit: 11, ImagerPixelSpacing: ['0.2', '0.1'], ...change },
      Uint16Array.of(1, 2, 3, 4),
    )
  const image = { kind: 'image', modality: ['DX', 'CR'] }

  it('lie on a grid of pixels, in mm where the spacing is known', async () => {
    const { image: read, grid, source } = await open([radiograph('a')], image)
    expect([...read.data]).toEqual([1, 2, 3, 4])
    expect(grid).toMatchObject({ size: [2, 2, 1], spacing: [0.1, 0.2, 1], origin: [0, 0, 0] })
    expect(source).toMatchObject({ pixelSpacing: [0.2, 0.1], imageOrientationPatient: null, sliceSpacing: null })
    expect(source.slices[0]).toMatchObject({ frame: null, imagePositionPatient: null })
    const unknown = await open([radiograph('b', { ImagerPixelSpacing: undefined })], image)
    expect(unknown.grid.spacing).toEqual([1, 1, 1])
    expect(unknown.source.pixelSpacing).toBeNull()
  })

  it('take their spacing from ultrasound regions in cm', async () => {
    const regions = {
      SequenceOfUltrasoundRegions: [
        {
          PhysicalUnitsXDirection: 3,
          PhysicalUnitsYDirection: 3,
          PhysicalDeltaX: 0.01,
          PhysicalDeltaY: 0.02,
        },
      ],
    }
    const { grid } = await open([radiograph('a', { Modality: 'US', ImagerPixelSpacing: undefined, ...regions })], {
      kind: 'image',
      modality: 'US',
    })
    expect(grid.spacing).toEqual([0.1, 0.2, 1])
  })

  it('of several, the one that is meant is chosen, or refused', async () => {
    const files = ['PA', 'LL'].map((ViewPosition, n) =>
      radiograph(ViewPosition, { ViewPosition, InstanceNumber: String(n) }),
    )
    await expect(open(files, image)).rejects.toThrow('the series has 2 images, 1 is expected')
    const named = async (declared: Record<string, unknown>): Promise<string> =>
      path.basename((await open(files.reverse(), { ...image, ...declared })).source.slices[0]?.file ?? '')
    expect(await named({ several: 'first' })).toBe('PA')
    expect(await named({ several: 'last' })).toBe('LL')
    expect(await named({ viewPosition: 'LL' })).toBe('LL')
    await expect(open(files, { ...image, viewPosition: ['AP', 'MLO'] })).rejects.toThrow(
      'no image has the View Position AP or MLO: there are LL, PA',
    )
  })

  it('as frames come in the order of their numbers, of one size', async () => {
    const cine = writeInstance(
      folder,
      'cine',
      { Modality: 'XA', NumberOfFrames: '3', InstanceNumber: '2' },
      Uint16Array.from({ length: 12 }, (_, i) => 10 + i),
    )
    const still = writeInstance(folder, 'still', { Modality: 'XA', InstanceNumber: '1' }, Uint16Array.of(1, 2, 3, 4))
    const { image: read, grid, source } = await open([cine, still], { kind: 'frames', modality: 'XA' })
    expect([...read.data].map(Number).slice(0, 8)).toEqual([1, 2, 3, 4, 10, 11, 12, 13])
    expect(grid.size).toEqual([2, 2, 4])
    expect(source.slices.map((s) => s.frame)).toEqual([null, 1, 2, 3])
    await expect(open([cine, still], { kind: 'frames', modality: 'XA', frames: { maximum: 3 } })).rejects.toThrow(
      'the number of frames is 4, at most 3 is accepted',
    )
    const large = writeInstance(folder, 'large', { Modality: 'XA', Rows: 1, Columns: 4 }, new Uint16Array(4))
    await expect(open([cine, large], { kind: 'frames', modality: 'XA' })).rejects.toThrow(
      'mixes image sizes: 2x2 and 4x1',
    )
  })

  const colour = (change: Record<string, unknown>, pixels: Uint8Array): string =>
    writeInstance(
      folder,
      'colour',
      {
        Modality: 'US',
        SamplesPerPixel: 3,
        PhotometricInterpretation: 'RGB',
        PlanarConfiguration: 0,
        Rows: 1,
        Columns: 2,
        BitsAllocated: 8,
        BitsStored: 8,
        HighBit: 7,
        ...change,
      },
      pixels,
    )
  const colours = { kind: 'image', modality: 'US', colours: 'colour' }

  it.each([
    ['pixel by pixel', {}, [255, 10, 20, 0, 128, 30], [255, 0, 10, 128, 20, 30]],
    ['plane by plane', { PlanarConfiguration: 1 }, [255, 0, 10, 128, 20, 30], [255, 0, 10, 128, 20, 30]],
    // Red and mid-grey: Y, Cb, Cr (PS3.3 C.7.6.3.1.2).
    [
      'as luminance and chrominance',
      { PhotometricInterpretation: 'YBR_FULL' },
      [76, 85, 255, 128, 128, 128],
      [254, 128, 0, 128, 0, 128],
    ],
    [
      'with shared chrominance',
      { PhotometricInterpretation: 'YBR_FULL_422' },
      [50, 200, 128, 128],
      [50, 200, 50, 200, 50, 200],
    ],
  ])('reads colours %s', async (_, change, given, expected) => {
    const read = await open([colour(change, Uint8Array.from(given))], colours)
    expect(read.image.channels).toBe(3)
    expect([...read.image.data]).toEqual(expected)
  })

  it('reads a palette, and makes grey of colours', async () => {
    const palette = {
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'PALETTE COLOR',
      ...Object.fromEntries(
        ['Red', 'Green', 'Blue'].flatMap((name, n) => [
          [`${name}PaletteColorLookupTableDescriptor`, [4, 0, 16]],
          [`${name}PaletteColorLookupTableData`, Uint16Array.from({ length: 4 }, (_, i) => (i * 20 + n) << 8)],
        ]),
      ),
    }
    const file = colour(palette, Uint8Array.of(3, 1))
    expect([...(await open([file], colours)).image.data]).toEqual([60, 20, 61, 21, 62, 22])
    const grey = await open([file], { ...colours, colours: 'grey' })
    expect([...grey.image.data]).toEqual([61, 21])
    expect(grey.image.channels).toBe(1)
  })

  it('reads grey as colours, inverted where white is 0', async () => {
    const file = radiograph('a', { PhotometricInterpretation: 'MONOCHROME1' })
    const { image: read } = await open([file], { ...image, colours: 'colour' })
    expect([...read.data]).toEqual(Array.from({ length: 12 }, () => 255))
  })

  it('reads a Modality LUT', async () => {
    const table = {
      ModalityLUTSequence: [
        { LUTDescriptor: [3, 1, 16], ModalityLUTType: 'US', LUTData: Uint16Array.of(100, 300, 70_00) },
      ],
    }
    // Below the first entry and beyond the last, those count.
    const file = writeInstance(folder, 'lut', { Modality: 'DX', ...table }, Uint16Array.of(0, 1, 2, 9))
    expect([...(await open([file], image)).image.data]).toEqual([100, 100, 300, 7000])
    expect([...(await open([file], { ...image, values: 'stored' })).image.data]).toEqual([0, 1, 2, 9])
  })
})

const samples = sharedData('syntaxes', 'pydicom-data')
describe.skipIf(!samples)('frames of public samples (needs ../shared/data)', () => {
  it.each(['emri_small.dcm', 'emri_small_RLE.dcm', 'emri_small_big_endian.dcm', 'emri_small_jpeg_ls_lossless.dcm'])(
    'are the same in every transfer syntax: %s',
    async (name) => {
      const read = async (file: string) =>
        await open([path.join(samples ?? '', file)], { kind: 'frames', modality: 'MR' })
      const [first, other] = [await read('emri_small.dcm'), await read(name)]
      expect(other.grid.size).toEqual([64, 64, 10])
      expect(Buffer.compare(Buffer.from(other.image.data.buffer), Buffer.from(first.image.data.buffer))).toBe(0)
    },
  )

  it('have the same colours plane by plane and pixel by pixel', async () => {
    const read = async (file: string) =>
      await open([path.join(samples ?? '', file)], { kind: 'image', modality: ['US', 'OT'], colours: 'colour' })
    const [planes, pixels] = [await read('color-pl.dcm'), await read('color-px.dcm')]
    expect(Buffer.compare(Buffer.from(planes.image.data.buffer), Buffer.from(pixels.image.data.buffer))).toBe(0)
    expect(planes.image.data.some((v, i) => v !== planes.image.data[i % (256 * 120)])).toBe(true)
  })

  it('unfold a segmented palette', async () => {
    const file = path.join(samples ?? '', 'gdcm-US-ALOKA-16.dcm')
    const { image: read } = await open([file], { kind: 'image', modality: 'US', colours: 'colour' })
    const voxels = read.data.length / 3
    const means = [0, 1, 2].map((c) => {
      const channel = Array.from(read.data.subarray(c * voxels, (c + 1) * voxels))
      return channel.reduce((sum, value) => sum + value, 0) / voxels
    })
    // As pydicom has them.
    expect(means).toEqual([28.45313151, 29.55817708, 31.19108724].map((mean) => expect.closeTo(mean, 6)))
  })
})
