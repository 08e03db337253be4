import { InferError } from '../error.ts'
import { type Grid, type Image, placeOf } from '../image.ts'
import { halvesOf } from '../runtime/half.ts'
import { elementsOf, type Tensor, type TensorType, zeros } from '../runtime/tensor.ts'
import { dimsOf, isImageOrder, stridesOf } from './layout.ts'

/** A box of voxels; it may go beyond the image. */
export interface Region {
  from: readonly [number, number, number]
  size: readonly [number, number, number]
}

/** One channel of a tensor: which channel of the image, and how many planes further. */
export interface ChannelSource {
  channel: number
  shift: number
}

export interface Packing {
  layout: string
  type: TensorType
  /** One of each in a batch; all of one size. */
  regions: readonly Region[]
  /** All channels of the image when absent. */
  channels?: readonly ChannelSource[]
  /** How many of the channels make one step of T; the rest of the layout's T. */
  channelsPerStep?: number
  /** What lies beyond the image: a number, or the nearest plane again. */
  outside: number | 'repeat'
  /** A tensor that is needed no more: its memory is taken, where type and size are those that are wanted. */
  reuse?: Tensor | undefined
}

/** The whole of a grid. */
export function wholeOf(grid: Grid): Region {
  return { from: [0, 0, 0], size: grid.size }
}

/**
 * A tensor of parts of an image. Where the image lies in memory as the tensor does, the tensor is the image's own memory.
 * @throws {InferError} `wrong-shape` when the layout has no dimension for channels, planes or a batch that there are
 */
export function pack(what: string, image: Image, packing: Packing): Tensor {
  const { layout, type, regions } = packing
  const channels = packing.channels ?? Array.from({ length: image.channels }, (_, channel) => ({ channel, shift: 0 }))
  const [first] = regions as [Region]
  const hasT = layout.includes('T')
  const perStep = packing.channelsPerStep ?? (hasT && layout.includes('C') ? 1 : hasT ? 1 : channels.length)
  const extent = {
    N: regions.length,
    T: channels.length / perStep,
    C: perStep,
    W: first.size[0],
    H: first.size[1],
    D: first.size[2],
  }
  const dims = dimsOf(layout, extent)
  const elements = extent.N * channels.length * elementsOf(first.size)
  if (elementsOf(dims) !== elements)
    throw new InferError(
      'wrong-shape',
      `${what}: ${extent.N} × ${channels.length} channels of ${first.size.join(' × ')} voxels do not fit the layout ${layout}`,
    )
  const place = { grid: partOf(image.grid, first), layout }
  const own = ownMemory(image, packing, { channels, elements })
  if (own) return { type, dims, data: own, place } as Tensor
  // Halves are made of singles at the end.
  const tensor = targetOf(type === 'float16' ? 'float32' : type, dims, packing)
  const strides = stridesOf(layout, dims)
  for (const [n, region] of regions.entries())
    for (const [index, source] of channels.entries()) {
      const at = n * strides.N + Math.floor(index / perStep) * strides.T + (index % perStep) * strides.C
      packChannel(image, source, { region, tensor, at, strides, outside: packing.outside })
    }
  if (type === 'float16' && tensor.type === 'float32') return { type, dims, data: halvesOf(tensor.data), place }
  return { ...tensor, place }
}

/** A tensor of zeros, in memory that was used before where there is such. */
function targetOf(type: TensorType, dims: readonly number[], { reuse }: Packing): Tensor {
  if (reuse?.type !== type || reuse.type === 'int64' || reuse.data.length !== elementsOf(dims)) return zeros(type, dims)
  return { type, dims, data: reuse.data.fill(0) } as Tensor
}

/** The grid of a region. */
export function partOf(grid: Grid, { from, size }: Region): Grid {
  return { ...grid, size, origin: placeOf(grid, from) }
}

function ownMemory(
  image: Image,
  packing: Packing,
  { channels, elements }: { channels: readonly ChannelSource[]; elements: number },
): Image['data'] | null {
  const sameType =
    (packing.type === 'float32' && image.data instanceof Float32Array) ||
    (packing.type === 'int16' && image.data instanceof Int16Array) ||
    (packing.type === 'uint8' && image.data instanceof Uint8Array)
  const [region] = packing.regions as [Region]
  const whole =
    packing.regions.length === 1 &&
    elements === image.data.length &&
    region.from.every((f) => f === 0) &&
    channels.every(({ channel, shift }, index) => channel === index && shift === 0)
  return sameType && whole && isImageOrder(packing.layout) ? image.data : null
}

