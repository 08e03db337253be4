import { InferError } from '../error.ts'
import { type Grid, voxelsOf } from '../image.ts'
import { areLogits, decideWithShares, newShares } from '../label-shares.ts'
import { keepsShares } from '../prepare/labels-onto.ts'
import type { Value } from '../value.ts'
import { argmax, sigmoid, softmax } from './channel-math.ts'
import type { TensorOutputOptions } from './options.ts'
import type { Block } from './unpack.ts'

/** Where a block belongs in a value on a grid: its first plane, and the first of its channels. It covers whole planes. */
export interface BlockPlace {
  k: number
  channel: number
}

/** Takes blocks as they are computed, and gives the value that they make. */
export interface GridSink {
  put(block: Block, place: BlockPlace): void
  value(): Value
}

/**
 * Gathers an output on its grid.
 * @param source grid of the images that results are shown on, where it is known
 * @param channels of all blocks together, before `keep`
 */
export function gridSink(
  output: TensorOutputOptions,
  { grid, source }: { grid: Grid; source: Grid | undefined },
  channels: number,
): GridSink {
  if (output.kind === 'image') return imageSink(output, grid, channels)
  return labelsSink(output, { grid, shares: output.reduce === 'argmax' && keepsShares(grid, source) }, channels)
}

function planesOf(size: readonly [number, number, number]): number {
  return size[0] * size[1]
}

function imageSink(output: TensorOutputOptions, grid: Grid, channels: number): GridSink {
  const { reduce, keep } = output
  const outside = keep?.find((channel) => channel >= channels)
  if (outside !== undefined)
    throw new InferError(
      'wrong-shape',
      `output ${output.value}: channel ${outside} is to be kept, there are ${channels}`,
    )
  const voxels = voxelsOf(grid)
  let data: Float32Array | undefined
  return {
    put: (block, place) => {
      const values = reduced(block, reduce)
      const plane = planesOf(block.size)
      const length = plane * block.size[2]
      if (!keep && block.channels === channels && length === voxels && !data) {
        data = values
        return
      }
      data ??= new Float32Array((keep?.length ?? channels) * voxels)
      for (let c = 0; c < block.channels; c++) {
        const channel = place.channel + c
        const into = keep ? keep.indexOf(channel) : channel
        if (into < 0) continue
        data.set(values.subarray(c * length, (c + 1) * length), into * voxels + place.k * plane)
      }
    },
    value: () => ({
      kind: 'image',
      image: { grid, channels: keep?.length ?? channels, data: data ?? new Float32Array(channels * voxels) },
    }),
  }
}

function reduced(block: Block, reduce: TensorOutputOptions['reduce']): Float32Array {
  const data = block.data instanceof Float32Array ? block.data : Float32Array.from(block.data)
  const inner = planesOf(block.size) * block.size[2]
  if (reduce === 'softmax') softmax({ data, channels: block.channels, inner })
  if (reduce === 'sigmoid') sigmoid({ data })
  return data
}

function labelsSink(
  output: TensorOutputOptions,
  { grid, shares: withShares }: { grid: Grid; shares: boolean },
  channels: number,
): GridSink {
  const { value: name, reduce } = output
  if (reduce === 'argmax' && (channels < 2 || channels > 256))
    throw new InferError(
      'wrong-shape',
      `output ${name}: 2 to 256 channels make labels by argmax, there are ${channels}`,
    )
  if (reduce !== 'argmax' && channels !== 1)
    throw new InferError(
      'wrong-shape',
      `output ${name}: labels have one channel, there are ${channels}; argmax makes one`,
    )
  if (withShares) return sharesSink(grid, channels)
  const labels = new Uint8Array(voxelsOf(grid))
  return {
    put: (block, place) => {
      const plane = planesOf(block.size)
      const inner = plane * block.size[2]
      const into = labels.subarray(place.k * plane, place.k * plane + inner)
      if (reduce === 'argmax') argmax(block.data, { channels: block.channels, inner }, into)
      else if (block.data instanceof Uint8Array) into.set(block.data)
      else copyLabels(name, block.data, into)
    },
    value: () => ({ kind: 'labels', labels: { grid, labels } }),
  }
}

/** Labels by argmax, with how sure they are. */
function sharesSink(grid: Grid, channels: number): GridSink {
  const shares = newShares(voxelsOf(grid))
  const labels = Uint8Array.from({ length: channels }, (_, channel) => channel)
  const minimum = Number.NEGATIVE_INFINITY
  let logits: boolean | undefined
  return {
    put: ({ data, size }, place) => {
      const plane = planesOf(size)
      const stride = plane * size[2]
      logits ??= areLogits(data)
      const range = { from: 0, to: place.k * plane, count: stride }
      decideWithShares({ data, channels, stride, labels, minimum, logits }, range, shares)
    },
    value: () => ({ kind: 'labels', labels: { grid, labels: shares.first.slice(), shares } }),
  }
}

function copyLabels(name: string, values: Float32Array, into: Uint8Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value < 0 || value > 255 || !Number.isInteger(value))
      throw new InferError(
        'wrong-shape',
        `output ${name}: ${value} is no label; whole numbers from 0 to 255 are expected`,
      )
    into[i] = value
  }
}
