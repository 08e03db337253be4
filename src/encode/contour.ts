/** Width and height of a mask, and how many points its outline may have. */
export interface OutlineOptions {
  rows: number
  columns: number
  maximumPoints: number
}

/**
 * The outer border of the largest connected part of a mask (4-neighbours), as a closed polygon along the edges of the pixels.
 * @param mask `rows` x `columns` values, non-zero inside
 * @returns column, row pairs in pixels from the top left corner of the first pixel (PS3.3 C.18.6.1.2), the last pair equal to the
 * first; empty when the mask is
 */
export function outline(mask: Uint8Array, { rows, columns, maximumPoints }: OutlineOptions): number[] {
  const part = largestPart(mask, rows, columns)
  if (!part) return []
  const corners = traceBorder(part, rows, columns)
  let points = corners
  for (let tolerance = 0.5; points.length > maximumPoints; tolerance *= 1.5) points = simplify(corners, tolerance)
  return points.flat()
}

type Point = [column: number, row: number]

/** Labels the parts by flood fill and keeps the largest. */
function largestPart(mask: Uint8Array, rows: number, columns: number): { inside: Uint8Array; start: number } | null {
  const seen = new Uint8Array(mask.length)
  let best: number[] = []
  for (let seed = 0; seed < mask.length; seed++) {
    if (!mask[seed] || seen[seed]) continue
    const part = [seed]
    seen[seed] = 1
    for (let next = 0; next < part.length; next++) {
      const at = part[next] ?? 0
      const column = at % columns
      const row = (at - column) / columns
      const visit = (neighbour: number, exists: boolean): void => {
        if (!exists || !mask[neighbour] || seen[neighbour]) return
        seen[neighbour] = 1
        part.push(neighbour)
      }
      visit(at - 1, column > 0)
      visit(at + 1, column < columns - 1)
      visit(at - columns, row > 0)
      visit(at + columns, row < rows - 1)
    }
    if (part.length > best.length) best = part
  }
  if (best.length === 0) return null
  const inside = new Uint8Array(mask.length)
  for (const at of best) inside[at] = 1
  // The seed is the first pixel in raster order: nothing of the part lies above it or to its left.
  return { inside, start: best[0] ?? 0 }
}

/** Right, down, left, up. */
const steps: readonly Point[] = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
]

/**
 * Walks the border clockwise along pixel edges with the part on the right hand, and notes the corners. Where two pixels touch only at
 * a corner the walk turns right, so that it never crosses to pixels that are no 4-neighbours.
 */
function traceBorder({ inside, start }: { inside: Uint8Array; start: number }, rows: number, columns: number): Point[] {
  const at = (column: number, row: number): boolean =>
    column >= 0 && row >= 0 && column < columns && row < rows && inside[row * columns + column] === 1
  const origin: Point = [start % columns, Math.floor(start / columns)]
  const corners: Point[] = [origin]
  let [x, y] = origin
  let direction = 0
  do {
    const [dx, dy] = steps[direction] ?? [0, 0]
    x += dx
    y += dy
    const turn = nextTurn(at, x, y, direction)
    if (turn !== 0) corners.push([x, y])
    direction = (direction + turn + 4) % 4
  } while (x !== origin[0] || y !== origin[1] || direction !== 0)
  return corners
}

/** +1 right, 0 straight on, -1 left: by the two pixels ahead of the corner. */
function nextTurn(at: (column: number, row: number) => boolean, x: number, y: number, direction: number): number {
  // The four pixels around the corner (x, y), and which of them lie ahead on the right and on the left of the way.
  const ahead: readonly (readonly [Point, Point])[] = [
    [
      [x, y],
      [x, y - 1],
    ],
    [
      [x - 1, y],
      [x, y],
    ],
    [
      [x - 1, y - 1],
      [x - 1, y],
    ],
    [
      [x, y - 1],
      [x - 1, y - 1],
    ],
  ]
  const [right, left] = ahead[direction] ?? [
    [0, 0],
    [0, 0],
  ]
  if (!at(right[0], right[1])) return 1
  return at(left[0], left[1]) ? -1 : 0
}

/** Douglas-Peucker on a closed polygon: the first point and the one farthest from it stay. */
function simplify(points: readonly Point[], tolerance: number): Point[] {
  const keep = new Uint8Array(points.length)
  const [first = [0, 0]] = points
  let far = 0
  let farthest = -1
  points.forEach(([x, y], index) => {
    const distance = Math.hypot(x - first[0], y - first[1])
    if (distance > farthest) {
      farthest = distance
      far = index
    }
  })
  keep[0] = 1
  keep[far] = 1
  keep[points.length - 1] = 1
  const open: [number, number][] = [
    [0, far],
    [far, points.length - 1],
  ]
  for (let range = open.pop(); range; range = open.pop()) {
    const worst = farthestFrom(points, range)
    if (worst === null || worst.distance <= tolerance) continue
    keep[worst.index] = 1
    open.push([range[0], worst.index], [worst.index, range[1]])
  }
  return points.filter((_, index) => keep[index] === 1)
}

/** The point between two others that lies farthest from the line through them. */
function farthestFrom(
  points: readonly Point[],
  [from, to]: [number, number],
): { index: number; distance: number } | null {
  const [ax, ay] = points[from] ?? [0, 0]
  const [bx, by] = points[to] ?? [0, 0]
  const length = Math.hypot(bx - ax, by - ay)
  let found: { index: number; distance: number } | null = null
  for (let index = from + 1; index < to; index++) {
    const [x, y] = points[index] ?? [0, 0]
    const distance =
      length === 0 ? Math.hypot(x - ax, y - ay) : Math.abs((by - ay) * (x - ax) - (bx - ax) * (y - ay)) / length
    if (!found || distance > found.distance) found = { index, distance }
  }
  return found
}
