import * as z from 'zod'
import { type Box, type Connectivity, numberComponents } from '../components.ts'
import { type LabelMap } from '../image.ts'
import { maskOn } from '../mask.ts'
import { finishStep } from '../step.ts'
import { writableLabels } from './kinds.ts'
import { boxesOfLabels, union } from './label-boxes.ts'

const common = {
  /** Labels that are looked at; left out: all. Others stay as they are. */
  labels: z.array(z.int().min(1).max(255)).min(1).optional(),
  /** Which neighbours hang together: by faces (6), by edges too (18), by corners too (26). */
  connectivity: z.union([z.literal(6), z.literal(18), z.literal(26)]).default(26),
  /** `label`: each label has components of its own; `foreground`: labels that touch are one component. */
  per: z.enum(['label', 'foreground']).default('label'),
}

/** Which components stay: those that meet every condition that is given; `largest` looks at what the others leave. */
interface Keep {
  largest?: number | undefined
  /** Voxels. */
  minimumVoxels?: number | undefined
  mask?: Uint8Array | undefined
  minimumOverlap?: number | undefined
}

export const largestComponent = finishStep({
  summary: 'Of each label only the largest connected component stays.',
  options: z.strictObject(common),
  takes: ['labels'],
  gives: 'labels',
  apply(value, options, context) {
    const map = writableLabels(value, context, 'largest-component')
    filterComponents(map, { ...options, keep: { largest: 1 } })
    return { kind: 'labels', labels: map }
  },
})

export const components = finishStep({
  summary:
    'Of each label only connected components stay that are large enough, among the largest, or overlap another value.',
  options: z.strictObject({
    ...common,
    keep: z
      .strictObject({
        /** So many, the largest first. */
        largest: z.int().min(1).optional(),
        /** mL, this volume included. */
        minimumVolume: z.number().positive().optional(),
        /** Name of a value: components stay that have voxels in common with it (labels: all but 0; an image: above 0.5; boxes: inside). */
        overlapping: z.string().min(1).optional(),
        /** Part of the component's voxels that must lie in it; left out: one voxel is enough. */
        minimumOverlap: z.number().min(0).max(1).optional(),
      })
      .refine(
        ({ largest, minimumVolume, overlapping }) =>
          largest !== undefined || minimumVolume !== undefined || overlapping,
        'largest, minimumVolume or overlapping is expected',
      )
      .refine(
        ({ overlapping, minimumOverlap }) => minimumOverlap === undefined || overlapping !== undefined,
        'minimumOverlap needs overlapping',
      ),
  }),
  takes: ['labels'],
  gives: 'labels',
  needs: ({ keep }) => (keep.overlapping === undefined ? [] : [keep.overlapping]),
  apply(value, { keep, ...options }, context) {
    const map = writableLabels(value, context, 'components')
    const { largest, minimumVolume, overlapping, minimumOverlap } = keep
    const [sx, sy, sz] = map.grid.spacing
    filterComponents(map, {
      ...options,
      keep: {
        largest,
        // A part of a voxel is rounding, not volume.
        minimumVoxels: minimumVolume && (minimumVolume * 1000) / (sx * sy * sz) - 1e-6,
        mask: overlapping === undefined ? undefined : maskOn(context.valueOf(overlapping), map.grid, overlapping),
        minimumOverlap,
      },
    })
    return { kind: 'labels', labels: map }
  },
})

function filterComponents(
  map: LabelMap,
  options: {
    labels?: readonly number[] | undefined
    connectivity: Connectivity
    per: 'label' | 'foreground'
    keep: Keep
  },
): void {
  const boxes = boxesOfLabels(map, options.labels)
  if (options.per === 'label') {
    for (const { label, low, high } of boxes)
      filterOne(map, { labels: map.labels, value: label }, { ...options, box: { low, high } })
    return
  }
  const box = union(boxes)
  if (!box) return
  const wanted = new Uint8Array(256)
  for (const { label } of boxes) wanted[label] = 1
  filterOne(map, (i) => wanted[map.labels[i] as number] === 1, { ...options, box })
}

function filterOne(
  { grid, labels }: LabelMap,
  members: Parameters<typeof numberComponents>[1],
  { connectivity, box, keep }: { connectivity: Connectivity; box: Box; keep: Keep },
): void {
  const parts = numberComponents(grid, members, { connectivity, box })
  const stays = new Uint8Array(parts.count).fill(1)
  if (keep.minimumVoxels !== undefined)
    for (let n = 0; n < parts.count; n++) if ((parts.voxels[n] as number) < keep.minimumVoxels) stays[n] = 0
  if (keep.mask) {
    const inside = new Float64Array(parts.count)
    parts.forEachRun(({ offset, length, component }) => {
      let count = 0
      for (let i = offset; i < offset + length; i++) count += keep.mask?.[i] as number
      inside[component] = (inside[component] as number) + count
    })
    for (let n = 0; n < parts.count; n++) {
      const least = Math.max(1, (keep.minimumOverlap ?? 0) * (parts.voxels[n] as number) - 1e-6)
      if ((inside[n] as number) < least) stays[n] = 0
    }
  }
  if (keep.largest !== undefined) keepLargest(parts.voxels, stays, keep.largest)
  parts.forEachRun(({ offset, length, component }) => {
    if (stays[component] === 0) labels.fill(0, offset, offset + length)
  })
}

/** Of the components that stay only the largest do; of equal ones, the first. */
function keepLargest(voxels: Float64Array, stays: Uint8Array, count: number): void {
  const order = Uint32Array.from(stays.keys()).filter((n) => stays[n] === 1)
  order.sort((a, b) => (voxels[b] as number) - (voxels[a] as number) || a - b)
  for (const n of order.subarray(count)) stays[n] = 0
}
