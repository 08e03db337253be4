import type { Vector } from '../../dicom/geometry.ts'
import { type Image, voxelsOf } from '../image.ts'
import { gather, type OffsetTables, type Size, sameType, stridesOf } from './gather.ts'
import type { Axis } from './grid-mapping.ts'
import { subGrid } from './grids.ts'
import { resampleOnto } from './resample.ts'
import { mirrored } from './taps.ts'

/** Parts of images, and images with a border: voxels are copied as they are, and keep their type. */

/** What is put around an image: a number, its outermost voxels, or the image mirrored at them. */
export type Border = number | 'edge' | 'reflect'

/**
 * The part of an image from `low` on, of a size; beyond the image there is a border.
 * @returns the same image where nothing is cut or added
 */
export function cutOut(image: Image, low: Vector, size: Size, border: Border): Image {
  const grid = subGrid(image.grid, low, size)
  if (border !== 'reflect') return resampleOnto(image, grid, { interpolation: 'nearest', outside: border })
  const strides = stridesOf(image.grid.size)
  const offsets = ([0, 1, 2] as const).map((axis) => {
    const last = image.grid.size[axis] - 1
    return Int32Array.from({ length: size[axis] }, (_, i) => mirrored(low[axis] + i, last) * strides[axis])
  }) as unknown as OffsetTables
  const data = sameType(image.data, image.channels * voxelsOf(grid))
  for (let channel = 0; channel < image.channels; channel++)
    gather(
      { source: image.data, from: channel * voxelsOf(image.grid) },
      { target: data, to: channel * voxelsOf(grid) },
      offsets,
      0,
    )
  return { grid, channels: image.channels, data }
}

/** Cut or padded to a size around its middle. */
export function fitted(image: Image, size: Size, border: Border): Image {
  const low = ([0, 1, 2] as const).map((axis) => Math.floor((image.grid.size[axis] - size[axis]) / 2))
  return cutOut(image, low as unknown as Vector, size, border)
}

/** Least and greatest index along each axis, both inside. */
export interface IndexBox {
  low: [number, number, number]
  high: [number, number, number]
}

/** A box with a margin, clipped to the image, whole voxels; null where nothing of it is inside. */
export function clippedBox(
  { grid }: Image,
  { low, high }: { low: Vector; high: Vector },
  marginMm: number,
): IndexBox | null {
  const margin = (axis: Axis): number => Math.ceil(marginMm / grid.spacing[axis] - 1e-6)
  const box: IndexBox = { low: [0, 0, 0], high: [0, 0, 0] }
  for (const axis of [0, 1, 2] as const) {
    if (low[axis] > grid.size[axis] - 1 || high[axis] < 0) return null
    box.low[axis] = Math.max(0, low[axis] - margin(axis))
    box.high[axis] = Math.min(grid.size[axis] - 1, high[axis] + margin(axis))
  }
  return box
}

/** The part of an image inside a box. */
export function cutBox(image: Image, { low, high }: IndexBox): Image {
  const size = ([0, 1, 2] as const).map((axis) => high[axis] - low[axis] + 1)
  return cutOut(image, low, size as unknown as Size, 0)
}
