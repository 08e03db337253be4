import type { Grid, Image, LabelMap } from '../../../src/infer/image.ts'

/** Numbers from 0 to 1 that are the same in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** An upright grid. */
export function gridOf(
  size: readonly [number, number, number],
  spacing: readonly [number, number, number] = [1, 1, 1],
): Grid {
  return {
    size,
    spacing,
    origin: [0, 0, 0],
    axes: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  }
}

/** An image whose voxels are a function of their indices. */
export function imageOf(grid: Grid, of: (x: number, y: number, z: number) => number): Image {
  return { grid, channels: 1, data: Float32Array.from(eachVoxel(grid), ([x, y, z]) => of(x, y, z)) }
}

/** A mask of the voxels for which a function of their indices is true. */
export function maskOf(grid: Grid, of: (x: number, y: number, z: number) => boolean = () => true): LabelMap {
  return { grid, labels: Uint8Array.from(eachVoxel(grid), ([x, y, z]) => (of(x, y, z) ? 1 : 0)) }
}

/** Indices of all voxels, in the order of memory. */
export function* eachVoxel({ size }: Grid): Generator<[number, number, number]> {
  for (let z = 0; z < size[2]; z++) for (let y = 0; y < size[1]; y++) for (let x = 0; x < size[0]; x++) yield [x, y, z]
}

/** A lumpy region and noise in it, small enough for sums over all pairs. */
export function lumpySample(
  size: readonly [number, number, number] = [13, 11, 9],
  spacing: readonly [number, number, number] = [1.2, 1.2, 3],
): { image: Image; mask: LabelMap } {
  const random = randomNumbers(7)
  const grid = gridOf(size, spacing)
  const image = imageOf(grid, (x, y, z) => Math.round(200 * random() + 40 * Math.sin(x / 2) + 30 * Math.cos(y / 3 + z)))
  const mask = maskOf(grid, (x, y, z) => {
    const place = [x, y, z].map((i, a) => (i - ((size[a] as number) - 1) / 2) / ((size[a] as number) / 2))
    return Math.hypot(...place) + 0.3 * random() < 1
  })
  return { image, mask }
}
