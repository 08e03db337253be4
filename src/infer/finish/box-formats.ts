import type { Vector } from '../../dicom/geometry.ts'
import type { Grid } from '../image.ts'

/**
 * What the numbers of a box mean. x, y, z run along the first, second and third axis of the grid; c is a centre; w, h, d are sizes along x, y,
 * z. `xyxyzz` is the order of nnDetection, `yxyx` that of TensorFlow, `deltas` are relative to anchors.
 */
export const boxFormats = [
  'xyxy',
  'yxyx',
  'xywh',
  'cxcywh',
  'deltas',
  'xyzxyz',
  'zyxzyx',
  'xyxyzz',
  'cxcyczwhd',
  'deltas-3d',
] as const
export type BoxFormat = (typeof boxFormats)[number]

type Corner = [number, number, number]

/** For each axis which number of a box is its least and its greatest corner. */
const cornerIndices: Partial<Record<BoxFormat, { from: readonly number[]; to: readonly number[] }>> = {
  xyxy: { from: [0, 1], to: [2, 3] },
  yxyx: { from: [1, 0], to: [3, 2] },
  xyzxyz: { from: [0, 1, 2], to: [3, 4, 5] },
  zyxzyx: { from: [2, 1, 0], to: [5, 4, 3] },
  xyxyzz: { from: [0, 1, 4], to: [2, 3, 5] },
}

/** Numbers of a box in a format, and the axes that it has. */
export function formatSize(format: BoxFormat): { numbers: number; dimensions: 2 | 3 } {
  const is3d = ['xyzxyz', 'zyxzyx', 'xyxyzz', 'cxcyczwhd', 'deltas-3d'].includes(format)
  return is3d ? { numbers: 6, dimensions: 3 } : { numbers: 4, dimensions: 2 }
}

/** Least and greatest corner of a box in its own coordinates; `deltas` have become centre and size before. */
export function cornersOf(format: BoxFormat, box: Float64Array): { from: Corner; to: Corner } {
  const dimensions = box.length / 2
  const from: Corner = [0, 0, 0]
  const to: Corner = [0, 0, 0]
  const indices = cornerIndices[format]
  for (let a = 0; a < dimensions; a++) {
    if (indices) {
      const one = box[indices.from[a] as number] as number
      const other = box[indices.to[a] as number] as number
      from[a] = Math.min(one, other)
      to[a] = Math.max(one, other)
    } else {
      const size = box[dimensions + a] as number
      const start = (box[a] as number) - (format === 'xywh' ? 0 : size / 2)
      from[a] = start
      to[a] = start + size
    }
  }
  return { from, to }
}

/**
 * A place in the coordinates of a model as indices of the grid: `normalised` are parts of the size from the outer corner of the first pixel;
 * pixels count from that corner, or from the first pixel's centre.
 */
export function indexOfCoordinates(
  place: readonly number[],
  { size }: Grid,
  {
    coordinates,
    origin,
    dimensions,
    slice,
  }: { coordinates: 'pixels' | 'normalised'; origin: 'corner' | 'centre'; dimensions: 2 | 3; slice: number },
): Vector {
  const along = (axis: 0 | 1 | 2): number => {
    if (axis >= dimensions) return slice
    const at = place[axis] as number
    if (coordinates === 'normalised') return at * size[axis] - 0.5
    return origin === 'corner' ? at - 0.5 : at
  }
  return [along(0), along(1), along(2)]
}
