import type { Vector } from '../../dicom/geometry.ts'

/** What lies beyond the border of an image: 0, the nearest voxel, the opposite side, or the image mirrored at its border (IBSI-2 3.2). */
export type Boundary = 'zero' | 'nearest' | 'periodic' | 'mirror'

/** An image to filter, x fastest. */
export interface FilterInput {
  size: readonly [number, number, number]
  /** mm */
  spacing: Vector
  data: Float32Array
}

/** The index that stands for one beyond the border; -1 for zero. */
export function beyondBorder(index: number, length: number, boundary: Boundary): number {
  if (index >= 0 && index < length) return index
  switch (boundary) {
    case 'zero':
      return -1
    case 'nearest':
      return index < 0 ? 0 : length - 1
    case 'periodic':
      return ((index % length) + length) % length
    case 'mirror': {
      const within = ((index % (2 * length)) + 2 * length) % (2 * length)
      return within < length ? within : 2 * length - 1 - within
    }
  }
}

/**
 * Convolves along one axis: `out[i] = sum over t of kernel[centre + t] * in[i - t]`.
 * @param kernel of odd length
 */
export function convolve(
  { size, data }: Pick<FilterInput, 'size' | 'data'>,
  axis: 0 | 1 | 2,
  kernel: Float64Array,
  boundary: Boundary,
): Float32Array {
  const length = size[axis]
  const reach = (kernel.length - 1) / 2
  const inner = axis === 0 ? 1 : axis === 1 ? size[0] : size[0] * size[1]
  const result = new Float32Array(data.length)
  if (axis === 0) return convolveRows({ size, data }, kernel, boundary)
  const row = new Float64Array(inner)
  for (let block = 0; block < data.length; block += length * inner)
    for (let i = 0; i < length; i++) {
      row.fill(0)
      for (let t = -reach; t <= reach; t++) {
        const weight = kernel[reach + t] as number
        const from = beyondBorder(i - t, length, boundary)
        if (weight === 0 || from < 0) continue
        const start = block + from * inner
        for (let k = 0; k < inner; k++) row[k] = (row[k] as number) + weight * (data[start + k] as number)
      }
      result.set(row, block + i * inner)
    }
  return result
}

function convolveRows(
  { size, data }: Pick<FilterInput, 'size' | 'data'>,
  kernel: Float64Array,
  boundary: Boundary,
): Float32Array {
  const length = size[0]
  const reach = (kernel.length - 1) / 2
  const result = new Float32Array(data.length)
  const line = new Float64Array(length + 2 * reach)
  const sources = Int32Array.from(line, (_, i) => beyondBorder(i - reach, length, boundary))
  // Most kernels of wavelets are full of zeros.
  const taps = [...kernel.keys()].filter((tap) => kernel[tap] !== 0)
  for (let start = 0; start < data.length; start += length) {
    for (let i = 0; i < line.length; i++) {
      const source = sources[i] as number
      line[i] = source < 0 ? 0 : (data[start + source] as number)
    }
    for (let i = 0; i < length; i++) {
      let sum = 0
      for (const tap of taps) sum += (kernel[tap] as number) * (line[i + 2 * reach - tap] as number)
      result[start + i] = sum
    }
  }
  return result
}

/** Convolves with one kernel an axis; null leaves an axis alone. */
export function convolveSeparably(
  input: Pick<FilterInput, 'size' | 'data'>,
  kernels: readonly (Float64Array | null)[],
  boundary: Boundary,
): Float32Array {
  let data = input.data
  for (const axis of [0, 1, 2] as const) {
    const kernel = kernels[axis]
    if (kernel) data = convolve({ size: input.size, data }, axis, kernel, boundary)
  }
  return data
}

/** How the responses of several orientations become one. */
export type Pooling = 'max' | 'mean' | 'min'

/** Takes responses one by one, so that only one more than the result is ever held. */
export class Pool {
  private readonly pooling: Pooling
  private pooled: Float32Array | undefined
  private count = 0

  constructor(pooling: Pooling) {
    this.pooling = pooling
  }

  add(response: Float32Array): void {
    this.count++
    const pooled = this.pooled
    if (!pooled) {
      this.pooled = response
      return
    }
    for (let i = 0; i < pooled.length; i++) {
      const a = pooled[i] as number
      const b = response[i] as number
      pooled[i] = this.pooling === 'mean' ? a + b : this.pooling === 'max' ? Math.max(a, b) : Math.min(a, b)
    }
  }

  result(): Float32Array {
    const pooled = this.pooled ?? new Float32Array()
    if (this.pooling === 'mean') for (let i = 0; i < pooled.length; i++) pooled[i] = (pooled[i] as number) / this.count
    return pooled
  }
}

/**
 * The orientations of a separable filter under the rotations by right angles that keep handedness: 24 in space, 4 in a plane (IBSI-2 3.3).
 * Those that are the same filter come once for each rotation, which changes neither mean nor maximum; doubles are left out.
 * @param kernels one an axis, two or three
 * @returns for each orientation which kernel goes to which axis, and which are reversed
 */
export function rightAngleRotations(axes: 2 | 3): { order: number[]; reversed: boolean[] }[] {
  const orders =
    axes === 2
      ? [[0, 1], [1, 0]] // biome-ignore format: permutations
      : [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]] // biome-ignore format: permutations
  const rotations: { order: number[]; reversed: boolean[] }[] = []
  for (const [index, order] of orders.entries()) {
    const odd = index >= orders.length / 2
    for (let flips = 0; flips < 1 << axes; flips++) {
      const reversed = order.map((_, axis) => ((flips >> axis) & 1) === 1)
      if ((reversed.filter(Boolean).length % 2 === 1) === odd) rotations.push({ order, reversed })
    }
  }
  return rotations
}
