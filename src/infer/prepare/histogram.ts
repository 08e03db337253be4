import type { Size, Voxels } from './gather.ts'
import type { Part } from './parts.ts'

/**
 * Values to their rank: the cumulative histogram, interpolated between the middles of its bins, from 0 to 1 (scikit-image's
 * `equalize_hist`).
 * @param range least and greatest value of the part
 */
export function equalise(
  source: Voxels,
  target: Float32Array,
  { from, to }: Part,
  { range, bins }: { range: readonly [number, number]; bins: number },
): void {
  const [low, high] = range
  if (high <= low) {
    target.fill(0, from, to)
    return
  }
  const perBin = bins / (high - low)
  const shares = new Float64Array(bins)
  for (let i = from; i < to; i++) {
    const bin = Math.min(bins - 1, (((source[i] as number) - low) * perBin) | 0)
    shares[bin] = (shares[bin] as number) + 1
  }
  let sum = 0
  for (let bin = 0; bin < bins; bin++) {
    sum += shares[bin] as number
    shares[bin] = sum / (to - from)
  }
  for (let i = from; i < to; i++) {
    const place = ((source[i] as number) - low) * perBin - 0.5
    const bin = place <= 0 ? 0 : place >= bins - 1 ? bins - 1 : place | 0
    const part = place <= 0 || place >= bins - 1 ? 0 : place - bin
    const share = shares[bin] as number
    target[i] = part === 0 ? share : share + part * ((shares[bin + 1] as number) - share)
  }
}

export interface TilePlan {
  range: readonly [number, number]
  bins: number
  /** Tiles along x and y. */
  tiles: readonly [number, number]
  /** Multiple of a bin's mean above which its excess is spread over all bins. */
  clipLimit: number
}

/**
 * Contrast limited adaptive histogram equalisation of one slice (Zuiderveld 1994, as OpenCV does it, without rounding): a cumulative
 * histogram for each tile, clipped, and for each pixel a bilinear mix of those of the four tiles around. The result is 0 to 1.
 */
export function adaptSlice(source: Voxels, target: Float32Array, from: number, [nx, ny]: Size, plan: TilePlan): void {
  const { range, bins, tiles } = plan
  const [low, high] = range
  const length = nx * ny
  if (high <= low) {
    target.fill(0, from, from + length)
    return
  }
  const perBin = bins / (high - low)
  const binOf = (at: number): number => Math.max(0, Math.min(bins - 1, (((source[at] as number) - low) * perBin) | 0))
  const [tx, ty] = tiles
  const [width, height] = [Math.ceil(nx / tx), Math.ceil(ny / ty)]
  const tables = new Float32Array(tx * ty * bins)
  for (let b = 0; b < ty; b++)
    for (let a = 0; a < tx; a++) {
      const table = tables.subarray((b * tx + a) * bins, (b * tx + a + 1) * bins)
      for (let y = b * height; y < (b + 1) * height; y++)
        for (let x = a * width; x < (a + 1) * width; x++) {
          const bin = binOf(from + mirrored(y, ny) * nx + mirrored(x, nx))
          table[bin] = (table[bin] as number) + 1
        }
      accumulate(table, width * height, plan.clipLimit)
    }
  const columns = betweenTiles(nx, width, tx)
  const rows = betweenTiles(ny, height, ty)
  for (let y = 0; y < ny; y++) {
    const above = (rows.first[y] as number) * tx
    const below = (rows.second[y] as number) * tx
    const v = rows.weight[y] as number
    for (let x = 0; x < nx; x++) {
      const at = from + y * nx + x
      const bin = binOf(at)
      const left = columns.first[x] as number
      const right = columns.second[x] as number
      const u = columns.weight[x] as number
      const value = (tile: number): number => tables[tile * bins + bin] as number
      const upper = value(above + left) + u * (value(above + right) - value(above + left))
      const lower = value(below + left) + u * (value(below + right) - value(below + left))
      target[at] = upper + v * (lower - upper)
    }
  }
}

/** Pixels that a tile has beyond the border are mirrored ones. */
function mirrored(index: number, length: number): number {
  if (index < length) return index
  return Math.max(0, 2 * (length - 1) - index)
}

/** For each pixel along an axis the two tiles whose middles it lies between, and the weight of the second. */
function betweenTiles(length: number, width: number, tiles: number) {
  const first = new Int32Array(length)
  const second = new Int32Array(length)
  const weight = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const place = i / width - 0.5
    const lower = Math.floor(place)
    first[i] = Math.max(0, lower)
    second[i] = Math.min(tiles - 1, lower + 1)
    weight[i] = place - lower
  }
  return { first, second, weight }
}

/** Clips a histogram, spreads what is too much, and makes it cumulative, up to 1. */
function accumulate(table: Float32Array, count: number, clipLimit: number): void {
  const bins = table.length
  const limit = Math.max(1, Math.floor((clipLimit * count) / bins))
  let excess = 0
  for (let bin = 0; bin < bins; bin++) {
    const over = (table[bin] as number) - limit
    if (over <= 0) continue
    excess += over
    table[bin] = limit
  }
  const share = Math.floor(excess / bins)
  let rest = excess - share * bins
  const step = Math.max(1, Math.floor(bins / Math.max(1, rest)))
  let sum = 0
  for (let bin = 0; bin < bins; bin++) {
    const extra = rest > 0 && bin % step === 0 ? 1 : 0
    rest -= extra
    sum += (table[bin] as number) + share + extra
    table[bin] = sum / count
  }
}
