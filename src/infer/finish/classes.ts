import * as z from 'zod'
import { type Image, type LabelShares, voxelsOf } from '../image.ts'
import { areLogits, decideWithShares, newShares, shareByte } from '../label-shares.ts'
import { keepsShares } from '../prepare/labels-onto.ts'
import { finishStep } from '../step.ts'
import { FinishError } from './error.ts'

/** Voxels whose channels are compared together, so that they stay in the cache. */
const block = 4096
const label = z.int().min(0).max(255)

export const argmax = finishStep({
  summary: 'The class with the highest value: a label for each voxel, or one number. Of equal ones the first.',
  options: z.strictObject({
    /** What each class becomes, in order of the channels (or numbers); left out: its index, from 0. */
    labels: z.array(label).min(1).optional(),
    /** Where no class is higher: label 0, or for numbers -1. */
    minimum: z.number().optional(),
  }),
  takes: ['image', 'numbers'],
  gives: { image: 'labels', numbers: 'numbers' },
  apply(value, { labels, minimum = Number.NEGATIVE_INFINITY }, { sourceGrid }) {
    if (value.kind === 'numbers') {
      requireLabels(labels, value.numbers.length)
      let best = -1
      for (const [index, x] of value.numbers.entries())
        if (best < 0 || x > (value.numbers[best] as number)) best = index
      const found = best >= 0 && (value.numbers[best] as number) > minimum
      return { kind: 'numbers', numbers: Float64Array.of(found ? (labels?.[best] ?? best) : -1) }
    }
    if (value.kind !== 'image')
      throw new FinishError('wrong-value', `argmax needs image or numbers: ${value.kind} was given`)
    const { image } = value
    requireLabels(labels, image.channels)
    if (image.channels > 256)
      throw new FinishError('wrong-value', `argmax: ${image.channels} channels, labels go to 255`)
    const table = Uint8Array.from({ length: image.channels }, (_, c) => labels?.[c] ?? c)
    if (!keepsShares(image.grid, sourceGrid))
      return { kind: 'labels', labels: { grid: image.grid, labels: argmaxOf(image, table, minimum) } }
    const shares = argmaxShares(image, table, minimum)
    return { kind: 'labels', labels: { grid: image.grid, labels: shares.first.slice(), shares } }
  },
})

function requireLabels(labels: readonly number[] | undefined, classes: number): void {
  if (labels && labels.length !== classes)
    throw new FinishError('wrong-value', `argmax names ${labels.length} labels, there are ${classes} classes`)
}

function argmaxShares({ grid, channels, data }: Image, labels: Uint8Array, minimum: number): LabelShares {
  const voxels = voxelsOf(grid)
  const shares = newShares(voxels)
  const scores = { data, channels, stride: voxels, labels, minimum, logits: areLogits(data) }
  decideWithShares(scores, { from: 0, to: 0, count: voxels }, shares)
  return shares
}

function argmaxOf({ grid, channels, data }: Image, table: Uint8Array, minimum: number): Uint8Array {
  const voxels = voxelsOf(grid)
  const labels = new Uint8Array(voxels)
  const best = new Float64Array(block)
  for (let start = 0; start < voxels; start += block) {
    const count = Math.min(block, voxels - start)
    best.fill(minimum)
    for (let c = 0; c < channels; c++) {
      const becomes = table[c] as number
      for (let n = 0, at = c * voxels + start; n < count; n++, at++) {
        const x = data[at] as number
        if (x <= (best[n] as number)) continue
        // NaN is never the best.
        if (Number.isNaN(x)) continue
        best[n] = x
        labels[start + n] = becomes
      }
    }
  }
  return labels
}

const thresholdClass = z
  .strictObject({
    /** Index of the channel, or number, from 0. */
    channel: z.int().min(0),
    /** Left out: the channel's index plus 1. */
    label: label.optional(),
    /** Values from here on count. */
    minimum: z.number().optional(),
    /** Values up to here count. */
    maximum: z.number().optional(),
  })
  .refine(({ minimum, maximum }) => minimum !== undefined || maximum !== undefined, 'minimum or maximum is expected')

export const threshold = finishStep({
  summary:
    'Labels from values of at least (at most) a limit, one limit for all channels or one for each class; for numbers 1 or 0.',
  options: z
    .strictObject({
      /** For every channel; channel c becomes label c + 1. */
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      /** Limits of single channels, in order of their priority; channels that are not named are left out. */
      classes: z.array(thresholdClass).min(1).optional(),
      /** Which label a voxel gets that several classes claim: the first or the last of the list, or that of the highest value. */
      priority: z.enum(['first', 'last', 'highest']).default('highest'),
    })
    .refine(
      ({ minimum, maximum, classes }) => (classes === undefined) !== (minimum === undefined && maximum === undefined),
      'either classes, or minimum or maximum for all of them, is expected',
    ),
  takes: ['image', 'numbers'],
  gives: { image: 'labels', numbers: 'numbers' },
  apply(value, { classes, priority, ...limits }, { sourceGrid }) {
    if (value.kind !== 'image' && value.kind !== 'numbers')
      throw new FinishError('wrong-value', `threshold needs image or numbers: ${value.kind} was given`)
    const channels = value.kind === 'image' ? value.image.channels : value.numbers.length
    const rules = (classes ?? Array.from({ length: channels }, (_, channel) => ({ channel, ...limits }))).map(ruleOf)
    const beyond = rules.find(({ channel }) => channel >= channels)
    if (beyond) throw new FinishError('wrong-value', `threshold names channel ${beyond.channel}, there are ${channels}`)
    if (value.kind === 'numbers')
      return {
        kind: 'numbers',
        numbers: Float64Array.from(rules, ({ channel, low, high }) => {
          const x = value.numbers[channel] as number
          return x >= low && x <= high ? 1 : 0
        }),
      }
    const highest = rules.find((rule) => rule.label > 255)
    if (highest) throw new FinishError('wrong-value', `threshold gives label ${highest.label}, labels go to 255`)
    const { grid } = value.image
    const labels = thresholded(value.image, rules, priority)
    const shares = keepsShares(grid, sourceGrid) ? thresholdShares(value.image, labels, rules) : undefined
    return { kind: 'labels', labels: { grid, labels, shares } }
  },
})

