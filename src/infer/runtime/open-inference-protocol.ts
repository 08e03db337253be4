import type { InferenceServer, TensorInfo } from './model.ts'
import type { TensorType } from './tensor.ts'

/** What the Open Inference Protocol v2 calls the types of tensors. */
const datatypes: Record<TensorType, string> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
}

export function datatypeOf(type: TensorType): string {
  return datatypes[type]
}

/** Null for those that are not supported: UINT32, UINT64, BYTES. */
export function typeOfDatatype(datatype: string): TensorType | null {
  return (Object.keys(datatypes) as TensorType[]).find((type) => datatypes[type] === datatype) ?? null
}

/** A tensor in a server's description of a model; -1 is a dimension that it leaves open. */
export function infoOfMetadata(metadata: { name: string; datatype: string; shape: readonly number[] }): TensorInfo {
  const dims = metadata.shape.map((dim) => (dim < 0 ? null : dim))
  return { name: metadata.name, type: typeOfDatatype(metadata.datatype), dims }
}

/** Bytes of a message: gRPC and many servers count them in 32 bits with a sign. */
export const largestMessage = 2 ** 31 - 1

/** What a call needs of the server and of the pipeline, together. */
export interface Endpoint {
  server: InferenceServer
  model: string
  version: string | undefined
  /** Milliseconds of each call. */
  deadline: number
  maximumBytes: number
  signal: AbortSignal | undefined
}
