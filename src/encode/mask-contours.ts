/** A closed polygon: column, row pairs in pixels, the centre of the first pixel at 0, 0; the last point is not the first again. */
export type Polygon = number[]

/** A connected part of a mask: its border, and those of the holes in it. */
export interface MaskPart {
  outer: Polygon
  holes: Polygon[]
}

export interface ContourOptions {
  rows: number
  columns: number
  /**
   * How far a border may be moved to save points, pixels; 0.3 when left out. Borders run half-way between the centres of pixels inside
   * and outside, at least 0.35 pixels from any: below that the mask can be made again exactly from the centres that lie inside.
   */
  tolerance?: number
}

/**
 * The borders of all parts of a mask, with their holes. Pixels that touch at a corner only are two parts.
 * @param mask `rows` x `columns` values, non-zero inside
 */
export function maskContours(mask: Uint8Array, { rows, columns, tolerance = 0.3 }: ContourOptions): MaskPart[] {
  const raster: Raster = { mask, rows, columns }
  const parts: MaskPart[] = []
  /** Number of the part, from 1, of each pixel that belongs to a found part. */
  const partOf = new Int32Array(rows * columns)
  /** Upper sides of pixels that a border was walked along. */
  const walked = new Uint8Array(rows * columns)
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, at++) {
      const isUpperSide = mask[at] !== 0 && (row === 0 || mask[at - columns] === 0)
      if (!isUpperSide || walked[at]) continue
      const border = simplified(walk(raster, { column, row, walked }), tolerance)
      const part = parts[(partOf[at] ?? 0) - 1]
      // The first pixel of a part, in raster order, is on its outer border; borders found later are those of holes.
      if (part) part.holes.push(border)
      else {
        parts.push({ outer: border, holes: [] })
        fill(raster, { at, number: parts.length, partOf })
      }
    }
  return parts
}

interface Raster {
  mask: Uint8Array
  rows: number
  columns: number
}

/** Gives the pixels of a part (4-neighbours) its number. */
function fill({ mask, columns }: Raster, to: { at: number; number: number; partOf: Int32Array }): void {
  const { number, partOf } = to
  const open = [to.at]
  const take = (next: number): void => {
    if (!mask[next] || partOf[next]) return
    partOf[next] = number
    open.push(next)
  }
  partOf[to.at] = number
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const column = at % columns
    if (column > 0) take(at - 1)
    if (column < columns - 1) take(at + 1)
    if (at >= columns) take(at - columns)
    if (at + columns < mask.length) take(at + columns)
  }
}

/** Along the sides of a pixel, with the inside on the right: right, down, left, up. */
const steps = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const

/**
 * Walks a border along the sides of pixels and notes the middle of each side. Where two pixels touch only at a corner the walk turns
 * right, so that it stays with its own.
 */
function walk(raster: Raster, start: { column: number; row: number; walked: Uint8Array }): Polygon {
  const { mask, rows, columns } = raster
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < columns && y < rows && mask[y * columns + x] !== 0
  const points: Polygon = []
  // A corner (x, y) is the upper left one of the pixel (x, y).
  let x = start.column
  let y = start.row
  let direction = 0
  do {
    const [dx, dy] = steps[direction] as readonly [number, number]
    if (direction === 0) start.walked[y * columns + x] = 1
    points.push(x + dx / 2 - 0.5, y + dy / 2 - 0.5)
    x += dx
    y += dy
    // The pixels ahead, on the right and on the left of the way.
    const right = inside(x + (dx - dy - 1) / 2, y + (dy + dx - 1) / 2)
    const left = inside(x + (dx + dy - 1) / 2, y + (dy - dx - 1) / 2)
    if (!right) direction = (direction + 1) % 4
    else if (left) direction = (direction + 3) % 4
  } while (x !== start.column || y !== start.row || direction !== 0)
  return points
}

/** Douglas-Peucker on a closed polygon, with distances to the segment; the first point and the one farthest from it stay. */
function simplified(points: Polygon, tolerance: number): Polygon {
  const count = points.length / 2
  if (count <= 4) return points
  let far = 0
  let farthest = -1
  for (let i = 1; i < count; i++) {
    const distance = squaredDistance(points, i, { from: 0, to: 0 })
    if (distance <= farthest) continue
    farthest = distance
    far = i
  }
  const keep = new Uint8Array(count)
  keep[0] = 1
  keep[far] = 1
  const open: Range[] = [
    { from: 0, to: far },
    { from: far, to: count },
  ]
  for (let range = open.pop(); range; range = open.pop()) {
    let worst = -1
    let most = tolerance * tolerance
    for (let i = range.from + 1; i < range.to; i++) {
      const distance = squaredDistance(points, i, range)
      if (distance <= most) continue
      most = distance
      worst = i
    }
    if (worst < 0) continue
    keep[worst] = 1
    open.push({ from: range.from, to: worst }, { from: worst, to: range.to })
  }
  const kept: Polygon = []
  for (let i = 0; i < count; i++) if (keep[i]) kept.push(points[i * 2] as number, points[i * 2 + 1] as number)
  return kept.length < 6 ? points : kept
}

interface Range {
  from: number
  to: number
}

/** Of a point to the segment between two others, by their indices, of which the last may be one turn further. */
function squaredDistance(points: Polygon, index: number, { from, to }: Range): number {
  const end = (to * 2) % points.length
  const ax = points[from * 2] as number
  const ay = points[from * 2 + 1] as number
  const dx = (points[end] as number) - ax
  const dy = (points[end + 1] as number) - ay
  const x = (points[index * 2] as number) - ax
  const y = (points[index * 2 + 1] as number) - ay
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, (x * dx + y * dy) / length))
  return (x - along * dx) ** 2 + (y - along * dy) ** 2
}
