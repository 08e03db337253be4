import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type InputOf, inputSchema } from '../../../src/infer/manifest/input.ts'
import { type ReadSegmentation, readSegmentation } from '../../../src/infer/read/segmentation.ts'
import { sharedData } from '../../support/data.ts'
import { type Opened, open } from './instances.ts'

const segmentations = sharedData('objects', 'dcmqi', 'segmentations')

describe.skipIf(!segmentations)('a segmentation that arrives (needs ../shared/data)', () => {
  const folder = segmentations ?? ''
  const images = (name: string): Promise<Opened> =>
    open(
      readdirSync(path.join(folder, name)).map((file) => path.join(folder, name, file)),
      { kind: 'volume' },
    )
  const read = async (file: string, of: Opened, declared: Record<string, unknown> = {}): Promise<ReadSegmentation> => {
    const input = inputSchema.parse({ name: 'roi', kind: 'segmentation', of: 'given', ...declared })
    const given = { seriesInstanceUID: '2.25.2000', files: [path.join(folder, file)] }
    return await readSegmentation(given, input as InputOf<'segmentation'>, { of, log: [] })
  }
  const count = ({ labels }: ReadSegmentation, label: number): number =>
    labels.labels.reduce((sum, value) => sum + (value === label ? 1 : 0), 0)

  it('lies on the planes of the images, with its own definitions', async () => {
    const ct = await images('ct-3slice')
    const { labels, segments, instance } = await read('liver.dcm', ct)
    expect(labels.grid).toEqual(ct.grid)
    // As pydicom counts them.
    expect(count({ labels, segments } as ReadSegmentation, 1)).toBe(107_098)
    expect(segments).toMatchObject([{ number: 1, definition: { label: 'Liver', type: { meaning: 'Liver' } } }])
    expect(instance.seriesInstanceUID).toBe('2.25.2000')
  })

  it('is refused where segments overlap, unless the manifest says which one counts', async () => {
    const ct = await images('ct-3slice')
    await expect(read('partial_overlaps.dcm', ct)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/^segments of the segmentation overlap in \d+ voxels/),
    })
    const [first, last] = [
      await read('partial_overlaps.dcm', ct, { overlap: 'first' }),
      await read('partial_overlaps.dcm', ct, { overlap: 'last' }),
    ]
    const inside = ({ labels }: ReadSegmentation): number => labels.labels.reduce((sum, v) => sum + (v > 0 ? 1 : 0), 0)
    expect(inside(first)).toBe(inside(last))
    expect(count(first, 1)).toBeGreaterThan(count(last, 1))
    expect(first.segments).toHaveLength(5)
  })

  it('is read as a label map, its bits beside one another', async () => {
    const ct = await images(path.join('24x38x3', 'image'))
    const found = await read('sparse-labelmap-noppv.dcm', ct)
    expect(count(found, 1)).toBe(630)
    expect(found.segments.map(({ number }) => number)).toEqual([1])
  })

  it('is refused on images in another frame of reference', async () => {
    const other = await images(path.join('24x38x3', 'image'))
    await expect(read('liver.dcm', other)).rejects.toThrow(/Frame of Reference UID is .*, that of the images is/)
  })
})
