import type { Vector } from '../../dicom/geometry.ts'

/** Lines of the volume that are worked on at once: what one cache line holds. */
const block = 16

/**
 * The exact squared Euclidean distance (mm2) of every voxel's centre to the nearest centre of a voxel whose mask is `value`, true to
 * anisotropic spacing; Infinity where it is beyond `limit` mm or there is none. Axis by axis: along x by counting, then by lower envelopes of
 * parabolas (Felzenszwalb and Huttenlocher, Theory of Computing 2012;8:415-428).
 */
export function squaredDistances(
  mask: Uint8Array,
  size: readonly [number, number, number],
  spacing: Vector,
  { value, limit = Number.POSITIVE_INFINITY }: { value: 0 | 1; limit?: number },
): Float32Array {
  const [nx, ny, nz] = size
  const greatest = limit * limit * (1 + roundingMargin)
  const distances = alongRows(mask, size, { spacing: spacing[0], value, greatest })
  const pass = { data: distances, greatest }
  if (ny > 1)
    for (let z = 0; z < nz; z++)
      alongLines({ ...pass, start: z * nx * ny, lines: nx, length: ny, stride: nx, spacing: spacing[1] })
  if (nz > 1)
    for (let y = 0; y < ny; y++)
      alongLines({ ...pass, start: y * nx, lines: nx, length: nz, stride: nx * ny, spacing: spacing[2] })
  return distances
}

/** Squared distances are single precision: what lies at the limit counts as within it. */
export const roundingMargin = 1e-6

function alongRows(
  mask: Uint8Array,
  [nx, ny, nz]: readonly [number, number, number],
  { spacing, value, greatest }: { spacing: number; value: 0 | 1; greatest: number },
): Float32Array {
  const squares = new Float64Array(nx + 1)
  for (let d = 0; d <= nx; d++) {
    const squared = (d * spacing) ** 2
    squares[d] = squared <= greatest ? squared : Number.POSITIVE_INFINITY
  }
  const distances = new Float32Array(mask.length)
  for (let row = 0; row < nx * ny * nz; row += nx) {
    let last = -1
    // Backwards: the distance to what lies ahead; forwards: to what lies behind.
    for (let x = nx - 1; x >= 0; x--) {
      if (mask[row + x] === value) last = x
      distances[row + x] = last < 0 ? Number.POSITIVE_INFINITY : (squares[last - x] as number)
    }
    if (last < 0) continue
    last = -1
    for (let x = 0; x < nx; x++) {
      if (mask[row + x] === value) last = x
      if (last < 0) continue
      const behind = squares[x - last] as number
      if (behind < (distances[row + x] as number)) distances[row + x] = behind
    }
  }
  return distances
}

interface Lines {
  data: Float32Array
  /** Index of the first line's first voxel; the lines lie beside each other. */
  start: number
  lines: number
  length: number
  /** Voxels of one line are so far apart. */
  stride: number
  spacing: number
  greatest: number
}

function alongLines({ data, start, lines, length, stride, spacing, greatest }: Lines): void {
  const envelope = envelopeOf(length, spacing)
  const gathered = new Float32Array(block * length)
  for (let first = 0; first < lines; first += block) {
    const count = Math.min(block, lines - first)
    // Lines without any distance, or that are all 0, stay as they are.
    let most = 0
    let least = Number.POSITIVE_INFINITY
    for (let p = 0, at = start + first; p < length; p++, at += stride)
      for (let b = 0; b < count; b++) {
        const f = data[at + b] as number
        gathered[b * length + p] = f
        if (f > most) most = f
        if (f < least) least = f
      }
    if (most === 0 || least === Number.POSITIVE_INFINITY) continue
    for (let b = 0; b < count; b++) envelope(gathered.subarray(b * length, (b + 1) * length), greatest)
    for (let p = 0, at = start + first; p < length; p++, at += stride)
      for (let b = 0; b < count; b++) data[at + b] = gathered[b * length + p] as number
  }
}

/** A function that replaces a line f by the least of `f(q) + (spacing * (p - q))^2` over q, for every p. */
function envelopeOf(length: number, spacing: number): (line: Float32Array, greatest: number) => void {
  const weight = spacing * spacing
  /** Where each parabola of the envelope stands, its height, and from where on it is the lowest. */
  const roots = new Int32Array(length)
  const heights = new Float64Array(length)
  const from = new Float64Array(length + 1)
  return (line, greatest) => {
    let top = -1
    for (let q = 0; q < length; q++) {
      const f = line[q] as number
      if (f > greatest || f === Number.POSITIVE_INFINITY) continue
      let cut = Number.NEGATIVE_INFINITY
      while (top >= 0) {
        const v = roots[top] as number
        cut = (f - (heights[top] as number)) / (2 * weight * (q - v)) + (q + v) / 2
        if (cut > (from[top] as number)) break
        top--
      }
      top++
      roots[top] = q
      heights[top] = f
      from[top] = top === 0 ? Number.NEGATIVE_INFINITY : cut
    }
    if (top < 0) {
      line.fill(Number.POSITIVE_INFINITY)
      return
    }
    from[top + 1] = Number.POSITIVE_INFINITY
    for (let p = 0, k = 0; p < length; p++) {
      while ((from[k + 1] as number) < p) k++
      const squared = (heights[k] as number) + weight * (p - (roots[k] as number)) ** 2
      line[p] = squared > greatest ? Number.POSITIVE_INFINITY : squared
    }
  }
}
