import * as z from 'zod'
import { textOf } from '../../dicom/dataset.ts'
import { refusal } from '../error.ts'
import type { Image } from '../image.ts'
import { valueName } from '../manifest/vocabulary.ts'
import { maskOn } from '../mask.ts'
import { prepareStep } from '../step.ts'
import { interval, outputRange, over, perChannel, percentilePair } from './options.ts'
import {
  channelsOf,
  clearElsewhere,
  extrema,
  lineBetween,
  mapParts,
  moments,
  partsOf,
  resultOf,
  unlimited,
  type Within,
} from './parts.ts'
import { percentiles } from './percentiles.ts'

/** Steps that change numbers one by one, along a line. All give float32 but `cast`. */

const window = prepareStep({
  summary: 'Clips to a window of values and scales it to a range.',
  options: z.strictObject({
    /** In units of the image: HU, SUV … */
    centre: z.number(),
    width: z.number().positive(),
    output: outputRange,
  }),
  apply: (image, { centre, width, output }, { owned }) =>
    mapParts(image, owned, partsOf(image, 'image'), () =>
      lineBetween([centre - width / 2, centre + width / 2], output),
    ),
})

const clip = prepareStep({
  summary: 'Replaces values below a minimum and above a maximum by them.',
  options: z
    .strictObject({ minimum: z.number().optional(), maximum: z.number().optional() })
    .refine((o) => o.minimum !== undefined || o.maximum !== undefined, 'a minimum or a maximum is expected')
    .refine((o) => (o.minimum ?? -Infinity) < (o.maximum ?? Infinity), 'the minimum must be below the maximum'),
  apply: (image, { minimum, maximum }, { owned }) =>
    mapParts(image, owned, partsOf(image, 'image'), () => ({
      factor: 1,
      offset: 0,
      low: minimum ?? unlimited.low,
      high: maximum ?? unlimited.high,
    })),
})

const clipPercentiles = prepareStep({
  summary: 'Clips to two percentiles of the values.',
  options: z.strictObject({
    percentiles: percentilePair.default([0.5, 99.5]),
    /** Which values the percentiles are taken of. */
    of: z.enum(['all', 'non-zero']).default('all'),
    over,
  }),
  apply: (image, options, { owned }) =>
    mapParts(image, owned, partsOf(image, options.over), (part) => {
      const [low, high] = percentiles(image.data, part, options.percentiles, options.of) as [number, number]
      return { factor: 1, offset: 0, low, high }
    }),
})

const scaleRange = prepareStep({
  summary: 'Scales a range of values to another: least and greatest, two percentiles, or given numbers.',
  options: z
    .strictObject({
      /** In units of the image. Left out: least and greatest value. */
      from: interval.optional(),
      percentiles: percentilePair.optional(),
      to: outputRange,
      /** Keeps what lies outside of the range at its ends. */
      clip: z.boolean().default(true),
      /** Which values the range is taken of. */
      of: z.enum(['all', 'non-zero']).default('all'),
      over,
    })
    .refine((o) => !(o.from && o.percentiles), 'either from or percentiles is expected'),
  apply: (image, options, { owned }) =>
    mapParts(image, owned, partsOf(image, options.over), (part) => {
      const from =
        options.from ??
        (options.percentiles
          ? (percentiles(image.data, part, options.percentiles, options.of) as [number, number])
          : extrema(image.data, part, options.of))
      return lineBetween(from, options.to, options.clip)
    }),
})

const zScore = prepareStep({
  summary: 'Subtracts the mean and divides by the standard deviation.',
  options: z
    .strictObject({
      /** Which values mean and deviation are taken of; with `mask`, those inside. */
      of: z.enum(['all', 'non-zero']).default('all'),
      /** A mask by its name: labels, or an image above 0.5. */
      mask: valueName.optional(),
      /** What lies outside of the mask, or is 0: `zero`, or scaled as the rest. */
      elsewhere: z.enum(['zero', 'scaled']).default('zero'),
      over,
    })
    .refine((o) => !(o.mask !== undefined && o.of === 'non-zero'), 'either mask or non-zero is expected'),
  needs: ({ mask }) => (mask === undefined ? [] : [mask]),
  apply(image, options, context) {
    const parts = partsOf(image, options.over)
    const within: Within =
      options.mask === undefined ? options.of : maskOn(context.valueOf(options.mask), image.grid, options.mask)
    const lines = parts.map((part) => {
      const { count, mean, deviation } = moments(image.data, part, within)
      if (count === 0)
        context.note(`z-score: no voxel of ${options.mask ?? 'the image'} counts; values stay as they are`)
      const factor = count === 0 ? 1 : 1 / Math.max(deviation, 1e-8)
      return { factor, offset: -mean * factor, ...unlimited }
    })
    const zero = options.elsewhere === 'zero' && within === 'non-zero' ? zeroes(image) : null
    const result = mapParts(image, context.owned, parts, (_, index) => lines[index] as (typeof lines)[number])
    if (options.elsewhere === 'zero') clearElsewhere(result.data as Float32Array, zero ?? within)
    return result
  },
})

