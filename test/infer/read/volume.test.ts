import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SOP } from '../../../src/dicom/sop-class.ts'
import { outsideAir } from '../../../src/infer/read/pixels.ts'
import { sharedData } from '../../support/data.ts'
import { type Opened, open, slice, writeInstance } from './instances.ts'

describe('a volume', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-volume-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const write = (name: string, elements: Record<string, unknown>, pixels: ArrayBufferView): string =>
    writeInstance(folder, name, elements, pixels)
  const read = (files: string[], declared: Record<string, unknown> = {}): Promise<Opened> =>
    open(files, { kind: 'volume', values: 'hounsfield', ...declared })

  it('rescales every slice with its own slope and intercept, rounded to whole Hounsfield units', async () => {
    const files = [
      write('a', slice(0), Uint16Array.of(0, 24, 1024, 2024)),
      write('b', slice(1, { RescaleSlope: '0.5', RescaleIntercept: '-1000.25' }), Uint16Array.of(0, 1, 2, 65535)),
    ]
    const { image } = await read(files)
    expect([...image.data]).toEqual([-1024, -1000, 0, 1000, -1000, -1000, -999, 31767])
    expect(image.data).toBeInstanceOf(Int16Array)
  })

  it('keeps values as they are in the smallest array that holds them', async () => {
    const plain = (change: Record<string, unknown>): Promise<Opened> =>
      read(
        [0, 1].map((z) => write(`${z}`, slice(z, change), Uint16Array.of(0, 1, 2, 3))),
        { values: 'modality' },
      )
    const scaled = await plain({ RescaleSlope: '0.25', RescaleIntercept: '0' })
    expect(scaled.image.data).toEqual(Float32Array.of(0, 0.25, 0.5, 0.75, 0, 0.25, 0.5, 0.75))
    // 16 unsigned bits could be more than an Int16 holds.
    expect((await plain({ RescaleIntercept: '0' })).image.data).toBeInstanceOf(Float32Array)
    expect((await plain({ BitsStored: 12, HighBit: 11 })).image.data).toBeInstanceOf(Int16Array)
    expect((await plain({ BitsStored: 8, HighBit: 7, RescaleIntercept: '0' })).image.data).toBeInstanceOf(Uint8Array)
    expect([...(await plain({ RescaleSlope: undefined, RescaleIntercept: undefined })).image.data]).toEqual([
      0, 1, 2, 3, 0, 1, 2, 3,
    ])
  })

  it('clamps what is beyond 16 bits', async () => {
    const steep = { RescaleSlope: '10', RescaleIntercept: '0' }
    const files = [0, 1].map((z) => write(`${z}`, slice(z, steep), Uint16Array.of(0, 3276, 3277, 65535)))
    expect([...(await read(files)).image.data].slice(0, 4)).toEqual([0, 32760, 32767, 32767])
  })

  it('takes padded pixels for air outside of the patient, by value and by range, or for what is declared', async () => {
    const one = write('a', slice(0, { PixelPaddingValue: 63536 }), Uint16Array.of(63536, 63537, 1024, 0))
    const signed = {
      PixelRepresentation: 1,
      PixelPaddingValue: -2000,
      RescaleIntercept: '0',
      PixelPaddingRangeLimit: -1500,
    }
    const two = write('b', slice(1, signed), Int16Array.of(-2000, -1700, -1500, -1499))
    const { image } = await read([one, two])
    expect([...image.data]).toEqual([outsideAir, 32767, 0, -1024, outsideAir, outsideAir, outsideAir, -1499])
    const other = await read([one, two], { padding: 7 })
    expect([...other.image.data]).toEqual([7, 32767, 0, -1024, 7, 7, 7, -1499])
  })

  it('puts slices in the order of their positions, and names them in that order', async () => {
    const files = [2, 0, 1].map((z) => write(`slice${z}`, slice(z), Uint16Array.of(1024 + z, 0, 0, 0)))
    const { image, source, grid } = await read(files)
    expect([image.data[0], image.data[4], image.data[8]]).toEqual([0, 1, 2])
    expect(source.slices.map((s) => path.basename(s.file))).toEqual(['slice0', 'slice1', 'slice2'])
    expect(source).toMatchObject({ rows: 2, columns: 2, sliceSpacing: 1, imageOrientationPatient: [1, 0, 0, 0, 1, 0] })
    expect(grid).toEqual({
      size: [2, 2, 3],
      spacing: [1, 1, 1],
      origin: [0, 0, 0],
      axes: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    })
  })

  it('lies on its own grid, whichever way it is sliced', async () => {
    const sagittal = { ImageOrientationPatient: ['0', '1', '0', '0', '0', '-1'], PixelSpacing: ['2', '3'] }
    const files = [0, 5].map((x) =>
      write(`${x}`, slice(0, { ...sagittal, ImagePositionPatient: [String(x), '0', '0'] }), new Uint16Array(4)),
    )
    const { grid } = await read(files)
    // The normal of rows to the back and columns to the feet points to the right.
    expect(grid.axes).toEqual(
      [
        [0, 1, 0],
        [0, 0, -1],
        [-1, 0, 0],
      ].map((axis) => axis.map((v) => expect.closeTo(v, 12))),
    )
    expect(grid).toMatchObject({ spacing: [3, 2, 5], origin: [5, 0, 0], size: [2, 2, 2] })
  })

  const enhanced = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
    SOPClassUID: SOP.enhancedCTImage,
    NumberOfFrames: '3',
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [{ PixelSpacing: ['1', '1'], SliceThickness: '1' }],
        PlaneOrientationSequence: [{ ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'] }],
      },
    ],
    PerFrameFunctionalGroupsSequence: [4, 0, 2].map((z) => ({
      PlanePositionSequence: [{ ImagePositionPatient: ['0', '0', String(z)] }],
      PixelValueTransformationSequence: [{ RescaleSlope: '1', RescaleIntercept: String(-1000 - z), RescaleType: 'HU' }],
    })),
    ...change,
  })
  const twelve = Uint16Array.from({ length: 12 }, (_, i) => i)

  it('reads the frames of an enhanced CT by their functional groups', async () => {
    const { image, source } = await read([write('enhanced', enhanced(), twelve)])
    expect([...image.data]).toEqual([-996, -995, -994, -993, -994, -993, -992, -991, -1004, -1003, -1002, -1001])
    expect(source.slices.map((s) => s.frame)).toEqual([2, 3, 1])
    expect(source.sliceSpacing).toBe(2)
  })

  it.each([
    [
      'frames that do not say where they lie',
      { SharedFunctionalGroupsSequence: undefined, PerFrameFunctionalGroupsSequence: undefined },
      'several frames without functional groups',
    ],
    ['functional groups of other frames', { NumberOfFrames: '2' }, '2 frames, but functional groups for 3'],
    ['colours', { SamplesPerPixel: 3 }, 'Samples per Pixel is 3, 1 is expected'],
    ['mosaics', { ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'MOSAIC'] }, 'mosaics'],
  ])('refuses %s', async (_, change, message) => {
    await expect(read([write('enhanced', enhanced(change), twelve)])).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(message),
    })
  })

  it.each([
    [{ manufacturer: 'SIEMENS' }, 'Manufacturer is Maker, SIEMENS is expected'],
    [{ kernel: ['B30f', 'Br40'] }, 'Convolution Kernel is B70f, B30f or Br40 is expected'],
    [{ bodyPart: 'CHEST' }, 'Body Part Examined is HEAD, CHEST is expected'],
    [{ orientation: ['coronal', 'sagittal'] }, 'the slices are axial, coronal or sagittal is expected'],
    [{ rows: { minimum: 256 } }, 'Rows is 2, at least 256 is expected'],
    [{ slices: { minimum: 3 } }, 'the number of slices is 2, at least 3 is expected'],
    [{ sliceSpacing: { maximum: 0.5 } }, 'the distance between slices is 1 mm, at most 0.5 mm is accepted'],
    [{ contrast: 'required' }, 'Contrast/Bolus Agent is absent, a scan with contrast agent is expected'],
    [{ attributes: { KVP: { minimum: 110 } } }, 'KVP is 80, at least 110 is expected'],
    [{ attributes: { RepetitionTime: { minimum: 1 } } }, 'RepetitionTime is absent, a number is expected'],
    [{ modality: ['MR', 'PT'] }, 'Modality is CT, MR or PT is expected'],
  ])('refuses what is outside of %j, with the value and the limit', async (declared, message) => {
    const header = { Manufacturer: 'Maker', ConvolutionKernel: 'B70f', BodyPartExamined: 'HEAD', KVP: '80' }
    const files = [0, 1].map((z) => write(`${z}`, slice(z, header), new Uint16Array(4)))
    await expect(read(files, declared)).rejects.toMatchObject({ code: 'refused', message })
    expect((await read(files, { manufacturer: 'maker', kernel: 'B70F', orientation: ['axial'] })).grid.size).toEqual([
      2, 2, 2,
    ])
  })

  it('refuses slices that are turned farther than the limit, by the angle', async () => {
    const turned = [
      Math.cos(Math.PI / 18),
      Math.sin(Math.PI / 18),
      0,
      -Math.sin(Math.PI / 18),
      Math.cos(Math.PI / 18),
      0,
    ]
    const header = { ImageOrientationPatient: turned.map((cosine) => cosine.toFixed(9)) }
    const files = [0, 1].map((z) => write(`${z}`, slice(z, header), new Uint16Array(4)))
    await expect(read(files, { obliquity: { maximum: 5 } })).rejects.toMatchObject({
      code: 'refused',
      message: "the angle between the slices and the patient's axes is 10°, at most 5° is accepted",
    })
    expect((await read(files, { obliquity: { maximum: 11 } })).grid.size).toEqual([2, 2, 2])
  })

  it('says that an instance cannot be read, without naming its file', async () => {
    const file = path.join(folder, 'broken')
    writeFileSync(file, 'no DICOM')
    await expect(read([file])).rejects.toMatchObject({
      code: 'unreadable-input',
      message: expect.not.stringContaining(folder),
    })
    await expect(read([])).rejects.toMatchObject({ code: 'unreadable-input' })
  })
})

const enhancedMR = sharedData('modalities', 'mr-enhanced', 'In', 'Siemens', 'XA10', '6_1.dcm')
describe.skipIf(!enhancedMR)('a volume in one enhanced object of a scanner (needs ../shared/data)', () => {
  it('is read by its functional groups', async () => {
    const { image, grid, source } = await open([enhancedMR ?? ''], { kind: 'volume', modality: 'MR' })
    expect(grid.size).toEqual([64, 64, 6])
    expect(grid.spacing).toEqual([3.375, 3.375, 2.4].map((v) => expect.closeTo(v, 3)))
    expect(source.slices.map((s) => s.frame ?? 0).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6])
    expect(Array.from(image.data).reduce((most, v) => Math.max(most, v), 0)).toBe(1199)
  })
})
