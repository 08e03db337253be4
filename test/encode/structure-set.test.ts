import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itemsOf, numbersOf, textOf } from '../../src/dicom/dataset.ts'
import { keyhole } from '../../src/encode/keyhole.ts'
import { maskContours } from '../../src/encode/mask-contours.ts'
import { firstItem, objectOf, readBack } from './read-back.ts'
import { syntheticInput } from './synthetic.ts'

/** Pixels whose centre lies in a closed polygon by the even-odd rule; column, row pairs, the centre of the first pixel at 0, 0. */
function rasterise(polygon: readonly number[], into: Uint8Array, columns: number): void {
  const count = polygon.length / 2
  for (let i = 0; i < into.length; i++) {
    const x = i % columns
    const y = Math.floor(i / columns)
    let inside = false
    for (let a = 0, b = count - 1; a < count; b = a++) {
      const ax = polygon[a * 2] as number
      const ay = polygon[a * 2 + 1] as number
      const bx = polygon[b * 2] as number
      const by = polygon[b * 2 + 1] as number
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
    }
    if (inside) into[i] = into[i] ? 0 : 1
  }
}

const masks = fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 })).chain(([rows, columns]) =>
  fc.record({
    rows: fc.constant(rows),
    columns: fc.constant(columns),
    mask: fc
      .array(fc.constantFrom(0, 1, 1), { minLength: rows * columns, maxLength: rows * columns })
      .map((values) => Uint8Array.from(values)),
  }),
)

describe('the contours of a mask', () => {
  it('make the same mask again, with its holes and whatever touches at a corner', () => {
    fc.assert(
      fc.property(masks, ({ mask, rows, columns }) => {
        const again = new Uint8Array(mask.length)
        for (const part of maskContours(mask, { rows, columns })) rasterise(keyhole(part), again, columns)
        expect(again).toEqual(mask)
      }),
      { numRuns: 500 },
    )
  })

  it('give each hole to the part around it, and an island in a hole is a part of its own', () => {
    const rings = ['11111', '10001', '10101', '10001', '11111'].join('')
    const mask = Uint8Array.from(rings, Number)
    const parts = maskContours(mask, { rows: 5, columns: 5 })
    expect(parts.map(({ holes }) => holes.length)).toEqual([1, 0])
  })
})

describe('a structure set', () => {
  it.each([
    ['axial', [1, 0, 0, 0, 1, 0]],
    ['oblique', [0.8, 0.6, 0, 0, 0, -1]],
  ])('has contours in mm that make the masks again (%s)', async (_, orientation) => {
    const input = syntheticInput({ orientation, slices: 12 })
    const { source } = input
    const [rowSpacing = 1, columnSpacing = 1] = source.pixelSpacing ?? []
    const { d } = await readBack(objectOf(input, { kind: 'structure-set', segments: input.segments }))
    expect(itemsOf(d, 'ROIContourSequence')).toHaveLength(2)
    itemsOf(d, 'ROIContourSequence').forEach((roi, index) => {
      const found = new Map<string, Uint8Array>()
      for (const contour of itemsOf(roi, 'ContourSequence')) {
        const uid = textOf(firstItem(contour, 'ContourImageSequence'), 'ReferencedSOPInstanceUID') ?? ''
        const origin = source.slices.find((s) => s.sopInstanceUID === uid)?.imagePositionPatient ?? []
        const data = numbersOf(contour, 'ContourData')
        const polygon: number[] = []
        for (let i = 0; i < data.length; i += 3) {
          const along = (from: number): number =>
            [0, 1, 2].reduce(
              (sum, axis) =>
                sum + ((data[i + axis] as number) - (origin[axis] as number)) * (orientation[from + axis] as number),
              0,
            )
          polygon.push(along(0) / columnSpacing, along(3) / rowSpacing)
        }
        const mask = found.get(uid) ?? new Uint8Array(64 * 64)
        found.set(uid, mask)
        rasterise(polygon, mask, 64)
      }
      const segment = input.segments[index]
      let [both, total] = [0, 0]
      source.slices.forEach(({ sopInstanceUID }, slice) => {
        const mask = segment?.maskOf(slice) ?? new Uint8Array(64 * 64)
        const again = found.get(sopInstanceUID) ?? new Uint8Array(64 * 64)
        mask.forEach((inside, i) => {
          both += inside && again[i] ? 1 : 0
          total += inside + (again[i] as number)
        })
      })
      expect(total).toBeGreaterThan(5000)
      expect((2 * both) / total).toBeGreaterThan(0.999)
    })
  })

  it('names a region that is empty, without contours, and says that nobody approved it', async () => {
    const input = syntheticInput({ emptySegment: true })
    const { d } = await readBack(objectOf(input, { kind: 'structure-set', segments: input.segments }))
    expect(itemsOf(d, 'StructureSetROISequence').map((roi) => textOf(roi, 'ROIName'))).toEqual([
      'Left lung',
      'Right lung',
    ])
    expect(itemsOf(d, 'ROIContourSequence').map((roi) => itemsOf(roi, 'ContourSequence').length > 0)).toEqual([
      true,
      false,
    ])
    expect(textOf(d, 'ApprovalStatus')).toBe('UNAPPROVED')
  })

  it('is refused where the source has no frame of reference', () => {
    const input = syntheticInput()
    const { '00200052': _, ...header } = input.source.header
    expect(() =>
      objectOf({ ...input, source: { ...input.source, header } }, { kind: 'structure-set', segments: input.segments }),
    ).toThrow(/frame of reference/)
  })
})
