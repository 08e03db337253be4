import type { Vector } from '../../dicom/geometry.ts'
import { type Grid, type Image, type LabelMap, voxelsOf } from '../image.ts'
import { RadiomicsError } from './error.ts'
import { applyFilter, type Filter, filterReach } from './filter.ts'
import {
  type InterpolationMethod,
  interpolate,
  sourceRange,
  type TargetAxis,
  targetAxis,
  type Volume,
} from './interpolation.ts'
import { boxOf, type IndexBox } from './region-box.ts'

/** A new grid for image and mask (IBSI 2.4). */
export interface Resampling {
  /** Voxel spacing along the grid's axes, mm; null leaves an axis as it is (2D: `[2, 2, null]`). */
  spacing: readonly [number | null, number | null, number | null]
  method: InterpolationMethod
  /** Of the mask; default linear. */
  maskMethod?: 'nearest' | 'linear'
  /** From which part inside on a new voxel is inside; default 0.5. */
  maskThreshold?: number
  /** Round intensities to whole numbers, as for HU; default false. */
  round?: boolean
}

/** Which voxels of the mask count for intensities (IBSI 2.5): the intersection of all that is given. The shape is not touched. */
export interface Resegmentation {
  lower?: number
  upper?: number
  /** Voxels further than this many standard deviations from the mean of the region are left out. */
  outliers?: number
}

/** A region of interest after image processing: a box of the image with some margin. */
export interface Region {
  size: readonly [number, number, number]
  spacing: Vector
  intensities: Float32Array
  /** The region as it was drawn. */
  morphologicalMask: Uint8Array
  /** What re-segmentation left of it. */
  intensityMask: Uint8Array
  /** Ends of the re-segmentation range, where they were given; a filter's response has none. */
  range: { lower?: number; upper?: number }
}

export interface RegionOptions {
  /** Channel of the image, from 0. */
  channel?: number
  /** Label of the region; default: every label but 0. */
  label?: number
  resampling?: Resampling
  resegmentation?: Resegmentation
  /** Applied after resampling, before features; re-segmentation looks at the intensities before it (IBSI-2). */
  filter?: Filter
  /** Surroundings of the region that are needed, mm. */
  margin?: number
}

/**
 * Processes image and mask in the order of IBSI (2.1): interpolation, rounding, re-segmentation, filter. Only the surroundings of the mask
 * are looked at.
 * @throws RadiomicsError different-grids, empty-region
 */
export function prepareRegion(image: Image, mask: LabelMap, options: RegionOptions = {}): Region {
  const { resampling, filter } = options
  requireSameGrid(image, mask)
  const { size, spacing } = image.grid
  const axes = [0, 1, 2].map((a) => targetAxis(size[a] as number, spacing[a] as number, resampling?.spacing[a] ?? null))
  const newSpacing = axes.map((axis) => axis.spacing) as unknown as Vector
  const reach = filter ? filterReach(filter, newSpacing) : [0, 0, 0]
  const box = surroundings(
    boxOf(mask.labels, size, options.label),
    axes,
    (axis, a) => Math.ceil((options.margin ?? 0) / axis.spacing + 1e-6) + (reach[a] as number),
  )
  const intensities = onNewGrid(image.grid.size, axes, box, resampling?.method ?? 'nearest', (part) =>
    copyIntensities(image, options.channel ?? 0, part),
  )
  const morphologicalMask = resampling
    ? binarise(
        onNewGrid(size, axes, box, resampling.maskMethod ?? 'linear', (part) => {
          return { size: sizeOf(part), data: Float32Array.from(copyMask(mask, options.label, part)) }
        }),
        resampling.maskThreshold ?? 0.5,
      )
    : copyMask(mask, options.label, box)
  if (resampling?.round) roundToEven(intensities.data)
  const region: Region = {
    size: intensities.size,
    spacing: newSpacing,
    intensities: intensities.data,
    morphologicalMask,
    intensityMask: resegment(intensities.data, morphologicalMask, options.resegmentation ?? {}),
    range: filter ? {} : rangeOf(options.resegmentation),
  }
  if (!region.intensityMask.includes(1))
    throw new RadiomicsError(
      'empty-region',
      morphologicalMask.includes(1)
        ? 'no voxel of the region has an intensity inside of the re-segmentation range'
        : 'the region of interest has no voxels',
    )
  if (filter) region.intensities = applyFilter({ ...intensities, spacing: newSpacing }, filter)
  return region
}

function requireSameGrid({ grid }: Image, mask: LabelMap): void {
  const other = mask.grid
  const same = (a: readonly number[], b: readonly number[], tolerance: number): boolean =>
    a.every((value, index) => Math.abs(value - (b[index] as number)) <= tolerance)
  const described = (one: Grid): string =>
    `${one.size.join('x')} voxels of ${one.spacing.join('x')} mm from ${one.origin.map((mm) => mm.toFixed(2)).join(', ')}`
  if (
    !same(grid.size, other.size, 0) ||
    !same(grid.spacing, other.spacing, 1e-3) ||
    !same(grid.origin, other.origin, 0.05) ||
    !grid.axes.every((axis, a) => same(axis, other.axes[a] as Vector, 1e-3))
  )
    throw new RadiomicsError(
      'different-grids',
      `the image has ${described(grid)}, the mask ${described(other)}, or their axes differ`,
    )
  if (mask.labels.length !== voxelsOf(grid))
    throw new RadiomicsError(
      'different-grids',
      `the mask holds ${mask.labels.length} voxels, its grid ${voxelsOf(grid)}`,
    )
}