/** 0 where a number is 0. */
function zeroes({ data }: Image): Uint8Array {
  const mask = new Uint8Array(data.length)
  for (let i = 0; i < mask.length; i++) mask[i] = data[i] === 0 ? 0 : 1
  return mask
}

const scale = prepareStep({
  summary: 'Multiplies by a factor, then adds an offset; one for all channels, or one for each.',
  options: z.strictObject({ factor: perChannel.default(1), offset: perChannel.default(0) }),
  apply: (image, { factor, offset }, { owned }) => {
    const factors = forChannels(image, factor, 'factor')
    const offsets = forChannels(image, offset, 'offset')
    return mapParts(image, owned, channelsOf(image), (_, channel) => ({
      factor: factors[channel] as number,
      offset: offsets[channel] as number,
      ...unlimited,
    }))
  },
})

const normalise = prepareStep({
  summary: 'Subtracts a given mean and divides by a given standard deviation; one for all channels, or one for each.',
  options: z.strictObject({
    mean: perChannel,
    std: perChannel.refine((std) => [std].flat().every((value) => value > 0), 'deviations above 0 are expected'),
  }),
  apply: (image, { mean, std }, { owned }) => {
    const means = forChannels(image, mean, 'mean')
    const deviations = forChannels(image, std, 'std')
    return mapParts(image, owned, channelsOf(image), (_, channel) => {
      const factor = 1 / (deviations[channel] as number)
      return { factor, offset: -(means[channel] as number) * factor, ...unlimited }
    })
  },
})

function forChannels({ channels }: Image, given: number | number[], what: string): number[] {
  if (typeof given === 'number') return Array.from({ length: channels }, () => given)
  if (given.length !== channels)
    throw refusal(`the image has ${channels} channels, ${given.length} numbers are given for ${what}`)
  return given
}

const invertMonochrome1 = prepareStep({
  summary:
    'Turns light and dark round where Photometric Interpretation is MONOCHROME1: least and greatest change places.',
  options: z.strictObject({
    /** Numbers that change places. Left out: the least and greatest value of the image. */
    range: interval.optional(),
  }),
  apply(image, { range }, { header, owned }) {
    if (textOf(header, 'PhotometricInterpretation') !== 'MONOCHROME1') return image
    const whole = { from: 0, to: image.data.length }
    const [low, high] = range ?? extrema(image.data, whole)
    return mapParts(image, owned, [whole], () => ({ factor: -1, offset: low + high, ...unlimited }))
  },
})

const cast = prepareStep({
  summary: 'Changes the type of the numbers in memory; whole numbers are rounded and kept within the type.',
  options: z.strictObject({ type: z.enum(['float32', 'int16', 'uint8']) }),
  apply(image, { type }, { owned }) {
    const { data } = image
    if (type === 'float32') {
      if (data instanceof Float32Array) return image
      const floats = resultOf(image, owned)
      floats.set(data)
      return { ...image, data: floats }
    }
    const [Type, low, high] =
      type === 'int16' ? ([Int16Array, -32768, 32767] as const) : ([Uint8Array, 0, 255] as const)
    if (data instanceof Type) return image
    const whole = new Type(data.length)
    for (let i = 0; i < data.length; i++) {
      const value = Math.round(data[i] as number)
      whole[i] = value < low ? low : value > high ? high : value
    }
    return { ...image, data: whole }
  },
})

export const intensitySteps = {
  window,
  clip,
  'clip-percentiles': clipPercentiles,
  'scale-range': scaleRange,
  'z-score': zScore,
  scale,
  normalise,
  'invert-monochrome1': invertMonochrome1,
  cast,
}
