import type { Box, Extent } from '../components.ts'

/** A mask of part of a grid: 1 inside, 0 outside, x fastest. Its corner may lie outside of the grid. */
export interface MaskCrop {
  /** Index, in the grid, of its first voxel. */
  low: readonly [number, number, number]
  size: readonly [number, number, number]
  mask: Uint8Array
}

/**
 * The mask of one label, or of several taken together, in a box; what lies outside of the grid is 0.
 * @param margin voxels around the box along each axis
 * @param clip keep the crop inside the grid
 */
export function cropMask(
  { grid, labels }: { grid: Pick<Extent, 'size'>; labels: Uint8Array },
  belongs: number | Uint8Array,
  box: Box,
  { margin = [0, 0, 0], clip = true }: { margin?: readonly [number, number, number]; clip?: boolean } = {},
): MaskCrop {
  const [nx, ny, nz] = grid.size
  const low = [0, 1, 2].map((a) => {
    const start = (box.low[a] as number) - (margin[a] as number)
    return clip ? Math.max(0, start) : start
  }) as [number, number, number]
  const size = [0, 1, 2].map((a) => {
    const end = (box.high[a] as number) + (margin[a] as number)
    return (clip ? Math.min(grid.size[a] as number, end) : end) - (low[a] as number)
  }) as [number, number, number]
  const [width, height, depth] = size
  const mask = new Uint8Array(width * height * depth)
  const table = typeof belongs === 'number' ? membership([belongs]) : belongs
  const [from, to] = [Math.max(0, low[0]), Math.min(nx, low[0] + width)]
  for (let z = Math.max(0, low[2]); z < Math.min(nz, low[2] + depth); z++)
    for (let y = Math.max(0, low[1]); y < Math.min(ny, low[1] + height); y++) {
      const row = (z * ny + y) * nx
      let at = ((z - low[2]) * height + y - low[1]) * width + from - low[0]
      for (let i = row + from; i < row + to; i++, at++) mask[at] = table[labels[i] as number] as number
    }
  return { low, size, mask }
}

/** A table of 256 entries: 1 for the given labels. */
export function membership(values: readonly number[]): Uint8Array {
  const table = new Uint8Array(256)
  for (const value of values) table[value] = 1
  return table
}

/** Calls `visit` with each row of a crop that lies in the grid: index in the grid and in the crop of its first voxel, and its length. */
export function forEachRow(
  { low, size }: Omit<MaskCrop, 'mask'>,
  [nx, ny, nz]: readonly [number, number, number],
  visit: (inGrid: number, inCrop: number, length: number) => void,
): void {
  const [from, to] = [Math.max(0, low[0]), Math.min(nx, low[0] + size[0])]
  if (to <= from) return
  for (let z = Math.max(0, low[2]); z < Math.min(nz, low[2] + size[2]); z++)
    for (let y = Math.max(0, low[1]); y < Math.min(ny, low[1] + size[1]); y++)
      visit((z * ny + y) * nx + from, ((z - low[2]) * size[1] + y - low[1]) * size[0] + from - low[0], to - from)
}
