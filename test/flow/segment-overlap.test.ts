import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { EncodedObject } from '../../src/encode/encoded.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { encodeLabelMap } from '../../src/encode/label-map.ts'
import { encodeSegmentation } from '../../src/encode/segmentation.ts'
import { compareSegmentations, type SegmentOverlap } from '../../src/flow/segment-overlap.ts'
import { writeObject } from '../../src/worker-parts/write-result.ts'
import { syntheticInput } from '../encode/synthetic.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-overlap-'))
afterAll(() => rmSync(folder, { recursive: true }))

let count = 0
async function written(object: EncodedObject): Promise<string> {
  const outFolder = mkdtempSync(path.join(folder, `${count++}-`))
  const { file } = await writeObject(object, 'segmentation', { outFolder, predecessors: [] })
  return path.join(outFolder, file)
}

/** Columns that are no multiple of 8: frames of one bit a pixel do not begin at bytes. */
const size = { rows: 37, columns: 51 }

/** The masks, with every second voxel of each left out. */
function halved(input: EncodingInput): EncodingInput {
  const segments = input.segments.map((segment) => ({
    ...segment,
    maskOf: (slice: number) => segment.maskOf(slice)?.map((value, i) => (i % 2 === 0 ? value : 0)) ?? null,
  }))
  return { ...input, segments }
}

async function compared(a: EncodedObject, b: EncodedObject): Promise<SegmentOverlap[]> {
  const comparison = await compareSegmentations(await written(a), await written(b))
  if (comparison.otherGrid !== null) throw new Error(comparison.otherGrid)
  return comparison.segments
}

describe('the overlap of two segmentations', () => {
  it('is whole for the same masks, one bit a pixel or as a label map', async () => {
    const input = syntheticInput(size)
    for (const other of [
      encodeSegmentation(input),
      encodeLabelMap(input),
      encodeLabelMap(input, { compression: 'none' }),
    ]) {
      const segments = await compared(encodeSegmentation(input), other)
      expect(segments.map(({ label, dice }) => [label, dice])).toEqual([
        ['Left lung', 1],
        ['Right lung', 1],
      ])
      expect(segments[0]?.a).toBeGreaterThan(1000)
      expect(segments[0]?.both).toBe(segments[0]?.a)
    }
  })

  it('is counted voxel by voxel', async () => {
    const input = syntheticInput(size)
    const few = halved(input)
    const voxels = (of: EncodingInput) =>
      of.segments.map((segment) => {
        let sum = 0
        for (let slice = 0; slice < of.source.slices.length; slice++)
          for (const value of segment.maskOf(slice) ?? []) if (value) sum++
        return sum
      })
    const [all, half] = [voxels(input), voxels(few)]
    for (const encode of [encodeSegmentation, encodeLabelMap]) {
      const segments = await compared(encode(input), encode(few))
      expect(segments.map(({ a }) => a)).toEqual(all)
      expect(segments.map(({ b }) => b)).toEqual(half)
      expect(segments.map(({ both }) => both)).toEqual(half)
      expect(segments[0]?.dice).toBeCloseTo((2 * (half[0] ?? 0)) / ((all[0] ?? 0) + (half[0] ?? 0)), 12)
    }
  })

  it('is not made up where they lie on other grids', async () => {
    const [one, other] = [syntheticInput(size), syntheticInput({ ...size, rows: 38 })]
    expect(
      await compareSegmentations(await written(encodeSegmentation(one)), await written(encodeSegmentation(other))),
    ).toEqual({ otherGrid: expect.stringMatching(/^51 x 37 pixels of .* and 51 x 38 pixels of /) })
  })
})
