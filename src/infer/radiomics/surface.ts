import { cross, norm, subtract, type Vector } from '../../dicom/geometry.ts'

/** Area and volume of a closed triangle mesh. */
export interface SurfaceMeasures {
  /** mm2 */
  area: number
  /** mm3 */
  volume: number
}

/** What the triangles of one cube configuration contribute; z in voxels from the cube's lower face. */
interface CubeMeasures {
  area: number
  /** z component of the summed area vectors, mm2 */
  vectorZ: number
  /** The same times z, for the divergence theorem. */
  momentZ: number
}

/**
 * Marching cubes at 0.5 of a binary mask: the mesh's vertices lie half way between voxel centres inside and outside. The mesh itself is not
 * kept: a cube has 256 configurations, and area and volume are sums over how often each occurs in each slice (IBSI 3.1.1, 3.1.3).
 * Corners that touch across a face only by its diagonal are kept apart.
 * @param mask 0 outside, x fastest; what lies beyond its box is outside
 */
export function measureSurface(
  mask: Uint8Array,
  size: readonly [number, number, number],
  spacing: Vector,
): SurfaceMeasures {
  const measures = Array.from({ length: 256 }, (_, inside) => measureCube(inside, spacing))
  let area = 0
  let volume = 0
  const counts = new Float64Array(256)
  for (let z = -1; z < size[2]; z++) {
    counts.fill(0)
    countCubes(mask, size, z, counts)
    for (const [inside, cube] of measures.entries()) {
      const count = counts[inside] as number
      area += count * cube.area
      volume += count * (cube.momentZ + z * cube.vectorZ)
    }
  }
  return { area, volume: Math.abs(volume) * spacing[2] }
}

/** Counts the configurations of the cubes between the slices z and z + 1. Corner bits: x is 1, y is 2, z is 4. */
function countCubes(
  mask: Uint8Array,
  [width, height, depth]: readonly [number, number, number],
  z: number,
  counts: Float64Array,
): void {
  const outside = new Uint8Array(width)
  const row = (y: number, slice: number): Uint8Array => {
    if (y < 0 || y >= height || slice < 0 || slice >= depth) return outside
    const start = (slice * height + y) * width
    return mask.subarray(start, start + width)
  }
  let lowerBack = row(-1, z)
  let upperBack = row(-1, z + 1)
  for (let y = -1; y < height; y++) {
    const lowerFront = row(y + 1, z)
    const upperFront = row(y + 1, z + 1)
    let before = 0
    for (let x = 0; x <= width; x++) {
      let column = 0
      if (x < width) {
        if (lowerBack[x] !== 0) column |= 1
        if (lowerFront[x] !== 0) column |= 4
        if (upperBack[x] !== 0) column |= 16
        if (upperFront[x] !== 0) column |= 64
      }
      const inside = before | (column << 1)
      counts[inside] = (counts[inside] as number) + 1
      before = column
    }
    lowerBack = lowerFront
    upperBack = upperFront
  }
}

type Triangle = readonly [number, number, number]

/** The triangles of each configuration, their vertices named by edge; made when first needed. */
let cubes: readonly Triangle[][] | undefined

function trianglesOf(inside: number): readonly Triangle[] {
  cubes ??= Array.from({ length: 256 }, (_, corners) => polygons(corners).flatMap((loop) => triangulate(loop)))
  return cubes[inside] as readonly Triangle[]
}

function measureCube(inside: number, spacing: Vector): CubeMeasures {
  const measures = { area: 0, vectorZ: 0, momentZ: 0 }
  for (const triangle of trianglesOf(inside)) {
    const [a, b, c] = triangle.map((edge) => midpoint(edge, spacing)) as [Vector, Vector, Vector]
    const twice = cross(subtract(b, a), subtract(c, a))
    measures.area += norm(twice) / 2
    measures.vectorZ += twice[2] / 2
    measures.momentZ += ((twice[2] / 2) * (a[2] + b[2] + c[2])) / (3 * spacing[2])
  }
  return measures
}

/**
 * The triangles of a polygon that is not flat: of all divisions the one of largest area on a cubic grid, which is the one of the usual tables of
 * marching cubes, and the same for a configuration and its complement.
 */
function triangulate(loop: readonly number[]): Triangle[] {
  const areaOf = (triangles: readonly Triangle[]): number =>
    triangles.reduce((sum, triangle) => {
      const [a, b, c] = triangle.map((edge) => midpoint(edge, [1, 1, 1])) as [Vector, Vector, Vector]
      return sum + norm(cross(subtract(b, a), subtract(c, a)))
    }, 0)
  return divisions(loop).reduce((best, division) => (areaOf(division) > areaOf(best) + 1e-9 ? division : best))
}

/** Every way to cut a polygon into triangles along its diagonals. */
function divisions(loop: readonly number[]): Triangle[][] {
  if (loop.length < 3) return [[]]
  const first = loop[0] as number
  const last = loop[loop.length - 1] as number
  const found: Triangle[][] = []
  for (let k = 1; k + 1 < loop.length; k++)
    for (const left of divisions(loop.slice(0, k + 1)))
      for (const right of divisions(loop.slice(k))) found.push([...left, [first, loop[k] as number, last], ...right])
  return found
}

/** An edge of the cube is named by its two corners: 8 * lower + higher. */
function midpoint(edge: number, spacing: Vector): Vector {
  const [a, b] = [edge >> 3, edge & 7]
  const along = (bit: number): number => (((a >> bit) & 1) + ((b >> bit) & 1)) / 2
  return [along(0) * spacing[0], along(1) * spacing[1], along(2) * spacing[2]]
}

/**
 * The polygons that separate the corners inside from those outside, as cycles of crossed edges. On each face, seen from outside and walked
 * anticlockwise, a line leads from where a run of inside corners is entered to where it is left; the neighbouring face continues from there.
 */
function polygons(inside: number): number[][] {
  const next = new Map<number, number>()
  for (const axis of [0, 1, 2])
    for (const side of [0, 1])
      for (const [entered, left] of faceLines(inside, faceCorners(axis, side))) next.set(entered, left)
  const loops: number[][] = []
  while (next.size > 0) {
    const loop: number[] = []
    let edge = next.keys().next().value as number
    for (let following = next.get(edge); following !== undefined; following = next.get(edge)) {
      next.delete(edge)
      loop.push(edge)
      edge = following
    }
    loops.push(loop)
  }
  return loops
}

function faceCorners(axis: number, side: number): number[] {
  const u = 1 << ((axis + 1) % 3)
  const v = 1 << ((axis + 2) % 3)
  const corners = [0, u, u | v, v].map((corner) => corner | (side << axis))
  return side === 1 ? corners : corners.reverse()
}

function faceLines(inside: number, corners: readonly number[]): [number, number][] {
  const isInside = (i: number): boolean => ((inside >> (corners[i % 4] as number)) & 1) === 1
  const edge = (i: number): number => {
    const [a, b] = [corners[i % 4] as number, corners[(i + 1) % 4] as number]
    return 8 * Math.min(a, b) + Math.max(a, b)
  }
  const lines: [number, number][] = []
  for (let i = 0; i < 4; i++) {
    if (isInside(i) || !isInside(i + 1)) continue
    let last = i + 1
    while (isInside(last + 1)) last++
    lines.push([edge(i), edge(last)])
  }
  return lines
}
