import { describe, expect, it } from 'vitest'
import { dot, subtract, type Vector } from '../../../src/dicom/geometry.ts'
import { convexHull, largestDistance } from '../../../src/infer/radiomics/convex-hull.ts'
import { ellipsoidArea, momentsOf } from '../../../src/infer/radiomics/shape.ts'
import { measureSurface } from '../../../src/infer/radiomics/surface.ts'
import { eachVoxel, gridOf, lumpySample, maskOf } from './synthetic.ts'

describe('the surface by marching cubes', () => {
  it('of a single voxel is an octahedron', () => {
    const { area, volume } = measureSurface(Uint8Array.of(1), [1, 1, 1], [2, 2, 2])
    expect(area).toBeCloseTo(4 * Math.sqrt(3), 10)
    expect(volume).toBeCloseTo(4 / 3, 10)
  })

  it('of a box is that of the box with its edges and corners cut', () => {
    // Each edge of length n - 1 loses a prism of half a voxel, each corner what the prisms and the octahedron leave.
    const { volume } = measureSurface(new Uint8Array(4 * 5 * 6).fill(1), [4, 5, 6], [1, 1, 1])
    const edges = (4 * (3 + 4 + 5)) / 8
    expect(volume).toBeCloseTo(4 * 5 * 6 - edges - 8 * (1 / 8 - 1 / 48), 10)
  })

  it('of a ball nears that of the ball', () => {
    const grid = gridOf([45, 45, 45], [1, 1, 1])
    const { labels } = maskOf(grid, (x, y, z) => Math.hypot(x - 22, y - 22, z - 22) < 20)
    const { area, volume } = measureSurface(labels, grid.size, grid.spacing)
    expect(volume / ((4 / 3) * Math.PI * 8000)).toBeCloseTo(1, 1)
    // Steps of voxels make the area too large; about a tenth is known of this mesh.
    expect(area / (4 * Math.PI * 400)).toBeGreaterThan(1)
    expect(area / (4 * Math.PI * 400)).toBeLessThan(1.12)
  })

  it('is closed: the volume does not depend on where the mask lies', () => {
    const { mask } = lumpySample()
    const [nx, ny, nz] = mask.grid.size
    const moved = gridOf([nx + 5, ny + 3, nz + 7])
    const shifted = maskOf(moved, (x, y, z) => {
      const [i, j, k] = [x - 4, y - 1, z - 6]
      return i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz && mask.labels[(k * ny + j) * nx + i] === 1
    })
    const here = measureSurface(mask.labels, mask.grid.size, [1, 2, 3])
    const there = measureSurface(shifted.labels, moved.size, [1, 2, 3])
    expect(there.volume).toBeCloseTo(here.volume, 8)
    expect(there.area).toBeCloseTo(here.area, 8)
  })
})

describe('the convex hull', () => {
  const { mask } = lumpySample()
  const spacing: Vector = [1.2, 1.2, 3]
  const hull = convexHull(mask.labels, mask.grid.size, spacing)
  /** Half way to the faces of every voxel: all vertices of the mesh, and points inside of it. */
  const points: Vector[] = [...eachVoxel(mask.grid)].flatMap(([x, y, z], i) =>
    mask.labels[i] === 0
      ? []
      : [0, 1, 2].flatMap((axis) =>
          [-0.5, 0.5].map((half): Vector => {
            const place = [x, y, z].map((v, a) => (v + (a === axis ? half : 0)) * (spacing[a] as number))
            return place as unknown as Vector
          }),
        ),
  )

  it('has its corners among the vertices of the mesh, and the farthest two of them', () => {
    const known = new Set(points.map((p) => p.map((v) => v.toFixed(6)).join(' ')))
    for (const vertex of hull?.vertices ?? []) expect(known).toContain(vertex.map((v) => v.toFixed(6)).join(' '))
    let farthest = 0
    for (const a of points) for (const b of points) farthest = Math.max(farthest, Math.hypot(...subtract(a, b)))
    expect(largestDistance(hull?.vertices ?? [])).toBeCloseTo(farthest, 10)
  })

  it('reaches as far as the mesh in every direction, and no farther', () => {
    for (const direction of [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [1, 2, 3],
      [-3, 1, 2],
      [5, -7, 1],
      [-1, -1, -1],
    ] as const) {
      const reach = (vertices: readonly Vector[]): number => Math.max(...vertices.map((v) => dot(v, direction)))
      expect(reach(hull?.vertices ?? [])).toBeCloseTo(reach(points), 10)
    }
  })

  it('of what is convex already is the mesh itself', () => {
    const box = new Uint8Array(5 * 4 * 3).fill(1)
    const surface = measureSurface(box, [5, 4, 3], [1, 1.5, 2])
    const convex = convexHull(box, [5, 4, 3], [1, 1.5, 2])
    expect(convex?.volume).toBeCloseTo(surface.volume, 10)
    expect(convex?.area).toBeCloseTo(surface.area, 10)
  })

  it('holds for one voxel, for a flat disc, and for a line', () => {
    expect(convexHull(Uint8Array.of(1), [1, 1, 1], [1, 1, 1])?.volume).toBeCloseTo(1 / 6, 12)
    const disc = maskOf(gridOf([21, 21, 1]), (x, y) => Math.hypot(x - 10, y - 10) < 9)
    expect(convexHull(disc.labels, [21, 21, 1], [1, 1, 1])?.volume).toBeGreaterThan(100)
    expect(convexHull(new Uint8Array(9).fill(1), [1, 1, 9], [1, 1, 1])?.vertices.length).toBe(10)
    expect(convexHull(new Uint8Array(9), [1, 1, 9], [1, 1, 1])).toBeNull()
  })
})

describe('the moments of a mask', () => {
  it('give the axes of a box along the grid, longest first', () => {
    const moments = momentsOf(new Uint8Array(3 * 5 * 7).fill(1), [3, 5, 7], [1, 1, 2])
    const variance = (n: number, spacing: number): number => (((n * n - 1) / 12) * spacing ** 2 * 105) / 104
    expect(moments.voxels).toBe(105)
    expect(moments.centre).toEqual([1, 2, 6])
    expect(moments.variances[0]).toBeCloseTo(variance(7, 2), 10)
    expect(moments.variances[1]).toBeCloseTo(variance(5, 1), 10)
    expect(moments.variances[2]).toBeCloseTo(variance(3, 1), 10)
  })
})

describe('the area of an ellipsoid', () => {
  it('is that of a sphere where it is one', () => {
    expect(ellipsoidArea([2, 2, 2])).toBeCloseTo(16 * Math.PI, 10)
  })

  it.each([
    // From the series as it is printed, with Legendre polynomials of SciPy.
    [[3, 2, 1], 52.81348101202416],
    [[9, 4, 3], 286.1904309381412],
    [[2, 1.001, 1], 17.364700975985404],
    [[2, 1.999, 1], 42.926169185368586],
  ] as const)("of semi-axes %j is what IBSI's series gives", (axes, area) => {
    expect(ellipsoidArea(axes)).toBeCloseTo(area, 8)
  })

  it('has no gap where two axes become equal', () => {
    expect(ellipsoidArea([2, 1, 1])).toBeCloseTo(ellipsoidArea([2, 1 + 1e-7, 1]), 5)
    expect(ellipsoidArea([2, 2, 1])).toBeCloseTo(ellipsoidArea([2, 2 - 1e-7, 1]), 5)
  })
})
