import * as z from 'zod'
import { InferError } from '../error.ts'
import type { Image } from '../image.ts'
import { name } from '../manifest/vocabulary.ts'
import type { Value } from '../value.ts'
import { sigmoid, softmax } from './channel-math.ts'
import type { InferEntry, TensorOutputOptions } from './options.ts'
import { type RunContext, runModels } from './run-models.ts'

const voxels = z.int().min(1).max(4096)
const perAxis = z.union([voxels, z.array(voxels).min(2).max(3)])

/**
 * A map of what a classifier's answer depends on (Zeiler and Fergus 2014): parts of its input are covered one after the other, and each voxel
 * gets what the score lost when it was covered, as the mean over the parts that it lies in. Above 0: the voxel speaks for the class.
 */
export const occlusionOptions = z.strictObject({
  /** Name of the map: an image on the grid of the model's first image. */
  value: name,
  /** The model's output that holds the scores; left out: the only one that becomes numbers. */
  output: z.string().min(1).optional(),
  /** Which score, from 0; or the one that is highest when nothing is covered. */
  index: z.union([z.int().min(0), z.literal('highest')]).default('highest'),
  /** What makes probabilities of the scores. */
  activation: z.enum(['none', 'sigmoid', 'softmax']).default('none'),
  /** Size of what is covered at once, voxels of the model's input: one number, or columns, rows and slices. */
  size: perAxis,
  /** How far it moves from run to run; left out: half of its size. */
  step: perAxis.optional(),
  /** What covered voxels become: a number, or the mean or the least value of their channel. */
  fill: z.union([z.number(), z.enum(['mean', 'minimum'])]).default('mean'),
})
export type OcclusionOptions = z.output<typeof occlusionOptions>

/** More runs than that are a mistake. */
const mostRuns = 20_000

/**
 * Makes the map: the models run once as they are, and once for every part that is covered.
 * @throws {InferError} `wrong-shape` where there is not one vector of scores, or the parts are too many; what the models throw
 */
export async function occlusionMap(
  entry: InferEntry,
  options: OcclusionOptions,
  context: RunContext,
): Promise<Map<string, Value>> {
  const { output, given } = scoresOf(entry, options.output)
  const images = imagesOf(entry, context)
  const [reference] = images.values()
  if (!reference) throw new InferError('wrong-shape', 'a model needs at least one input that is an image')
  const { grid } = reference
  const fills = new Map([...images].map(([key, image]) => [key, fillsOf(image, options.fill)]))
  const covered = new Map([...images].map(([key, image]) => [key, { ...image, data: image.data.slice() }]))
  const run = async (): Promise<Float64Array> => {
    const values = await runModels(
      { ...entry, outputs: { [output]: [given] } },
      {
        ...context,
        onProgress: () => {},
        valueOf: (key) => {
          const image = covered.get(key)
          return image ? { kind: 'image', image } : context.valueOf(key)
        },
      },
    )
    const value = values.get(given.value)
    return probabilities(value?.kind === 'numbers' ? value.numbers : new Float64Array(0), options.activation)
  }
  const before = await run()
  const index = options.index === 'highest' ? before.indexOf(Math.max(...before)) : options.index
  const score = before[index]
  if (score === undefined)
    throw new InferError('wrong-shape', `occlusion: score ${index} is asked for, there are ${before.length}`)
  const boxes = boxesOf(grid.size, options)
  const sum = new Float32Array(grid.size[0] * grid.size[1] * grid.size[2])
  const times = new Uint32Array(sum.length)
  for (const [at, box] of boxes.entries()) {
    for (const [key, image] of covered) cover(image, box, fills.get(key) as number[])
    const scores = await run()
    if (scores.length !== before.length)
      throw new InferError('wrong-shape', 'occlusion: the model gives another number of scores')
    const lost = score - (scores[index] as number)
    for (const row of rowsOf(grid.size, box))
      for (let voxel = row.from; voxel < row.to; voxel++) {
        sum[voxel] = (sum[voxel] as number) + lost
        times[voxel] = (times[voxel] as number) + 1
      }
    for (const [key, image] of covered) uncover(image, box, images.get(key) as Image)
    context.onProgress?.((at + 1) / boxes.length)
  }
  for (let voxel = 0; voxel < sum.length; voxel++) sum[voxel] = (sum[voxel] as number) / (times[voxel] as number)
  return new Map([[options.value, { kind: 'image', image: { grid, channels: 1, data: sum } }]])
}

