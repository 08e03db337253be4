import type { Size, Voxels } from './gather.ts'

/**
 * The median of the box around each voxel of a channel; beyond the border the outermost voxels are repeated. The columns of a box (its voxels
 * at one x) are sorted once each and shared by the boxes that they lie in; the median comes from merging them.
 * @param radius voxels on either side along x, y, z
 * @param target another memory than the source
 */
export function median(
  source: { data: Voxels; from: number },
  target: { data: Voxels; from: number },
  [nx, ny, nz]: Size,
  [rx, ry, rz]: Size,
): void {
  const depth = (2 * ry + 1) * (2 * rz + 1)
  const width = 2 * rx + 1
  const middle = (width * depth) >> 1
  const columns = new Float32Array(nx * depth)
  const starts = new Int32Array(width)
  const heads = new Int32Array(width)
  const lines = new Int32Array(depth)
  const clamp = (index: number, length: number): number => (index < 0 ? 0 : index >= length ? length - 1 : index)
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      let line = 0
      for (let c = -rz; c <= rz; c++)
        for (let b = -ry; b <= ry; b++) lines[line++] = source.from + (clamp(k + c, nz) * ny + clamp(j + b, ny)) * nx
      sortColumns(source.data, lines, nx, columns)
      const to = target.from + (k * ny + j) * nx
      for (let i = 0; i < nx; i++) {
        for (let a = 0; a < width; a++) starts[a] = clamp(i + a - rx, nx) * depth
        target.data[to + i] = merged(columns, starts, heads, depth, middle)
      }
    }
}

function sortColumns(data: Voxels, lines: Int32Array, nx: number, columns: Float32Array): void {
  const depth = lines.length
  for (let i = 0; i < nx; i++) {
    const start = i * depth
    for (let line = 0; line < depth; line++) {
      const value = data[(lines[line] as number) + i] as number
      let at = start + line
      for (; at > start && (columns[at - 1] as number) > value; at--) columns[at] = columns[at - 1] as number
      columns[at] = value
    }
  }
}

/** The number of a rank, from 0, among sorted columns. */
function merged(columns: Float32Array, starts: Int32Array, heads: Int32Array, depth: number, rank: number): number {
  if (starts.length === 3) return mergedThree(columns, starts, depth, rank)
  heads.fill(0)
  let value = 0
  for (let n = 0; n <= rank; n++) {
    let best = -1
    for (let a = 0; a < starts.length; a++) {
      if ((heads[a] as number) >= depth) continue
      const candidate = columns[(starts[a] as number) + (heads[a] as number)] as number
      if (best >= 0 && candidate >= value) continue
      best = a
      value = candidate
    }
    heads[best] = (heads[best] as number) + 1
  }
  return value
}

/** The same for three columns, which is the most frequent case. */
function mergedThree(columns: Float32Array, starts: Int32Array, depth: number, rank: number): number {
  let a = starts[0] as number
  let b = starts[1] as number
  let c = starts[2] as number
  const [endA, endB, endC] = [a + depth, b + depth, c + depth]
  let x = columns[a] as number
  let y = columns[b] as number
  let z = columns[c] as number
  let value = 0
  for (let n = 0; n <= rank; n++)
    if (x <= y && x <= z) {
      value = x
      x = ++a < endA ? (columns[a] as number) : Number.POSITIVE_INFINITY
    } else if (y <= z) {
      value = y
      y = ++b < endB ? (columns[b] as number) : Number.POSITIVE_INFINITY
    } else {
      value = z
      z = ++c < endC ? (columns[c] as number) : Number.POSITIVE_INFINITY
    }
  return value
}
