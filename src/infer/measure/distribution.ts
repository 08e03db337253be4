import { forEachRow } from '../finish/mask-crop.ts'
import type { Image } from '../image.ts'
import {
  type DensityHistogram,
  densityHistograms,
  fractionBelow,
  meanDensity,
  percentileDensity,
  sumHistograms,
} from './density-histogram.ts'
import { orderStatistic } from './order-statistic.ts'
import type { Subjects } from './quantity.ts'
import { channelOn, segmentMask } from './segment.ts'

/** How the values of a segment are distributed; NaN where it has no voxel, or a value is NaN. */
export interface Distribution {
  voxels: number
  mean: number
  minimum: number
  maximum: number
  /** Sum of squared distances to the mean. */
  squares: number
  /** The lowest value at or below which at least `percent` per cent of the voxels are. */
  percentile(percent: number): number
  /** Per cent of the voxels strictly below. */
  below(limit: number): number
  /** Calls `visit` with every value, or every value that occurs, and how many voxels have it. */
  forEach(visit: (value: number, voxels: number) => void): void
}

type Data = Image['data']

/** What was counted before, for labels and images that do not change any more. */
const counted = new WeakMap<
  Uint8Array,
  WeakMap<ArrayBufferLike, Map<string, readonly (DensityHistogram | undefined)[] | Float32Array>>
>()

/** The distribution of a channel's values in a segment. Whole numbers of 16 bits are counted, for all labels at once; others are collected. */
export function distributionOf(subject: Subjects['image+segment'], channel: number): Distribution {
  const data = channelOn(subject.labels, subject.image, channel)
  if (data instanceof Float32Array)
    return ofValues(
      once(subject, data, `${data.byteOffset} ${[...subject.values].join()}`, () => collect(subject, data)),
    )
  const histograms = once(subject, data, `${data.byteOffset}`, () => densityHistograms(data, subject.labels.labels))
  const own = subject.values.flatMap((label) => histograms[label] ?? [])
  return ofHistogram(own.length === 1 ? (own[0] as DensityHistogram) : sumHistograms(own))
}

function once<T extends readonly (DensityHistogram | undefined)[] | Float32Array>(
  { labels }: Subjects['image+segment'],
  data: Data,
  key: string,
  make: () => T,
): T {
  const ofLabels = counted.get(labels.labels) ?? new WeakMap()
  counted.set(labels.labels, ofLabels)
  const ofImage = ofLabels.get(data.buffer) ?? new Map()
  ofLabels.set(data.buffer, ofImage)
  const made = (ofImage.get(key) as T | undefined) ?? make()
  ofImage.set(key, made)
  return made
}

function ofHistogram(histogram: DensityHistogram): Distribution {
  const { counts, voxels } = histogram
  const mean = meanDensity(histogram)
  let squares = 0
  for (let bin = 0; bin < counts.length; bin++)
    if (counts[bin] !== 0) squares += (counts[bin] as number) * (bin - 32768 - mean) ** 2
  return {
    voxels,
    mean,
    squares: voxels === 0 ? Number.NaN : squares,
    minimum: percentileDensity(histogram, 0),
    maximum: percentileDensity(histogram, 100),
    percentile: (percent) => percentileDensity(histogram, percent),
    below: (limit) => fractionBelow(histogram, limit),
    forEach(visit) {
      for (let bin = 0; bin < counts.length; bin++) if (counts[bin] !== 0) visit(bin - 32768, counts[bin] as number)
    },
  }
}

/** The values of a segment's voxels, in order of the voxels. */
function collect(subject: Subjects['image+segment'], data: Float32Array): Float32Array {
  const crop = segmentMask(subject)
  if (!crop) return new Float32Array(0)
  let voxels = 0
  for (let i = 0; i < crop.mask.length; i++) voxels += crop.mask[i] as number
  const values = new Float32Array(voxels)
  let next = 0
  forEachRow(crop, subject.labels.grid.size, (inGrid, inCrop, length) => {
    for (let n = 0; n < length; n++) if (crop.mask[inCrop + n] === 1) values[next++] = data[inGrid + n] as number
  })
  return values
}

function ofValues(values: Float32Array): Distribution {
  const voxels = values.length
  let sum = 0
  let minimum = voxels === 0 ? Number.NaN : Number.POSITIVE_INFINITY
  let maximum = voxels === 0 ? Number.NaN : Number.NEGATIVE_INFINITY
  for (let i = 0; i < voxels; i++) {
    const x = values[i] as number
    sum += x
    if (!(x >= minimum)) minimum = x
    if (!(x <= maximum)) maximum = x
  }
  const mean = sum / voxels
  let squares = voxels === 0 ? Number.NaN : 0
  for (let i = 0; i < voxels; i++) squares += ((values[i] as number) - mean) ** 2
  return {
    voxels,
    mean,
    squares,
    minimum: Number.isNaN(mean) ? mean : minimum,
    maximum: Number.isNaN(mean) ? mean : maximum,
    percentile(percent) {
      if (voxels === 0 || Number.isNaN(mean)) return Number.NaN
      return orderStatistic(values, Math.min(voxels, Math.max(1, Math.ceil((voxels * percent) / 100))))
    },
    below(limit) {
      let below = 0
      for (let i = 0; i < voxels; i++) if ((values[i] as number) < limit) below++
      return Number.isNaN(mean) ? mean : (100 * below) / voxels
    },
    forEach(visit) {
      for (let i = 0; i < voxels; i++) visit(values[i] as number, 1)
    },
  }
}
