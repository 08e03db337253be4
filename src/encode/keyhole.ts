import type { MaskPart, Polygon } from './mask-contours.ts'

/** A closed way through points that grows: each point knows the next. */
interface Way {
  xs: number[]
  ys: number[]
  next: number[]
  /** Points whose side, to the next, crosses or touches a row of pixels: by the row. */
  sides: Map<number, number[]>
}

/**
 * A part as one polygon without holes: each hole is joined to the border by a channel without width, which is walked there and back (the
 * keyhole technique, PS3.3 C.8.8.6.3). Channels run to the left inside of the part, so that they cross nothing.
 */
export function keyhole({ outer, holes }: MaskPart): Polygon {
  if (holes.length === 0) return outer
  const way: Way = { xs: [], ys: [], next: [], sides: new Map() }
  addRing(way, outer, 0)
  const sorted = holes
    .map((hole) => ({ hole, start: leftmost(hole) }))
    .sort((a, b) => (a.hole[a.start] as number) - (b.hole[b.start] as number))
  for (const { hole, start } of sorted) join(way, hole, start)
  const polygon: Polygon = []
  let point = 0
  do {
    polygon.push(way.xs[point] as number, way.ys[point] as number)
    point = way.next[point] as number
  } while (point !== 0)
  return polygon
}

/** Index of the x of the leftmost point. */
function leftmost(polygon: Polygon): number {
  let best = 0
  for (let i = 2; i < polygon.length; i += 2) if ((polygon[i] as number) < (polygon[best] as number)) best = i
  return best
}

/** Leads the way from the nearest side on the left through a channel around a hole and back. */
function join(way: Way, hole: Polygon, start: number): void {
  const x = hole[start] as number
  const y = hole[start + 1] as number
  const side = nearestOnLeft(way, x, y) ?? { point: 0, x: way.xs[0] as number, y: way.ys[0] as number }
  const after = way.next[side.point] as number
  const entry = addPoint(way, side.x, side.y)
  const first = addRing(way, hole, start)
  const last = addPoint(way, x, y)
  const exit = addPoint(way, side.x, side.y)
  way.next[side.point] = entry
  way.next[entry] = first
  // The ring is closed by a point on its first one, from which the channel leads back.
  way.next[last - 1] = last
  way.next[last] = exit
  way.next[exit] = after
  addSide(way, exit)
}

function addPoint(way: Way, x: number, y: number): number {
  way.xs.push(x)
  way.ys.push(y)
  way.next.push(way.xs.length)
  return way.xs.length - 1
}

/** Adds a closed polygon, beginning with the point at an index, and gives its first point. */
function addRing(way: Way, polygon: Polygon, start: number): number {
  const first = way.xs.length
  for (let i = 0; i < polygon.length; i += 2) {
    const at = (start + i) % polygon.length
    addPoint(way, polygon[at] as number, polygon[at + 1] as number)
  }
  way.next[way.xs.length - 1] = first
  for (let point = first; point < way.xs.length; point++) addSide(way, point)
  return first
}

function addSide(way: Way, point: number): void {
  const from = way.ys[point] as number
  const to = way.ys[way.next[point] as number] as number
  for (let row = Math.floor(Math.min(from, to)); row <= Math.floor(Math.max(from, to)); row++) {
    const own = way.sides.get(row)
    if (own) own.push(point)
    else way.sides.set(row, [point])
  }
}

/** The side that a ray to the left hits first, and where; null when it hits none. */
function nearestOnLeft(
  { xs, ys, next, sides }: Way,
  x: number,
  y: number,
): { point: number; x: number; y: number } | null {
  let found: { point: number; x: number; y: number } | null = null
  for (const point of sides.get(Math.floor(y)) ?? []) {
    const to = next[point] as number
    const ax = xs[point] as number
    const ay = ys[point] as number
    const bx = xs[to] as number
    const by = ys[to] as number
    if (Math.min(ay, by) > y || Math.max(ay, by) < y) continue
    const hit = ay === by ? Math.max(ax, bx) : ax + ((y - ay) / (by - ay)) * (bx - ax)
    if (hit <= x && (!found || hit > found.x)) found = { point, x: hit, y }
  }
  return found
}