/** The part of the new grid that the mask can touch, with a margin in voxels, inside of the grid. */
function surroundings(
  { low, high }: IndexBox,
  axes: readonly TargetAxis[],
  margin: (axis: TargetAxis, a: number) => number,
): IndexBox {
  if (high[0] === 0) throw new RadiomicsError('empty-region', 'the region of interest has no voxels')
  const ends = axes.map((axis, a) => {
    const first = Math.ceil(((low[a] as number) - 1 - axis.start) / axis.step - 1e-6) - margin(axis, a)
    const last = Math.floor(((high[a] as number) - axis.start) / axis.step + 1e-6) + margin(axis, a)
    return [Math.max(0, first), Math.min(axis.length, last + 1)] as const
  })
  const end = (which: 0 | 1): [number, number, number] => ends.map((pair) => pair[which]) as [number, number, number]
  return { low: end(0), high: end(1) }
}

function onNewGrid(
  size: readonly [number, number, number],
  axes: readonly TargetAxis[],
  box: IndexBox,
  method: InterpolationMethod,
  copy: (part: IndexBox) => Volume,
): Volume {
  const ranges = axes.map((axis, a) =>
    sourceRange(axis, size[a] as number, { low: box.low[a] as number, high: box.high[a] as number }, method),
  )
  const part: IndexBox = {
    low: ranges.map((range) => range.low) as [number, number, number],
    high: ranges.map((range) => range.high) as [number, number, number],
  }
  return interpolate(copy(part), part.low, { axes, box, method })
}

function copyIntensities({ grid, data }: Image, channel: number, part: IndexBox): Volume {
  const first = channel * voxelsOf(grid)
  const size = sizeOf(part)
  const copy = new Float32Array(size[0] * size[1] * size[2])
  forEachRow(grid.size, part, (from, at) => copy.set(data.subarray(first + from, first + from + size[0]), at))
  return { size, data: copy }
}

/** 1 inside, 0 outside. */
function copyMask({ grid, labels }: LabelMap, label: number | undefined, part: IndexBox): Uint8Array {
  const size = sizeOf(part)
  const copy = new Uint8Array(size[0] * size[1] * size[2])
  forEachRow(grid.size, part, (from, at) => {
    for (let i = 0; i < size[0]; i++) {
      const value = labels[from + i] as number
      if (label === undefined ? value !== 0 : value === label) copy[at + i] = 1
    }
  })
  return copy
}

function sizeOf({ low, high }: IndexBox): [number, number, number] {
  return [high[0] - low[0], high[1] - low[1], high[2] - low[2]]
}

/** Calls `visit` with the index of the first voxel of each row of a part, in the whole and in the part. */
function forEachRow(
  [nx, ny]: readonly [number, number, number],
  { low, high }: IndexBox,
  visit: (from: number, at: number) => void,
): void {
  let at = 0
  for (let z = low[2]; z < high[2]; z++)
    for (let y = low[1]; y < high[1]; y++, at += high[0] - low[0]) visit((z * ny + y) * nx + low[0], at)
}

/** 1 where the part inside reaches the threshold; what rounding took from exactly half still counts. */
function binarise({ data }: Volume, threshold: number): Uint8Array {
  const mask = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) mask[i] = (data[i] as number) >= threshold - 1e-5 ? 1 : 0
  return mask
}

/** Halves go to the even neighbour, so that they do not shift the mean. */
function roundToEven(data: Float32Array): void {
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number
    const rounded = Math.round(value)
    data[i] = rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
  }
}

function rangeOf({ lower, upper }: Resegmentation = {}): Region['range'] {
  return {
    ...(lower !== undefined && Number.isFinite(lower) && { lower }),
    ...(upper !== undefined && Number.isFinite(upper) && { upper }),
  }
}

function resegment(
  intensities: Float32Array,
  mask: Uint8Array,
  { lower, upper, outliers }: Resegmentation,
): Uint8Array {
  let low = lower ?? Number.NEGATIVE_INFINITY
  let high = upper ?? Number.POSITIVE_INFINITY
  if (outliers !== undefined) {
    const { mean, deviation } = spread(intensities, mask)
    low = Math.max(low, mean - outliers * deviation)
    high = Math.min(high, mean + outliers * deviation)
  }
  const kept = new Uint8Array(mask.length)
  for (let i = 0; i < mask.length; i++) {
    const value = intensities[i] as number
    if (mask[i] !== 0 && value >= low && value <= high) kept[i] = 1
  }
  return kept
}

function spread(intensities: Float32Array, mask: Uint8Array): { mean: number; deviation: number } {
  let [voxels, sum, squares] = [0, 0, 0]
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue
    voxels++
    sum += intensities[i] as number
  }
  const mean = sum / voxels
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) squares += ((intensities[i] as number) - mean) ** 2
  return { mean, deviation: Math.sqrt(squares / voxels) }
}
