import * as z from 'zod'
import { voxelsOf } from '../image.ts'
import { finishStep } from '../step.ts'
import type { Value } from '../value.ts'
import { FinishError } from './error.ts'
import { writableFloats } from './kinds.ts'

/** Voxels whose channels are worked on together, so that they stay in the cache. */
const block = 2048

/** 1 / (1 + e^-x), without overflow. */
export function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** Probabilities from logits, in place: e^x over their sum; the greatest is taken off before, so that nothing overflows. */
export function softmaxInPlace(logits: Float64Array): Float64Array {
  let most = Number.NEGATIVE_INFINITY
  for (const x of logits) if (x > most) most = x
  let sum = 0
  for (let i = 0; i < logits.length; i++) {
    const e = Math.exp((logits[i] as number) - most)
    logits[i] = e
    sum += e
  }
  for (let i = 0; i < logits.length; i++) logits[i] = (logits[i] as number) / sum
  return logits
}

/** Softmax over the channels of each voxel, in place. */
export function softmaxChannels(data: Float32Array, voxels: number, channels: number): void {
  const most = new Float32Array(block)
  const sum = new Float64Array(block)
  for (let start = 0; start < voxels; start += block) {
    const count = Math.min(block, voxels - start)
    most.fill(Number.NEGATIVE_INFINITY)
    sum.fill(0)
    for (let c = 0; c < channels; c++)
      for (let n = 0, at = c * voxels + start; n < count; n++, at++)
        if ((data[at] as number) > (most[n] as number)) most[n] = data[at] as number
    for (let c = 0; c < channels; c++)
      for (let n = 0, at = c * voxels + start; n < count; n++, at++) {
        const e = Math.exp((data[at] as number) - (most[n] as number))
        data[at] = e
        sum[n] = (sum[n] as number) + e
      }
    for (let c = 0; c < channels; c++)
      for (let n = 0, at = c * voxels + start; n < count; n++, at++)
        data[at] = (data[at] as number) / (sum[n] as number)
  }
}

/** A step on each number, or on each value of every channel. `index` is that of the number, or of the channel. */
export function elementwise(
  value: Value,
  context: { owned?: boolean },
  change: (x: number, index: number) => number,
): Value {
  if (value.kind === 'numbers') return { kind: 'numbers', numbers: value.numbers.map(change) }
  if (value.kind !== 'image')
    throw new FinishError('wrong-value', `image or numbers are needed: ${value.kind} was given`)
  const image = writableFloats(value.image, context)
  const voxels = voxelsOf(image.grid)
  for (let c = 0; c < image.channels; c++)
    for (let i = c * voxels; i < (c + 1) * voxels; i++) image.data[i] = change(image.data[i] as number, c)
  return { kind: 'image', image }
}

const onBoth = { takes: ['image', 'numbers'], gives: { image: 'image', numbers: 'numbers' } } as const

export const sigmoid = finishStep({
  summary: 'Independent probabilities from logits: 1 / (1 + exp(-x)), on every channel or number.',
  options: z.strictObject({}),
  ...onBoth,
  apply: (value, _options, context) => elementwise(value, context, logistic),
})

export const softmax = finishStep({
  summary: 'Probabilities that sum to 1 from logits, over the channels of each voxel or over the numbers.',
  options: z.strictObject({}),
  ...onBoth,
  apply(value, _options, context) {
    if (value.kind === 'numbers') return { kind: 'numbers', numbers: softmaxInPlace(value.numbers.slice()) }
    if (value.kind !== 'image')
      throw new FinishError('wrong-value', `softmax needs image or numbers: ${value.kind} was given`)
    const image = writableFloats(value.image, context)
    softmaxChannels(image.data, voxelsOf(image.grid), image.channels)
    return { kind: 'image', image }
  },
})
