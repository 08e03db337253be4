import type { Voxels } from './gather.ts'
import type { Part, Within } from './parts.ts'

const half = 65536

/**
 * Exact percentiles, interpolated between ranks as numpy's default does. Numbers are counted, not sorted: two passes and a few tables,
 * whatever the size.
 * @param wanted 0 to 100
 * @returns one for each; 0 where no number counts
 */
export function percentiles(data: Voxels, part: Part, wanted: readonly number[], within: Within = 'all'): number[] {
  const upper = countKeys(data, part, within)
  const count = upper.reduce((sum, n) => sum + n, 0)
  if (count === 0) return wanted.map(() => 0)
  const ranks = wanted.map((percent) => (percent / 100) * (count - 1))
  const needed = [...new Set(ranks.flatMap((rank) => [Math.floor(rank), Math.ceil(rank)]))]
  const values = valuesAt(data, part, within, upper, needed)
  return ranks.map((rank) => {
    const low = values.get(Math.floor(rank)) as number
    const high = values.get(Math.ceil(rank)) as number
    return low + (rank - Math.floor(rank)) * (high - low)
  })
}

/** Keys that sort as their numbers do; the upper half of a float's decides which table it is counted in. */
const signed = 0x80000000

function keysOf(data: Voxels): { at(index: number): number; isWhole: boolean } {
  if (!(data instanceof Float32Array)) return { at: (index) => (data[index] as number) + half / 2, isWhole: true }
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length)
  return {
    at: (index) => {
      const word = bits[index] as number
      return word >= signed ? ~word >>> 0 : word + signed
    },
    isWhole: false,
  }
}

function countKeys(data: Voxels, { from, to }: Part, within: Within): Float64Array {
  const { at, isWhole } = keysOf(data)
  const table = new Float64Array(half)
  for (let i = from; i < to; i++) {
    if (!counts(data, i, within)) continue
    const key = isWhole ? at(i) : at(i) >>> 16
    table[key] = (table[key] as number) + 1
  }
  return table
}

function counts(data: Voxels, index: number, within: Within): boolean {
  if (within === 'all') return true
  return within === 'non-zero' ? data[index] !== 0 : within[index % within.length] !== 0
}

/** The numbers at ranks, from 0. */
function valuesAt(
  data: Voxels,
  { from, to }: Part,
  within: Within,
  upper: Float64Array,
  ranks: readonly number[],
): Map<number, number> {
  const { at, isWhole } = keysOf(data)
  const places = ranks.map((rank) => ({ rank, ...placeOfRank(upper, rank) }))
  if (isWhole) return new Map(places.map(({ rank, key }) => [rank, key - half / 2]))
  const tables = new Map<number, Float64Array>()
  for (const { key } of places) tables.set(key, new Float64Array(half))
  const isWanted = new Uint8Array(half)
  for (const key of tables.keys()) isWanted[key] = 1
  for (let i = from; i < to; i++) {
    const key = at(i)
    if (isWanted[key >>> 16] === 0 || !counts(data, i, within)) continue
    const table = tables.get(key >>> 16) as Float64Array
    table[key & 0xffff] = (table[key & 0xffff] as number) + 1
  }
  return new Map(
    places.map(({ rank, key, before }) => {
      const lower = placeOfRank(tables.get(key) as Float64Array, rank - before).key
      return [rank, floatOfKey(key * half + lower)]
    }),
  )
}

function placeOfRank(table: Float64Array, rank: number): { key: number; before: number } {
  let before = 0
  for (let key = 0; key < table.length; key++) {
    const next = before + (table[key] as number)
    if (rank < next) return { key, before }
    before = next
  }
  return { key: table.length - 1, before }
}

function floatOfKey(key: number): number {
  const word = new Uint32Array([key >= signed ? key - signed : ~key >>> 0])
  return new Float32Array(word.buffer)[0] as number
}
