import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itemsOf, numberOf, numbersOf, textOf } from '../../src/dicom/dataset.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import type { Output } from '../../src/encode/outputs.ts'
import { encodeRLE, rleBound } from '../../src/encode/run-length.ts'
import { hill, labelsOf } from './further-objects.ts'
import { decodeRLE, firstItem, objectOf, type ReadResult, readBack } from './read-back.ts'
import { bytesOf, syntheticInput } from './synthetic.ts'

/** The slice that a frame says that it shows. */
function sliceOf(input: EncodingInput, { d }: ReadResult, frame: number): number {
  const source = firstItem(
    itemsOf(d, 'PerFrameFunctionalGroupsSequence')[frame],
    'DerivationImageSequence',
    'SourceImageSequence',
  )
  return input.source.slices.findIndex((s) => s.sopInstanceUID === textOf(source, 'ReferencedSOPInstanceUID'))
}

const labelMap = (input: EncodingInput, more: object = {}): Output => ({
  kind: 'segmentation',
  format: 'labelmap',
  segments: input.segments,
  ...more,
})

describe('run-length encoding', () => {
  it('gives back every frame, and never needs more room than it says', () => {
    const frames = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 300 })).chain(([rows, columns]) =>
      fc.record({
        rows: fc.constant(rows),
        columns: fc.constant(columns),
        pixels: fc.array(fc.constantFrom(0, 0, 0, 1, 1, 2, 255), {
          minLength: rows * columns,
          maxLength: rows * columns,
        }),
      }),
    )
    fc.assert(
      fc.property(frames, ({ rows, columns, pixels }) => {
        const scratch = new Uint8Array(rleBound(rows, columns))
        const encoded = encodeRLE(Uint8Array.from(pixels), { rows, columns, scratch })
        expect(encoded.length % 2).toBe(0)
        expect(Array.from(decodeRLE(encoded, rows * columns))).toEqual(pixels)
      }),
    )
  })
})

describe('a label map', () => {
  it.each(['rle', 'none'] as const)(
    'holds the numbers of all segments in one frame a slice (%s)',
    async (compression) => {
      const input = syntheticInput({ rows: 37, columns: 51 })
      const object = objectOf(input, labelMap(input, { compression }))
      const found = await readBack(object)
      expect(found.transferSyntaxUID).toBe(compression === 'rle' ? TS.rle : TS.explicitVRLittleEndian)
      expect(object.sopClassUID).toBe(SOP.labelMapSegmentation)
      expect(found.frames).toHaveLength(numberOf(found.d, 'NumberOfFrames') ?? 0)
      const slices = found.frames.map((frame, index) => {
        const slice = sliceOf(input, found, index)
        const labels = compression === 'rle' ? decodeRLE(frame, 37 * 51) : frame
        expect(Array.from(labels)).toEqual(Array.from(labelsOf(input, slice)))
        return slice
      })
      const held = input.source.slices.map((_, z) => z).filter((z) => labelsOf(input, z).some((v) => v > 0))
      expect(slices).toEqual(held)
    },
  )

  it('is the same whether it is made of masks or of labels, and describes the background last', async () => {
    const input = syntheticInput()
    const masks = bytesOf(objectOf(input, labelMap(input)))
    const labels = objectOf(input, labelMap(input, { labelsOf: (z: number) => labelsOf(input, z) }))
    expect(bytesOf(labels).equals(masks)).toBe(true)
    const { d } = await readBack(objectOf(input, labelMap(input)))
    expect(itemsOf(d, 'SegmentSequence').map((s) => numberOf(s, 'SegmentNumber'))).toEqual([1, 2, 0])
    expect(itemsOf(d, 'DimensionIndexSequence')).toHaveLength(1)
  })

  it('is refused where segments overlap, or where labels have a number that no segment has', () => {
    const input = syntheticInput()
    const [first, second] = input.segments
    if (!first || !second) throw new Error('two segments are expected')
    const overlapping = [first, { ...second, maskOf: first.maskOf }]
    expect(() => objectOf(input, labelMap(input, { segments: overlapping }))).toThrow(/1 and 2 overlap/)
    const unknown = (): Uint8Array => new Uint8Array(64 * 64).fill(7)
    expect(() => objectOf(input, labelMap(input, { labelsOf: unknown }))).toThrow(/label 7, no segment/)
  })
})

describe('a segmentation made of labels', () => {
  it('is the same to the last byte as one made of masks', () => {
    const input = syntheticInput({ rows: 37, columns: 51 })
    const binary = { kind: 'segmentation', format: 'binary', segments: input.segments } as const
    const ofLabels = objectOf(input, { ...binary, labelsOf: (z) => labelsOf(input, z) })
    expect(bytesOf(ofLabels).equals(bytesOf(objectOf(input, binary)))).toBe(true)
  })
})

describe('a segmentation of probabilities', () => {
  it('holds each probability to the nearest of 255 steps, without frames that hold none', async () => {
    const input = syntheticInput({ rows: 11, columns: 13, slices: 5 })
    const probabilityOf = (id: string, z: number): Float32Array | null =>
      id === 'left-lung' && z !== 2 ? hill(input, z) : null
    const found = await readBack(
      objectOf(input, { kind: 'segmentation', format: 'fractional', segments: input.segments, probabilityOf }),
    )
    expect([textOf(found.d, 'SegmentationFractionalType'), numberOf(found.d, 'MaximumFractionalValue')]).toEqual([
      'PROBABILITY',
      255,
    ])
    expect(found.frames.map((_, index) => sliceOf(input, found, index))).toEqual([0, 1, 3, 4])
    found.frames.forEach((frame, index) => {
      const expected = hill(input, sliceOf(input, found, index))
      for (let i = 0; i < expected.length; i++)
        expect(Math.abs((frame[i] as number) / 255 - (expected[i] as number))).toBeLessThan(0.5 / 255 + 1e-6)
    })
    const group = itemsOf(found.d, 'PerFrameFunctionalGroupsSequence')[2]
    expect(numbersOf(firstItem(group, 'FrameContentSequence'), 'DimensionIndexValues')).toEqual([1, 3])
  })

  it('takes what is no probability for 0 or 1', async () => {
    const input = syntheticInput({ rows: 1, columns: 4, slices: 1 })
    const values = Float32Array.of(Number.NaN, -0.5, 1.5, 0.5)
    const { frames } = await readBack(
      objectOf(input, {
        kind: 'segmentation',
        format: 'fractional',
        segments: input.segments.slice(0, 1),
        probabilityOf: () => values,
      }),
    )
    expect(Array.from(frames[0] ?? [])).toEqual([0, 0, 255, 128])
  })
})
