import * as z from 'zod'
import { type Distribution, distributionOf } from './distribution.ts'
import { quantity } from './quantity.ts'
import { inUnit } from './units.ts'

/** Channel of the image that is measured, from 0. */
const channel = z.int().min(0).default(0)

/** A number in the image's unit, from how the values of the segment are distributed. */
function statistic(summary: string, of: (distribution: Distribution) => number) {
  return quantity({
    summary,
    options: z.strictObject({ channel }),
    unit: 'image',
    subject: 'image+segment',
    apply: (subject, options, { unit = '1' }) => [{ value: of(distributionOf(subject, options.channel)), unit }],
  })
}

export const mean = statistic('Mean of the image’s values in the segment.', ({ mean: value }) => value)
export const minimum = statistic('Lowest value in the segment.', ({ minimum: value }) => value)
export const maximum = statistic('Highest value in the segment.', ({ maximum: value }) => value)
export const standardDeviation = statistic(
  'Standard deviation of the values in the segment (of the population: over N).',
  ({ squares, voxels }) => Math.sqrt(squares / voxels),
)
export const median = statistic(
  'Middle value in the segment; the mean of the two in the middle where their number is even.',
  (distribution) => {
    const { voxels, percentile } = distribution
    const lower = percentile(50)
    if (voxels % 2 === 1) return lower
    // The next rank: half a voxel is less than what rounding could take away.
    return (lower + percentile((100 * (voxels / 2 + 0.5)) / voxels)) / 2
  },
)

export const percentile = quantity({
  summary:
    'The lowest value at or below which at least a percentage of the voxels are (nearest rank, no interpolation).',
  options: z.strictObject({ channel, percent: z.number().min(0).max(100) }),
  unit: 'image',
  subject: 'image+segment',
  apply: (subject, options, { unit = '1' }) => [
    { value: distributionOf(subject, options.channel).percentile(options.percent), unit },
  ],
})

export const fractionBelow = quantity({
  summary: 'Part of the segment’s voxels whose value is below a limit, in the image’s unit.',
  options: z.strictObject({ channel, limit: z.number() }),
  unit: '%',
  subject: 'image+segment',
  apply: (subject, options, { unit }) => [
    inUnit(distributionOf(subject, options.channel).below(options.limit), '%', unit),
  ],
})

export const fractionAbove = quantity({
  summary: 'Part of the segment’s voxels whose value is above a limit, in the image’s unit.',
  options: z.strictObject({ channel, limit: z.number() }),
  unit: '%',
  subject: 'image+segment',
  apply(subject, options, { unit }) {
    const distribution = distributionOf(subject, options.channel)
    let above = 0
    distribution.forEach((value, voxels) => {
      if (value > options.limit) above += voxels
    })
    const part = Number.isNaN(distribution.mean) ? Number.NaN : (100 * above) / distribution.voxels
    return [inUnit(part, '%', unit)]
  },
})

export const entropy = quantity({
  summary:
    'Entropy of the histogram of the values, in bits: -sum of p log2 p over bins of one width (IBSI 3.4.18, TLU2).',
  options: z
    .strictObject({
      channel,
      /** Number of bins between the lowest and the highest value. */
      bins: z.int().min(2).max(65536).optional(),
      /** Or their width, in the image's unit; borders lie at multiples of it. */
      binWidth: z.number().positive().optional(),
    })
    .refine(
      ({ bins, binWidth }) => bins === undefined || binWidth === undefined,
      'bins or binWidth is expected, not both',
    ),
  unit: '1',
  subject: 'image+segment',
  apply(subject, { channel: of, bins = 64, binWidth }, { unit = '1' }) {
    const distribution = distributionOf(subject, of)
    const { minimum: low, maximum: high, voxels, mean: average } = distribution
    if (Number.isNaN(average)) return [{ value: Number.NaN, unit }]
    const counts = new Map<number, number>()
    const binOf = (value: number): number => {
      if (binWidth !== undefined) return Math.floor(value / binWidth)
      return high === low ? 0 : Math.min(bins - 1, Math.floor((bins * (value - low)) / (high - low)))
    }
    distribution.forEach((value, n) => counts.set(binOf(value), (counts.get(binOf(value)) ?? 0) + n))
    let bits = 0
    for (const count of counts.values()) bits -= (count / voxels) * Math.log2(count / voxels)
    return [{ value: bits, unit }]
  },
})

export const mass = quantity({
  summary:
    'Mass from CT: each voxel’s volume times (HU + 1000) / 1000 g/mL, so that water weighs 1 g/mL and air nothing.',
  options: z.strictObject({ channel }),
  unit: 'g',
  subject: 'image+segment',
  apply(subject, options, { unit }) {
    const { mean: density, voxels } = distributionOf(subject, options.channel)
    const [sx, sy, sz] = subject.labels.grid.spacing
    return [inUnit(((voxels * sx * sy * sz) / 1000) * (1 + density / 1000), 'g', unit)]
  },
})

export const totalLesionGlycolysis = quantity({
  summary: 'Total lesion glycolysis: mean SUV times the volume in mL; the image holds SUV, in g/mL.',
  options: z.strictObject({ channel }),
  unit: 'g',
  subject: 'image+segment',
  apply(subject, options, { unit }) {
    const { mean: uptake, voxels } = distributionOf(subject, options.channel)
    const [sx, sy, sz] = subject.labels.grid.spacing
    return [inUnit(((voxels * sx * sy * sz) / 1000) * uptake, 'g', unit)]
  },
})
