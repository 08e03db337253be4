import { InferError } from '../error.ts'
import type { Grid } from '../image.ts'
import { elementsOf, type Tensor } from '../runtime/tensor.ts'
import type { Value } from '../value.ts'
import type { TensorOutputOptions } from './options.ts'
import { numbersOf } from './unpack.ts'

/** Takes an output that has no place on a grid, once a run. */
export interface VectorSink {
  /**
   * @param batch items that the run was made for; the first dimension is theirs where it has that size
   * @param used those that count: the rest fill up the batch
   */
  put(tensor: Tensor, batch: number, used: number): void
  value(): Value
}

/** Gathers vectors of numbers, or tensors as they are. */
export function vectorSink(output: TensorOutputOptions, grid: Grid): VectorSink {
  return output.kind === 'tensor' ? tensorSink(output, grid) : numbersSink(output)
}

function itemsOf(tensor: Tensor, batch: number, used: number, what: string): { items: Float32Array[]; dims: number[] } {
  const data = Float32Array.from(numbersOf(tensor))
  if (batch === 1) return { items: [data], dims: [...tensor.dims] }
  if (tensor.dims[0] !== batch)
    throw new InferError(
      'wrong-shape',
      `${what}: a first dimension of ${batch} is expected, [${tensor.dims.join(', ')}] was found`,
    )
  const dims = tensor.dims.slice(1)
  const length = elementsOf(dims)
  const items = Array.from({ length: used }, (_, item) => data.subarray(item * length, (item + 1) * length))
  return { items, dims }
}

function numbersSink({ value: name, over }: TensorOutputOptions): VectorSink {
  const vectors: Float32Array[] = []
  return {
    put: (tensor, batch, used) => vectors.push(...itemsOf(tensor, batch, used, `output ${name}`).items),
    value: () => {
      const [first = new Float32Array(0)] = vectors
      if (over === 'each') return { kind: 'numbers', numbers: joined(vectors) }
      if (vectors.some((vector) => vector.length !== first.length))
        throw new InferError('wrong-shape', `output ${name}: its vectors differ in length, there is no ${over} of them`)
      const numbers = Float64Array.from(first, (_, at) => {
        const values = vectors.map((vector) => vector[at] as number)
        return over === 'mean' ? values.reduce((sum, v) => sum + v, 0) / values.length : Math.max(...values)
      })
      return { kind: 'numbers', numbers }
    },
  }
}

function joined(vectors: readonly Float32Array[]): Float64Array {
  const numbers = new Float64Array(vectors.reduce((sum, vector) => sum + vector.length, 0))
  let at = 0
  for (const vector of vectors) {
    numbers.set(vector, at)
    at += vector.length
  }
  return numbers
}

function tensorSink({ value: name }: TensorOutputOptions, grid: Grid): VectorSink {
  const all: Float32Array[] = []
  let dims: number[] | undefined
  let runs = 0
  let single: readonly number[] = []
  return {
    put: (tensor, batch, used) => {
      const { items, dims: found } = itemsOf(tensor, batch, used, `output ${name}`)
      // One item may have kept a first dimension of 1, its place in the batch.
      const own = batch === 1 && found[0] === 1 ? found.slice(1) : found
      dims ??= own
      if (own.join() !== dims.join())
        throw new InferError(
          'wrong-shape',
          `output ${name}: [${dims.join(', ')}] and [${own.join(', ')}] were found in one series; all must be the same`,
        )
      single = tensor.dims
      runs += 1
      all.push(...items)
    },
    value: () => {
      if (runs === 1 && all.length === 1) return { kind: 'tensor', grid, dims: single, data: all[0] as Float32Array }
      const data = new Float32Array(all.reduce((sum, item) => sum + item.length, 0))
      let at = 0
      for (const item of all) {
        data.set(item, at)
        at += item.length
      }
      return { kind: 'tensor', grid, dims: [all.length, ...(dims ?? [])], data }
    },
  }
}
