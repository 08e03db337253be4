import { FinishError } from '../finish/error.ts'
import { type LabelBox, labelBoxes, union } from '../finish/label-boxes.ts'
import { cropMask, type MaskCrop, membership } from '../finish/mask-crop.ts'
import { type Image, type LabelMap, voxelsOf } from '../image.ts'
import { isSameGrid } from '../prepare/grid-mapping.ts'
import type { Subjects } from './quantity.ts'

/** Boxes of label maps that were measured before: a map is passed over once, whatever is measured in it. It must not change any more. */
const known = new WeakMap<Uint8Array, LabelBox[]>()

/** Box and voxels of every label of a map that is measured. */
export function boxesOf(map: LabelMap): readonly LabelBox[] {
  const before = known.get(map.labels)
  if (before) return before
  const boxes = labelBoxes(map)
  known.set(map.labels, boxes)
  return boxes
}

/** Voxels of a segment. */
export function voxelCount({ labels, values }: Subjects['segment']): number {
  return boxesOf(labels).reduce((sum, { label, voxels }) => (values.includes(label) ? sum + voxels : sum), 0)
}

/**
 * The mask of a segment, in the box around it; null where it has no voxel.
 * @param margin voxels around it along each axis, as far as the grid goes
 */
export function segmentMask(
  { labels, values }: Subjects['segment'],
  margin: readonly [number, number, number] = [0, 0, 0],
): MaskCrop | null {
  const box = union(boxesOf(labels).filter(({ label }) => values.includes(label)))
  return box && cropMask(labels, membership(values), box, { margin })
}

/** One channel of an image, on the grid of the labels. @throws {FinishError} `different-grids`, `wrong-value` where there is no such channel */
export function channelOn({ grid }: LabelMap, image: Image, channel: number): Image['data'] {
  if (!isSameGrid(image.grid, grid))
    throw new FinishError('different-grids', 'the image that is measured and the segments have different grids')
  if (channel >= image.channels)
    throw new FinishError('wrong-value', `channel ${channel} is to be measured, the image has ${image.channels}`)
  const voxels = voxelsOf(grid)
  return image.channels === 1 ? image.data : image.data.subarray(channel * voxels, (channel + 1) * voxels)
}
