import type { LabelMap } from '../image.ts'

/** The labels of a map slice by slice, with how many voxels of each there are. */
export interface LabelSlices {
  labels: Uint8Array
  /** Voxels of a slice. */
  plane: number
  slices: number
  /** Voxels of each label in each slice: `counts[slice * 256 + label]`. */
  counts: Uint32Array
}

/** Counts the labels of a map, slice by slice. */
export function labelSlices({ grid, labels }: LabelMap): LabelSlices {
  const [nx, ny, slices] = grid.size
  const plane = nx * ny
  const counts = new Uint32Array(slices * 256)
  for (let slice = 0; slice < slices; slice++) {
    const row = counts.subarray(slice * 256, slice * 256 + 256)
    for (let i = slice * plane; i < (slice + 1) * plane; i++) {
      const label = labels[i] as number
      row[label] = (row[label] as number) + 1
    }
  }
  return { labels, plane, slices, counts }
}

/** Voxels of a label in a slice. */
export function countIn({ counts }: LabelSlices, label: number, slice: number): number {
  return counts[slice * 256 + label] as number
}

/** Voxels of a label, and the slice that has most of them; null where there are none. */
export function extentOfLabel(of: LabelSlices, label: number): { voxels: number; bestSlice: number | null } {
  let voxels = 0
  let best = 0
  for (let slice = 0; slice < of.slices; slice++) {
    const count = countIn(of, label, slice)
    voxels += count
    if (count > countIn(of, label, best)) best = slice
  }
  return { voxels, bestSlice: voxels > 0 ? best : null }
}

/** The mask of a label in a slice: 1 inside; null where the slice holds nothing of it. */
export function maskOfLabel(of: LabelSlices, label: number, slice: number): Uint8Array | null {
  if (countIn(of, label, slice) === 0) return null
  const { labels, plane } = of
  const mask = new Uint8Array(plane)
  const start = slice * plane
  for (let i = 0; i < plane; i++) if (labels[start + i] === label) mask[i] = 1
  return mask
}

/**
 * Labels of slices translated by a table, in an array that is used again; null where a slice holds nothing that has a translation.
 * @param numbers the translation of each label, 0 for none
 */
export function translated(of: LabelSlices, numbers: Uint8Array): (slice: number) => Uint8Array | null {
  const result = new Uint8Array(of.plane)
  return (slice) => {
    let present = false
    for (let label = 1; label < 256 && !present; label++)
      present = numbers[label] !== 0 && countIn(of, label, slice) > 0
    if (!present) return null
    const start = slice * of.plane
    for (let i = 0; i < of.plane; i++) result[i] = numbers[of.labels[start + i] as number] as number
    return result
  }
}