interface Target {
  region: Region
  tensor: Tensor
  /** Of the channel's first element. */
  at: number
  strides: Readonly<Record<'D' | 'H' | 'W', number>>
  outside: number | 'repeat'
}

function packChannel(image: Image, { channel, shift }: ChannelSource, target: Target): void {
  const { region, tensor, strides } = target
  const [nx, ny, nz] = image.grid.size
  const [width, height, depth] = region.size
  const [i0, j0, k0] = region.from
  const outside = target.outside === 'repeat' ? 0 : target.outside
  // Columns of the region that are inside the image.
  const begin = Math.min(width, Math.max(0, -i0))
  const end = Math.max(begin, Math.min(width, nx - i0))
  for (let k = 0; k < depth; k++) {
    const wanted = k0 + k + shift
    const plane = target.outside === 'repeat' ? Math.min(nz - 1, Math.max(0, wanted)) : wanted
    for (let j = 0; j < height; j++) {
      const row = j0 + j
      const at = target.at + k * strides.D + j * strides.H
      const inside = plane >= 0 && plane < nz && row >= 0 && row < ny
      const [from, to] = inside ? [begin, end] : [0, 0]
      if (outside !== 0) {
        for (let i = 0; i < from; i++) store(tensor, at + i * strides.W, outside)
        for (let i = to; i < width; i++) store(tensor, at + i * strides.W, outside)
      }
      if (to > from) {
        const source = ((channel * nz + plane) * ny + row) * nx + i0 + from
        copyRow(image.data.subarray(source, source + to - from), tensor, at + from * strides.W, strides.W)
      }
    }
  }
}

function copyRow(row: Image['data'], tensor: Tensor, at: number, step: number): void {
  const { type, data } = tensor
  if (type === 'float32' || type === 'float64') {
    if (step === 1) data.set(row, at)
    else for (let i = 0, to = at; i < row.length; i++, to += step) data[to] = row[i] as number
  } else for (let i = 0, to = at; i < row.length; i++, to += step) store(tensor, to, row[i] as number)
}

const limits: Partial<Record<TensorType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65_535],
  int16: [-32_768, 32_767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
}

/** Puts a number into a tensor: rounded and clipped where it holds integers, 1 for what is not 0 where it holds truth values. */
export function store(tensor: Tensor, at: number, value: number): void {
  switch (tensor.type) {
    case 'float32':
    case 'float64':
      tensor.data[at] = value
      return
    case 'bool':
      tensor.data[at] = value === 0 ? 0 : 1
      return
    case 'int64':
      tensor.data[at] = BigInt(Math.round(value))
      return
    case 'float16':
      throw new Error('halves are made of singles')
    default: {
      const [low, high] = limits[tensor.type] as readonly [number, number]
      tensor.data[at] = Math.min(high, Math.max(low, Math.round(value)))
    }
  }
}

/**
 * A tensor of numbers, the same for each of a batch.
 * @throws {InferError} `wrong-shape` for layouts that are no vector's
 */
export function packNumbers(
  what: string,
  numbers: ArrayLike<number>,
  { layout, type, batch }: { layout: string; type: TensorType; batch: number },
): Tensor {
  const shapes: Readonly<Record<string, readonly number[]>> = {
    NC: [batch, numbers.length],
    NT: [batch, numbers.length],
    C: [numbers.length],
    T: [numbers.length],
    N: [numbers.length],
    NTC: [batch, numbers.length, 1],
    NCT: [batch, 1, numbers.length],
  }
  const dims = shapes[layout]
  if (!dims || (batch > 1 && !layout.startsWith('N')))
    throw new InferError(
      'wrong-shape',
      `${what}: the layout ${layout} is none of a vector; ${Object.keys(shapes).join(', ')} are`,
    )
  const values = Float64Array.from({ length: elementsOf(dims) }, (_, at) => numbers[at % numbers.length] as number)
  return tensorOfNumbers(type, dims, values)
}

/** Numbers as a tensor of a type. */
export function tensorOfNumbers(type: TensorType, dims: readonly number[], values: ArrayLike<number>): Tensor {
  if (type === 'float16') return { type, dims, data: halvesOf(values) }
  const tensor = zeros(type, dims)
  for (let at = 0; at < values.length; at++) store(tensor, at, values[at] as number)
  return tensor
}
