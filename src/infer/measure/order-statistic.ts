/** The order of the bits of a float32 as that of unsigned numbers: positive ones get their sign set, negative ones are turned round. */
function ordered(bits: number): number {
  return (bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 0
}

/**
 * The value that stands at a rank when all are sorted, exactly, without sorting: counted by their upper 16 bits, then within one count by the
 * lower.
 * @param rank from 1 for the lowest; values are no NaN
 */
export function orderStatistic(values: Float32Array, rank: number): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const counts = new Uint32Array(65536)
  for (let i = 0; i < bits.length; i++) {
    const upper = ordered(bits[i] as number) >>> 16
    counts[upper] = (counts[upper] as number) + 1
  }
  const [upper, rest] = binOf(counts, rank)
  counts.fill(0)
  for (let i = 0; i < bits.length; i++) {
    const key = ordered(bits[i] as number)
    if (key >>> 16 === upper) counts[key & 0xffff] = (counts[key & 0xffff] as number) + 1
  }
  const [lower] = binOf(counts, rest)
  const key = ((upper << 16) | lower) >>> 0
  const found = new Uint32Array([key & 0x80000000 ? key & 0x7fffffff : ~key])
  return new Float32Array(found.buffer)[0] as number
}

/** The bin in which a rank lies, and its rank within it. */
function binOf(counts: Uint32Array, rank: number): [number, number] {
  let rest = rank
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number
    if (rest <= count) return [bin, rest]
    rest -= count
  }
  throw new RangeError(`there is no rank ${rank}`)
}
