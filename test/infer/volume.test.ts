import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import type { PipelineInput } from '../../src/infer/manifest.ts'
import { outsideAir, type ReadVolume, readVolume } from '../../src/infer/volume.ts'
import { lungPipeline } from './phantom-task.ts'

describe('readVolume', () => {
  let folder: string
  let limits: PipelineInput
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-volume-'))
    const declared = (await lungPipeline()).inputs[0]
    if (!declared) throw new Error('the pipeline has no input')
    limits = { ...declared, slices: { minimum: 2 } }
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const write = (name: string, elements: Record<string, unknown>, pixels: ArrayBufferView): string => {
    const file = path.join(folder, name)
    const natural = {
      SOPClassUID: SOP.ctImage,
      SOPInstanceUID: `2.25.${name.length}${name.charCodeAt(0)}`,
      Modality: 'CT',
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      Rows: 2,
      Columns: 2,
      BitsAllocated: 16,
      BitsStored: 16,
      HighBit: 15,
      PixelRepresentation: 0,
      ...elements,
      PixelData: pixels,
    }
    const meta = encodeFileMeta({
      mediaStorageSOPClassUID: natural.SOPClassUID,
      mediaStorageSOPInstanceUID: natural.SOPInstanceUID,
      transferSyntaxUID: TS.explicitVRLittleEndian,
    })
    writeFileSync(file, Buffer.concat([meta, encodeDataSet(natural, TS.explicitVRLittleEndian)]))
    return file
  }
  const plain = (z: number, change: Record<string, unknown> = {}): Record<string, unknown> => ({
    SliceThickness: '1',
    PixelSpacing: ['1', '1'],
    ImagePositionPatient: ['0', '0', String(z)],
    ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
    RescaleSlope: '1',
    RescaleIntercept: '-1024',
    ...change,
  })
  const read = (files: string[]): Promise<ReadVolume> =>
    readVolume({ seriesInstanceUID: '2.25.1', files }, limits, { log: [] })

  it('rescales every slice with its own slope and intercept, rounded to whole Hounsfield units', async () => {
    const files = [
      write('a', plain(0), Uint16Array.of(0, 24, 1024, 2024)),
      write('b', plain(1, { RescaleSlope: '0.5', RescaleIntercept: '-1000.25' }), Uint16Array.of(0, 1, 2, 65535)),
    ]
    expect([...(await read(files)).density]).toEqual([-1024, -1000, 0, 1000, -1000, -1000, -999, 31767])
  })

  it('clamps what is beyond 16 bits', async () => {
    const steep = { RescaleSlope: '10', RescaleIntercept: '0' }
    const files = [0, 1].map((z) => write(`${z}`, plain(z, steep), Uint16Array.of(0, 3276, 3277, 65535)))
    expect([...(await read(files)).density].slice(0, 4)).toEqual([0, 32760, 32767, 32767])
  })

  it('takes padded pixels for air outside of the patient, by value and by range', async () => {
    const one = write('a', plain(0, { PixelPaddingValue: 63536 }), Uint16Array.of(63536, 63537, 1024, 0))
    const signed = {
      PixelRepresentation: 1,
      PixelPaddingValue: -2000,
      RescaleIntercept: '0',
      PixelPaddingRangeLimit: -1500,
    }
    const two = write('b', plain(1, signed), Int16Array.of(-2000, -1700, -1500, -1499))
    const { density } = await read([one, two])
    expect([...density]).toEqual([outsideAir, 32767, 0, -1024, outsideAir, outsideAir, outsideAir, -1499])
  })

  it('puts slices in the order of their positions, and names them in that order', async () => {
    const files = [2, 0, 1].map((z) => write(`slice${z}`, plain(z), Uint16Array.of(1024 + z, 0, 0, 0)))
    const { density, source } = await read(files)
    expect([density[0], density[4], density[8]]).toEqual([0, 1, 2])
    expect(source.slices.map((s) => path.basename(s.file))).toEqual(['slice0', 'slice1', 'slice2'])
    expect(source).toMatchObject({ rows: 2, columns: 2, sliceSpacing: 1, imageOrientationPatient: [1, 0, 0, 0, 1, 0] })
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

  it('reads the frames of an enhanced CT by their functional groups', async () => {
    const file = write(
      'enhanced',
      enhanced(),
      Uint16Array.from({ length: 12 }, (_, i) => i),
    )
    const { density, source } = await read([file])
    expect([...density]).toEqual([-996, -995, -994, -993, -994, -993, -992, -991, -1004, -1003, -1002, -1001])
    expect(source.slices.map((s) => s.frame)).toEqual([2, 3, 1])
    expect(source.sliceSpacing).toBe(2)
  })

  it('refuses frames that do not say where they lie', async () => {
    const file = write('enhanced', enhanced({ PerFrameFunctionalGroupsSequence: undefined }), new Uint16Array(12))
    await expect(read([file])).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('3 frames without'),
    })
  })

  it('says that an instance cannot be read, without naming its file', async () => {
    const file = path.join(folder, 'broken')
    writeFileSync(file, 'no DICOM')
    await expect(read([file])).rejects.toMatchObject({
      code: 'unreadable-input',
      message: expect.not.stringContaining(folder),
    })
  })

  it('says that pixel data is cut off', async () => {
    const files = [0, 1].map((z) => write(`${z}`, plain(z), new Uint16Array(3)))
    await expect(read(files)).rejects.toMatchObject({
      code: 'unreadable-input',
      message: expect.stringMatching(/holds 6 bytes/),
    })
  })
})
