import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packedLength, packFrames, planFrames } from '../../src/encode/seg-frames.ts'
import { syntheticInput } from './synthetic.ts'

/** The standard's words, as plainly as possible: all bits in a row, the first one into the lowest bit (PS3.5 8.1.1). */
function reference(masks: (Uint8Array | null)[], pixels: number): number[] {
  const bits: number[] = []
  for (const mask of masks) for (let i = 0; i < pixels; i++) bits.push(mask?.[i] ? 1 : 0)
  while (bits.length % 16 !== 0) bits.push(0)
  const bytes: number[] = []
  for (let i = 0; i < bits.length; i += 8) {
    let byte = 0
    for (let bit = 0; bit < 8; bit++) byte += (bits[i + bit] ?? 0) * 2 ** bit
    bytes.push(byte)
  }
  return bytes
}

function flat(chunks: Iterable<Uint8Array>): number[] {
  const bytes: number[] = []
  for (const chunk of chunks) bytes.push(...chunk)
  return bytes
}

describe('packing frames', () => {
  it('puts bit after bit, across frames, whatever the size of a frame', () => {
    const frames = fc
      .integer({ min: 1, max: 45 })
      .chain((pixels) =>
        fc.tuple(
          fc.constant(pixels),
          fc.array(
            fc.option(
              fc
                .array(fc.constantFrom(0, 0, 1, 255), { minLength: pixels, maxLength: pixels })
                .map((a) => Uint8Array.from(a)),
            ),
            { minLength: 1, maxLength: 9 },
          ),
        ),
      )
    fc.assert(
      fc.property(frames, ([pixels, masks]) => {
        const packed = flat(packFrames(masks, pixels))
        expect(packed).toEqual(reference(masks, pixels))
        expect(packed).toHaveLength(packedLength(masks.length, pixels))
      }),
    )
  })

  it('asks for one mask at a time', () => {
    let asked = 0
    function* masks() {
      for (let i = 0; i < 5; i++) {
        asked++
        yield new Uint8Array(64).fill(1)
      }
    }
    const chunks = packFrames(masks(), 64)
    chunks.next()
    expect(asked).toBe(1)
    chunks.next()
    expect(asked).toBe(2)
  })
})

describe('planning frames', () => {
  it('leaves out the empty ones, also where a mask is there and holds nothing', () => {
    const { segments } = syntheticInput({ slices: 10 })
    const [first] = segments
    if (!first) throw new Error('a segment is expected')
    const blank = { ...first, maskOf: (i: number) => (i === 4 ? first.maskOf(5) : new Uint8Array(64 * 64)) }
    expect(planFrames([blank], 10, 64 * 64).map((f) => f.sliceIndex)).toEqual([4])
  })

  it('keeps masks as runs, from which the same bits are packed', () => {
    const [first] = syntheticInput().segments
    if (!first) throw new Error('a segment is expected')
    const lines = fc.array(fc.tuple(fc.constantFrom(0, 1, 255), fc.integer({ min: 1, max: 90 })), { minLength: 1 })
    const masksOf = fc.tuple(fc.integer({ min: 1, max: 1500 }), fc.array(lines, { minLength: 1, maxLength: 4 }))
    fc.assert(
      fc.property(masksOf, ([pixels, slices]) => {
        const masks = slices.map((runs) => {
          const values = runs.flatMap(([value, length]) => Array.from({ length }, () => value)).slice(0, pixels)
          return Uint8Array.from({ length: pixels }, (_, i) => values[i] ?? 0)
        })
        const segment = {
          ...first,
          maskOf: (slice: number, into?: Uint8Array) => (into?.set(masks[slice] ?? []), into ?? null),
        }
        const frames = planFrames([segment], masks.length, pixels)
        const held = frames.map(({ sliceIndex }) => masks[sliceIndex] ?? null)
        const given = frames.map(({ runs }, i) => runs ?? held[i] ?? null)
        expect(flat(packFrames(given, pixels))).toEqual(reference(held, pixels))
      }),
    )
  })

  it('keeps one blank frame where everything is empty', () => {
    const { segments } = syntheticInput()
    const empty = segments.map((s) => ({ ...s, maskOf: () => null }))
    expect(planFrames(empty, 24, 64 * 64)).toMatchObject([{ segment: { number: 1 }, sliceIndex: 12 }])
  })

  it('refuses a mask of another size', () => {
    const { segments } = syntheticInput()
    expect(() => planFrames(segments, 24, 63 * 64)).toThrow(/4096 values, 4032 are expected/)
  })
})
