import * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import { numberComponents } from '../components.ts'
import { type Grid, type LabelMap, voxelsOf } from '../image.ts'
import { maskOn, voxelsIn } from '../mask.ts'
import { finishStep } from '../step.ts'
import type { Box, Value } from '../value.ts'
import { FinishError } from './error.ts'
import { writableLabels } from './kinds.ts'
import { boxesOfLabels } from './label-boxes.ts'

const byMask = z.strictObject({
  /** Name of the value that is the mask: labels (all but 0), an image (above 0.5), or boxes. It may lie on another grid. */
  mask: z.string().min(1),
  /** Labels of the mask that count; left out: all. */
  maskLabels: z.array(z.int().min(1).max(255)).min(1).optional(),
  /** What voxels of an image get that are removed. */
  fill: z.number().default(0),
})

export const keepInside = finishStep({
  summary:
    'Voxels outside of a mask become background (in images: a value), boxes and points whose centre lies outside are removed.',
  options: byMask,
  takes: ['labels', 'image', 'boxes', 'points'],
  gives: { labels: 'labels', image: 'image', boxes: 'boxes', points: 'points' },
  needs: ({ mask }) => [mask],
  apply: (value, options, context) => removeWhere(value, { ...options, inside: 0 }, context),
})

export const removeInside = finishStep({
  summary:
    'Voxels inside of a mask become background (in images: a value), boxes and points whose centre lies inside are removed.',
  options: byMask,
  takes: ['labels', 'image', 'boxes', 'points'],
  gives: { labels: 'labels', image: 'image', boxes: 'boxes', points: 'points' },
  needs: ({ mask }) => [mask],
  apply: (value, options, context) => removeWhere(value, { ...options, inside: 1 }, context),
})

export const removeOutside = finishStep({
  summary:
    'Connected components, boxes and points that have nothing in common with a mask are removed; those that overlap it stay whole.',
  options: byMask.omit({ fill: true }).extend({
    /** Of components: by faces (6), by edges too (18), by corners too (26). */
    connectivity: z.union([z.literal(6), z.literal(18), z.literal(26)]).default(26),
  }),
  takes: ['labels', 'boxes', 'points'],
  gives: { labels: 'labels', boxes: 'boxes', points: 'points' },
  needs: ({ mask }) => [mask],
  apply(value, { mask: name, maskLabels, connectivity }, context) {
    const mask = maskOn(context.valueOf(name), gridOf(value), name, maskLabels)
    if (value.kind === 'labels') {
      const map = writableLabels(value, context, 'remove-outside')
      removeApart(map, mask, connectivity)
      return { kind: 'labels', labels: map }
    }
    return keepWhere(value, {
      box: (box, grid) => overlaps(grid, box, mask),
      point: (at, grid) => maskAt(grid, at, mask),
    })
  },
})

function removeWhere(
  value: Value,
  { mask: name, maskLabels, fill, inside }: z.output<typeof byMask> & { inside: 0 | 1 },
  context: { owned?: boolean; valueOf(name: string): Value },
): Value {
  const mask = maskOn(context.valueOf(name), gridOf(value), name, maskLabels)
  if (value.kind === 'labels') {
    const map = writableLabels(value, context, 'a mask')
    for (let i = 0; i < mask.length; i++) if (mask[i] === inside) map.labels[i] = 0
    return { kind: 'labels', labels: map }
  }
  if (value.kind === 'image') {
    const { grid, channels } = value.image
    const data = context.owned ? value.image.data : value.image.data.slice()
    const voxels = voxelsOf(grid)
    for (let start = 0; start < data.length; start += voxels)
      for (let i = 0; i < voxels; i++) if (mask[i] === inside) data[start + i] = fill
    return { kind: 'image', image: { grid, channels, data } }
  }
  const stays = (at: Vector, grid: Grid): boolean => maskAt(grid, at, mask) === (inside === 0)
  return keepWhere(value, {
    box: ({ from, to }, grid) =>
      stays([0, 1, 2].map((a) => ((from[a] as number) + (to[a] as number)) / 2) as unknown as Vector, grid),
    point: stays,
  })
}

function gridOf(value: Value): Grid {
  switch (value.kind) {
    case 'labels':
      return value.labels.grid
    case 'image':
      return value.image.grid
    case 'numbers':
      throw new FinishError('wrong-value', 'a mask has nothing to do with numbers')
    default:
      return value.grid
  }
}

function keepWhere(
  value: Value,
  stays: { box: (box: Box, grid: Grid) => boolean; point: (at: Vector, grid: Grid) => boolean },
): Value {
  if (value.kind === 'boxes') return { ...value, boxes: value.boxes.filter((box) => stays.box(box, value.grid)) }
  if (value.kind === 'points') return { ...value, points: value.points.filter(({ at }) => stays.point(at, value.grid)) }
  throw new FinishError('wrong-value', `a mask cannot be applied to ${value.kind}`)
}

function maskAt({ size }: Grid, at: Vector, mask: Uint8Array): boolean {
  const [i, j, k] = at.map(Math.round) as [number, number, number]
  if (i < 0 || j < 0 || k < 0 || i >= size[0] || j >= size[1] || k >= size[2]) return false
  return mask[(k * size[1] + j) * size[0] + i] === 1
}

function overlaps(grid: Grid, box: Box, mask: Uint8Array): boolean {
  const inside = voxelsIn(grid, box)
  if (!inside) return false
  const { first, last } = inside
  for (let k = first[2]; k <= last[2]; k++)
    for (let j = first[1]; j <= last[1]; j++) {
      const row = (k * grid.size[1] + j) * grid.size[0]
      const found = mask.subarray(row + first[0], row + last[0] + 1).indexOf(1)
      if (found >= 0) return true
    }
  return false
}

function removeApart(map: LabelMap, mask: Uint8Array, connectivity: 6 | 18 | 26): void {
  for (const { label, ...box } of boxesOfLabels(map)) {
    const parts = numberComponents(map.grid, { labels: map.labels, value: label }, { connectivity, box })
    const touches = new Uint8Array(parts.count)
    parts.forEachRun(({ offset, length, component }) => {
      if (touches[component] === 0 && mask.subarray(offset, offset + length).indexOf(1) >= 0) touches[component] = 1
    })
    parts.forEachRun(({ offset, length, component }) => {
      if (touches[component] === 0) map.labels.fill(0, offset, offset + length)
    })
  }
}
