import * as z from 'zod'
import { prepareStep } from '../step.ts'
import { adaptSlice, equalise } from './histogram.ts'
import { over } from './options.ts'
import { extrema, partsOf, resultOf } from './parts.ts'

/** Steps that even out contrast. The result is float32, 0 to 1. */

const bins = z.int().min(2).max(65536).default(256)

const equaliseHistogram = prepareStep({
  summary: 'Equalises the histogram: each value becomes the share of values that are not above it.',
  options: z.strictObject({ bins, over }),
  apply(image, options, { owned }) {
    const data = resultOf(image, owned)
    for (const part of partsOf(image, options.over))
      equalise(image.data, data, part, { range: extrema(image.data, part), bins: options.bins })
    return { ...image, data }
  },
})

const clahe = prepareStep({
  summary: 'Equalises the histogram slice by slice in tiles, with a limit on the contrast (CLAHE).',
  options: z.strictObject({
    /** Tiles along columns and rows. */
    tiles: z.tuple([z.int().min(1).max(64), z.int().min(1).max(64)]).default([8, 8]),
    /** Multiple of a bin's mean height above which bins are cut. */
    clipLimit: z.number().min(1).default(2),
    bins,
    /** What least and greatest value are taken of: they are the ends of the histograms. */
    over,
  }),
  apply(image, options, { owned }) {
    const data = resultOf(image, owned)
    const plane = image.grid.size[0] * image.grid.size[1]
    for (const part of partsOf(image, options.over)) {
      const plan = { ...options, range: extrema(image.data, part) }
      for (let from = part.from; from < part.to; from += plane)
        adaptSlice(image.data, data, from, image.grid.size, plan)
    }
    return { ...image, data }
  },
})

export const contrastSteps = { 'equalise-histogram': equaliseHistogram, clahe }
