/** Called with each run of one label; `end` is the index after its last voxel. */
export type VisitLabelRun = (label: number, start: number, end: number) => void

/**
 * Calls `visit` for every run of one label other than 0, in order. Long stretches of one value, which most of a label map is, are passed
 * over four voxels at a time.
 * @param range from and to, without the latter, all when left out; and the length of a row, where runs are to end with their row
 */
export function forEachLabelRun(
  labels: Uint8Array,
  visit: VisitLabelRun,
  { from = 0, to = labels.length, row = to - from }: { from?: number; to?: number; row?: number } = {},
): void {
  const words = wordsOf(labels)
  for (let start = from; start < to; start += row)
    for (let i = start; i < start + row; ) {
      const label = labels[i] as number
      let end = i + 1
      // Noise makes runs of a voxel or two: those are found at once.
      if (end < start + row && labels[end] === label) end = endOfRun(labels, words, i, start + row)
      if (label !== 0) visit(label, i, end)
      i = end
    }
}

/** Replaces every label by what a table of 256 entries has for it. */
export function mapLabels(labels: Uint8Array, table: Uint8Array): void {
  if (table[0] !== 0) {
    for (let i = 0; i < labels.length; i++) labels[i] = table[labels[i] as number] as number
    return
  }
  forEachLabelRun(labels, (label, start, end) => {
    const to = table[label] as number
    if (to !== label) labels.fill(to, start, end)
  })
}

/** The same bytes four at a time; null where they are not aligned. */
function wordsOf(labels: Uint8Array): Uint32Array | null {
  return labels.byteOffset % 4 === 0 ? new Uint32Array(labels.buffer, labels.byteOffset, labels.length >>> 2) : null
}

function endOfRun(labels: Uint8Array, words: Uint32Array | null, start: number, to: number): number {
  const label = labels[start] as number
  let i = start + 1
  if (words) {
    while (i < to && (i & 3) !== 0 && labels[i] === label) i++
    if ((i & 3) === 0) {
      const word = (label * 0x01010101) >>> 0
      const last = Math.floor(to / 4)
      let w = i / 4
      while (w < last && words[w] === word) w++
      i = w * 4
    }
  }
  while (i < to && labels[i] === label) i++
  return i
}
