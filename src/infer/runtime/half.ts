/**
 * The bits of an IEEE 754 half-precision number (binary16) nearest to a number, ties to even. What is beyond 65504 becomes infinity, NaN stays NaN.
 */
export function halfOf(value: number): number {
  scratch[0] = value
  const bits = scratchBits[0] as number
  const sign = (bits >>> 16) & 0x8000
  const exponent = (bits >>> 23) & 0xff
  const mantissa = bits & 0x7fffff
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200)
  // Unbiased exponents: 127 in single precision, 15 in half.
  const half = exponent - 112
  if (half >= 31) return sign | 0x7c00
  if (half <= 0) {
    if (half < -10) return sign
    return sign | rounded(mantissa | 0x800000, 14 - half)
  }
  // A carry out of the mantissa raises the exponent, as it should, up to infinity.
  return sign + (half << 10) + rounded(mantissa, 13)
}

const scratch = new Float32Array(1)
const scratchBits = new Uint32Array(scratch.buffer)

/** `value >> shift`, rounded to nearest, ties to even. */
function rounded(value: number, shift: number): number {
  const low = value >>> shift
  const rest = value & ((1 << shift) - 1)
  const tie = 1 << (shift - 1)
  return rest > tie || (rest === tie && (low & 1) === 1) ? low + 1 : low
}

/** The number that the bits of a half stand for. */
export function numberOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 0x1f
  const mantissa = bits & 0x3ff
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}

let table: Float32Array | undefined

/** Halves as single-precision numbers, by a table of all 65536. */
export function singlesOf(halves: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => numberOfHalf(bits))
  const singles = new Float32Array(halves.length)
  for (let i = 0; i < halves.length; i++) singles[i] = table[halves[i] as number] as number
  return singles
}

/** Numbers as halves. */
export function halvesOf(values: ArrayLike<number>): Uint16Array {
  const halves = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) halves[i] = halfOf(values[i] as number)
  return halves
}
