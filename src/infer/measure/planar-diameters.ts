import type { Extent } from '../components.ts'
import { findComponents } from '../components.ts'

/** A place in a slice, mm from the centre of its first pixel. */
export type Place = readonly [number, number]

/** The long axis of a region in a slice and its perpendicular. */
export interface Diameters {
  /** Index of the slice. */
  slice: number
  /** mm */
  long: number
  short: number
  longEnds: readonly [Place, Place]
  shortEnds: readonly [Place, Place]
}

/**
 * The longest diameter in the plane of any slice, and the longest chord perpendicular to it in the same slice (RECIST 1.1, Eisenhauer et al., Eur J
 * Cancer 2009;45:228-247; WHO 1979 for the perpendicular). A region's outline runs half way between pixels inside and outside; both are measured on
 * its convex hull, so that a dent does not cut them short. Regions of a slice that do not touch, by corners either, are measured each by itself.
 * @returns null without pixels
 */
export function planarDiameters(mask: Uint8Array, extent: Extent): Diameters | null {
  const [width, height, depth] = extent.size
  const [sx, sy] = extent.spacing
  let best: { hull: Place[]; slice: number; length: number; ends: readonly [Place, Place] } | null = null
  for (let slice = 0; slice < depth; slice++) {
    const box = { low: [0, 0, slice], high: [width, height, slice + 1] } as const
    const regions = findComponents(extent, { labels: mask, value: 1 }, { connectivity: 8, box })
    const outlines = regions.list.map((): Place[] => [])
    regions.forEachRun(({ x, y, length, component }) => {
      const last = x + length - 1
      const outline = outlines[component] as Place[]
      outline.push([(x - 0.5) * sx, y * sy], [(last + 0.5) * sx, y * sy])
      for (const column of x === last ? [x] : [x, last])
        outline.push([column * sx, (y - 0.5) * sy], [column * sx, (y + 0.5) * sy])
    })
    for (const [n, outline] of outlines.entries()) {
      const { low, high } = regions.list[n] as { low: number[]; high: number[] }
      // No diameter of a region is longer than that of its box.
      const most = Math.hypot(
        ((high[0] as number) - (low[0] as number)) * sx,
        ((high[1] as number) - (low[1] as number)) * sy,
      )
      if (best && most <= best.length) continue
      const hull = convexHull(outline)
      const { length, ends } = farthestPair(hull)
      if (!best || length > best.length) best = { hull, slice, length, ends }
    }
  }
  if (!best) return null
  const short = longestPerpendicular(best.hull, best.ends)
  return { slice: best.slice, long: best.length, longEnds: best.ends, short: short.length, shortEnds: short.ends }
}

/** Corners of the convex hull in order (Andrew's monotone chain). */
export function convexHull(points: readonly Place[]): Place[] {
  const sorted = points.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
  const chain = (ordered: readonly Place[]): Place[] => {
    const kept: Place[] = []
    for (const p of ordered) {
      while (kept.length > 1 && turn(kept[kept.length - 2] as Place, kept[kept.length - 1] as Place, p) <= 0) kept.pop()
      kept.push(p)
    }
    return kept.slice(0, -1)
  }
  return [...chain(sorted), ...chain(sorted.toReversed())]
}

/** Above 0 where a, b, c turn to the left. */
function turn(a: Place, b: Place, c: Place): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

function farthestPair(hull: readonly Place[]): { length: number; ends: readonly [Place, Place] } {
  let length = 0
  let ends: readonly [Place, Place] = [hull[0] as Place, hull[0] as Place]
  for (let i = 0; i < hull.length; i++)
    for (let j = 0; j < i; j++) {
      const [a, b] = [hull[j] as Place, hull[i] as Place]
      const distance = Math.hypot(a[0] - b[0], a[1] - b[1])
      if (distance > length) [length, ends] = [distance, [a, b]]
    }
  return { length, ends }
}

/** The longest chord of a convex polygon that is perpendicular to a line: its length is greatest at one of the corners. */
function longestPerpendicular(
  hull: readonly Place[],
  [from, to]: readonly [Place, Place],
): { length: number; ends: readonly [Place, Place] } {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1])
  const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length]
  /** Along the line, and across it. */
  const turned = hull.map(
    ([x, y]) => [(x - from[0]) * ux + (y - from[1]) * uy, (y - from[1]) * ux - (x - from[0]) * uy] as const,
  )
  const back = (along: number, across: number): Place => [
    from[0] + along * ux - across * uy,
    from[1] + along * uy + across * ux,
  ]
  let best = { length: 0, ends: [from, from] as readonly [Place, Place] }
  for (const [along] of turned) {
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let i = 0; i < turned.length; i++) {
      const a = turned[i] as readonly [number, number]
      const b = turned[(i + 1) % turned.length] as readonly [number, number]
      if ((a[0] - along) * (b[0] - along) > 0) continue
      const crossings = a[0] === b[0] ? [a[1], b[1]] : [a[1] + ((along - a[0]) / (b[0] - a[0])) * (b[1] - a[1])]
      for (const across of crossings) {
        low = Math.min(low, across)
        high = Math.max(high, across)
      }
    }
    if (high - low > best.length) best = { length: high - low, ends: [back(along, low), back(along, high)] }
  }
  return best
}
