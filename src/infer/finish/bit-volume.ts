import type { Vector } from '../../dicom/geometry.ts'
import { roundingMargin } from './distance.ts'

/** A mask of one bit a voxel: rows along x in whole words of 32, the lowest bit first; bits beyond a row's end are 0. */
export interface BitVolume {
  size: readonly [number, number, number]
  /** Words of a row. */
  width: number
  words: Int32Array
}

/** Packs a mask of 0 and 1. */
export function packBits(mask: Uint8Array, size: readonly [number, number, number]): BitVolume {
  const [nx, ny, nz] = size
  const width = Math.ceil(nx / 32)
  const words = new Int32Array(width * ny * nz)
  for (let row = 0, at = 0; row < ny * nz; row++)
    for (let x = 0; x < nx; x++, at++) if (mask[at] === 1) set(words, row * width + (x >> 5), 1 << (x & 31))
  return { size, width, words }
}

function set(words: Int32Array, index: number, bits: number): void {
  words[index] = (words[index] as number) | bits
}

export function unpackBits({ size: [nx, ny, nz], width, words }: BitVolume, into: Uint8Array): void {
  for (let row = 0, at = 0; row < ny * nz; row++)
    for (let x = 0; x < nx; x++, at++) into[at] = ((words[row * width + (x >> 5)] as number) >>> (x & 31)) & 1
}

/** Turns inside and outside round. */
export function invert({ size, width, words }: BitVolume): void {
  for (let i = 0; i < words.length; i++) words[i] = ~(words[i] as number)
  clearTails(words, width, size[0])
}

/** A row of the ball: its place beside the centre, and the voxels to either side that belong to it. */
export interface BallRow {
  dy: number
  dz: number
  half: number
}

/** The rows of a ball, mm, inside of a grid: voxels whose centre lies at the radius belong to it. */
export function ballRows(
  radius: number,
  [sx, sy, sz]: Vector,
  [, ny, nz]: readonly [number, number, number],
): BallRow[] {
  const greatest = radius * radius * (1 + roundingMargin)
  const reach = (spacing: number, length: number): number =>
    Math.min(length - 1, Math.floor(Math.sqrt(greatest) / spacing))
  const rows: BallRow[] = []
  for (let dz = -reach(sz, nz); dz <= reach(sz, nz); dz++)
    for (let dy = -reach(sy, ny); dy <= reach(sy, ny); dy++) {
      const left = greatest - (dy * sy) ** 2 - (dz * sz) ** 2
      if (left >= 0) rows.push({ dy, dz, half: Math.floor(Math.sqrt(left) / sx) })
    }
  return rows
}

/** Grows a mask by a ball: 32 voxels at a time, row by row of the ball. What lies outside of the volume adds nothing. */
export function growBits(volume: BitVolume, ball: readonly BallRow[]): BitVolume {
  const { size, width, words } = volume
  const widened = words.slice()
  const grown = new Int32Array(words.length)
  const most = ball.reduce((half, row) => Math.max(half, row.half), 0)
  for (let half = 0; half <= most; half++) {
    if (half > 0) widenRows(widened, width, size[0])
    for (const row of ball) if (row.half === half) addShifted(grown, widened, volume, row)
  }
  return { size, width, words: grown }
}

/** Grows every row by one voxel to either side, in place. */
function widenRows(words: Int32Array, width: number, nx: number): void {
  for (let row = 0; row < words.length; row += width) {
    let before = 0
    let here = words[row] as number
    for (let w = 0; w < width; w++) {
      const after = w + 1 < width ? (words[row + w + 1] as number) : 0
      words[row + w] = here | (here << 1) | (before >>> 31) | (here >>> 1) | (after << 31)
      before = here
      here = after
    }
  }
  clearTails(words, width, nx)
}

function addShifted(grown: Int32Array, widened: Int32Array, { size, width }: BitVolume, { dy, dz }: BallRow): void {
  const [, ny, nz] = size
  const rows = ny - Math.abs(dy)
  for (let z = Math.max(0, -dz); z < Math.min(nz, nz - dz); z++) {
    // Rows of a slice lie one after the other: those that have a partner are one run.
    const to = (z * ny + Math.max(0, -dy)) * width
    const shift = (dz * ny + dy) * width
    for (let i = to; i < to + rows * width; i++) grown[i] = (grown[i] as number) | (widened[i + shift] as number)
  }
}

function clearTails(words: Int32Array, width: number, nx: number): void {
  const kept = nx & 31
  if (kept === 0) return
  const tail = 2 ** kept - 1
  for (let last = width - 1; last < words.length; last += width) words[last] = (words[last] as number) & tail
}
