import { describe, expect, it } from 'vitest'
import { itemsOf, numberOf, numbersOf, textOf, textsOf } from '../../src/dicom/dataset.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { encodeOutput } from '../../src/encode/outputs.ts'
import { planesOfGrid } from '../../src/encode/planes.ts'
import { hill, sampleMap, smoothing } from './further-objects.ts'
import { firstItem, objectOf, readBack, wordsOf } from './read-back.ts'
import { syntheticInput } from './synthetic.ts'

describe('a parametric map', () => {
  it('holds every value as it is, with its quantity and unit, on the planes of the source', async () => {
    const input = syntheticInput({ rows: 7, columns: 9, slices: 4 })
    const { d, frames } = await readBack(objectOf(input, { kind: 'parametric-map', ...sampleMap(input) }))
    expect(frames).toHaveLength(4)
    frames.forEach((frame, plane) => expect(wordsOf(frame, Float32Array)).toEqual(hill(input, plane)))
    const mapping = firstItem(d, 'SharedFunctionalGroupsSequence', 'RealWorldValueMappingSequence')
    expect([numberOf(mapping, 'RealWorldValueSlope'), numberOf(mapping, 'RealWorldValueIntercept')]).toEqual([1, 0])
    expect(textOf(firstItem(mapping, 'MeasurementUnitsCodeSequence'), 'CodeValue')).toBe('1')
    expect(textOf(firstItem(mapping, 'QuantityDefinitionSequence', 'ConceptCodeSequence'), 'CodeValue')).toBe(
      'saliency',
    )
    itemsOf(d, 'PerFrameFunctionalGroupsSequence').forEach((group, plane) => {
      expect(numbersOf(firstItem(group, 'PlanePositionSequence'), 'ImagePositionPatient')).toEqual(
        input.source.slices[plane]?.imagePositionPatient,
      )
      expect(
        textOf(firstItem(group, 'DerivationImageSequence', 'SourceImageSequence'), 'ReferencedSOPInstanceUID'),
      ).toBe(input.source.slices[plane]?.sopInstanceUID)
    })
  })

  it('lies on planes of its own where it has some, and writes 0 for what is no number', async () => {
    const input = syntheticInput()
    const planes = planesOfGrid({
      size: [2, 3, 2],
      spacing: [1, 2, 3],
      origin: [-10, -20, -30],
      axes: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    })
    const valuesOf = (): Float32Array => Float32Array.of(1, Number.NaN, -2.5, Number.POSITIVE_INFINITY, 0.1, 7)
    const { d, frames } = await readBack(
      objectOf(input, { kind: 'parametric-map', ...sampleMap(input), planes, valuesOf }),
    )
    expect(frames.map((frame) => Array.from(wordsOf(frame, Float32Array)))).toEqual([
      [1, 0, -2.5, 0, Math.fround(0.1), 7],
      [1, 0, -2.5, 0, Math.fround(0.1), 7],
    ])
    const shared = firstItem(d, 'SharedFunctionalGroupsSequence')
    expect(numbersOf(firstItem(shared, 'PixelMeasuresSequence'), 'PixelSpacing')).toEqual([2, 1])
    const mapping = firstItem(shared, 'RealWorldValueMappingSequence')
    expect([
      numberOf(mapping, 'DoubleFloatRealWorldValueFirstValueMapped'),
      numberOf(mapping, 'DoubleFloatRealWorldValueLastValueMapped'),
    ]).toEqual([-2.5, 7])
    const second = itemsOf(d, 'PerFrameFunctionalGroupsSequence')[1]
    expect(numbersOf(firstItem(second, 'PlanePositionSequence'), 'ImagePositionPatient')).toEqual([-10, -20, -27])
  })

  it('is refused where images have no place, and where values do not fit the planes', () => {
    const input = syntheticInput()
    const source = { ...input.source, imageOrientationPatient: null }
    expect(() => objectOf({ ...input, source }, { kind: 'parametric-map', ...sampleMap(input) })).toThrow(
      /with a place/,
    )
    const valuesOf = (): Float32Array => new Float32Array(5)
    expect(() => objectOf(input, { kind: 'parametric-map', ...sampleMap(input), valuesOf })).toThrow(
      /5 values, 4096 are expected/,
    )
  })
})

