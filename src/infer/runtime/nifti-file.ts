import { gunzipSync } from 'node:zlib'
import { dot, norm, scale, type Vector } from '../../dicom/geometry.ts'
import { InferError } from '../error.ts'
import type { Grid } from '../image.ts'
import { bytesOf, bytesOfTensor, elementsOf, type Tensor, type TensorType, tensorOfBytes } from './tensor.ts'

/** NIfTI-1's codes of types; halves have none. */
const typeCodes: readonly (readonly [TensorType, number])[] = [
  ['uint8', 2],
  ['int16', 4],
  ['int32', 8],
  ['float32', 16],
  ['float64', 64],
  ['int8', 256],
  ['uint16', 512],
  ['int64', 1024],
]

const headerLength = 348
const dataOffset = 352

/** DICOM's x and y grow to the left and back, NIfTI's to the right and front. */
const turned = ([x, y, z]: Vector): Vector => [-x, -y, z]

/**
 * A tensor in NIfTI-1 (.nii), with the place of its voxels in sform and qform code 1: the parts of the file, in order. The text fields are empty.
 * @param layout letters of dimensions as in `NCDHW`: they must stand in this order
 * @throws {InferError} `wrong-shape` for other orders and for types that NIfTI does not know
 */
export function encodeNifti(tensor: Tensor, { grid, layout }: { grid: Grid; layout: string }): Uint8Array[] {
  const code = typeCodes.find(([type]) => type === tensor.type)?.[1]
  if (code === undefined)
    throw new InferError('wrong-shape', `NIfTI has no type for ${tensor.type}; the format npy takes it`)
  const sizeOf = (letters: string): number => {
    const at = layout.split('').findIndex((letter) => letters.includes(letter))
    return at < 0 ? 1 : (tensor.dims[at] as number)
  }
  if (sizeOf('N') !== 1 || !/^N?T?C?[DZ]?[HY][WX]$/.test(layout))
    throw new InferError(
      'wrong-shape',
      `NIfTI needs the layout NCDHW or a part of it, ${layout} is given; npy takes any`,
    )
  const header = Buffer.alloc(dataOffset)
  header.writeInt32LE(headerLength, 0)
  const sizes = [sizeOf('WX'), sizeOf('HY'), sizeOf('DZ'), sizeOf('T'), sizeOf('C')]
  const last = sizes.findLastIndex((size) => size > 1)
  header.writeInt16LE(Math.max(3, last + 1), 40)
  for (let at = 0; at < 7; at++) header.writeInt16LE(sizes[at] ?? 1, 42 + 2 * at)
  header.writeInt16LE(code, 70)
  header.writeInt16LE(8 * bytesOf(tensor.type), 72)
  // The handedness of qform's rotation; only sform says all.
  header.writeFloatLE(1, 76)
  for (let at = 0; at < 3; at++) header.writeFloatLE(grid.spacing[at] as number, 80 + 4 * at)
  header.writeFloatLE(dataOffset, 108)
  header.writeFloatLE(1, 112)
  // Millimetres.
  header.writeUInt8(2, 123)
  header.writeInt16LE(1, 254)
  const columns = grid.axes.map((axis, at) => turned(scale(axis, grid.spacing[at] as number)))
  const origin = turned(grid.origin)
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 4; column++)
      header.writeFloatLE((columns[column] ?? origin)[row] as number, 280 + 16 * row + 4 * column)
  header.write('n+1\0', 344, 'latin1')
  return [header, bytesOfTensor(tensor)]
}

/**
 * Reads NIfTI-1, also compressed (.nii.gz).
 * @param what for errors: `output labels`
 * @param maximum bytes of the file once it is inflated
 * @returns a tensor [C, D, H, W], or [D, H, W] where there is one value a voxel, with its grid; scaled values are float32
 * @throws {InferError} `model-failed` when it is no such file, or its axes are not perpendicular
 */
