import { InferError } from '../error.ts'
import type { TensorInfo } from './model.ts'
import { bytesOf, describe, elementsOf, type Tensor } from './tensor.ts'

/**
 * Checks what a model is to be fed with against what it says of its inputs.
 * @throws {InferError} `wrong-shape`, naming what is expected and what was found
 */
export function checkFeeds(infos: readonly TensorInfo[], feeds: Readonly<Record<string, Tensor>>): void {
  for (const name of Object.keys(feeds))
    if (!infos.some((info) => info.name === name))
      throw new InferError('wrong-shape', `the model has no input ${name}; it has ${namesOf(infos)}`)
  for (const info of infos) {
    const feed = feeds[info.name]
    if (!feed) throw new InferError('wrong-shape', `the model's input ${info.name} is given nothing`)
    checkTensor(`input ${info.name}`, info, feed)
  }
}

/** @throws {InferError} `wrong-shape` when the model has no output of a name */
export function checkWanted(infos: readonly TensorInfo[], wanted: readonly string[]): void {
  for (const name of wanted)
    if (!infos.some((info) => info.name === name))
      throw new InferError('wrong-shape', `the model has no output ${name}; it has ${namesOf(infos)}`)
}

/**
 * @param what `input image`, `output logits`
 * @throws {InferError} `wrong-shape`
 */
export function checkTensor(what: string, info: TensorInfo, tensor: Tensor): void {
  const found = describe(tensor.type, tensor.dims)
  const sameType = info.type === null || info.type === tensor.type
  const sameDims =
    info.dims === null ||
    (info.dims.length === tensor.dims.length &&
      info.dims.every((dim, axis) => typeof dim !== 'number' || dim < 0 || dim === tensor.dims[axis]))
  if (!sameType || !sameDims)
    throw new InferError(
      'wrong-shape',
      `${what}: ${describe(info.type ?? 'any type', info.dims ?? ['?'])} is expected, ${found} was found`,
      { detail: { expected: info.dims, found: tensor.dims } },
    )
  const elements = elementsOf(tensor.dims)
  if (tensor.data.length !== elements)
    throw new InferError(
      'wrong-shape',
      `${what}: ${tensor.data.length} elements (${tensor.data.length * bytesOf(tensor.type)} bytes) were found, ${found} has ${elements}`,
    )
}

/**
 * Checks how many elements stand in an answer before room for them is made: shapes may announce anything.
 * @throws {InferError} `wrong-shape`
 */
export function checkCount(
  name: string,
  values: readonly unknown[],
  { type, shape }: { type: string; shape: readonly number[] },
): void {
  const expected = elementsOf(shape)
  if (values.length !== expected)
    throw new InferError(
      'wrong-shape',
      `output ${name}: ${values.length} elements were found, ${describe(type, shape)} has ${expected}`,
    )
}

function namesOf(infos: readonly TensorInfo[]): string {
  return infos.map((info) => info.name).join(', ') || 'none'
}

/**
 * Refuses NaN and infinity: a model that gives them has failed, whatever the rest of its answer looks like.
 * @throws {InferError} `not-finite`, naming the output
 */
export function checkFinite(output: string, tensor: Tensor): void {
  const bad = firstNotFinite(tensor)
  if (bad >= 0)
    throw new InferError(
      'not-finite',
      `output ${output}: element ${bad} of ${tensor.data.length} is ${valueAt(tensor, bad)}, finite numbers are expected`,
    )
}

function firstNotFinite(tensor: Tensor): number {
  if (tensor.type === 'float16') return tensor.data.findIndex((bits) => (bits & 0x7c00) === 0x7c00)
  if (tensor.type !== 'float32' && tensor.type !== 'float64') return -1
  const { data } = tensor
  // A number minus itself is 0, unless it is not finite: NaN, which stays in a sum. Found per block, because summing is all that is fast.
  for (let start = 0; start < data.length; start += block) {
    const end = Math.min(data.length, start + block)
    let sum = 0
    for (let i = start; i < end; i++) sum += (data[i] as number) - (data[i] as number)
    if (sum !== 0) for (let i = start; i < end; i++) if (!Number.isFinite(data[i])) return i
  }
  return -1
}

const block = 65_536

function valueAt(tensor: Tensor, index: number): string {
  const value = tensor.data[index]
  if (tensor.type !== 'float16') return String(value)
  return (Number(value) & 0x3ff) === 0 ? 'infinite' : 'NaN'
}
