import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Connectivity, type Extent, findComponents } from '../../src/infer/components.ts'

/** Labels by flood fill, voxel by voxel: the plain way to say the same. */
function floodFill(extent: Extent, mask: readonly number[], connectivity: Connectivity): number[] {
  const [nx, ny, nz] = extent.size
  const labels = mask.map(() => -1)
  let next = 0
  const near = (dx: number, dy: number, dz: number): boolean => {
    const steps = Math.abs(dx) + Math.abs(dy) + Math.abs(dz)
    if (connectivity === 26) return steps > 0
    if (connectivity === 18) return steps === 1 || steps === 2
    if (connectivity === 8) return steps > 0 && dz === 0
    return steps === 1 && (connectivity === 6 || dz === 0)
  }
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || labels[start] !== -1) continue
    const open = [start]
    labels[start] = next
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [x, y, z] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
      for (let dz = -1; dz <= 1; dz++)
        for (let dy = -1; dy <= 1; dy++)
          for (let dx = -1; dx <= 1; dx++) {
            const [a, b, c] = [x + dx, y + dy, z + dz]
            if (!near(dx, dy, dz) || a < 0 || b < 0 || c < 0 || a >= nx || b >= ny || c >= nz) continue
            const i = (c * ny + b) * nx + a
            if (!mask[i] || labels[i] !== -1) continue
            labels[i] = next
            open.push(i)
          }
    }
    next++
  }
  return labels
}

describe('findComponents', () => {
  it.each([4, 8, 6, 18, 26] as const)('finds what flood filling finds, with %d neighbours', (connectivity) => {
    const volumes = fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain((size) =>
        fc.tuple(
          fc.constant(size),
          fc.array(fc.constantFrom(0, 1), {
            minLength: size[0] * size[1] * size[2],
            maxLength: size[0] * size[1] * size[2],
          }),
        ),
      )
    fc.assert(
      fc.property(volumes, ([size, mask]) => {
        const extent: Extent = { size, spacing: [1, 1, 1] }
        const expected = floodFill(extent, mask, connectivity)
        const components = findComponents(extent, (i) => mask[i] === 1, { connectivity })
        const labels = mask.map(() => -1)
        components.forEachRun(({ offset, length, component }) => labels.fill(component, offset, offset + length))
        expect(labels).toEqual(expected)
        const members = { labels: Uint8Array.from(mask), value: 1 }
        expect(findComponents(extent, members, { connectivity }).list).toEqual(components.list)
        const box = { low: [1, 0, 1], high: [Math.max(1, size[0] - 1), size[1], Math.max(1, size[2])] } as const
        expect(findComponents(extent, members, { connectivity, box }).list).toEqual(
          findComponents(extent, (i) => mask[i] === 1, { connectivity, box }).list,
        )
        expect(components.list.map((c) => c.voxels)).toEqual(
          components.list.map((_, n) => expected.filter((l) => l === n).length),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('describes a component by its box and centroid, inside a part of the volume', () => {
    const extent: Extent = { size: [5, 4, 3], spacing: [1, 1, 1] }
    const { list } = findComponents(extent, () => true, { connectivity: 6, box: { low: [1, 2, 1], high: [4, 4, 3] } })
    expect(list).toHaveLength(1)
    expect(list[0]).toEqual({ voxels: 12, sumX: 24, sumY: 30, sumZ: 18, low: [1, 2, 1], high: [4, 4, 3] })
  })
})
