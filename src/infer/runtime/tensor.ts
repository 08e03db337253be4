import type { Grid } from '../image.ts'

/** Arrays of each type of tensor. float16 is kept in its bits; bool is 0 or 1. */
export interface TensorArrays {
  float32: Float32Array
  float16: Uint16Array
  float64: Float64Array
  uint8: Uint8Array
  int8: Int8Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  int64: BigInt64Array
  bool: Uint8Array
}

export type TensorType = keyof TensorArrays

type TensorOf<Type extends TensorType> = {
  type: Type
  /** Slowest first. */
  dims: readonly number[]
  data: TensorArrays[Type]
  /** Where the voxels lie, and in what order its dimensions are: for runtimes that write files, and from those that read them. */
  place?: { grid: Grid; layout: string }
}

/** An array with its type and dimensions, row-major. */
export type Tensor = { [Type in TensorType]: TensorOf<Type> }[TensorType]

const arrays: { [Type in TensorType]: new (length: number) => TensorArrays[Type] } = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
}

export const tensorTypes = Object.keys(arrays) as TensorType[]

export function isTensorType(text: string): text is TensorType {
  return text in arrays
}

/** Bytes of one element. */
export function bytesOf(type: TensorType): number {
  return (arrays[type] as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT
}

/** Elements that dimensions announce. */
export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

/** A tensor of zeros. */
export function zeros(type: TensorType, dims: readonly number[]): Tensor {
  return { type, dims, data: new arrays[type](elementsOf(dims)) } as Tensor
}

/**
 * A tensor over bytes in little endian, row-major. They are copied where their offset is not one that the type can be read at.
 * @throws {RangeError} when there are fewer or more bytes than the dimensions say
 */
export function tensorOfBytes(type: TensorType, dims: readonly number[], bytes: Uint8Array): Tensor {
  const expected = elementsOf(dims) * bytesOf(type)
  if (bytes.length !== expected)
    throw new RangeError(`${bytes.length} bytes, ${expected} are expected for ${type} [${dims.join(', ')}]`)
  const aligned = bytes.byteOffset % bytesOf(type) === 0 ? bytes : Uint8Array.from(bytes)
  const Type = arrays[type] as unknown as new (
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ) => Tensor['data']
  return { type, dims, data: new Type(aligned.buffer, aligned.byteOffset, elementsOf(dims)) } as Tensor
}

/** The bytes of a tensor, without a copy. */
export function bytesOfTensor({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Type and dimensions, for errors: `float32 [1, 3, 224, 224]`. */
export function describe(type: string, dims: readonly (number | string | null)[]): string {
  return `${type} [${dims.map((dim) => dim ?? '?').join(', ')}]`
}
