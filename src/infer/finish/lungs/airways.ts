import { findComponents, Integers } from '../../components.ts'
import { label, millilitres, type Work } from './labels.ts'
import { findTrachea } from './trachea.ts'

/** HU at which the lumen is surely air, and up to which its boundary is looked for. */
const flood = { from: -1000, to: -750, step: 10 }
/**
 * A step that adds more than this part and this volume has broken through the wall into the lung; so has one that brings the whole beyond
 * `total`. Before `least`, mL, the lumen is still filling up: noise can hold it back for a step or two.
 */
const leak = { part: 0.5, millilitres: 10, total: 120, least: 15 }
/** Radius of the narrowest lumen that is taken out, mm, as lobar bronchi have; narrower ones are left in the lungs. */
const narrowest = 2
/**
 * What is not further from the lumen than this, mm, belongs to the airway: voxels that are partly lumen, and the wall. So closing a lung
 * does not reach around a bronchus.
 */
const wall = 1.8

/**
 * Takes trachea, main and lobar bronchi out of the candidates: their air is no lung, joins the lungs, and would count as emphysema.
 *
 * The trachea is found in the upper slices; its lumen is flooded with a rising threshold (on the mean of 3x3 pixels, because sharp kernels are
 * noisy) until a step breaks out into the lung, and the last one before is taken. Bronchi that are narrower than 4 mm are given back.
 */
export function markAirways(work: Work): void {
  const trachea = findTrachea(work)
  if (trachea === null) {
    work.log.push('no trachea was found: airways are not taken out')
    return
  }
  const lumen = floodLumen(work, trachea)
  const wide = widePart(work, lumen)
  for (let n = 0; n < wide.length; n++) work.labels[wide.at(n)] = label.airway
  work.log.push(`trachea and large bronchi of ${millilitres(work, wide.length).toFixed(1)} mL were taken out`)
  grow(work, wide, { millimetres: wall, from: [label.air, label.none], to: label.airway })
}

/** Mean of the 3x3 pixels of the slice around a voxel, HU; the voxel itself at the border. */
function smoothed({ density, extent }: Work, i: number): number {
  const [nx, ny] = extent.size
  const x = i % nx
  const y = Math.floor(i / nx) % ny
  if (x === 0 || y === 0 || x === nx - 1 || y === ny - 1) return density[i] as number
  let sum = 0
  for (let row = i - nx; row <= i + nx; row += nx)
    sum += (density[row - 1] as number) + (density[row] as number) + (density[row + 1] as number)
  return sum / 9
}

/** Label of voxels that the flood has seen; cleared before it ends. */
const seen = 255

/** The voxels of the lumen: connected to the seed, at or below the seed's slice, at the highest threshold that does not leak. */
function floodLumen(work: Work, seed: { voxel: number; z: number }): Integers {
  const { labels, extent } = work
  const plane = extent.size[0] * extent.size[1]
  const top = (seed.z + 1) * plane
  const buckets = Array.from({ length: (flood.to - flood.from) / flood.step + 1 }, () => new Integers(256))
  const visited = new Integers(65536)
  const enter = (i: number): void => {
    if (i < 0 || i >= top || labels[i] !== label.air) return
    const level = Math.max(0, Math.ceil((smoothed(work, i) - flood.from) / flood.step))
    if (level >= buckets.length) return
    labels[i] = seen
    visited.push(i)
    buckets[level]?.push(i)
  }
  const region = new Integers(65536)
  let kept = 0
  enter(seed.voxel)
  for (const [level, bucket] of buckets.entries()) {
    // Neighbours may fall into this bucket or an earlier level, which is the same: they are below the threshold.
    for (let n = 0; n < bucket.length; n++) {
      const i = bucket.at(n)
      region.push(i)
      for (const neighbour of neighbours(work, i)) {
        const before = visited.length
        enter(neighbour)
        if (visited.length > before) moveDown(work, { buckets, level, voxel: neighbour })
      }
      if (millilitres(work, region.length) > leak.total * 2) break
    }
    const before = millilitres(work, kept)
    const after = millilitres(work, region.length)
    const jumped = after - before > Math.max(leak.millilitres, before * leak.part)
    if (after > leak.total || (jumped && before > leak.least)) break
    kept = region.length
  }
  for (let n = 0; n < visited.length; n++) labels[visited.at(n)] = label.air
  region.length = kept
  return region
}

/** A voxel that lies below the present threshold is taken at it. */
function moveDown(work: Work, at: { buckets: Integers[]; level: number; voxel: number }): void {
  const own = Math.max(0, Math.ceil((smoothed(work, at.voxel) - flood.from) / flood.step))
  if (own >= at.level) return
  const bucket = at.buckets[own] as Integers
  bucket.length--
  at.buckets[at.level]?.push(at.voxel)
}

