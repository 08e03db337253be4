import { add, scale, type Vector } from '../../dicom/geometry.ts'
import { type Grid, indexOf, placeOf } from '../image.ts'
import type { Axis } from './grid-mapping.ts'

/** New grids from old ones. */

type Triple<T> = readonly [T, T, T]

function each<T>(make: (axis: Axis) => T): Triple<T> {
  return [make(0), make(1), make(2)]
}

/** Part of a grid, or more than it: `low` is the index of its first voxel, which may be negative. */
export function subGrid(grid: Grid, low: Vector, size: Triple<number>): Grid {
  return { ...grid, size, origin: placeOf(grid, low) }
}

/**
 * The same extent in voxels of another spacing, around the same middle: as many as cover it.
 * @param spacing mm; null keeps an axis as it is. An axis with a single voxel stays as well.
 */
export function respaced(grid: Grid, spacing: Triple<number | null>): Grid {
  return between(grid, (axis) => {
    const old = grid.spacing[axis]
    const wanted = spacing[axis]
    const length = grid.size[axis]
    if (wanted === null || length === 1 || Math.abs(wanted - old) * length < 0.01 * old) return { length, step: 1 }
    return { length: Math.max(1, Math.ceil((length * old) / wanted - 1e-6)), step: wanted / old }
  })
}

/** The same extent in another number of voxels: the outer edges stay where they are. */
export function resized(grid: Grid, size: Triple<number>): Grid {
  return between(grid, (axis) => ({ length: size[axis], step: grid.size[axis] / size[axis] }))
}

/** @param plan voxels along an axis, and old voxels from one to the next; the middle stays */
function between(grid: Grid, plan: (axis: Axis) => { length: number; step: number }): Grid {
  const plans = each(plan)
  const start = each((axis) => (grid.size[axis] - 1 - plans[axis].step * (plans[axis].length - 1)) / 2)
  return {
    size: each((axis) => plans[axis].length),
    spacing: each((axis) => grid.spacing[axis] * plans[axis].step),
    origin: placeOf(grid, start),
    axes: grid.axes,
  }
}

/** Of a patient's axis, and its direction: L and P and S (or H) are those that grow in patient space. */
const letters: Readonly<Record<string, { axis: Axis; sign: 1 | -1 }>> = {
  L: { axis: 0, sign: 1 },
  R: { axis: 0, sign: -1 },
  P: { axis: 1, sign: 1 },
  A: { axis: 1, sign: -1 },
  S: { axis: 2, sign: 1 },
  H: { axis: 2, sign: 1 },
  I: { axis: 2, sign: -1 },
  F: { axis: 2, sign: -1 },
}

/** Where indices grow to: a patient's axis and a direction for each axis of a grid. */
export type Orientation = Triple<{ axis: Axis; sign: 1 | -1 }>

/** @returns null unless the text has three letters, one for each of the patient's axes */
export function orientationOf(text: string): Orientation | null {
  const known = text.split('').map((letter) => letters[letter])
  if (known.length !== 3 || new Set(known.map((k) => k?.axis)).size !== 3 || known.includes(undefined)) return null
  return known as unknown as Orientation
}

/** For each of the patient's axes the grid's axis that is nearest to it: the assignment with the largest sum of cosines. */
function nearestAxes({ axes }: Grid): Triple<Axis> {
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] as const // biome-ignore format: permutations
  const fit = (order: Triple<Axis>): number =>
    order.reduce((sum: number, own, patient) => sum + Math.abs(axes[own][patient as Axis]), 0)
  return orders.reduce<Triple<Axis>>((best, order) => (fit(order) > fit(best) + 1e-9 ? order : best), orders[0])
}

/** The same voxels, with axes in the order and direction that come nearest to an orientation. */
export function reoriented(grid: Grid, orientation: Orientation): Grid {
  const nearest = nearestAxes(grid)
  const axes = each((t) => {
    const { axis: patient, sign } = orientation[t]
    const own = nearest[patient]
    return { own, isFlipped: Math.sign(grid.axes[own][patient]) !== sign }
  })
  const origin = axes.reduce<Vector>(
    (at, { own, isFlipped }) =>
      isFlipped ? add(at, scale(grid.axes[own], (grid.size[own] - 1) * grid.spacing[own])) : at,
    grid.origin,
  )
  return {
    size: each((t) => grid.size[axes[t].own]),
    spacing: each((t) => grid.spacing[axes[t].own]),
    origin,
    axes: each((t) => scale(grid.axes[axes[t].own], axes[t].isFlipped ? -1 : 1)),
  }
}

/** A grid along the patient's axes that covers all of an oblique one, with the spacing of the axes that are nearest. */
export function straightened(grid: Grid, orientation: Orientation): Grid {
  const near = reoriented(grid, orientation)
  const axes = each((t): Vector => {
    const unit = [0, 0, 0] as [number, number, number]
    unit[orientation[t].axis] = orientation[t].sign
    return unit
  })
  const frame: Grid = { size: near.size, spacing: near.spacing, origin: near.origin, axes }
  const { low, high } = boundsOn(frame, near)
  const from = each((t) => Math.floor(low[t] + 0.5 + 1e-6))
  return subGrid(
    frame,
    from,
    each((t) => Math.max(1, Math.ceil(high[t] - 0.5 - 1e-6) - from[t] + 1)),
  )
}

/**
 * Indices, not rounded, on a grid between which a box of another lies.
 * @param box indices of the other grid, the middles of its outermost voxels; left out: all of it. Half a voxel is added around it.
 */
export function boundsOn(
  grid: Grid,
  other: Grid,
  box: { from: Vector; to: Vector } = { from: [0, 0, 0], to: each((axis) => other.size[axis] - 1) },
): { low: Vector; high: Vector } {
  const low: [number, number, number] = [Infinity, Infinity, Infinity]
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity]
  for (let corner = 0; corner < 8; corner++) {
    const at = each((axis) => ((corner >> axis) & 1 ? box.to[axis] + 0.5 : box.from[axis] - 0.5))
    const index = indexOf(grid, placeOf(other, at))
    for (const axis of [0, 1, 2] as const) {
      low[axis] = Math.min(low[axis], index[axis])
      high[axis] = Math.max(high[axis], index[axis])
    }
  }
  return { low, high }
}
