import { InferError } from '../error.ts'
import { singlesOf } from '../runtime/half.ts'
import { elementsOf, type Tensor } from '../runtime/tensor.ts'
import { extentOf, gather, isImageOrder, stridesOf } from './layout.ts'

/** Numbers in the order of an image: channels, planes, rows, columns. Whoever is given it may change it. */
export interface Block {
  channels: number
  /** Columns, rows, planes. */
  size: readonly [number, number, number]
  data: Float32Array | Uint8Array
}

/** The numbers of a tensor; integers of 8 bits stay bytes. No copy is made where there is no need. */
export function numbersOf(tensor: Tensor): Float32Array | Uint8Array {
  switch (tensor.type) {
    case 'float32':
    case 'uint8':
    case 'bool':
      return tensor.data
    case 'float16':
      return singlesOf(tensor.data)
    case 'int64':
      return Float32Array.from(tensor.data, Number)
    default:
      return Float32Array.from(tensor.data)
  }
}

/**
 * A tensor as blocks, one of each in the batch. Steps of T become channels.
 * @throws {InferError} `wrong-shape` when it has other dimensions than the layout
 */
export function unpack(what: string, tensor: Tensor, layout: string): Block[] {
  const { dims } = tensor
  const extent = extentOf(what, layout, dims)
  const size = [extent.W, extent.H, extent.D] as const
  const channels = extent.T * extent.C
  if (elementsOf(dims) === 0) throw new InferError('wrong-shape', `${what}: [${dims.join(', ')}] holds nothing`)
  const data = numbersOf(tensor)
  const length = channels * elementsOf(size)
  const inOrder = isImageOrder(layout)
  const strides = stridesOf(layout, dims)
  return Array.from({ length: extent.N }, (_, n) => {
    if (inOrder) return { channels, size, data: data.subarray(n * length, (n + 1) * length) }
    const block = data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)
    gather(data, block, {
      sizes: [extent.T, extent.C, extent.D, extent.H, extent.W],
      steps: [strides.T, strides.C, strides.D, strides.H, strides.W],
      start: n * strides.N,
    })
    return { channels, size, data: block }
  })
}