/** The six neighbours by faces that are in the volume; -1 for those that are not. */
const around = new Int32Array(6)
function neighbours({ extent }: Work, i: number): Int32Array {
  const [nx, ny, nz] = extent.size
  const x = i % nx
  const y = Math.floor(i / nx) % ny
  const z = Math.floor(i / (nx * ny))
  around[0] = x > 0 ? i - 1 : -1
  around[1] = x < nx - 1 ? i + 1 : -1
  around[2] = y > 0 ? i - nx : -1
  around[3] = y < ny - 1 ? i + nx : -1
  around[4] = z > 0 ? i - nx * ny : -1
  around[5] = z < nz - 1 ? i + nx * ny : -1
  return around
}

/** The tree of what a ball of the narrowest radius fits into: an opening, that reaches on by a millimetre. */
function widePart(work: Work, lumen: Integers): Integers {
  const { labels } = work
  for (let n = 0; n < lumen.length; n++) labels[lumen.at(n)] = label.airway
  const wide = shrink(work, lumen, narrowest)
  for (let n = 0; n < wide.length; n++) labels[wide.at(n)] = seen
  grow(work, wide, { millimetres: narrowest + 1, from: [label.airway], to: seen })
  const tree = largestPart(work, seen)
  for (let n = 0; n < lumen.length; n++) labels[lumen.at(n)] = label.air
  return tree
}

/** The voxels that carry a label and hang together, in the largest number: what the flood found beyond narrow places is emphysema. */
function largestPart({ extent, labels }: Work, value: number): Integers {
  const parts = findComponents(extent, { labels, value }, { connectivity: 26 })
  const largest = parts.list.reduce((best, { voxels }, i, list) => (voxels > (list[best]?.voxels ?? 0) ? i : best), 0)
  const voxels = new Integers(1024)
  parts.forEachRun(({ offset, length, component }) => {
    if (component === largest) for (let i = offset; i < offset + length; i++) voxels.push(i)
  })
  return voxels
}

/** Voxels of a labelled region that are further than `millimetres` from its boundary. */
function shrink(work: Work, region: Integers, millimetres: number): Integers {
  const { extent, labels } = work
  const [nx, ny, nz] = extent.size
  const offsets = ball(extent.spacing, millimetres)
  const core = new Integers(1024)
  for (let n = 0; n < region.length; n++) {
    const i = region.at(n)
    const x = i % nx
    const y = Math.floor(i / nx) % ny
    const z = Math.floor(i / (nx * ny))
    const whole = offsets.every(([dx, dy, dz]) => {
      // Beyond the volume the lumen is taken to go on.
      if (x + dx < 0 || x + dx >= nx || y + dy < 0 || y + dy >= ny || z + dz < 0 || z + dz >= nz) return true
      return labels[i + dx + nx * (dy + ny * dz)] === label.airway
    })
    if (whole) core.push(i)
  }
  return core
}

function ball([sx, sy, sz]: readonly [number, number, number], radius: number): [number, number, number][] {
  const offsets: [number, number, number][] = []
  const [rx, ry, rz] = [sx, sy, sz].map((s) => Math.floor(radius / s)) as [number, number, number]
  for (let dz = -rz; dz <= rz; dz++)
    for (let dy = -ry; dy <= ry; dy++)
      for (let dx = -rx; dx <= rx; dx++) if (Math.hypot(dx * sx, dy * sy, dz * sz) <= radius) offsets.push([dx, dy, dz])
  // The farthest first: most voxels outside of the core fail at once.
  return offsets.sort((a, b) => Math.hypot(...b) - Math.hypot(...a))
}

/**
 * Grows a region by a ball, to voxels that carry one of the labels `from`; they become `to` and are appended.
 * @param region all of its voxels carry the label `to`
 */
function grow(
  work: Work,
  region: Integers,
  options: { millimetres: number; from: readonly number[]; to: number },
): void {
  const { labels, extent } = work
  const [nx, ny, nz] = extent.size
  const offsets = ball(extent.spacing, options.millimetres)
  const surface = new Integers(1024)
  for (let n = 0; n < region.length; n++)
    if (neighbours(work, region.at(n)).some((i) => i >= 0 && labels[i] !== options.to)) surface.push(region.at(n))
  for (let n = 0; n < surface.length; n++) {
    const i = surface.at(n)
    const x = i % nx
    const y = Math.floor(i / nx) % ny
    const z = Math.floor(i / (nx * ny))
    for (const [dx, dy, dz] of offsets) {
      if (x + dx < 0 || x + dx >= nx || y + dy < 0 || y + dy >= ny || z + dz < 0 || z + dz >= nz) continue
      const at = i + dx + nx * (dy + ny * dz)
      if (!options.from.includes(labels[at] as number)) continue
      labels[at] = options.to
      region.push(at)
    }
  }
}
