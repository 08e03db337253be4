import type { Image } from '../image.ts'
import type { Axis, AxisMapping } from './grid-mapping.ts'

export type Voxels = Image['data']
export type Size = readonly [number, number, number]

/** For each target axis and index the source's offset that it adds, in voxels of memory, or -1 for outside. */
export type OffsetTables = readonly [Int32Array, Int32Array, Int32Array]

/** An array of the same type. */
export function sameType<Data extends Voxels>(like: Data, length: number): Data {
  const Type = like.constructor as new (length: number) => Data
  return new Type(length)
}

/** Steps in memory from a voxel to its neighbour along x, y, z. */
export function stridesOf(size: Size): Size {
  return [1, size[0], size[0] * size[1]]
}

/**
 * Offsets of the nearest voxel. What lies beyond the source by more than half a voxel is outside.
 * @param edge takes the outermost voxel instead
 */
export function nearestOffsets(axes: readonly AxisMapping[], target: Size, source: Size, edge: boolean): OffsetTables {
  const strides = stridesOf(source)
  return axes.map(({ axis, start, step }, t) =>
    Int32Array.from({ length: target[t as Axis] }, (_, index) => {
      const last = source[axis] - 1
      // Halves go down, whichever way the axis runs, as far as rounding lets them.
      const nearest = Math.ceil(start + step * index - 0.5 - 1e-6)
      if (!edge && (start + step * index < -0.5 - 1e-6 || start + step * index > last + 0.5 + 1e-6)) return -1
      return Math.min(last, Math.max(0, nearest)) * strides[axis]
    }),
  ) as unknown as OffsetTables
}

/** Voxels of a tile along either axis: lines of both source and target stay in the cache. */
const tile = 32

/**
 * Copies voxels by tables: flips, permutations of axes, crops, padding and nearest neighbours are all this.
 * @param from where the source's channel begins in `source`
 * @param to where the target's channel begins in `target`
 */
export function gather(
  { source, from }: { source: Voxels; from: number },
  { target, to }: { target: Voxels; to: number },
  offsets: OffsetTables,
  outside: number,
): void {
  const [nx, ny, nz] = offsets.map((table) => table.length) as [number, number, number]
  const run = contiguousRun(offsets[0])
  if (!run) {
    gatherTiled({ source, from }, { target, to }, offsets, outside)
    return
  }
  const [low, high] = run
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const start = to + (k * ny + j) * nx
      const y = offsets[1][j] as number
      const z = offsets[2][k] as number
      if (y < 0 || z < 0 || low === high) {
        target.fill(outside, start, start + nx)
        continue
      }
      const first = from + (offsets[0][low] as number) + y + z
      if (low > 0) target.fill(outside, start, start + low)
      target.set(source.subarray(first, first + high - low), start + low)
      if (high < nx) target.fill(outside, start + high, start + nx)
    }
}

/** The part of a row that is copied as it lies, where all of it that is inside is. */
function contiguousRun(row: Int32Array): [low: number, high: number] | null {
  let low = 0
  while (low < row.length && (row[low] as number) < 0) low++
  let high = row.length
  while (high > low && (row[high - 1] as number) < 0) high--
  for (let i = low + 1; i < high; i++) if (row[i] !== (row[i - 1] as number) + 1) return null
  return [low, high]
}

function gatherTiled(
  { source, from }: { source: Voxels; from: number },
  { target, to }: { target: Voxels; to: number },
  offsets: OffsetTables,
  outside: number,
): void {
  const nx = offsets[0].length
  const strides = [1, nx, nx * offsets[1].length] as const
  // Tiles span the target's rows and the axis that runs along the source's rows, if that is another.
  const along: Axis = stepOf(offsets[2]) < stepOf(offsets[1]) ? 2 : 1
  const other: Axis = along === 2 ? 1 : 2
  const rows = offsets[0]
  const lines = offsets[along]
  for (let slow = 0; slow < offsets[other].length; slow++) {
    const slowOffset = offsets[other][slow] as number
    for (let lineTile = 0; lineTile < lines.length; lineTile += tile)
      for (let rowTile = 0; rowTile < nx; rowTile += tile) {
        const lineEnd = Math.min(lines.length, lineTile + tile)
        const rowEnd = Math.min(nx, rowTile + tile)
        for (let line = lineTile; line < lineEnd; line++) {
          const start = to + slow * strides[other] + line * strides[along]
          const lineOffset = lines[line] as number
          const isOutside = slowOffset < 0 || lineOffset < 0
          const base = from + slowOffset + lineOffset
          for (let i = rowTile; i < rowEnd; i++) {
            const offset = rows[i] as number
            target[start + i] = isOutside || offset < 0 ? outside : (source[base + offset] as number)
          }
        }
      }
  }
}

/** How far apart neighbours along an axis lie in the source. */
function stepOf(table: Int32Array): number {
  for (let i = 1; i < table.length; i++) {
    const step = Math.abs((table[i] as number) - (table[i - 1] as number))
    if (step > 0 && (table[i] as number) >= 0 && (table[i - 1] as number) >= 0) return step
  }
  return Number.POSITIVE_INFINITY
}