interface Rule {
  channel: number
  label: number
  low: number
  high: number
}

function ruleOf(given: {
  channel: number
  label?: number | undefined
  minimum?: number | undefined
  maximum?: number | undefined
}): Rule {
  return {
    channel: given.channel,
    label: given.label ?? given.channel + 1,
    low: given.minimum ?? Number.NEGATIVE_INFINITY,
    high: given.maximum ?? Number.POSITIVE_INFINITY,
  }
}

/** How far each voxel is from the limits that decided its label, as a part of the farthest that any is. */
function thresholdShares({ grid, data }: Image, labels: Uint8Array, rules: readonly Rule[]): LabelShares {
  const voxels = voxelsOf(grid)
  const shares = { ...newShares(0), second: new Uint8Array(voxels), share: new Uint8Array(voxels) }
  const farthest = Math.max(1e-30, ...rules.map((rule) => largestMargin(data, voxels, rule)))
  for (let i = 0; i < voxels; i++) {
    const decided = labels[i] as number
    let nearest = Number.NEGATIVE_INFINITY
    for (const rule of rules) {
      const margin = marginOf(data[rule.channel * voxels + i] as number, rule)
      if (decided !== 0 && rule.label !== decided) continue
      if (!(margin > nearest)) continue
      nearest = margin
      shares.second[i] = decided === 0 ? rule.label : 0
    }
    shares.share[i] = shareByte(0.5 + (0.5 * Math.abs(nearest)) / farthest)
  }
  return { ...shares, first: labels.slice() }
}

/** How far a value is inside of its limits; below 0 outside. */
function marginOf(x: number, { low, high }: Rule): number {
  return Math.min(x - low, high - x)
}

function largestMargin(data: Image['data'], voxels: number, rule: Rule): number {
  let largest = 0
  for (let at = rule.channel * voxels; at < (rule.channel + 1) * voxels; at++) {
    const margin = Math.abs(marginOf(data[at] as number, rule))
    if (margin > largest && margin < Number.POSITIVE_INFINITY) largest = margin
  }
  return largest
}

function thresholded(
  { grid, data }: Image,
  rules: readonly Rule[],
  priority: 'first' | 'last' | 'highest',
): Uint8Array {
  const voxels = voxelsOf(grid)
  const labels = new Uint8Array(voxels)
  const claimed = new Uint8Array(block)
  const best = new Float64Array(block)
  const isSingle = data instanceof Float32Array
  // The last of the list is the first of the list turned round.
  const ordered = priority === 'last' ? rules.toReversed() : rules
  for (let start = 0; start < voxels; start += block) {
    const count = Math.min(block, voxels - start)
    claimed.fill(0)
    for (const { channel, label: becomes, ...limits } of ordered) {
      // A limit of 0.7 is that of single precision, where the values are.
      const [low, high] = isSingle ? [Math.fround(limits.low), Math.fround(limits.high)] : [limits.low, limits.high]
      for (let n = 0, at = channel * voxels + start; n < count; n++, at++) {
        const x = data[at] as number
        if (!(x >= low && x <= high)) continue
        if (claimed[n] === 1 && (priority !== 'highest' || x <= (best[n] as number))) continue
        claimed[n] = 1
        best[n] = x
        labels[start + n] = becomes
      }
    }
  }
  return labels
}

export const select = finishStep({
  summary: 'Some of the channels or numbers, in the order that is asked for.',
  options: z.strictObject({
    /** From 0. */
    indices: z.array(z.int().min(0)).min(1),
  }),
  takes: ['image', 'numbers'],
  gives: { image: 'image', numbers: 'numbers' },
  apply(value, { indices }) {
    if (value.kind !== 'image' && value.kind !== 'numbers')
      throw new FinishError('wrong-value', `select needs image or numbers: ${value.kind} was given`)
    const count = value.kind === 'image' ? value.image.channels : value.numbers.length
    const beyond = indices.find((index) => index >= count)
    if (beyond !== undefined) throw new FinishError('wrong-value', `select asks for ${beyond}, there are ${count}`)
    if (value.kind === 'numbers')
      return { kind: 'numbers', numbers: Float64Array.from(indices, (index) => value.numbers[index] as number) }
    const { grid, data } = value.image
    const voxels = voxelsOf(grid)
    const chosen = new (data.constructor as Float32ArrayConstructor)(voxels * indices.length)
    for (const [n, index] of indices.entries())
      chosen.set(data.subarray(index * voxels, (index + 1) * voxels), n * voxels)
    return { kind: 'image', image: { grid, channels: indices.length, data: chosen } }
  },
})
