import path from 'node:path'
import { itemsOf, numberOf, numbersOf } from '../../../src/dicom/dataset.ts'
import { locateFrames, readFrame, readInstanceFile } from '../../../src/dicom/instance-file.ts'
import type { InferOutcome } from '../../../src/infer/task.ts'
import { size } from '../engine/cube.ts'

/** What a segment holds: how many voxels, and the least and greatest of their indices along columns, rows and slices. */
export interface SegmentVoxels {
  count: number
  low: number[]
  high: number[]
}

/** Counts the voxels of a segment in the segmentation that a run on the cube's series wrote. */
export async function segmentVoxels(
  outcome: InferOutcome & { outFolder: string },
  segment = 1,
): Promise<SegmentVoxels> {
  if (outcome.kind !== 'done') throw new Error(`${outcome.kind}: ${outcome.reason}`)
  const result = outcome.results.find(({ role }) => role === 'segmentation')
  if (!result) throw new Error('there is no segmentation')
  const file = await readInstanceFile(path.join(outcome.outFolder, result.file))
  const places = itemsOf(file.elements, 'PerFrameFunctionalGroupsSequence').map((groups) => ({
    segment: numberOf(itemsOf(groups, 'SegmentIdentificationSequence')[0] ?? {}, 'ReferencedSegmentNumber'),
    // Slices of the series are 3 mm apart.
    k: (numbersOf(itemsOf(groups, 'PlanePositionSequence')[0] ?? {}, 'ImagePositionPatient')?.[2] ?? Number.NaN) / 3,
  }))
  const found: SegmentVoxels = { count: 0, low: [size, size, size], high: [-1, -1, -1] }
  // Bits of all frames follow one another.
  const bits = await readFrame(file, (await locateFrames(file)).flat())
  for (const [index, place] of places.entries()) {
    if (place.segment !== segment) continue
    for (let i = 0; i < size * size; i++) {
      const bit = index * size * size + i
      if ((((bits[bit >> 3] as number) >> (bit & 7)) & 1) === 0) continue
      const indices = [i % size, Math.floor(i / size), place.k]
      found.count++
      for (const [axis, at] of indices.entries()) {
        found.low[axis] = Math.min(found.low[axis] ?? size, at)
        found.high[axis] = Math.max(found.high[axis] ?? -1, at)
      }
    }
  }
  return found
}
