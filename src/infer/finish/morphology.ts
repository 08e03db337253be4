import * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import type { Box } from '../components.ts'
import type { LabelMap } from '../image.ts'
import { finishStep } from '../step.ts'
import { ballRows, growBits, invert, packBits, unpackBits } from './bit-volume.ts'
import { roundingMargin, squaredDistances } from './distance.ts'
import { valueAs, writableLabels } from './kinds.ts'
import { boxesOfLabels } from './label-boxes.ts'
import { cropMask, forEachRow } from './mask-crop.ts'

export type Operation = 'dilate' | 'erode' | 'open' | 'close'

const options = z.strictObject({
  /** Of the ball, mm: voxels whose centre lies at this distance belong to it. */
  radius: z.number().positive().max(100),
  /** Labels that are worked on, each by itself; left out: all. */
  labels: z.array(z.int().min(1).max(255)).min(1).optional(),
  /** `volume`: a ball; `slice`: a disc in each plane along the grid's first two axes. */
  within: z.enum(['volume', 'slice']).default('volume'),
})

/**
 * Works on each label with a ball in mm. Only background is gained: where two labels would grow into the same voxel, the lower one has it. Beyond
 * the border of the grid a region is taken to go on when it is eroded or opened, and nothing grows in from there; so a label that the field of
 * view cuts off is not eroded at the cut, and an image of one slice is worked on in its plane.
 */
function morphologyStep(operation: Operation, summary: string) {
  return finishStep({
    summary,
    options,
    takes: ['labels'],
    gives: 'labels',
    apply(value, { radius, labels: wanted, within }, context) {
      // Growing labels must not see what others have gained; others are worked on where they are.
      const grows = operation === 'dilate' || operation === 'close'
      const source = grows ? valueAs('labels', value, operation).labels : writableLabels(value, context, operation)
      const result = grows ? source.labels.slice() : source.labels
      for (const box of boxesOfLabels(source, wanted))
        for (const part of within === 'slice' ? slicesOf(box) : [box])
          changeLabel(source, result, { operation, radius, within, label: box.label, box: part })
      return { kind: 'labels', labels: { grid: source.grid, labels: result } }
    },
  })
}

function slicesOf({ low, high }: Box): Box[] {
  return Array.from({ length: high[2] - low[2] }, (_, n) => ({
    low: [low[0], low[1], low[2] + n],
    high: [high[0], high[1], low[2] + n + 1],
  }))
}

function changeLabel(
  source: LabelMap,
  result: Uint8Array,
  at: { operation: Operation; radius: number; within: 'volume' | 'slice'; label: number; box: Box },
): void {
  const { operation, radius, label, box } = at
  const { size, spacing } = source.grid
  const grows = operation === 'dilate' || operation === 'close'
  // Along an axis of one voxel there is nowhere to grow to.
  const margin = [0, 1, 2].map((axis) => {
    if (size[axis] === 1 || (axis === 2 && at.within === 'slice')) return 0
    return grows ? Math.floor((radius / (spacing[axis] as number)) * (1 + roundingMargin)) + 1 : 1
  }) as [number, number, number]
  const crop = cropMask(source, label, box, { margin, clip: operation !== 'close' })
  const { mask } = crop
  morphology(mask, crop.size, spacing, { operation, radius })
  forEachRow(crop, size, (inGrid, inCrop, length) => {
    for (let n = 0; n < length; n++) {
      const i = inGrid + n
      const inside = mask[inCrop + n] === 1
      if (grows) {
        if (inside && result[i] === 0) result[i] = label
      } else if (!inside && result[i] === label) result[i] = 0
    }
  })
}

/** Changes a mask (1 inside) by a ball of a radius in mm; what lies outside of the mask's array neither grows in nor erodes. */
export function morphology(
  mask: Uint8Array,
  size: readonly [number, number, number],
  spacing: Vector,
  { operation, radius }: { operation: Operation; radius: number },
): void {
  const steps: Record<Operation, readonly (0 | 1)[]> = { dilate: [1], erode: [0], open: [0, 1], close: [1, 0] }
  const ball = ballRows(radius, spacing, size)
  if (ball.length > mostRows) {
    for (const value of steps[operation]) growByDistance(mask, size, spacing, { value, radius })
    return
  }
  let bits = packBits(mask, size)
  for (const value of steps[operation]) {
    // Growing the inside is dilation; growing the outside, erosion.
    if (value === 0) invert(bits)
    bits = growBits(bits, ball)
    if (value === 0) invert(bits)
  }
  unpackBits(bits, mask)
}

/** Balls of more rows are larger than what is fast row by row: the distance transform takes the same time for every radius. */
const mostRows = 1500

/** Gives every voxel a value that is not further than the radius from a voxel that has it. */
export function growByDistance(
  mask: Uint8Array,
  size: readonly [number, number, number],
  spacing: Vector,
  { value, radius }: { value: 0 | 1; radius: number },
): void {
  const distances = squaredDistances(mask, size, spacing, { value, limit: radius })
  for (let i = 0; i < mask.length; i++) if (distances[i] !== Number.POSITIVE_INFINITY) mask[i] = value
}

export const dilate = morphologyStep('dilate', 'Grows labels into the background by a ball of a radius in mm.')
export const erode = morphologyStep('erode', 'Shrinks labels by a ball of a radius in mm.')
export const open = morphologyStep(
  'open',
  'Removes what a ball of a radius in mm does not fit into: thin bridges, specks.',
)
export const close = morphologyStep('close', 'Fills dents and gaps that a ball of a radius in mm does not fit into.')
