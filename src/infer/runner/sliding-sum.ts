import type { Block } from './unpack.ts'
import { windowWeights } from './windows.ts'

type Size = readonly [number, number, number]

type Sums = readonly [Float64Array, Float64Array, Float64Array]

export interface WindowShape {
  size: Size
  blend: 'gaussian' | 'constant'
  sigma: number
}

/**
 * The weighted sum of windows over an image, of which only as many planes are kept as a window has: windows come in order of their first plane, and
 * planes are taken out in order. Weights are products of those along the axes; their sums are kept along each axis alone, which is
 * possible because windows stand on a grid of their own.
 */
export class SlidingSum {
  readonly #size: Size
  readonly #channels: number
  readonly #window: WindowShape
  readonly #weights: readonly [Float64Array, Float64Array, Float64Array]
  /** Planes one after the other, each with all channels; a plane's place is its number modulo the depth. */
  readonly #ring: Float32Array
  /** Sums of the weights along each axis, and the first indices of windows that are in them. */
  readonly #sums: Sums
  readonly #seen: readonly [Set<number>, Set<number>, Set<number>] = [new Set(), new Set(), new Set()]
  #finished = 0

  constructor(size: Size, channels: number, window: WindowShape) {
    this.#size = size
    this.#channels = channels
    this.#window = window
    const { blend, sigma } = window
    const [w, h, d] = window.size
    this.#weights = [windowWeights(w, blend, sigma), windowWeights(h, blend, sigma), windowWeights(d, blend, sigma)]
    const depth = Math.min(d, size[2])
    this.#ring = new Float32Array(depth * channels * size[0] * size[1])
    this.#sums = [new Float64Array(size[0]), new Float64Array(size[1]), new Float64Array(size[2])]
  }

  /** Planes that are kept. */
  get depth(): number {
    return this.#ring.length / (this.#channels * this.#size[0] * this.#size[1])
  }

  /** @param from of the window's first voxel; parts beyond the image are left out */
  add(block: Block, from: Size): void {
    const [nx, ny, nz] = this.#size
    const [width, height, depth] = this.#window.size
    for (const axis of [0, 1, 2] as const) this.#addWeights(axis, from[axis])
    const [wx, wy, wz] = this.#weights
    const { data } = block
    const ring = this.#ring
    const first = Math.max(0, -from[0])
    const end = Math.min(width, nx - from[0])
    const weights = new Float32Array(width)
    for (let k = Math.max(0, -from[2]); k < Math.min(depth, nz - from[2]); k++) {
      const plane = ((from[2] + k) % this.depth) * this.#channels * ny
      for (let j = Math.max(0, -from[1]); j < Math.min(height, ny - from[1]); j++) {
        const weight = (wz[k] as number) * (wy[j] as number)
        for (let i = first; i < end; i++) weights[i] = weight * (wx[i] as number)
        for (let c = 0; c < this.#channels; c++) {
          const to = (plane + c * ny + from[1] + j) * nx + from[0]
          const at = ((c * depth + k) * height + j) * width
          for (let i = first; i < end; i++)
            ring[to + i] = (ring[to + i] as number) + (weights[i] as number) * (data[at + i] as number)
        }
      }
    }
  }

  #addWeights(axis: 0 | 1 | 2, from: number): void {
    if (this.#seen[axis].has(from)) return
    this.#seen[axis].add(from)
    const [sums, weights] = [this.#sums[axis], this.#weights[axis]]
    for (let at = Math.max(0, -from); at < weights.length && from + at < sums.length; at++)
      sums[from + at] = (sums[from + at] as number) + (weights[at] as number)
  }

  /**
   * Takes out the planes before `end`, each as the weighted mean of its windows. Their memory is used again: the block must be done with when `take`
   * returns.
   */
  finish(end: number, take: (block: Block, plane: number) => void): void {
    const [nx, ny, nz] = this.#size
    const length = this.#channels * nx * ny
    const inverse = this.#sums.map((sums) => sums.map((sum) => 1 / sum)) as unknown as Sums
    for (; this.#finished < Math.min(end, nz); this.#finished++) {
      const slot = (this.#finished % this.depth) * length
      const data = this.#ring.subarray(slot, slot + length)
      for (let c = 0; c < this.#channels; c++)
        for (let j = 0; j < ny; j++) {
          const scale = (inverse[2][this.#finished] as number) * (inverse[1][j] as number)
          const row = (c * ny + j) * nx
          for (let i = 0; i < nx; i++) data[row + i] = (data[row + i] as number) * scale * (inverse[0][i] as number)
        }
      take({ channels: this.#channels, size: [nx, ny, 1], data }, this.#finished)
      data.fill(0)
    }
  }
}
