import * as z from 'zod'
import { numberComponents } from '../components.ts'
import { FinishError } from '../finish/error.ts'
import { placeOf } from '../image.ts'
import type { Box } from '../value.ts'
import { type Measured, quantity } from './quantity.ts'
import { segmentMask } from './segment.ts'
import { perAxis } from './size.ts'
import { asPart } from './units.ts'

export const componentCount = quantity({
  summary: 'Number of connected parts of the segment.',
  options: z.strictObject({
    /** Which neighbours hang together: by faces (6), by edges too (18), by corners too (26). */
    connectivity: z.union([z.literal(6), z.literal(18), z.literal(26)]).default(26),
    /** mL; smaller parts are not counted. */
    minimumVolume: z.number().positive().optional(),
  }),
  unit: '1',
  subject: 'segment',
  apply(segment, { connectivity, minimumVolume = 0 }, { unit = '1' }) {
    const crop = segmentMask(segment)
    if (!crop) return [{ value: 0, unit }]
    const { spacing } = segment.labels.grid
    const parts = numberComponents({ size: crop.size, spacing }, { labels: crop.mask, value: 1 }, { connectivity })
    const least = (minimumVolume * 1000) / (spacing[0] * spacing[1] * spacing[2]) - 1e-6
    return [{ value: parts.voxels.reduce((count, voxels) => count + (voxels >= least ? 1 : 0), 0), unit }]
  },
})

const whichBox = z.strictObject({
  /** Index of the box, from 0; boxes are taken in order of their score, the highest first. */
  index: z.int().min(0).default(0),
  /** Only boxes of this class count; left out: all. */
  class: z.int().min(0).optional(),
})

function chosen(boxes: readonly Box[], which: z.output<typeof whichBox>): Box | undefined {
  return boxes
    .filter((box) => which.class === undefined || box.class === which.class)
    .sort((a, b) => b.score - a.score)[which.index]
}

export const boxSize = quantity({
  summary: 'Size of a box along the axes of its grid: parts x, y, z; a flat box has no z.',
  options: whichBox,
  unit: 'mm',
  subject: 'boxes',
  apply({ grid, boxes }, which, context) {
    const box = chosen(boxes, which)
    const lengths = [0, 1, 2].map((a) =>
      box ? ((box.to[a] as number) - (box.from[a] as number)) * (grid.spacing[a] as number) : Number.NaN,
    )
    const places = box && [placeOf(grid, box.from), placeOf(grid, box.to)]
    return perAxis(lengths, context)
      .map((one): Measured => (places ? { ...one, places } : one))
      .filter(({ part }) => part !== 'z' || !box || box.to[2] > box.from[2])
  },
})

export const boxScore = quantity({
  summary: 'Score of a box, 0 to 1; 0 where there is no such box.',
  options: whichBox,
  unit: '1',
  subject: 'boxes',
  apply: ({ boxes }, which, { unit }) => [asPart(chosen(boxes, which)?.score ?? 0, unit)],
})

export const boxCount = quantity({
  summary: 'Number of boxes, of one class or of all, with at least a score.',
  options: whichBox.omit({ index: true }).extend({ minimumScore: z.number().default(0) }),
  unit: '1',
  subject: 'boxes',
  apply: ({ boxes }, which, { unit = '1' }) => [
    {
      value: boxes.filter(
        (box) => box.score >= which.minimumScore && (which.class === undefined || box.class === which.class),
      ).length,
      unit,
    },
  ],
})

/** @throws {FinishError} `wrong-value` where there is no such number */
function numberAt(numbers: Float64Array, index: number): number {
  const value = numbers[index]
  if (value === undefined)
    throw new FinishError('wrong-value', `number ${index} is to be measured, there are ${numbers.length}`)
  return value
}

export const number = quantity({
  summary: 'One of the numbers of a classifier or a regression, in the unit that it is in.',
  options: z.strictObject({ index: z.int().min(0).default(0) }),
  unit: '1',
  subject: 'numbers',
  apply: ({ numbers }, { index }, { unit = '1' }) => [{ value: numberAt(numbers, index), unit }],
})

export const probability = quantity({
  summary: 'A probability, 0 to 1, of a classifier’s numbers; can be given in %.',
  options: z.strictObject({ index: z.int().min(0).default(0) }),
  unit: '1',
  subject: 'numbers',
  apply: ({ numbers }, { index }, { unit }) => [asPart(numberAt(numbers, index), unit)],
})
