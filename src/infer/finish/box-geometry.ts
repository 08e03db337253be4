import type { Grid } from '../image.ts'
import type { Box } from '../value.ts'

type Axis = 0 | 1 | 2

/** From where to where a box reaches along an axis, in voxels; one that is flat is one voxel thick: the slice that it lies in. */
function span({ from, to }: Pick<Box, 'from' | 'to'>, axis: Axis): [number, number] {
  const [low, high] = [from[axis], to[axis]]
  return high - low < 1e-6 ? [low - 0.5, high + 0.5] : [low, high]
}

/** Voxels of a box. */
export function boxVolume(box: Pick<Box, 'from' | 'to'>): number {
  let volume = 1
  for (const axis of [0, 1, 2] as const) {
    const [low, high] = span(box, axis)
    volume *= Math.max(0, high - low)
  }
  return volume
}

/** Voxels that two boxes have in common. */
export function sharedVolume(a: Pick<Box, 'from' | 'to'>, b: Pick<Box, 'from' | 'to'>): number {
  let volume = 1
  for (const axis of [0, 1, 2] as const) {
    const [lowA, highA] = span(a, axis)
    const [lowB, highB] = span(b, axis)
    volume *= Math.max(0, Math.min(highA, highB) - Math.max(lowA, lowB))
  }
  return volume
}

/** Intersection over union of two boxes of one grid: in space, or in the plane for boxes of one slice. It does not depend on the spacing. */
export function intersectionOverUnion(a: Pick<Box, 'from' | 'to'>, b: Pick<Box, 'from' | 'to'>): number {
  const shared = sharedVolume(a, b)
  return shared === 0 ? 0 : shared / (boxVolume(a) + boxVolume(b) - shared)
}

/** The part of a box that lies in the grid; null where nothing does. */
export function clipped({ size }: Grid, box: Box): Box | null {
  const from = [0, 1, 2].map((axis) => Math.max(-0.5, box.from[axis] as number)) as [number, number, number]
  const to = [0, 1, 2].map((axis) => Math.min((size[axis] as number) - 0.5, box.to[axis] as number)) as [
    number,
    number,
    number,
  ]
  const isFlat = box.from[2] === box.to[2]
  if (to[0] <= from[0] || to[1] <= from[1] || to[2] < from[2] || (!isFlat && to[2] === from[2])) return null
  return { ...box, from, to }
}
