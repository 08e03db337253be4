import { InferError } from '../error.ts'
import { elementsOf } from '../runtime/tensor.ts'

/** Letters of dimensions, after X, Y and Z were taken for W, H and D. */
export type Letter = 'N' | 'T' | 'C' | 'D' | 'H' | 'W'

const synonyms: Readonly<Record<string, Letter>> = { X: 'W', Y: 'H', Z: 'D' }

/** The letters of a layout, slowest first: `NCXYZ` gives N, C, W, H, D. */
export function lettersOf(layout: string): Letter[] {
  return layout.split('').map((letter) => synonyms[letter] ?? (letter as Letter))
}

/** The layout of an output for which none is said: that of the input, without what the tensor has no dimension for. */
export function layoutOfRank(layout: string, rank: number): string {
  const letters = layout.split('')
  for (const dropped of ['C', 'T', 'N']) {
    if (letters.length <= rank) break
    const at = letters.indexOf(dropped)
    if (at >= 0) letters.splice(at, 1)
  }
  return letters.join('')
}

/** Number of elements along each letter; 1 for those that the layout does not have. */
export type Extent = Readonly<Record<Letter, number>>

/** The dimensions of a tensor of an extent. */
export function dimsOf(layout: string, extent: Extent): number[] {
  return lettersOf(layout).map((letter) => extent[letter])
}

/** @throws {InferError} `wrong-shape` when the tensor has another number of dimensions than the layout */
export function extentOf(what: string, layout: string, dims: readonly number[]): Extent {
  const letters = lettersOf(layout)
  if (letters.length !== dims.length)
    throw new InferError(
      'wrong-shape',
      `${what}: ${letters.length} dimensions (${layout}) are expected, [${dims.join(', ')}] was found`,
    )
  const extent = { N: 1, T: 1, C: 1, D: 1, H: 1, W: 1 }
  for (const [at, letter] of letters.entries()) extent[letter] = dims[at] as number
  return extent
}

/** Steps from one element to the next along each letter, in a row-major tensor; 0 for those that the layout does not have. */
export function stridesOf(layout: string, dims: readonly number[]): Record<Letter, number> {
  const strides = { N: 0, T: 0, C: 0, D: 0, H: 0, W: 0 }
  for (const [at, letter] of lettersOf(layout).entries()) strides[letter] = elementsOf(dims.slice(at + 1))
  return strides
}

/** Whether a tensor of the layout lies in memory as an image does: channels, planes, rows, columns. */
export function isImageOrder(layout: string): boolean {
  return /^N?T?C?D?H?W?$/.test(lettersOf(layout).join(''))
}

type Numbers = Float32Array | Uint8Array | Uint16Array | Int8Array | Int16Array | Int32Array | Float64Array

/** How a copy walks through its source: for each dimension of the copy its size and the step in the source. */
export interface Walk {
  sizes: readonly number[]
  steps: readonly number[]
  /** In the source. */
  start: number
}

/** Copies elements in the order of a walk: transposed, flipped, or a part. The last dimension runs fastest in the target. */
export function gather(
  source: ArrayLike<number>,
  target: Numbers,
  { sizes, steps, start }: Walk,
  targetStart = 0,
): void {
  const rank = sizes.length
  const [inner = 1, step = 0] = [sizes[rank - 1], steps[rank - 1]]
  let at = targetStart
  const level = (depth: number, from: number): void => {
    if (depth < rank - 1) {
      for (let i = 0, next = from; i < (sizes[depth] as number); i++, next += steps[depth] as number)
        level(depth + 1, next)
      return
    }
    for (let i = 0, place = from; i < inner; i++, place += step) target[at++] = source[place] as number
  }
  level(0, start)
}
