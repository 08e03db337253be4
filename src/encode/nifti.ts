import type { Vector } from '../dicom/geometry.ts'
import { caution } from './caution.ts'
import type { ExportedFile } from './encoded.ts'
import type { ImagePlanes, OutputName, ResultContext } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { gzip } from './gzip.ts'
import { roleText } from './identity.ts'
import { affineOf, handedness } from './planes.ts'

export interface NIfTIVolume {
  output?: OutputName | undefined
  /** File name without extension; the result's role when left out. */
  name?: string | undefined
  /** Label maps are written as 8-bit integers, maps as 32-bit floats. */
  voxels: 'labels' | 'values'
  planes: ImagePlanes
  /** `rows` x `columns`; null is all zero. May give the same array again with other contents. */
  sliceOf: (plane: number) => Uint8Array | Int16Array | Float32Array | null
}

const headerLength = 348
/** Behind the header stand four bytes for extensions, of which there are none. */
const dataOffset = 352

/**
 * A volume as NIfTI-1 (.nii.gz), with the place of its voxels in patient space in both qform and sform (code 1, scanner; both 0 where the
 * planes have no place). NIfTI's axes grow to the right, front and head, DICOM's to the left, back and head: the first two are turned.
 * Voxels stand in the order of the planes. There is no patient data in the file; its description says that it is unverified.
 * @throws {EncodeError} `nothing-to-encode` without planes; `too-large` for more than 32767 rows, columns or planes; `wrong-size` (while
 * read) when a slice does not fit the planes
 */
export function encodeNIfTI({ algorithm }: ResultContext, volume: NIfTIVolume): ExportedFile {
  const { rows, columns, positions } = volume.planes
  if (positions.length === 0) throw new EncodeError('nothing-to-encode', 'a NIfTI volume needs a plane')
  if (Math.max(rows, columns, positions.length) > 0x7fff)
    throw new EncodeError('too-large', `NIfTI cannot hold ${columns} x ${rows} x ${positions.length} voxels`)
  const role = roleText({ role: 'nifti', output: volume.output })
  const description = `${caution(algorithm)}: ${algorithm.name} ${algorithm.version}`
  return {
    kind: 'file',
    role,
    name: `${volume.name ?? role}.nii.gz`,
    mediaType: 'application/gzip',
    chunks: gzip(contents(volume, niftiHeader(volume, description))),
  }
}

function* contents(volume: NIfTIVolume, header: Buffer): Generator<Uint8Array> {
  yield header
  const { rows, columns, positions } = volume.planes
  const pixels = rows * columns
  for (let plane = 0; plane < positions.length; plane++) {
    const slice = volume.sliceOf(plane)
    if (slice && slice.length !== pixels)
      throw new EncodeError('wrong-size', `plane ${plane}: ${slice.length} values, ${pixels} are expected`)
    if (volume.voxels === 'labels') yield slice ? Uint8Array.from(slice) : new Uint8Array(pixels)
    else yield new Uint8Array((slice ? Float32Array.from(slice) : new Float32Array(pixels)).buffer)
  }
}

/** Fields and their offsets: nifti1.h of the NIfTI Data Format Working Group. */
function niftiHeader({ voxels, planes }: NIfTIVolume, description: string): Buffer {
  const header = Buffer.alloc(dataOffset)
  header.writeInt32LE(headerLength, 0)
  const sizes = [3, planes.columns, planes.rows, planes.positions.length, 1, 1, 1, 1]
  sizes.forEach((size, i) => header.writeInt16LE(size, 40 + i * 2))
  const labels = voxels === 'labels'
  if (labels) header.writeInt16LE(1002, 68) // NIFTI_INTENT_LABEL
  header.writeInt16LE(labels ? 2 : 16, 70) // DT_UINT8, DT_FLOAT32
  header.writeInt16LE(labels ? 8 : 32, 72)
  header.writeFloatLE(dataOffset, 108)
  header.writeFloatLE(1, 112) // scl_slope
  header.writeUInt8(2, 123) // millimetres
  header.write(description.replace(/[^ -~]/g, '?').slice(0, 79), 148, 'latin1')
  header.write('n+1\0', 344, 'latin1')
  writePlace(header, planes)
  return header
}

