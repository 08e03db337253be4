/** Voxels of two masks of one grid, and of what they share. */
export interface Overlap {
  result: number
  reference: number
  shared: number
}

/** Counts two masks: not 0 is inside. */
export function overlapOf(result: Uint8Array, reference: Uint8Array): Overlap {
  const counts: Overlap = { result: 0, reference: 0, shared: 0 }
  for (let i = 0; i < result.length; i++) {
    if (result[i]) counts.result++
    if (reference[i]) counts.reference++
    if (result[i] && reference[i]) counts.shared++
  }
  return counts
}

/** 2|A∩B| / (|A|+|B|); null where both are empty: there is nothing to agree on. */
export function dice({ result, reference, shared }: Overlap): number | null {
  return result + reference === 0 ? null : (2 * shared) / (result + reference)
}

/** |A∩B| / |A∪B|; null where both are empty. */
export function intersectionOverUnion({ result, reference, shared }: Overlap): number | null {
  return result + reference === 0 ? null : shared / (result + reference - shared)
}
