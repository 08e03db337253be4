import { InferError } from './error.ts'
import { type Grid, type LabelMap, voxelsOf } from './image.ts'
import { translatedShares } from './label-shares.ts'
import { labelsOnto } from './prepare/labels-onto.ts'
import { resampleOnto } from './prepare/resample.ts'
import type { Box, Value } from './value.ts'

/**
 * A value as a mask on a grid: 1 where it has a label (one of `labels`, where they are named), where the first channel of an image is above 0.5,
 * or inside its boxes. Labels and boxes that lie on another grid are brought onto this one as labels are; an image is interpolated
 * (linear, 0 beyond it) first, and compared with 0.5 then.
 * @throws {InferError} `wrong-value` where it is none of these
 */
export function maskOn(value: Value, grid: Grid, name: string, labels?: readonly number[]): Uint8Array {
  switch (value.kind) {
    case 'labels':
      return labelsOnto(chosen(value.labels, labels), grid).labels
    case 'image': {
      const { image } = value
      const first = { ...image, channels: 1, data: image.data.subarray(0, voxelsOf(image.grid)) }
      const { data } = resampleOnto(first, grid, { outside: 0 })
      const mask = new Uint8Array(voxelsOf(grid))
      for (let i = 0; i < mask.length; i++) if ((data[i] as number) > 0.5) mask[i] = 1
      return mask
    }
    case 'boxes': {
      const mask = new Uint8Array(voxelsOf(value.grid))
      for (const box of value.boxes) fillBox({ grid: value.grid, labels: mask }, box, 1)
      return labelsOnto({ grid: value.grid, labels: mask }, grid).labels
    }
    default:
      throw new InferError(
        'wrong-value',
        `${name} is no mask: it is ${value.kind}, labels, an image or boxes are expected`,
      )
  }
}

/** 1 for the labels that are wanted (left out: all). */
function chosen({ grid, labels, shares }: LabelMap, wanted?: readonly number[]): LabelMap {
  const table = new Uint8Array(256).fill(wanted ? 0 : 1)
  table[0] = 0
  for (const label of wanted ?? []) table[label] = 1
  const mask = new Uint8Array(labels.length)
  for (let i = 0; i < mask.length; i++) mask[i] = table[labels[i] as number] as number
  return { grid, labels: mask, shares: shares && translatedShares(shares, table) }
}

/** First and last voxel of a box along each axis: those whose centres lie in it, or the nearest one; null where it misses the grid. */
export function voxelsIn(
  { size }: Grid,
  { from, to }: Pick<Box, 'from' | 'to'>,
): { first: [number, number, number]; last: [number, number, number] } | null {
  const first: [number, number, number] = [0, 0, 0]
  const last: [number, number, number] = [0, 0, 0]
  for (const axis of [0, 1, 2] as const) {
    let low = Math.ceil(from[axis] - 1e-9)
    let high = Math.floor(to[axis] + 1e-9)
    if (high < low) low = high = Math.round((from[axis] + to[axis]) / 2)
    if (high < 0 || low >= size[axis]) return null
    first[axis] = Math.max(0, low)
    last[axis] = Math.min(size[axis] - 1, high)
  }
  return { first, last }
}

/** Gives the voxels of a box a label. */
export function fillBox({ grid, labels }: LabelMap, box: Pick<Box, 'from' | 'to'>, label: number): void {
  const inside = voxelsIn(grid, box)
  if (!inside) return
  const { first, last } = inside
  for (let k = first[2]; k <= last[2]; k++)
    for (let j = first[1]; j <= last[1]; j++) {
      const row = (k * grid.size[1] + j) * grid.size[0]
      labels.fill(label, row + first[0], row + last[0] + 1)
    }
}
