import type { Image } from '../image.ts'
import type { Transformation } from './transformation.ts'

/** What an array of values must be able to hold. */
export interface ValueRange {
  least: number
  greatest: number
  whole: boolean
}

/** The stored values that the header allows. */
export interface StoredRange {
  bitsStored: number
  signed: boolean
  float: boolean
}

/** The values that a transformation can give of what the header lets be stored. */
export function rangeOf(transformation: Transformation, { bitsStored, signed, float }: StoredRange): ValueRange {
  if (transformation.kind === 'table') {
    const { entries } = transformation
    let greatest = 0
    for (let i = 0; i < entries.length; i++) greatest = Math.max(greatest, entries[i] as number)
    return { least: 0, greatest, whole: true }
  }
  if (float) return { least: Number.NEGATIVE_INFINITY, greatest: Number.POSITIVE_INFINITY, whole: false }
  const { slope, intercept } = transformation
  const ends = signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1]
  const values = ends.map((stored) => stored * slope + intercept)
  return {
    least: Math.min(...values),
    greatest: Math.max(...values),
    whole: Number.isInteger(slope) && Number.isInteger(intercept),
  }
}

/** The smallest array that holds all values as they are: 8 or 16 bits where they are whole numbers, else 32-bit floats. */
export function arrayFor(ranges: readonly ValueRange[], length: number): Image['data'] {
  const holds = (least: number, greatest: number): boolean =>
    ranges.every((range) => range.whole && range.least >= least && range.greatest <= greatest)
  if (holds(0, 255)) return new Uint8Array(length)
  return holds(-32768, 32767) ? new Int16Array(length) : new Float32Array(length)
}
