import { InferError } from '../error.ts'
import { bytesOf, bytesOfTensor, elementsOf, type Tensor, type TensorType, tensorOfBytes } from './tensor.ts'

/** NumPy's names of types, all in little endian. */
const descriptions: Record<TensorType, string> = {
  bool: '|b1',
  uint8: '|u1',
  int8: '|i1',
  uint16: '<u2',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
}

const magic = Buffer.from('\x93NUMPY', 'latin1')

/** An array in NumPy's format .npy, version 1.0: the parts of the file, in order. */
export function encodeNpy(tensor: Tensor): Uint8Array[] {
  const { type, dims } = tensor
  const shape = `(${dims.join(', ')}${dims.length === 1 ? ',' : ''})`
  const text = `{'descr': '${descriptions[type]}', 'fortran_order': False, 'shape': ${shape}, }`
  // The header ends with a line feed, at a multiple of 64 bytes.
  const padded = `${text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11)}\n`
  const header = Buffer.alloc(10 + padded.length)
  magic.copy(header)
  header[6] = 1
  header.writeUInt16LE(padded.length, 8)
  header.write(padded, 10, 'latin1')
  return [header, bytesOfTensor(tensor)]
}

/**
 * Reads a .npy file (versions 1 to 3, C order, little endian).
 * @param what for errors: `output labels`
 * @throws {InferError} `model-failed` when it is none
 */
export function decodeNpy(what: string, file: Buffer): Tensor {
  const wrong = (reason: string): InferError => new InferError('model-failed', `${what}: the .npy file ${reason}`)
  if (file.length < 12 || !file.subarray(0, 6).equals(magic)) throw wrong('does not begin as one')
  const long = (file[6] as number) >= 2
  const start = long ? 12 : 10
  const end = start + (long ? file.readUInt32LE(8) : file.readUInt16LE(8))
  if (end > file.length) throw wrong('ends inside its header')
  const header = file.toString('latin1', start, end)
  const description = /'descr':\s*'([^']{1,8})'/.exec(header)?.[1]
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1]
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1]
  if (description === undefined || order === undefined || shape === undefined) throw wrong('has no readable header')
  if (order === 'True') throw wrong('is in Fortran order, C order is expected')
  const type = (Object.keys(descriptions) as TensorType[]).find(
    (t) => descriptions[t] === description || (bytesOf(t) === 1 && descriptions[t].slice(1) === description.slice(1)),
  )
  if (!type) throw wrong(`holds ${description}, ${Object.values(descriptions).join(', ')} can be read`)
  const dims = shape
    .split(',')
    .map((dim) => dim.trim())
    .filter((dim) => dim !== '')
    .map(Number)
  const bytes = elementsOf(dims) * bytesOf(type)
  if (file.length - end !== bytes) throw wrong(`has ${file.length - end} bytes of data, its shape has ${bytes}`)
  return tensorOfBytes(type, dims, file.subarray(end))
}
