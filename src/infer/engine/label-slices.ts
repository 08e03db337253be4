import type { LabelMap } from '../image.ts'
import { forEachLabelRun } from '../label-runs.ts'

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
    let background = plane
    const count = (label: number, start: number, end: number): void => {
      row[label] = (row[label] as number) + end - start
      background -= end - start
    }
    forEachLabelRun(labels, count, { from: slice * plane, to: (slice + 1) * plane })
    row[0] = background
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
export function maskOfLabel(
  of: LabelSlices,
  { label, slice, into }: { label: number; slice: number; into?: Uint8Array | undefined },
): Uint8Array | null {
  if (countIn(of, label, slice) === 0) return null
  const { labels, plane } = of
  const mask = into?.length === plane ? into.fill(0) : new Uint8Array(plane)
  const start = slice * plane
  const add = (found: number, from: number, to: number): void => {
    if (found === label) mask.fill(1, from - start, to - start)
  }
  forEachLabelRun(labels, add, { from: start, to: start + plane })
  return mask
}

/**
 * Labels of slices translated by a table; null where a slice holds nothing that has a translation. A slice whose labels stay what they are
 * is given in the map's own memory, others in an array that is used again.
 * @param numbers the translation of each label, 0 for none
 */
export function translated(of: LabelSlices, numbers: Uint8Array): (slice: number) => Uint8Array | null {
  let result: Uint8Array | null = null
  return (slice) => {
    let isPresent = false
    let isSame = true
    for (let label = 1; label < 256; label++) {
      if (countIn(of, label, slice) === 0) continue
      isPresent ||= numbers[label] !== 0
      isSame &&= numbers[label] === label
    }
    if (!isPresent) return null
    const start = slice * of.plane
    if (isSame) return of.labels.subarray(start, start + of.plane)
    result ??= new Uint8Array(of.plane)
    for (let i = 0; i < of.plane; i++) result[i] = numbers[of.labels[start + i] as number] as number
    return result
  }
}