describe('derived images', () => {
  const series = { kind: 'derived-images', derivations: [smoothing], description: 'denoised' } as const

  async function valuesRead(input: ReturnType<typeof syntheticInput>, values: Float32Array, rescale?: 'fit') {
    const options = rescale === undefined ? {} : { rescale }
    const { d, frames } = await readBack(objectOf(input, { ...series, ...options, valuesOf: () => values }))
    const signed = numberOf(d, 'PixelRepresentation') === 1
    const [frame = new Uint8Array(0)] = frames
    const words: ArrayLike<number> = signed ? wordsOf(frame, Int16Array) : wordsOf(frame, Uint16Array)
    const slope = numberOf(d, 'RescaleSlope') ?? 1
    const intercept = numberOf(d, 'RescaleIntercept') ?? 0
    return { d, signed, slope, values: Array.from(words, (word) => word * slope + intercept) }
  }

  it('keep the rescale of the source, so that whole values come back exactly', async () => {
    const header = {
      RescaleSlope: 1,
      RescaleIntercept: -1024,
      PixelRepresentation: 0,
      WindowCenter: 40,
      WindowWidth: 400,
    }
    const input = syntheticInput({ rows: 2, columns: 3, slices: 1, header })
    const found = await valuesRead(input, Float32Array.of(-1024, -1000, 0, 40, 3071, 60000))
    expect(found.values).toEqual([-1024, -1000, 0, 40, 3071, 60000])
    expect([textsOf(found.d, 'ImageType').slice(0, 2), numberOf(found.d, 'WindowCenter')]).toEqual([
      ['DERIVED', 'SECONDARY'],
      40,
    ])
    expect(textOf(firstItem(found.d, 'DerivationCodeSequence'), 'CodeValue')).toBe('113087')
    expect(textOf(firstItem(found.d, 'SourceImageSequence'), 'ReferencedSOPInstanceUID')).toBe(
      input.source.slices[0]?.sopInstanceUID,
    )
  })

  it('fit values of any size and unit into 16 bits where they are asked to', async () => {
    const values = Float32Array.of(-0.25, 0, 0.5, 0.75)
    const input = syntheticInput({ rows: 1, columns: 4, slices: 1, header: { WindowCenter: 40, WindowWidth: 400 } })
    const found = await valuesRead(input, values, 'fit')
    found.values.forEach((value, i) => expect(Math.abs(value - (values[i] as number))).toBeLessThan(1 / 65535))
    expect([numberOf(found.d, 'WindowCenter'), textOf(found.d, 'RescaleType')]).toEqual([0.25, 'US'])
    const pet = { ...input.source, slices: input.source.slices.map((s) => ({ ...s, sopClassUID: SOP.petImage })) }
    const signed = await valuesRead({ ...input, source: pet }, values, 'fit')
    expect([numberOf(signed.d, 'RescaleIntercept'), signed.signed]).toEqual([0, true])
    signed.values.forEach((value, i) => expect(Math.abs(value - (values[i] as number))).toBeLessThan(1 / 32767))
  })

  it('let the slope grow until values fit, and cut none', async () => {
    const input = syntheticInput({ rows: 1, columns: 4, slices: 1, header: { PixelRepresentation: 1 } })
    const values = Float32Array.of(-200000, 0, 1, 200000)
    const found = await valuesRead(input, values)
    expect([found.signed, found.slope > 6 && found.slope < 6.2]).toEqual([true, true])
    found.values.forEach((value, i) => expect(Math.abs(value - (values[i] as number))).toBeLessThan(found.slope))
  })

  it('are one instance an image in one series, in the order of the planes', () => {
    const input = syntheticInput({ rows: 2, columns: 2, slices: 3 })
    const objects = [...encodeOutput(input, { ...series, valuesOf: () => new Float32Array(4) })].map((object) =>
      object.kind === 'object' ? object : null,
    )
    expect(objects.map((object) => object?.role)).toEqual(['derived-0001', 'derived-0002', 'derived-0003'])
    expect(new Set(objects.map((object) => object?.sopInstanceUID)).size).toBe(3)
    expect(new Set(objects.map((object) => object?.seriesInstanceUID)).size).toBe(1)
  })
})
