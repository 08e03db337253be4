import type { Box, Extent } from '../components.ts'
import type { LabelMap } from '../image.ts'
import { forEachLabelRun } from '../label-runs.ts'

/** Where a label lies, and how often. */
export interface LabelBox extends Box {
  label: number
  voxels: number
  low: [number, number, number]
  high: [number, number, number]
}

/** The box and the number of voxels of every label but 0 that occurs, in order of the labels: one pass over the map, run by run. */
export function labelBoxes({ grid, labels }: { grid: Pick<Extent, 'size'>; labels: Uint8Array }): LabelBox[] {
  const [nx, ny] = grid.size
  const found: (LabelBox | undefined)[] = []
  const add = (label: number, first: number, last: number): void => {
    const row = Math.floor(first / nx)
    const start = first - row * nx
    addRun(found, label, { start, end: start + last - first, y: row % ny, z: Math.floor(row / ny) })
  }
  forEachLabelRun(labels, add, { row: nx })
  return found.filter((box) => box !== undefined)
}

function addRun(
  found: (LabelBox | undefined)[],
  label: number,
  { start, end, y, z }: { start: number; end: number; y: number; z: number },
): void {
  const box = found[label]
  if (!box) {
    found[label] = { label, voxels: end - start, low: [start, y, z], high: [end, y + 1, z + 1] }
    return
  }
  const { low, high } = box
  box.voxels += end - start
  if (start < low[0]) low[0] = start
  if (y < low[1]) low[1] = y
  if (end > high[0]) high[0] = end
  if (y >= high[1]) high[1] = y + 1
  high[2] = z + 1
}

/** The boxes of the labels that are asked for; of all where none are named. */
export function boxesOfLabels(labels: LabelMap, wanted?: readonly number[]): LabelBox[] {
  const boxes = labelBoxes(labels)
  return wanted ? boxes.filter(({ label }) => wanted.includes(label)) : boxes
}

/** The smallest box around several; null of none. */
export function union(boxes: readonly Box[]): Box | null {
  if (boxes.length === 0) return null
  const along = (pick: (...values: number[]) => number, end: 'low' | 'high'): [number, number, number] => [
    pick(...boxes.map((box) => box[end][0])),
    pick(...boxes.map((box) => box[end][1])),
    pick(...boxes.map((box) => box[end][2])),
  ]
  return { low: along(Math.min, 'low'), high: along(Math.max, 'high') }
}
