import { InferError } from '../error.ts'
import { elementsOf, type Tensor, zeros } from '../runtime/tensor.ts'
import { gather, lettersOf, stridesOf } from './layout.ts'
import type { AugmentOptions, Axis } from './options.ts'

type Spatial = 'D' | 'H' | 'W'

/** Where each dimension of the result comes from: a dimension of the source, walked forwards or (true) backwards. */
export type Transform = Readonly<Record<Spatial, readonly [from: Spatial, backwards: boolean]>>

export const identity: Transform = { D: ['D', false], H: ['H', false], W: ['W', false] }

const spatial = ['D', 'H', 'W'] as const

/**
 * Every combination of flips, with each of the turns and with none, none of them twice; the first is the identity.
 * @param letterOf the dimension that stands for an axis of the image
 */
export function transformsOf(options: AugmentOptions | undefined, letterOf: (axis: Axis) => Spatial): Transform[] {
  const letters = [...new Set(options?.flips ?? [])].map(letterOf)
  const found = new Map<string, Transform>()
  for (const turns of [0, ...(options?.rotations ?? [])])
    for (let bits = 0; bits < 1 << letters.length; bits++) {
      const flips = letters.filter((_, at) => ((bits >> at) & 1) === 1)
      let transform = identity
      for (const letter of flips) transform = { ...transform, [letter]: [letter, true] }
      for (let turn = 0; turn < turns; turn++) transform = turned(transform)
      const key = JSON.stringify(spatial.map((letter) => transform[letter]))
      if (!found.has(key)) found.set(key, transform)
    }
  return [...found.values()]
}

/** Another quarter turn: rows become columns. */
function turned({ D, H, W }: Transform): Transform {
  return { D, H: [W[0], !W[1]], W: H }
}

/** What undoes a transform. */
export function inverse(transform: Transform): Transform {
  const undone: Record<Spatial, readonly [Spatial, boolean]> = { ...identity }
  for (const letter of spatial) {
    const [from, backwards] = transform[letter]
    undone[from] = [letter, backwards]
  }
  return undone
}

/**
 * A tensor flipped and turned. The identity gives the tensor itself.
 * @throws {InferError} `wrong-shape` when the layout lacks a dimension that is to be flipped or turned
 */
export function apply(what: string, tensor: Tensor, layout: string, transform: Transform): Tensor {
  const changed = spatial.filter((letter) => transform[letter][0] !== letter || transform[letter][1])
  if (changed.length === 0) return tensor
  const letters = lettersOf(layout)
  const missing = changed.find((letter) => !letters.includes(letter))
  if (missing)
    throw new InferError(
      'wrong-shape',
      `${what}: the layout ${layout} has no ${missing} that could be flipped or turned`,
    )
  const strides = stridesOf(layout, tensor.dims)
  const sizeOf = (letter: string): number => tensor.dims[letters.indexOf(letter as Spatial)] as number
  const steps: number[] = []
  const dims: number[] = []
  let start = 0
  for (const letter of letters) {
    const [from, backwards] = letter === 'D' || letter === 'H' || letter === 'W' ? transform[letter] : [letter, false]
    const size = sizeOf(from)
    dims.push(size)
    steps.push(backwards ? -strides[from] : strides[from])
    if (backwards) start += (size - 1) * strides[from]
  }
  const result = zeros(tensor.type, dims)
  if (tensor.type === 'int64' || result.type === 'int64')
    throw new InferError('wrong-shape', `${what}: tensors of int64 are not flipped or turned`)
  if (elementsOf(dims) > 0) gather(tensor.data, result.data, { sizes: dims, steps, start })
  return result
}
