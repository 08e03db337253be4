import * as z from 'zod'
import { textOf } from '../../dicom/dataset.ts'
import { refusal } from '../error.ts'
import type { Grid, Image } from '../image.ts'
import { valueName } from '../manifest/vocabulary.ts'
import { prepareStep } from '../step.ts'
import type { Value } from '../value.ts'
import { fitted } from './fit.ts'
import { boundsOn, orientationOf, reoriented, resized, respaced, straightened } from './grids.ts'
import { interpolation, type Outside, outside, size } from './options.ts'
import { extrema } from './parts.ts'
import { resampleOnto } from './resample.ts'

/** Steps that bring an image onto another grid. */

/** What lies beyond an image as a number, or its edge. */
export function outsideOf({ data }: Image, wanted: Outside): number | 'edge' {
  return wanted === 'minimum' ? extrema(data, { from: 0, to: data.length })[0] : wanted
}

const positive = z.number().positive().max(1000)

const resample = prepareStep({
  summary: 'Resamples to another spacing, around the same middle.',
  options: z.strictObject({
    /** mm: one number, or columns, rows and slices; `null`, or what is left out, keeps an axis as it is. */
    spacing: z.union([
      positive,
      z
        .array(z.union([positive, z.null()]))
        .min(1)
        .max(3),
    ]),
    interpolation,
    /** Averages where voxels become larger. */
    antiAlias: z.boolean().default(false),
  }),
  apply(image, options) {
    const given = typeof options.spacing === 'number' ? [0, 1, 2].map(() => options.spacing) : options.spacing
    const wanted = [0, 1, 2].map((axis) => (given as (number | null)[])[axis] ?? null) as [number, number, number]
    return resampleOnto(image, respaced(image.grid, wanted), options)
  },
})

const resampleTo = prepareStep({
  summary: 'Resamples onto the grid of another value, in patient space: both must share their Frame of Reference.',
  options: z.strictObject({
    /** The value whose grid is taken. */
    grid: valueName,
    interpolation,
    antiAlias: z.boolean().default(false),
    outside: outside.default('minimum'),
  }),
  needs: ({ grid }) => [grid],
  apply(image, options, context) {
    const grid = gridOf(context.valueOf(options.grid), options.grid)
    const own = textOf(context.header, 'FrameOfReferenceUID')
    const other = context.frameOfReferenceOf ? context.frameOfReferenceOf(options.grid) : own
    if (own !== other)
      throw refusal(
        `the images have another Frame of Reference than ${options.grid} (${own ?? 'none'}, ${other ?? 'none'} is expected): where they lie to each other is not known`,
      )
    const { low, high } = boundsOn(image.grid, grid)
    if (image.grid.size.some((length, axis) => (low[axis] as number) > length - 0.5 || (high[axis] as number) < -0.5))
      throw refusal(`the images do not overlap with ${options.grid}`)
    return resampleOnto(image, grid, { ...options, outside: outsideOf(image, options.outside) })
  },
})

function gridOf(value: Value, name: string): Grid {
  switch (value.kind) {
    case 'image':
      return value.image.grid
    case 'labels':
      return value.labels.grid
    case 'boxes':
    case 'points':
    case 'tensor':
      return value.grid
    case 'numbers':
      throw refusal(`${name} has no grid: it is a vector of numbers`)
  }
}

const reorient = prepareStep({
  summary:
    'Puts the axes into another order and direction; no number changes, unless oblique images are to be straightened.',
  options: z.strictObject({
    /** Where indices grow to: three of L or R, A or P, S (H) or I (F). RAS is that of NIfTI, LPS that of DICOM. */
    axes: z.string().refine((text) => orientationOf(text) !== null, 'three letters as RAS or LPS are expected'),
    /** `keep`: the nearest axes; `resample`: along the axes of the patient, on a grid that covers all of the image. */
    oblique: z.enum(['keep', 'resample']).default('keep'),
    interpolation,
    outside: outside.default('minimum'),
  }),
  apply(image, options) {
    const orientation = orientationOf(options.axes) as NonNullable<ReturnType<typeof orientationOf>>
    const near = reoriented(image.grid, orientation)
    const isOblique = near.axes.some((axis) => Math.max(...axis.map(Math.abs)) < 1 - 1e-6)
    if (options.oblique === 'keep' || !isOblique) return resampleOnto(image, near)
    const grid = straightened(image.grid, orientation)
    return resampleOnto(image, grid, {
      interpolation: options.interpolation,
      outside: outsideOf(image, options.outside),
    })
  },
})

const resize = prepareStep({
  summary: 'Resamples to a number of voxels, with or without the aspect of the image.',
  options: z.strictObject({
    /** Columns, rows and slices; two numbers leave the slices alone. */
    size,
    /** `stretch`: each axis on its own; `letterbox`: as large as fits, the rest filled; `crop`: as small as covers, the rest cut. */
    aspect: z.enum(['stretch', 'letterbox', 'crop']).default('stretch'),
    interpolation,
    antiAlias: z.boolean().default(true),
    /** What the rest of a letterbox is filled with. */
    fill: outside.default(0),
  }),
  apply(image, options) {
    const { size: old } = image.grid
    const wanted = [options.size[0], options.size[1], options.size[2] ?? old[2]] as [number, number, number]
    if (options.aspect === 'stretch') return resampleOnto(image, resized(image.grid, wanted), options)
    const given = options.size.length
    const factors = wanted.slice(0, given).map((length, axis) => length / (old[axis] as number))
    const factor = options.aspect === 'letterbox' ? Math.min(...factors) : Math.max(...factors)
    const inner = old.map((length, axis) => (axis < given ? Math.max(1, Math.round(length * factor)) : length))
    const scaled = resampleOnto(image, resized(image.grid, inner as unknown as typeof wanted), options)
    return fitted(scaled, wanted, outsideOf(image, options.fill))
  },
})

export const gridSteps = { resample, 'resample-to': resampleTo, reorient, resize }
