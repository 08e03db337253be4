import { cross, dot, norm, subtract, type Vector } from '../../dicom/geometry.ts'
import { Integers } from '../components.ts'

/** A convex hull: triangles with their corners' places. */
export interface ConvexHull {
  /** mm2 */
  area: number
  /** mm3 */
  volume: number
  /** Corners, mm from the centre of the mask's first voxel. */
  vertices: Vector[]
}

/** A triangle of the hull under construction; edge i leads from corner i to corner i + 1, and `neighbours[i]` lies beyond it. */
interface Facet {
  corners: readonly [number, number, number]
  /** The plane: x, y, z of its normal, and its offset. */
  nx: number
  ny: number
  nz: number
  offset: number
  neighbours: Facet[]
  /** Points above it that belong to no other facet. */
  outside: number[]
  removed: boolean
}

/** Points in half voxels: x, y, z one after the other. */
type Points = Int32Array

/**
 * The convex hull of the surface mesh of a mask (IBSI 3.1.17, 3.1.24), by quickhull. All vertices of the mesh lie on a grid of half voxels, so
 * the hull is found in whole numbers: every test of a side is exact, and no rounding can break it.
 * @returns null without voxels
 */
export function convexHull(
  mask: Uint8Array,
  size: readonly [number, number, number],
  spacing: Vector,
): ConvexHull | null {
  const points = extremePoints(mask, size)
  if (points.length === 0) return null
  const place = (index: number): Vector => {
    const [x, y, z] = pointAt(points, index)
    return [(x * spacing[0]) / 2, (y * spacing[1]) / 2, (z * spacing[2]) / 2]
  }
  const hull: ConvexHull = { area: 0, volume: 0, vertices: [] }
  const corners = new Set<number>()
  for (const facet of quickhull(points)) {
    const [a, b, c] = facet.corners.map((corner) => place(corner)) as [Vector, Vector, Vector]
    const twice = cross(subtract(b, a), subtract(c, a))
    hull.area += norm(twice) / 2
    hull.volume += dot(a, twice) / 6
    for (const corner of facet.corners) corners.add(corner)
  }
  hull.vertices = Array.from(corners, place)
  return hull
}

/** The largest distance between two corners of the hull, mm: it is that of the whole mesh (IBSI L0JK). */
export function largestDistance(vertices: readonly Vector[]): number {
  let largest = 0
  for (let i = 0; i < vertices.length; i++) {
    const [x, y, z] = vertices[i] as Vector
    for (let j = 0; j < i; j++) {
      const other = vertices[j] as Vector
      const squared = (x - other[0]) ** 2 + (y - other[1]) ** 2 + (z - other[2]) ** 2
      if (squared > largest) largest = squared
    }
  }
  return Math.sqrt(largest)
}

/** Mesh vertices that can be corners of the hull: those of the planar hull of each plane z. */
function extremePoints(mask: Uint8Array, [nx, ny, nz]: readonly [number, number, number]): Points {
  const found = new Integers()
  const keep = (corners: readonly Corner[], z: number): void => {
    for (const [x, y] of corners) for (const value of [x, y, z]) found.push(value)
  }
  for (let z = 0; z < nz; z++) {
    const middle: Corner[] = []
    const edge: Corner[] = []
    for (let y = 0; y < ny; y++) {
      const row = (z * ny + y) * nx
      let first = 0
      while (first < nx && mask[row + first] === 0) first++
      if (first === nx) continue
      let last = nx - 1
      while (mask[row + last] === 0) last--
      middle.push([2 * first - 1, 2 * y], [2 * last + 1, 2 * y])
      for (const x of [first, last]) {
        middle.push([2 * x, 2 * y - 1], [2 * x, 2 * y + 1])
        edge.push([2 * x, 2 * y])
      }
    }
    keep(planarHull(middle), 2 * z)
    const upright = planarHull(edge)
    keep(upright, 2 * z - 1)
    keep(upright, 2 * z + 1)
  }
  return found.values.slice(0, found.length)
}

/** A corner in a plane z: x and y. */
type Corner = readonly [number, number]

/** Corners of the hull of points in a plane (Andrew's monotone chain). */
function planarHull(points: Corner[]): Corner[] {
  if (points.length < 3) return points
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const chain = (ordered: readonly Corner[]): Corner[] => {
    const kept: Corner[] = []
    for (const p of ordered) {
      while (kept.length > 1) {
        const a = kept[kept.length - 2] as Corner
        const b = kept[kept.length - 1] as Corner
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break
        kept.pop()
      }
      kept.push(p)
    }
    return kept.slice(0, -1)
  }
  return [...chain(points), ...chain(points.toReversed())]
}

function pointAt(points: Points, index: number): Vector {
  return [points[3 * index] as number, points[3 * index + 1] as number, points[3 * index + 2] as number]
}