export function decodeNifti(what: string, given: Buffer, maximum: number): Tensor {
  const wrong = (reason: string): InferError => new InferError('model-failed', `${what}: the NIfTI file ${reason}`)
  let file = given
  if (file[0] === 0x1f && file[1] === 0x8b)
    try {
      file = gunzipSync(file, { maxOutputLength: maximum })
    } catch (error) {
      const { code } = error as { code?: string }
      throw wrong(code === 'ERR_BUFFER_TOO_LARGE' ? `inflates to more than ${maximum} bytes` : 'cannot be inflated')
    }
  if (file.length < headerLength || file.readInt32LE(0) !== headerLength)
    throw wrong('does not begin with a header in little endian')
  if (file.toString('latin1', 344, 347) !== 'n+1') throw wrong('is no single file of NIfTI-1')
  const rank = file.readInt16LE(40)
  const sizes = Array.from({ length: 7 }, (_, at) => (at < rank ? file.readInt16LE(42 + 2 * at) : 1))
  if (rank < 1 || rank > 7 || sizes.some((size) => size < 1)) throw wrong(`has sizes that are none`)
  const code = file.readInt16LE(70)
  const type = typeCodes.find(([, c]) => c === code)?.[0]
  if (!type) throw wrong(`is of type ${code}, which cannot be read`)
  const [nx, ny, nz, ...others] = sizes as [number, number, number, ...number[]]
  const channels = elementsOf(others)
  const dims = channels === 1 ? [nz, ny, nx] : [channels, nz, ny, nx]
  const start = Math.max(headerLength, file.readFloatLE(108))
  const bytes = elementsOf(dims) * bytesOf(type)
  if (file.length - start !== bytes)
    throw wrong(`has ${file.length - start} bytes of data, its header announces ${bytes}`)
  const grid = gridOf(file, [nx, ny, nz])
  if (!grid) throw wrong('has axes that are not perpendicular, or no place in space')
  const place = { grid, layout: channels === 1 ? 'DHW' : 'CDHW' }
  const tensor = tensorOfBytes(type, dims, file.subarray(start))
  const [slope, intercept] = [file.readFloatLE(112), file.readFloatLE(116)]
  if (slope === 0 || (slope === 1 && intercept === 0)) return { ...tensor, place }
  return { type: 'float32', dims, place, data: scaled(tensor.data, slope, intercept) }
}

function scaled(data: Tensor['data'], slope: number, intercept: number): Float32Array {
  const values = new Float32Array(data.length)
  for (let i = 0; i < values.length; i++) values[i] = Number(data[i]) * slope + intercept
  return values
}

function gridOf(file: Buffer, size: readonly [number, number, number]): Grid | null {
  const columns = file.readInt16LE(254) > 0 ? sform(file) : file.readInt16LE(252) > 0 ? qform(file) : null
  if (!columns) return null
  const [i, j, k, origin] = columns.map(turned) as [Vector, Vector, Vector, Vector]
  const spacing: Vector = [norm(i), norm(j), norm(k)]
  if (!spacing.every((s) => s > 0 && Number.isFinite(s))) return null
  const axes = [scale(i, 1 / spacing[0]), scale(j, 1 / spacing[1]), scale(k, 1 / spacing[2])] as const
  const skew = Math.max(
    Math.abs(dot(axes[0], axes[1])),
    Math.abs(dot(axes[0], axes[2])),
    Math.abs(dot(axes[1], axes[2])),
  )
  return skew > 1e-3 ? null : { size, spacing, origin, axes }
}

function sform(file: Buffer): Vector[] {
  return [0, 1, 2, 3].map((column) => {
    const at = (row: number): number => file.readFloatLE(280 + 16 * row + 4 * column)
    return [at(0), at(1), at(2)] as const
  })
}

/** The rotation of a quaternion whose first part is what the others leave of 1, with pixdim[0] as the sign of the third axis. */
function qform(file: Buffer): Vector[] {
  const [b, c, d] = [256, 260, 264].map((at) => file.readFloatLE(at)) as [number, number, number]
  const a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d))
  const [dx, dy, dz] = [80, 84, 88].map((at) => file.readFloatLE(at)) as [number, number, number]
  const sign = file.readFloatLE(76) < 0 ? -1 : 1
  return [
    scale([a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)], dx),
    scale([2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)], dy),
    scale([2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - b * b - c * c], sign * dz),
    [file.readFloatLE(268), file.readFloatLE(272), file.readFloatLE(276)],
  ]
}
