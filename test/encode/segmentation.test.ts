import { describe, expect, it } from 'vitest'
import { itemsOf, numberOf, numbersOf, textOf, textsOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { readHead } from '../../src/dicom/head.ts'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { encodeSegmentation } from '../../src/encode/segmentation.ts'
import { bytesOf, right, syntheticInput } from './synthetic.ts'

function read(bytes: Buffer): { d: DicomJson; pixels: Buffer } {
  const { dataSetOffset, transferSyntaxUID } = parseFileMeta(bytes)
  const head = readHead(bytes.subarray(dataSetOffset), { transferSyntaxUID })
  const place = head.pixelData
  if (!place || place.length === null) throw new Error('native pixel data is expected')
  const start = dataSetOffset + place.offset
  expect(start + place.length).toBe(bytes.length)
  return { d: head.elements, pixels: bytes.subarray(start, start + place.length) }
}

describe('a segmentation', () => {
  it('is the same to the last byte when the same job is done again', () => {
    const once = bytesOf(encodeSegmentation(syntheticInput()))
    expect(bytesOf(encodeSegmentation(syntheticInput())).equals(once)).toBe(true)
  })

  it('has other UIDs in another revision, for another pipeline and for another series, but tracks the same thing', () => {
    const objects = [
      syntheticInput(),
      syntheticInput({ revision: 2 }),
      syntheticInput({ digest: `sha256:${'cd'.repeat(32)}` }),
    ]
    const other = syntheticInput()
    objects.push({ ...other, source: { ...other.source, seriesInstanceUID: '1.2.3' } })
    const found = objects.map((input) => encodeSegmentation(input))
    expect(new Set(found.map((o) => o.sopInstanceUID)).size).toBe(4)
    expect(new Set(found.map((o) => o.seriesInstanceUID)).size).toBe(4)
    const tracked = found.map((o) => textOf(itemsOf(read(bytesOf(o)).d, 'SegmentSequence')[0] ?? {}, 'TrackingUID'))
    expect(new Set(tracked).size).toBe(1)
  })

  it('names another device when a file of the pipeline changes', () => {
    const devices = ['ab', 'cd'].map((digit) => {
      const { d } = read(bytesOf(encodeSegmentation(syntheticInput({ digest: `sha256:${digit.repeat(32)}` }))))
      return textOf(itemsOf(d, 'ContributingEquipmentSequence')[0] ?? {}, 'DeviceUID')
    })
    expect(devices[0]).not.toBe(devices[1])
  })

  it('holds each voxel of each mask in the frame that says so', () => {
    const input = syntheticInput({ rows: 37, columns: 51 })
    const { d, pixels } = read(bytesOf(encodeSegmentation(input)))
    const frames = itemsOf(d, 'PerFrameFunctionalGroupsSequence')
    expect(frames).toHaveLength(numberOf(d, 'NumberOfFrames') ?? 0)
    const size = 37 * 51
    frames.forEach((frame, index) => {
      const number = numberOf(itemsOf(frame, 'SegmentIdentificationSequence')[0] ?? {}, 'ReferencedSegmentNumber')
      const [derivation = {}] = itemsOf(frame, 'DerivationImageSequence')
      const [source = {}] = itemsOf(derivation, 'SourceImageSequence')
      const sliceIndex = input.source.slices.findIndex(
        (s) => s.sopInstanceUID === textOf(source, 'ReferencedSOPInstanceUID'),
      )
      expect(numbersOf(itemsOf(frame, 'PlanePositionSequence')[0] ?? {}, 'ImagePositionPatient')).toEqual(
        input.source.slices[sliceIndex]?.imagePositionPatient,
      )
      const mask = input.segments.find((s) => s.number === number)?.maskOf(sliceIndex)
      for (let i = 0; i < size; i++) {
        const bit = index * size + i
        const stored = ((pixels[bit >> 3] ?? 0) >> (bit & 7)) & 1
        if (stored !== (mask?.[i] ?? 0)) throw new Error(`frame ${index}, pixel ${i}: ${stored}`)
      }
    })
  })

  it('carries patient and study verbatim, in UTF-8, and the modifiers of what was segmented', () => {
    const input = syntheticInput({
      header: {
        PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
        AccessionNumber: 'A-9',
        PatientAge: '074Y',
        EthnicGroup: 'é',
      },
    })
    const { d } = read(bytesOf(encodeSegmentation(input)))
    expect(d['00100010']?.Value).toEqual([
      { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' },
    ])
    expect([
      textOf(d, 'SpecificCharacterSet'),
      textOf(d, 'AccessionNumber'),
      textOf(d, 'PatientAge'),
      textOf(d, 'EthnicGroup'),
    ]).toEqual(['ISO_IR 192', 'A-9', '074Y', 'é'])
    const [type = {}] = itemsOf(itemsOf(d, 'SegmentSequence')[1] ?? {}, 'SegmentedPropertyTypeCodeSequence')
    expect(textOf(itemsOf(type, 'SegmentedPropertyTypeModifierCodeSequence')[0] ?? {}, 'CodeValue')).toBe(right.value)
  })

  it('says that it comes from lossy images when it does', () => {
    const lossy = {
      LossyImageCompression: '01',
      LossyImageCompressionRatio: [9.5, 2],
      LossyImageCompressionMethod: 'ISO_10918_1',
    }
    const { d } = read(bytesOf(encodeSegmentation(syntheticInput({ header: lossy }))))
    expect([
      textOf(d, 'LossyImageCompression'),
      numbersOf(d, 'LossyImageCompressionRatio'),
      textsOf(d, 'LossyImageCompressionMethod'),
    ]).toEqual(['01', [9.5, 2], ['ISO_10918_1']])
    expect(textOf(read(bytesOf(encodeSegmentation(syntheticInput()))).d, 'LossyImageCompression')).toBe('00')
  })

  it('refers to frames where the source has several, and to each instance once', () => {
    const { d } = read(bytesOf(encodeSegmentation(syntheticInput({ multiFrame: true }))))
    const [series = {}] = itemsOf(d, 'ReferencedSeriesSequence')
    expect(itemsOf(series, 'ReferencedInstanceSequence')).toHaveLength(1)
    const numbers = itemsOf(d, 'PerFrameFunctionalGroupsSequence').map((frame) => {
      const [derivation = {}] = itemsOf(frame, 'DerivationImageSequence')
      return numberOf(itemsOf(derivation, 'SourceImageSequence')[0] ?? {}, 'ReferencedFrameNumber')
    })
    expect(numbers.slice(0, 3)).toEqual([4, 5, 6])
  })

  it('claims no place for a radiograph, and leaves out an age that is none', () => {
    const header = { Modality: 'DX', PatientOrientation: ['L', 'F'], PatientAge: '62' }
    const { d } = read(bytesOf(encodeSegmentation(syntheticInput({ projection: true, header }))))
    expect([textsOf(d, 'PatientOrientation'), textOf(d, 'PatientAge')]).toEqual([['L', 'F'], null])
    const [shared = {}] = itemsOf(d, 'SharedFunctionalGroupsSequence')
    expect(itemsOf(shared, 'PlaneOrientationSequence')).toEqual([])
    const [frame = {}] = itemsOf(d, 'PerFrameFunctionalGroupsSequence')
    expect(itemsOf(frame, 'PlanePositionSequence')).toEqual([])
    expect(itemsOf(frame, 'DerivationImageSequence')).toHaveLength(1)
  })
})