/** Facets of the hull. */
function quickhull(points: Points): Facet[] {
  const start = firstTetrahedron(points)
  distribute(
    points,
    Array.from({ length: points.length / 3 }, (_, index) => index),
    start,
  )
  const pending = [...start]
  let kept = start[0] as Facet
  for (let facet = pending.pop(); facet; facet = pending.pop()) {
    if (!facet.removed) kept = facet
    if (facet.removed || facet.outside.length === 0) continue
    const apex = farthest(points, facet)
    const { visible, horizon } = seenFrom(points, apex, facet)
    const added = cone(points, apex, horizon)
    for (const old of visible) {
      distribute(points, old.outside, added)
      old.outside = []
    }
    pending.push(...added)
  }
  return reachable(kept)
}

/** All facets that hang together with one. */
function reachable(facet: Facet): Facet[] {
  const found = new Set([facet])
  for (const one of found) for (const neighbour of one.neighbours) found.add(neighbour)
  return [...found]
}

/** How far a point lies above a facet, in units of its own; 0 in its plane. */
function above({ nx, ny, nz, offset }: Facet, points: Points, index: number): number {
  return (
    nx * (points[3 * index] as number) +
    ny * (points[3 * index + 1] as number) +
    nz * (points[3 * index + 2] as number) -
    offset
  )
}

function makeFacet(points: Points, a: number, b: number, c: number): Facet {
  const pa = pointAt(points, a)
  const normal = cross(subtract(pointAt(points, b), pa), subtract(pointAt(points, c), pa))
  return {
    corners: [a, b, c],
    nx: normal[0],
    ny: normal[1],
    nz: normal[2],
    offset: dot(normal, pa),
    neighbours: [],
    outside: [],
    removed: false,
  }
}

/** Four points that span a volume; a mesh always has them. */
function firstTetrahedron(points: Points): Facet[] {
  const most = (measure: (point: Vector) => number): number => {
    let [best, highest] = [0, Number.NEGATIVE_INFINITY]
    for (let index = 0; index < points.length / 3; index++) {
      const value = measure(pointAt(points, index))
      if (value > highest) [best, highest] = [index, value]
    }
    return best
  }
  const a = most((p) => -p[0])
  const pa = pointAt(points, a)
  const b = most((p) => norm(subtract(p, pa)))
  const ab = subtract(pointAt(points, b), pa)
  const c = most((p) => norm(cross(ab, subtract(p, pa))))
  const normal = cross(ab, subtract(pointAt(points, c), pa))
  const d = most((p) => Math.abs(dot(normal, subtract(p, pa))))
  const below = dot(normal, subtract(pointAt(points, d), pa)) < 0
  const [p, q, r] = below ? [a, b, c] : [a, c, b]
  const base = makeFacet(points, p, q, r)
  // Each side shares one edge with the base, and the other two with the sides before and after it.
  const sides = [makeFacet(points, q, p, d), makeFacet(points, p, r, d), makeFacet(points, r, q, d)]
  const side = (index: number): Facet => sides[index % 3] as Facet
  base.neighbours = [side(0), side(2), side(1)]
  for (let i = 0; i < 3; i++) side(i).neighbours = [base, side(i + 1), side(i + 2)]
  return [base, ...sides]
}

/** Gives each point to the first facet that it lies above; points above none lie inside. */
function distribute(points: Points, candidates: readonly number[], facets: readonly Facet[]): void {
  for (const index of candidates)
    for (const facet of facets)
      if (above(facet, points, index) > 0) {
        facet.outside.push(index)
        break
      }
}

function farthest(points: Points, facet: Facet): number {
  let [best, highest] = [0, 0]
  for (const index of facet.outside) {
    const height = above(facet, points, index)
    if (height > highest) [best, highest] = [index, height]
  }
  return best
}

/** An edge of the horizon: from, to, and the facet beyond it that stays. */
type HorizonEdge = readonly [number, number, Facet]

function seenFrom(points: Points, apex: number, start: Facet): { visible: Facet[]; horizon: HorizonEdge[] } {
  const visible = [start]
  const horizon: HorizonEdge[] = []
  start.removed = true
  for (const facet of visible)
    for (const [side, neighbour] of facet.neighbours.entries()) {
      if (neighbour.removed) continue
      if (above(neighbour, points, apex) > 0) {
        neighbour.removed = true
        visible.push(neighbour)
      } else horizon.push([facet.corners[side] as number, facet.corners[(side + 1) % 3] as number, neighbour])
    }
  return { visible, horizon }
}

/** Facets from the horizon to the apex, joined to each other and to what lies beyond the horizon. */
function cone(points: Points, apex: number, horizon: readonly HorizonEdge[]): Facet[] {
  const byStart = new Map<number, Facet>()
  const added = horizon.map(([from, to, beyond]) => {
    const facet = makeFacet(points, from, to, apex)
    facet.neighbours[0] = beyond
    beyond.neighbours[beyond.corners.indexOf(to)] = facet
    byStart.set(from, facet)
    return facet
  })
  for (const facet of added) {
    const next = byStart.get(facet.corners[1]) as Facet
    facet.neighbours[1] = next
    next.neighbours[2] = facet
  }
  return added
}
