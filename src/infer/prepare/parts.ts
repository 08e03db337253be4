import { type Image, voxelsOf } from '../image.ts'
import type { Voxels } from './gather.ts'
import type { Over } from './options.ts'

/** A run of an image's numbers: all of it, a channel, or a slice. */
export interface Part {
  from: number
  to: number
}

/** The runs over which a statistic is taken. */
export function partsOf({ grid, channels, data }: Image, over: Over): Part[] {
  if (over === 'image') return [{ from: 0, to: data.length }]
  const count = over === 'slice' ? channels * grid.size[2] : channels
  const length = data.length / count
  return Array.from({ length: count }, (_, index) => ({ from: index * length, to: (index + 1) * length }))
}

/** Which numbers count: all, those that are not 0, or those of the voxels where a mask is not 0. */
export type Within = 'all' | 'non-zero' | Uint8Array

/** Memory for a result: that of the image where it is given for good and holds floats. */
export function resultOf(image: Image, owned: boolean): Float32Array {
  return owned && image.data instanceof Float32Array ? image.data : new Float32Array(image.data.length)
}

/** True where a number of an image counts; `index` counts through all channels. */
function membership(data: Voxels, within: Within): ((index: number) => boolean) | null {
  if (within === 'all') return null
  if (within === 'non-zero') return (index) => data[index] !== 0
  return (index) => within[index % within.length] !== 0
}

/** How many numbers count, their mean and their standard deviation (over all of them, not a sample). */
export function moments(
  data: Voxels,
  { from, to }: Part,
  within: Within = 'all',
): { count: number; mean: number; deviation: number } {
  const counts = membership(data, within)
  // Sums of differences from a number of the image stay exact where its numbers are large.
  const shift = data[from] ?? 0
  let count = 0
  let sum = 0
  let squares = 0
  if (counts === null) {
    count = to - from
    for (let i = from; i < to; i++) {
      const value = (data[i] as number) - shift
      sum += value
      squares += value * value
    }
  } else
    for (let i = from; i < to; i++) {
      if (!counts(i)) continue
      const value = (data[i] as number) - shift
      count++
      sum += value
      squares += value * value
    }
  if (count === 0) return { count, mean: 0, deviation: 0 }
  const mean = sum / count
  return { count, mean: mean + shift, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) }
}

/** Least and greatest number; 0 and 0 where none counts. */
export function extrema(data: Voxels, { from, to }: Part, within: Within = 'all'): [number, number] {
  const counts = membership(data, within)
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = from; i < to; i++) {
    if (counts !== null && !counts(i)) continue
    const value = data[i] as number
    if (value < low) low = value
    if (value > high) high = value
  }
  return low > high ? [0, 0] : [low, high]
}

/** `value * factor + offset`, kept between `low` and `high`. */
export interface Line {
  factor: number
  offset: number
  low: number
  high: number
}

export const unlimited = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }

/** Applies a line to a run of numbers; source and target may be the same. */
export function applyLine(
  source: Voxels,
  target: Float32Array,
  { from, to }: Part,
  { factor, offset, low, high }: Line,
): void {
  if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY) {
    for (let i = from; i < to; i++) target[i] = (source[i] as number) * factor + offset
    return
  }
  for (let i = from; i < to; i++) {
    const value = (source[i] as number) * factor + offset
    target[i] = value < low ? low : value > high ? high : value
  }
}

/** The line that takes `from` to `to`, and keeps what it gives in `to`; all becomes `to[0]` where `from` has no width. */
export function lineBetween(from: readonly [number, number], to: readonly [number, number], clip = true): Line {
  const width = from[1] - from[0]
  const factor = width > 0 ? (to[1] - to[0]) / width : 0
  const limits = clip ? { low: to[0], high: to[1] } : unlimited
  return { factor, offset: to[0] - factor * from[0], ...limits }
}

/** A line of its own for each part. */
export function mapParts(
  image: Image,
  owned: boolean,
  parts: readonly Part[],
  line: (part: Part, index: number) => Line,
): Image {
  const data = resultOf(image, owned)
  for (const [index, part] of parts.entries()) applyLine(image.data, data, part, line(part, index))
  return { grid: image.grid, channels: image.channels, data }
}

/** Sets numbers to 0 that do not count. */
export function clearElsewhere(data: Float32Array, within: Within): void {
  if (typeof within === 'string') return
  for (let i = 0, voxel = 0; i < data.length; i++) {
    if (within[voxel] === 0) data[i] = 0
    if (++voxel === within.length) voxel = 0
  }
}

/** The parts of each channel. */
export function channelsOf(image: Image): Part[] {
  const length = voxelsOf(image.grid)
  return Array.from({ length: image.channels }, (_, channel) => ({
    from: channel * length,
    to: (channel + 1) * length,
  }))
}
