import { type Component, findComponents } from '../../components.ts'
import { label, type Work } from './labels.ts'

/** What the cross-section of a trachea looks like. */
const section = { area: { minimum: 60, maximum: 900 }, longest: 45, density: -850, fill: 0.5 }
/** It goes on at least so far, mm. */
const shortest = 25
/** It is looked for in this upper part of the scan, below whatever stands above the chest. */
const upperPart = 0.6

interface Section {
  /** A voxel deep in the lumen: the middle of its widest row. */
  voxel: number
  centre: { x: number; y: number }
  low: readonly number[]
  high: readonly number[]
}

/**
 * Looks for the trachea from the top of the volume: a round, dark section near the middle of the body that goes on downwards.
 * @returns a voxel in its lumen and its slice, or null
 */
export function findTrachea(work: Work): { voxel: number; z: number } | null {
  const [, , nz] = work.extent.size
  const needed = Math.max(2, Math.ceil(shortest / work.extent.spacing[2]))
  let tracks: { first: Section; z: number; last: Section; length: number }[] = []
  for (let z = nz - 1; z >= Math.floor(nz * (1 - upperPart)); z--) {
    const sections = sectionsOf(work, z)
    const next: typeof tracks = []
    for (const found of sections) {
      const track = tracks.find(({ last }) => overlaps(last, found))
      if (track) next.push({ ...track, last: found, length: track.length + 1 })
      else next.push({ first: found, z, last: found, length: 1 })
    }
    tracks = next
    const middle = bodyMiddle(work, z)
    const long = tracks
      .filter(({ length }) => length >= needed)
      .sort((a, b) => Math.abs(a.last.centre.x - middle) - Math.abs(b.last.centre.x - middle))
    if (long[0]) return { voxel: long[0].first.voxel, z: long[0].z }
  }
  return null
}

function overlaps(a: Section, b: Section): boolean {
  return [0, 1].every(
    (axis) => (a.low[axis] as number) < (b.high[axis] as number) && (b.low[axis] as number) < (a.high[axis] as number),
  )
}

/** Sections of a slice that may be a trachea. */
function sectionsOf(work: Work, z: number): Section[] {
  const { extent, labels, density } = work
  const [nx, ny] = extent.size
  const [sx, sy] = extent.spacing
  const box = { low: [0, 0, z], high: [nx, ny, z + 1] } as const
  const air = findComponents(extent, { labels, value: label.air }, { connectivity: 4, box })
  const middle = bodyMiddle(work, z)
  const fits = air.list.map((c) => {
    const area = c.voxels * sx * sy
    const [width, height] = [(c.high[0] - c.low[0]) * sx, (c.high[1] - c.low[1]) * sy]
    const central = Math.abs(c.sumX / c.voxels - middle) * sx < 60
    return (
      area >= section.area.minimum &&
      area <= section.area.maximum &&
      Math.max(width, height) <= section.longest &&
      area >= width * height * section.fill &&
      central
    )
  })
  const sums = new Float64Array(air.list.length)
  const widest = air.list.map(() => ({ voxel: -1, length: 0 }))
  air.forEachRun(({ offset, length, component }) => {
    if (!fits[component]) return
    let sum = 0
    for (let i = offset; i < offset + length; i++) sum += density[i] as number
    sums[component] = (sums[component] as number) + sum
    const wide = widest[component] as { voxel: number; length: number }
    if (length > wide.length) Object.assign(wide, { voxel: offset + Math.floor(length / 2), length })
  })
  return air.list.flatMap((c: Component, index) =>
    fits[index] && (sums[index] as number) / c.voxels <= section.density
      ? [
          {
            voxel: widest[index]?.voxel ?? 0,
            centre: { x: c.sumX / c.voxels, y: c.sumY / c.voxels },
            low: c.low,
            high: c.high,
          },
        ]
      : [],
  )
}

/** The middle of the body in a slice, as a column: the mean of its tissue. */
function bodyMiddle({ extent, density }: Work, z: number): number {
  const [nx, ny] = extent.size
  let sum = 0
  let pixels = 0
  for (let y = 0, i = z * nx * ny; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) {
      if ((density[i] as number) < -200) continue
      sum += x
      pixels++
    }
  return pixels === 0 ? nx / 2 : sum / pixels
}
