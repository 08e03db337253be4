import { Integers } from '../components.ts'
import { type Aggregated, aggregateVolumes, type Dimension } from './aggregation.ts'
import { CountMatrix, countFeatures } from './count-matrix.ts'
import { type Displacement, type GreyLevels, neighbours } from './grey-levels.ts'

/** Features of a zone matrix: all of a count matrix but its energy. */
const length = 16

/** A zone: voxels of one grey level that touch, by corners too. */
interface Zone {
  level: number
  voxels: number
  /** Distance to the edge of the morphological mask of the voxel nearest to it. */
  distance: number
}

/** Features of grey level size zone matrices (IBSI 3.8). */
export function sizeZoneFeatures(levels: GreyLevels, dimensions: readonly Dimension[]): Aggregated {
  return zoneFeatures(levels, dimensions, null)
}

/** Features of grey level distance zone matrices (IBSI 3.9): distances to the edge of the morphological mask, by city blocks. */
export function distanceZoneFeatures(levels: GreyLevels, wanted: readonly Dimension[]): Aggregated {
  const spatial = wanted.filter((one) => one === '3D')
  const planar = wanted.filter((one) => one !== '3D')
  return {
    ...(spatial.length > 0 && zoneFeatures(levels, spatial, edgeDistances(levels, 3))),
    ...(planar.length > 0 && zoneFeatures(levels, planar, edgeDistances(levels, 2))),
  }
}

function zoneFeatures(levels: GreyLevels, dimensions: readonly Dimension[], distances: Uint16Array | null): Aggregated {
  const fill = zoneFiller(levels, distances)
  return aggregateVolumes<CountMatrix>(levels, dimensions, {
    length,
    empty: () => new CountMatrix(levels.levels),
    merge: (into, other) => into.merge(other),
    count(matrix, within, from, to) {
      matrix.voxels += to - from
      fill(within, from, to, ({ level, voxels, distance }) => matrix.add(level, distances ? distance : voxels))
    },
    features: (matrix) => countFeatures(matrix)?.slice(0, length) ?? null,
  })
}

/** Finds zones by flooding from each voxel that no zone has taken yet. The zone that `visit` gets is reused. */
function zoneFiller(
  { data, indices, size }: GreyLevels,
  distances: Uint16Array | null,
): (dimensions: 2 | 3, from: number, to: number, visit: (zone: Zone) => void) => void {
  const pending = new Integers()
  const taken = new Uint8Array(data.length)
  const zone: Zone = { level: 0, voxels: 0, distance: 0 }
  return (dimensions, from, to, visit) => {
    for (let k = from; k < to; k++) taken[indices[k] as number] = 0
    const around: Displacement[] = neighbours({ size }, dimensions, 1)
    for (let k = from; k < to; k++) {
      const seed = indices[k] as number
      if (taken[seed] === 1) continue
      const level = data[seed] as number
      zone.level = level
      zone.voxels = 0
      zone.distance = Number.POSITIVE_INFINITY
      taken[seed] = 1
      pending.length = 0
      pending.push(seed)
      while (pending.length > 0) {
        const at = pending.at(--pending.length)
        zone.voxels++
        if (distances) zone.distance = Math.min(zone.distance, distances[at] as number)
        for (let d = 0; d < around.length; d++) {
          const neighbour = at + (around[d] as number)
          if (data[neighbour] !== level || taken[neighbour] === 1) continue
          taken[neighbour] = 1
          pending.push(neighbour)
        }
      }
      visit(zone)
    }
  }
}

/**
 * For each voxel of the morphological mask the number of steps over faces to a voxel outside: 1 at the edge. Two sweeps are exact for this
 * distance; the border of the image counts as outside.
 */
function edgeDistances({ morphologicalMask, size }: GreyLevels, dimensions: 2 | 3): Uint16Array {
  const steps = [1, size[0], ...(dimensions === 3 ? [size[0] * size[1]] : [])]
  const distances = new Uint16Array(morphologicalMask.length)
  // The margin of the array is outside: no neighbour of a voxel inside lies beyond the array.
  for (let at = 0; at < distances.length; at++) {
    if (morphologicalMask[at] === 0) continue
    let nearest = 65534
    for (const step of steps) nearest = Math.min(nearest, distances[at - step] as number)
    distances[at] = nearest + 1
  }
  for (let at = distances.length - 1; at >= 0; at--) {
    if (morphologicalMask[at] === 0) continue
    let nearest = (distances[at] as number) - 1
    for (const step of steps) nearest = Math.min(nearest, distances[at + step] as number)
    distances[at] = nearest + 1
  }
  return distances
}
