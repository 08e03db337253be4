import { type Grid, type Image, voxelsOf } from '../image.ts'
import type { Value } from '../value.ts'
import { gather } from './layout.ts'
import type { Axis } from './options.ts'

/** For each axis of the result the axis of the source. */
export type Permutation = readonly [0 | 1 | 2, 0 | 1 | 2, 0 | 1 | 2]

/** Orders in which the wanted axis runs slowest. Each is its own inverse, or undone by `inverseOf`. */
export const slowest: Readonly<Record<Axis, Permutation>> = { i: [1, 2, 0], j: [0, 2, 1], k: [0, 1, 2] }

export function inverseOf(permutation: Permutation): Permutation {
  return [0, 1, 2].map((axis) => permutation.indexOf(axis as 0 | 1 | 2)) as unknown as Permutation
}

/** The same voxels with their axes in another order. */
export function permuteGrid(grid: Grid, [a, b, c]: Permutation): Grid {
  return {
    size: [grid.size[a], grid.size[b], grid.size[c]],
    spacing: [grid.spacing[a], grid.spacing[b], grid.spacing[c]],
    axes: [grid.axes[a], grid.axes[b], grid.axes[c]],
    origin: grid.origin,
  }
}

export function permuteImage(image: Image, permutation: Permutation): Image {
  const data = image.data.slice()
  permuteInto(image.data, data, { grid: image.grid, channels: image.channels, permutation })
  return { grid: permuteGrid(image.grid, permutation), channels: image.channels, data }
}

/** A value on a grid with its axes in another order; others stay. */
export function permuteValue(value: Value, permutation: Permutation): Value {
  if (value.kind === 'image') return { kind: 'image', image: permuteImage(value.image, permutation) }
  if (value.kind !== 'labels') return value
  const { grid, labels, shares } = value.labels
  const permuted = (bytes: Uint8Array): Uint8Array => {
    const result = new Uint8Array(bytes.length)
    permuteInto(bytes, result, { grid, channels: 1, permutation })
    return result
  }
  const turned = shares && {
    first: permuted(shares.first),
    second: permuted(shares.second),
    share: permuted(shares.share),
  }
  return {
    kind: 'labels',
    labels: { grid: permuteGrid(grid, permutation), labels: permuted(labels), shares: turned },
  }
}

function permuteInto(
  source: Image['data'],
  target: Image['data'],
  { grid, channels, permutation }: { grid: Grid; channels: number; permutation: Permutation },
): void {
  const strides = [1, grid.size[0], grid.size[0] * grid.size[1]] as const
  const [a, b, c] = permutation
  gather(source, target, {
    sizes: [channels, grid.size[c], grid.size[b], grid.size[a]],
    steps: [voxelsOf(grid), strides[c], strides[b], strides[a]],
    start: 0,
  })
}
