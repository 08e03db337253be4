/** Part of a grid: from `low` up to, and without, `high`. */
export interface IndexBox {
  low: [number, number, number]
  high: [number, number, number]
}

/** The smallest box around the voxels that are not 0; empty (`high` 0) where there are none. */
export function boxOf(mask: Uint8Array, [nx, ny, nz]: readonly [number, number, number], label?: number): IndexBox {
  const low: [number, number, number] = [nx, ny, nz]
  const high: [number, number, number] = [0, 0, 0]
  const belongs = label === undefined ? (value: number) => value !== 0 : (value: number) => value === label
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) {
      const start = (z * ny + y) * nx
      let first = 0
      while (first < nx && !belongs(mask[start + first] as number)) first++
      if (first === nx) continue
      let last = nx - 1
      while (!belongs(mask[start + last] as number)) last--
      low[0] = Math.min(low[0], first)
      high[0] = Math.max(high[0], last + 1)
      low[1] = Math.min(low[1], y)
      high[1] = Math.max(high[1], y + 1)
      low[2] = Math.min(low[2], z)
      high[2] = z + 1
    }
  return { low, high }
}