/** Voxel sizes (pixdim), qform and sform. */
function writePlace(header: Buffer, planes: ImagePlanes): void {
  const affine = affineOf(planes)
  if (!affine) {
    const [height = 1, width = 1] = planes.pixelSpacing ?? []
    const sizes = [1, width, height, planes.sliceSpacing ?? planes.sliceThickness ?? 1]
    sizes.forEach((size, i) => header.writeFloatLE(size, 76 + i * 4))
    return
  }
  const rasSteps = affine.steps.map(toRAS) as [Vector, Vector, Vector]
  const spacings = rasSteps.map((step) => Math.hypot(...step)) as [number, number, number]
  const { quaternion, factor } = rotation(rasSteps, spacings)
  ;[factor, ...spacings].forEach((value, i) => header.writeFloatLE(value, 76 + i * 4))
  header.writeInt16LE(1, 252) // qform_code: scanner
  header.writeInt16LE(1, 254) // sform_code: scanner
  const place = toRAS(affine.origin)
  ;[...quaternion, ...place].forEach((value, i) => header.writeFloatLE(value, 256 + i * 4))
  for (const axis of [0, 1, 2] as const)
    [rasSteps[0][axis], rasSteps[1][axis], rasSteps[2][axis], place[axis]].forEach((value, i) =>
      header.writeFloatLE(value, 280 + axis * 16 + i * 4),
    )
}

function toRAS([x, y, z]: Vector): Vector {
  return [-x || 0, -y || 0, z]
}

/**
 * The rotation of the steps as a quaternion's b, c, d; `factor` is -1 where they are left-handed, and the third axis is turned then
 * (nifti1.h, method 2).
 */
function rotation(
  steps: [Vector, Vector, Vector],
  spacings: [number, number, number],
): { quaternion: [number, number, number]; factor: 1 | -1 } {
  const factor = handedness(steps) < 0 ? -1 : 1
  /** Element of the rotation matrix: row, column. */
  const r = (row: 0 | 1 | 2, column: 0 | 1 | 2): number =>
    (steps[column][row] / (spacings[column] || 1)) * (column === 2 ? factor : 1)
  const trace = r(0, 0) + r(1, 1) + r(2, 2) + 1
  if (trace > 0.5) {
    const a = Math.sqrt(trace) / 2
    return {
      quaternion: [(r(2, 1) - r(1, 2)) / (4 * a), (r(0, 2) - r(2, 0)) / (4 * a), (r(1, 0) - r(0, 1)) / (4 * a)],
      factor,
    }
  }
  // Near half a turn: the largest of b, c, d is taken first, and signs are such that a is not negative.
  const squares = [
    1 + r(0, 0) - r(1, 1) - r(2, 2),
    1 + r(1, 1) - r(0, 0) - r(2, 2),
    1 + r(2, 2) - r(0, 0) - r(1, 1),
  ] as const
  let [a, b, c, d] = [0, 0, 0, 0]
  if (squares[0] >= squares[1] && squares[0] >= squares[2]) {
    b = Math.sqrt(squares[0]) / 2
    c = (r(0, 1) + r(1, 0)) / (4 * b)
    d = (r(0, 2) + r(2, 0)) / (4 * b)
    a = (r(2, 1) - r(1, 2)) / (4 * b)
  } else if (squares[1] >= squares[2]) {
    c = Math.sqrt(squares[1]) / 2
    b = (r(0, 1) + r(1, 0)) / (4 * c)
    d = (r(1, 2) + r(2, 1)) / (4 * c)
    a = (r(0, 2) - r(2, 0)) / (4 * c)
  } else {
    d = Math.sqrt(squares[2]) / 2
    b = (r(0, 2) + r(2, 0)) / (4 * d)
    c = (r(1, 2) + r(2, 1)) / (4 * d)
    a = (r(1, 0) - r(0, 1)) / (4 * d)
  }
  return { quaternion: a < 0 ? [-b, -c, -d] : [b, c, d], factor }
}
