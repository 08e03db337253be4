import * as z from 'zod'
import { type Box, numberComponents } from '../components.ts'
import type { LabelMap } from '../image.ts'
import { finishStep } from '../step.ts'
import { writableLabels } from './kinds.ts'
import { boxesOfLabels } from './label-boxes.ts'

/**
 * Background that a label encloses becomes that label. What can be reached from the border of the grid is no hole; other labels inside of a label
 * stay, and count as enclosed with it.
 */
export const fillHoles = finishStep({
  summary: 'Background that a label encloses on all sides becomes that label, in the volume or slice by slice.',
  options: z.strictObject({
    /** Labels whose holes are filled, the lowest first; left out: all. */
    labels: z.array(z.int().min(1).max(255)).min(1).optional(),
    /** `volume`: enclosed in space (6 neighbours); `slice`: in each plane along the grid's first two axes (4 neighbours). */
    within: z.enum(['volume', 'slice']).default('volume'),
    /** mL; larger holes stay. Left out: all are filled. */
    maximumVolume: z.number().positive().optional(),
  }),
  takes: ['labels'],
  gives: 'labels',
  apply(value, { labels: wanted, within, maximumVolume = Number.POSITIVE_INFINITY }, context) {
    const map = writableLabels(value, context, 'fill-holes')
    const [sx, sy, sz] = map.grid.spacing
    const largest = (maximumVolume * 1000) / (sx * sy * sz)
    for (const { label, low, high } of boxesOfLabels(map, wanted)) {
      // In an image of one slice nothing is enclosed in space.
      if (within === 'volume' && map.grid.size[2] > 1) fill(map, label, { low, high }, { connectivity: 6, largest })
      else
        for (let k = low[2]; k < high[2]; k++)
          fill(map, label, { low: [low[0], low[1], k], high: [high[0], high[1], k + 1] }, { connectivity: 4, largest })
    }
    return { kind: 'labels', labels: map }
  },
})

/** @param box the tight box of the label: what reaches its faces from within is open, because nothing of the label lies beyond */
function fill(
  { grid, labels }: LabelMap,
  label: number,
  box: Box,
  { connectivity, largest }: { connectivity: 4 | 6; largest: number },
): void {
  const rest = numberComponents(grid, (i) => labels[i] !== label, { connectivity, box })
  const open = new Uint8Array(rest.count)
  const { low, high } = box
  rest.forEachRun(({ x, y, z: slice, length, component }) => {
    const atFace =
      x === low[0] || x + length === high[0] || y === low[1] || y + 1 === high[1] ||
      (connectivity === 6 && (slice === low[2] || slice + 1 === high[2])) // biome-ignore format: one face a term
    if (atFace) open[component] = 1
  })
  rest.forEachRun(({ offset, length, component }) => {
    if (open[component] === 1 || (rest.voxels[component] as number) > largest) return
    for (let i = offset; i < offset + length; i++) if (labels[i] === 0) labels[i] = label
  })
}