/** The output that holds the scores. @throws {InferError} `wrong-shape` where there is none, or one of several has to be named */
export function scoresOf(
  { outputs }: Pick<InferEntry, 'outputs'>,
  wanted: string | undefined,
): { output: string; given: TensorOutputOptions } {
  const found = Object.entries(outputs).flatMap(([output, several]) =>
    several.flatMap((given) => (given.kind === 'numbers' && (wanted ?? output) === output ? [{ output, given }] : [])),
  )
  const [first] = found
  if (!first || found.length > 1)
    throw new InferError(
      'wrong-shape',
      `occlusion: ${found.length} of the model's outputs ${wanted === undefined ? '' : `called ${wanted} `}become numbers, one is expected`,
    )
  return first
}

/** The images that a model is fed with, of the size of the first: they are covered together. */
function imagesOf({ inputs }: InferEntry, { valueOf }: RunContext): Map<string, Image> {
  const images = new Map<string, Image>()
  for (const input of Object.values(inputs)) {
    const value = 'from' in input ? valueOf(input.from) : undefined
    if (value?.kind !== 'image' || !('from' in input)) continue
    const [first] = images.values()
    if (!first || first.grid.size.join() === value.image.grid.size.join()) images.set(input.from, value.image)
  }
  return images
}

function probabilities(numbers: Float64Array, activation: OcclusionOptions['activation']): Float64Array {
  const data = Float32Array.from(numbers)
  if (activation === 'sigmoid') sigmoid({ data })
  if (activation === 'softmax') softmax({ data, channels: data.length, inner: 1 })
  return activation === 'none' ? numbers : Float64Array.from(data)
}

interface Box {
  from: readonly [number, number, number]
  to: readonly [number, number, number]
}

type Triple = readonly [number, number, number]

/** Where what covers stands: from one end to the other, the last one at the end. */
function boxesOf(grid: Triple, { size, step }: OcclusionOptions): Box[] {
  const lengths = grid.map((length, axis) => Math.min(length, along(size, axis) ?? length)) as [number, number, number]
  const starts = grid.map((length, axis) => {
    const own = lengths[axis] as number
    const stride = (step === undefined ? undefined : along(step, axis)) ?? Math.ceil(own / 2)
    const count = Math.ceil((length - own) / stride) + 1
    return Array.from({ length: count }, (_, n) => Math.min(n * stride, length - own))
  }) as [number[], number[], number[]]
  const runs = starts.reduce((product, { length }) => product * length, 1)
  if (runs > mostRuns)
    throw new InferError(
      'wrong-shape',
      `occlusion: ${runs} runs of the model would be needed, ${mostRuns} are the most`,
    )
  return starts[2].flatMap((k) =>
    starts[1].flatMap((j) =>
      starts[0].map((i): Box => ({ from: [i, j, k], to: [i + lengths[0], j + lengths[1], k + lengths[2]] })),
    ),
  )
}

/** Along slices, two numbers say nothing: all of them. */
function along(given: number | readonly number[], axis: number): number | undefined {
  return typeof given === 'number' ? given : given[axis]
}

/** Ranges of voxels of a box, row by row. */
function* rowsOf([nx, ny]: Triple, { from, to }: Box): Generator<{ from: number; to: number }> {
  for (let k = from[2]; k < to[2]; k++)
    for (let j = from[1]; j < to[1]; j++) {
      const start = (k * ny + j) * nx
      yield { from: start + from[0], to: start + to[0] }
    }
}

function fillsOf({ data, channels }: Image, fill: OcclusionOptions['fill']): number[] {
  const length = data.length / channels
  return Array.from({ length: channels }, (_, channel) => {
    if (typeof fill === 'number') return fill
    let sum = 0
    let least = Number.POSITIVE_INFINITY
    for (let at = channel * length; at < (channel + 1) * length; at++) {
      const value = data[at] as number
      sum += value
      if (value < least) least = value
    }
    return fill === 'mean' ? sum / length : least
  })
}

function cover({ grid, data, channels }: Image, box: Box, fills: readonly number[]): void {
  const length = data.length / channels
  for (let channel = 0; channel < channels; channel++)
    for (const { from, to } of rowsOf(grid.size, box))
      data.fill(fills[channel] as number, channel * length + from, channel * length + to)
}

function uncover({ grid, data, channels }: Image, box: Box, original: Image): void {
  const length = data.length / channels
  for (let channel = 0; channel < channels; channel++)
    for (const { from, to } of rowsOf(grid.size, box)) {
      const start = channel * length + from
      data.set(original.data.subarray(start, channel * length + to), start)
    }
}
