import * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import { refusal } from '../error.ts'
import type { Image } from '../image.ts'
import { valueName } from '../manifest/vocabulary.ts'
import { prepareStep } from '../step.ts'
import { bodyBox } from './body.ts'
import { boxOfBoxes, boxOfMask, boxOfNonZero } from './boxes.ts'
import { type Border, clippedBox, cutBox, cutOut, fitted } from './fit.ts'
import type { Size } from './gather.ts'
import { outsideOf } from './grid-steps.ts'
import { margin, type Outside, outside, size } from './options.ts'

/** Steps that cut parts out of an image, or put a border around it. */

/** Where nothing is found to crop to. */
const empty = z.enum(['refuse', 'keep']).default('refuse')

function cropped(
  image: Image,
  box: { low: Vector; high: Vector } | null,
  options: { margin: number; empty: 'refuse' | 'keep' },
  what: string,
): Image {
  const clipped = box ? clippedBox(image, box, options.margin) : null
  if (clipped) return cutBox(image, clipped)
  if (options.empty === 'refuse') throw refusal(`there is nothing to crop to: ${what}`)
  return image
}

const cropBody = prepareStep({
  summary: 'Crops to the largest connected part above a threshold: the body, without table and air.',
  options: z.strictObject({
    /** In units of the image (-300 is between air and fat in HU). Left out: Otsu’s, between dark and light. */
    threshold: z.number().optional(),
    margin,
    empty,
  }),
  apply: (image, options) =>
    cropped(
      image,
      bodyBox(image, options.threshold),
      options,
      `no voxel is above ${options.threshold ?? 'the threshold'}`,
    ),
})

const cropNonzero = prepareStep({
  summary: 'Crops to what is not 0 in any channel.',
  options: z.strictObject({ margin, empty }),
  apply: (image, options) => cropped(image, boxOfNonZero(image), options, 'all values are 0'),
})

const cropTo = prepareStep({
  summary: 'Crops to the mask, labels or boxes that another value is.',
  options: z
    .strictObject({
      /** Labels, or an image above 0.5. */
      mask: valueName.optional(),
      /** Labels that count; left out: all. */
      labels: z.array(z.int().min(1).max(255)).min(1).optional(),
      boxes: valueName.optional(),
      /** Boxes below this score do not count. */
      score: z.number().default(0),
      margin,
      /** A box of this many voxels around the middle in the place of one that fits; beyond the image it is filled. */
      size: size.optional(),
      fill: outside.default('minimum'),
      empty,
    })
    .refine((o) => (o.mask === undefined) !== (o.boxes === undefined), 'either mask or boxes is expected'),
  needs: ({ mask, boxes }) => [mask, boxes].filter((name) => name !== undefined),
  apply(image, options, context) {
    const name = (options.mask ?? options.boxes) as string
    const box =
      options.mask === undefined
        ? boxOfBoxes(image, name, options.score, context)
        : boxOfMask(image, name, options.labels, context)
    if (!box || options.size === undefined) return cropped(image, box, options, `${name} is empty`)
    const wanted = sizeOf(image, options.size)
    const low = wanted.map((length, axis) =>
      options.size && axis < options.size.length
        ? Math.round(((box.low[axis] as number) + (box.high[axis] as number)) / 2 - (length - 1) / 2)
        : 0,
    )
    return cutOut(image, low as unknown as Vector, wanted, outsideOf(image, options.fill))
  },
})

function sizeOf({ grid }: Image, wanted: readonly number[]): Size {
  return [wanted[0] ?? grid.size[0], wanted[1] ?? grid.size[1], wanted[2] ?? grid.size[2]]
}

const cropCentre = prepareStep({
  summary: 'Crops to at most a size around the middle.',
  options: z.strictObject({ size }),
  apply(image, options) {
    const wanted = sizeOf(image, options.size)
    return fitted(
      image,
      wanted.map((length, axis) => Math.min(length, image.grid.size[axis] as number)) as unknown as Size,
      0,
    )
  },
})

const fit = prepareStep({
  summary: 'Crops or pads to a size around the middle.',
  options: z.strictObject({ size, fill: outside.default('minimum') }),
  apply: (image, options) => fitted(image, sizeOf(image, options.size), outsideOf(image, options.fill)),
})

const pad = prepareStep({
  summary: 'Puts a border around an image: up to a size, to a multiple, or of a width.',
  options: z
    .strictObject({
      /** At least this many voxels. */
      size: size.optional(),
      /** A multiple of this many voxels: one number for columns and rows (and slices, unless there is one alone), or one an axis. */
      multiple: z.union([z.int().min(1), z.array(z.int().min(1)).min(2).max(3)]).optional(),
      /** Voxels on either side. */
      width: z.union([z.int().min(1), z.array(z.int().min(0)).min(2).max(3)]).optional(),
      mode: z.enum(['constant', 'edge', 'reflect']).default('constant'),
      /** For `constant`. */
      value: outside.default('minimum'),
      /** Where the image lies in the larger one: in the middle, or at its beginning. */
      at: z.enum(['centre', 'start']).default('centre'),
    })
    .refine(
      (o) => [o.size, o.multiple, o.width].filter((given) => given !== undefined).length === 1,
      'one of size, multiple and width is expected',
    ),
  apply(image, options) {
    const old = image.grid.size
    const wanted = old.map((length, axis) => paddedLength(length, axis, options)) as unknown as Size
    const low = wanted.map((length, axis) =>
      options.at === 'start' && options.width === undefined ? 0 : -Math.floor((length - (old[axis] as number)) / 2),
    )
    return cutOut(image, low as unknown as Vector, wanted, borderOf(image, options))
  },
})

function paddedLength(
  length: number,
  axis: number,
  options: {
    size?: number[] | undefined
    multiple?: number | number[] | undefined
    width?: number | number[] | undefined
  },
): number {
  const along = (given: number | number[] | undefined, otherwise: number): number => {
    if (given === undefined) return otherwise
    if (typeof given !== 'number') return given[axis] ?? otherwise
    // A single slice is an image: it has no third axis.
    return axis === 2 && length === 1 ? otherwise : given
  }
  const multiple = along(options.multiple, 1)
  const wide = length + 2 * along(options.width, 0)
  return Math.max(options.size?.[axis] ?? 0, Math.ceil(wide / multiple) * multiple)
}

function borderOf(image: Image, { mode, value }: { mode: 'constant' | 'edge' | 'reflect'; value: Outside }): Border {
  return mode === 'constant' ? outsideOf(image, value) : mode
}

export const cropSteps = {
  'crop-body': cropBody,
  'crop-nonzero': cropNonzero,
  'crop-to': cropTo,
  'crop-centre': cropCentre,
  fit,
  pad,
}
