import * as z from 'zod'
import type { Grid } from '../image.ts'
import { FinishError } from './error.ts'

const perAxis = z.array(z.number().positive()).min(2).max(3)

/** Where a detector's anchors stand, and how its deltas are meant. */
export const anchorOptions = z.strictObject({
  /** Feature maps, in the order of the tensor's rows. */
  levels: z
    .array(
      z.strictObject({
        /** Pixels of the model's input from one position to the next, along x, y (and z). */
        stride: perAxis,
        /** Width, height (and depth) of the anchors of each position, pixels, in the order of the rows. */
        shapes: z.array(perAxis).min(1),
        /** Positions along x, y (and z); left out: the input's size over the stride, rounded up. */
        positions: z.array(z.int().min(1)).min(2).max(3).optional(),
      }),
    )
    .min(1),
  /** Centre of the first anchor, in strides from the corner of the image: 0 as torchvision and MONAI have it, 0.5 for the middle. */
  offset: z.number().min(0).max(1).default(0),
  /** Which axis runs fastest over the positions: x where the tensor's last axis is x (NCHW, NCDHW), else the last (NCXYZ). */
  fastest: z.enum(['x', 'last']).default('x'),
  /** Deltas are divided by these: one for each of them. */
  weights: z.array(z.number().positive()).min(4).max(6).optional(),
  /** Greatest delta of a size: ln(1000 / 16) as torchvision has it. */
  largestGrowth: z
    .number()
    .positive()
    .default(Math.log(1000 / 16)),
})
export type AnchorOptions = z.output<typeof anchorOptions>

/** Anchors one after the other: centre x, y (z), then width, height (depth), in pixels from the corner of the image. */
export function anchorsOf({ levels, offset, fastest }: AnchorOptions, { size }: Grid, dimensions: 2 | 3): Float64Array {
  const all: number[] = []
  const axes = ([0, 1, 2] as const).filter((axis) => axis < dimensions)
  for (const { stride, shapes, positions } of levels) {
    const strides = axes.map((axis) => stride[axis] ?? wrongLevel(dimensions))
    const counts = axes.map((axis) => positions?.[axis] ?? Math.ceil(size[axis] / (strides[axis] as number)))
    const total = counts.reduce((product, count) => product * count, 1)
    const order = fastest === 'x' ? axes : axes.toReversed()
    const at = new Int32Array(dimensions)
    for (let position = 0; position < total; position++) {
      let rest = position
      for (const axis of order) {
        at[axis] = rest % (counts[axis] as number)
        rest = Math.floor(rest / (counts[axis] as number))
      }
      for (const shape of shapes) {
        for (const axis of axes) all.push(((at[axis] as number) + offset) * (strides[axis] as number))
        for (const axis of axes) all.push(shape[axis] ?? wrongLevel(dimensions))
      }
    }
  }
  return Float64Array.from(all)
}

function wrongLevel(dimensions: number): never {
  throw new FinishError('wrong-value', `anchors: a stride and shapes of ${dimensions} numbers are expected`)
}

/**
 * Centre and size of the box that deltas make of an anchor: the centre moves by parts of the anchor's size, the size grows by a factor of e to
 * the delta (Girshick et al., CVPR 2014, appendix C). Overwrites the deltas.
 */
export function applyDeltas(
  deltas: Float64Array,
  anchor: Float64Array,
  { weights, largestGrowth }: Pick<AnchorOptions, 'weights' | 'largestGrowth'>,
): void {
  const dimensions = deltas.length / 2
  for (let a = 0; a < dimensions; a++) {
    const size = anchor[dimensions + a] as number
    const move = (deltas[a] as number) / (weights?.[a] ?? 1)
    const growth = Math.min(largestGrowth, (deltas[dimensions + a] as number) / (weights?.[dimensions + a] ?? 1))
    deltas[a] = (anchor[a] as number) + move * size
    deltas[dimensions + a] = Math.exp(growth) * size
  }
}
