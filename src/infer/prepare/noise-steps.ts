import * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import { refusal } from '../error.ts'
import { type Grid, type Image, voxelsOf } from '../image.ts'
import { prepareStep } from '../step.ts'
import { bilateral } from './bilateral.ts'
import { type Size, sameType } from './gather.ts'
import { gaussian } from './gaussian.ts'
import { median } from './median.ts'
import { dimensions, unit } from './options.ts'
import { resultOf } from './parts.ts'

/** Steps against noise. They work on each channel alone; along an axis with a single voxel nothing happens. */

/** A length on either side, the same along each axis or one for each. */
const lengths = z.union([z.number().positive(), z.array(z.number().min(0)).min(2).max(3)])

const largestRadius = 32

/** A length along each axis in voxels, 0 where nothing is to happen. */
function inVoxels(
  { size, spacing }: Grid,
  given: number | number[],
  options: { unit: 'voxels' | 'mm'; dimensions?: 2 | 3 | undefined },
): Vector {
  const along = typeof given === 'number' ? [given, given, given] : [given[0], given[1], given[2] ?? 0]
  return along.map((length, axis) => {
    const isLeftAlone = size[axis] === 1 || (axis === 2 && options.dimensions === 2)
    return isLeftAlone ? 0 : (length as number) / (options.unit === 'mm' ? (spacing[axis] as number) : 1)
  }) as unknown as Vector
}

function limited(radius: Vector, what: string): Size {
  const whole = radius.map((length) => Math.round(length)) as unknown as Size
  const worst = Math.max(...whole)
  if (worst > largestRadius) throw refusal(`${what} would be ${worst} voxels, at most ${largestRadius} are possible`)
  return whole
}

const gaussianStep = prepareStep({
  summary: 'Smooths by a Gaussian, cut at four deviations.',
  options: z.strictObject({
    /** Standard deviation. */
    sigma: lengths,
    unit,
    dimensions,
  }),
  apply(image, options, { owned }) {
    const sigmas = inVoxels(image.grid, options.sigma, options)
    limited(sigmas, 'the deviation of a Gaussian')
    const data = resultOf(image, owned)
    forChannels(image, (from) => gaussian({ data: image.data, from }, { data, from }, image.grid.size, sigmas))
    return { ...image, data }
  },
})

const medianStep = prepareStep({
  summary: 'Replaces each value by the median of a box around it.',
  options: z.strictObject({
    /** On either side: 1 is a box of three. */
    radius: lengths.default(1),
    unit,
    dimensions,
  }),
  apply(image, options) {
    const radius = limited(inVoxels(image.grid, options.radius, options), 'the radius of a median')
    const box = radius.reduce((product, r) => product * (2 * r + 1), 1)
    if (box > 15 ** 3) throw refusal(`the box of a median would have ${box} voxels, at most ${15 ** 3} are possible`)
    const data = sameType(image.data, image.data.length)
    forChannels(image, (from) => median({ data: image.data, from }, { data, from }, image.grid.size, radius))
    return { ...image, data }
  },
})

const bilateralStep = prepareStep({
  summary: 'Smooths by a mean of neighbours that are near in place and in value: edges stay.',
  options: z.strictObject({
    /** Standard deviation of the distance. */
    sigma: lengths.default(1),
    /** Standard deviation of the difference, in units of the image. */
    sigmaValue: z.number().positive(),
    /** Neighbours on either side, in the same unit. Left out: two deviations. */
    radius: lengths.optional(),
    unit,
    dimensions,
  }),
  apply(image, options) {
    const sigmas = inVoxels(image.grid, options.sigma, options)
    const wanted =
      options.radius === undefined ? sigmas.map((s) => 2 * s) : inVoxels(image.grid, options.radius, options)
    const radius = limited(
      wanted.map((r, axis) => (sigmas[axis] === 0 ? 0 : r)) as unknown as Vector,
      'the radius of a bilateral filter',
    )
    const data = new Float32Array(image.data.length)
    const plan = { sigmas, sigmaValue: options.sigmaValue, radius }
    forChannels(image, (from) => bilateral({ data: image.data, from }, { data, from }, image.grid.size, plan))
    return { ...image, data }
  },
})

function forChannels(image: Image, run: (from: number) => void): void {
  for (let channel = 0; channel < image.channels; channel++) run(channel * voxelsOf(image.grid))
}

export const noiseSteps = { gaussian: gaussianStep, median: medianStep, bilateral: bilateralStep }
