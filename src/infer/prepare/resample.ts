import { type Grid, type Image, voxelsOf } from '../image.ts'
import { gather, nearestOffsets, type Size, sameType, type Voxels } from './gather.ts'
import { type AxisMapping, type GridMapping, isSameGrid, isVoxelToVoxel, mapGrid } from './grid-mapping.ts'
import { resampleAffine } from './resample-affine.ts'
import { resampleAxes } from './resample-axes.ts'
import { filterSplineVolume } from './spline.ts'
import { type Interpolation, type Taps, tapsAlong } from './taps.ts'

export { labelsOnto } from './labels-onto.ts'
export type { Interpolation } from './taps.ts'

export interface ResampleOptions {
  /** Default `linear`. */
  interpolation?: Interpolation
  /** Averages over as much of the source as a voxel of the target covers, where that is larger. Of no effect for `nearest`. */
  antiAlias?: boolean
  /** What a voxel gets that lies beyond the source by more than half a voxel: a number, or the value at the source's edge (default). */
  outside?: number | 'edge'
}

/**
 * An image on another grid in patient space. Grids whose voxels lie on each other, up to order and direction of their axes, are copied
 * exactly and keep their type, as `nearest` does; else the numbers become float32. Besides the result a few planes are held; for `cubic`
 * also the spline's coefficients (float32, the size of the source in z and of the target in x and y; of the source for oblique grids).
 * @returns the same image where the grid is the same
 */
export function resampleOnto(
  image: Image,
  grid: Grid,
  { interpolation = 'linear', antiAlias = false, outside = 'edge' }: ResampleOptions = {},
): Image {
  if (isSameGrid(grid, image.grid)) return image
  const mapping = mapGrid(grid, image.grid)
  if (mapping.kind === 'axes' && (interpolation === 'nearest' || isVoxelToVoxel(mapping.axes)))
    return pickVoxels(image, grid, mapping.axes, outside)
  if (mapping.kind === 'affine' && interpolation === 'nearest') return turn(image, grid, mapping, 'nearest', outside)
  const smooth = interpolation as 'linear' | 'cubic'
  if (mapping.kind === 'axes')
    return interpolateAxes(image, grid, { axes: mapping.axes, interpolation: smooth, antiAlias, outside })
  return turn(antiAlias ? smoothed(image, mapping) : image, grid, mapping, smooth, outside)
}

/** Each voxel is one of the source's. */
function pickVoxels(image: Image, grid: Grid, axes: readonly AxisMapping[], outside: number | 'edge'): Image {
  const { channels, data } = image
  const offsets = nearestOffsets(axes, grid.size, image.grid.size, outside === 'edge')
  const result = sameType(data, channels * voxelsOf(grid))
  for (let channel = 0; channel < channels; channel++)
    gather(
      { source: data, from: channel * voxelsOf(image.grid) },
      { target: result, to: channel * voxelsOf(grid) },
      offsets,
      outside === 'edge' ? 0 : outside,
    )
  return { grid, channels, data: result }
}

interface AxesPlan {
  axes: readonly AxisMapping[]
  interpolation: 'linear' | 'cubic'
  antiAlias: boolean
  outside: number | 'edge'
}

function interpolateAxes(image: Image, grid: Grid, plan: AxesPlan): Image {
  if (plan.axes.every(({ axis }, index) => axis === index)) return interpolateInOrder(image, grid, plan)
  // The smaller of both is the one whose axes change places.
  if (voxelsOf(image.grid) <= voxelsOf(grid)) {
    const ordered = reordered(image.grid, plan.axes.map(({ axis }) => axis)) // biome-ignore format: one thought
    return interpolateInOrder(resampleOnto(image, ordered), grid, plan)
  }
  const order = [0, 1, 2].map((axis) => plan.axes.findIndex((mapping) => mapping.axis === axis))
  const inOrder = { ...plan, axes: order.map((t) => plan.axes[t] as AxisMapping) }
  return resampleOnto(interpolateInOrder(image, reordered(grid, order), inOrder), grid)
}

/** The same voxels with axis `order[t]` as axis t. */
function reordered({ size, spacing, origin, axes }: Grid, order: readonly number[]): Grid {
  const pick = <T>(of: readonly T[]): readonly [T, T, T] => order.map((axis) => of[axis]) as unknown as [T, T, T]
  return { size: pick(size), spacing: pick(spacing), origin, axes: pick(axes) }
}

function interpolateInOrder(image: Image, grid: Grid, { axes, interpolation, antiAlias, outside }: AxesPlan): Image {
  const taps = axes.map(({ start, step }, t) => {
    const lengths = { target: grid.size[t] as number, source: image.grid.size[t] as number }
    return tapsAlong({ start, step }, lengths, interpolation, antiAlias ? Math.abs(step) : 1)
  }) as [Taps, Taps, Taps]
  return { grid, channels: image.channels, data: mixed(image, grid.size, taps, outside) }
}

function mixed(
  { grid, channels, data }: Image,
  size: Size,
  taps: readonly [Taps, Taps, Taps],
  outside: number | 'edge',
): Float32Array {
  const voxels = size[0] * size[1] * size[2]
  const result = new Float32Array(channels * voxels)
  for (let channel = 0; channel < channels; channel++)
    resampleAxes(
      { data, from: channel * voxelsOf(grid), size: grid.size },
      { data: result, to: channel * voxels, size },
      taps,
      outside,
    )
  return result
}

type Turned = Extract<GridMapping, { kind: 'affine' }>

/** Between grids that are turned against each other. */
function turn(
  image: Image,
  grid: Grid,
  mapping: Turned,
  interpolation: Interpolation,
  outside: number | 'edge',
): Image {
  const { channels, data } = image
  const voxels = voxelsOf(image.grid)
  const length = channels * voxelsOf(grid)
  const result: Voxels = interpolation === 'nearest' ? sameType(data, length) : new Float32Array(length)
  for (let channel = 0; channel < channels; channel++) {
    let source = { data, from: channel * voxels, size: image.grid.size }
    if (interpolation === 'cubic') {
      const coefficients = new Float32Array(data.subarray(source.from, source.from + voxels))
      filterSplineVolume(coefficients, image.grid.size)
      source = { data: coefficients, from: 0, size: image.grid.size }
    }
    const target = { data: result, to: channel * voxelsOf(grid), size: grid.size }
    resampleAffine(source, target, mapping, { interpolation, outside })
  }
  return { grid, channels, data: result }
}

/** Averaged along each axis over as much as a voxel of the turned target covers of it. */
function smoothed(image: Image, { matrix }: Turned): Image {
  const widths = [0, 1, 2].map((s) => Math.hypot(...matrix.subarray(3 * s, 3 * s + 3)))
  if (widths.every((width) => width <= 1 + 1e-6)) return image
  const taps = image.grid.size.map((length, axis) =>
    tapsAlong({ start: 0, step: 1 }, { target: length, source: length }, 'linear', widths[axis] as number),
  ) as [Taps, Taps, Taps]
  return { ...image, data: mixed(image, image.grid.size, taps, 'edge') }
}
