import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Vector } from '../../src/dicom/geometry.ts'
import type { Grid, Image, LabelMap } from '../../src/infer/image.ts'

/** Readers of the NIfTI-1 datatypes that data sets use, by their code: bytes a voxel, and how one is read. */
const datatypes: Record<number, [number, (view: DataView, at: number, little: boolean) => number]> = {
  2: [1, (view, at) => view.getUint8(at)],
  4: [2, (view, at, little) => view.getInt16(at, little)],
  8: [4, (view, at, little) => view.getInt32(at, little)],
  16: [4, (view, at, little) => view.getFloat32(at, little)],
  64: [8, (view, at, little) => view.getFloat64(at, little)],
  256: [1, (view, at) => view.getInt8(at)],
  512: [2, (view, at, little) => view.getUint16(at, little)],
}

/**
 * Reads one volume of a NIfTI-1 file, gzip or not. Voxels keep the order of the file; the grid's axes come from the s-form, or are those of
 * the patient where there is none.
 */
export function readNifti(path: string): Image {
  const stored = readFileSync(path)
  const bytes = stored[0] === 0x1f && stored[1] === 0x8b ? gunzipSync(stored) : stored
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = view.getInt32(0, true) === 348
  const int16 = (at: number): number => view.getInt16(at, little)
  const float = (at: number): number => view.getFloat32(at, little)
  const size = [42, 44, 46].map((at) => Math.max(1, int16(at))) as [number, number, number]
  const type = datatypes[int16(70)]
  if (!type) throw new Error(`NIfTI datatype ${int16(70)} is not known here`)
  const [bytesPerVoxel, read] = type
  const slope = float(112) || 1
  const data = new Float32Array(size[0] * size[1] * size[2])
  const start = float(108)
  for (let i = 0; i < data.length; i++) data[i] = slope * read(view, start + i * bytesPerVoxel, little) + float(116)
  const spacing = [80, 84, 88].map((at) => float(at)) as unknown as Vector
  return { grid: { size, spacing, ...placement(float, int16(254) > 0, spacing) }, channels: 1, data }
}

/** Origin and axes: NIfTI's x and y grow to the right and to the front, DICOM's to the left and to the back. */
function placement(float: (at: number) => number, known: boolean, spacing: Vector): Pick<Grid, 'origin' | 'axes'> {
  if (!known) return { origin: [0, 0, 0], axes: [[1, 0, 0], [0, 1, 0], [0, 0, 1]] } // biome-ignore format: a matrix
  const row = (at: number, sign: number): number[] => [0, 4, 8, 12].map((offset) => sign * float(at + offset))
  const rows = [row(280, -1), row(296, -1), row(312, 1)]
  const column = (index: number, scale: number): Vector =>
    rows.map((r) => (r[index] as number) / scale) as unknown as Vector
  return { origin: column(3, 1), axes: [column(0, spacing[0]), column(1, spacing[1]), column(2, spacing[2])] }
}

/** The same for a mask: what is not 0 gets the label 1. */
export function readNiftiMask(path: string): LabelMap {
  const { grid, data } = readNifti(path)
  return { grid, labels: Uint8Array.from(data, (value) => (value === 0 ? 0 : 1)) }
}
