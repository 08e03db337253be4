import type { Vector } from '../../dicom/geometry.ts'
import { type Grid, type LabelMap, type LabelShares, voxelsOf } from '../image.ts'
import { partOf } from '../label-shares.ts'
import { gather, nearestOffsets, type Size, stridesOf } from './gather.ts'
import { type AxisMapping, isSameGrid, isVoxelToVoxel, mapGrid } from './grid-mapping.ts'
import { type Affine, extentOf, rowStart, rowStep, runInside } from './resample-affine.ts'

/**
 * Labels on another grid: at each of its voxels the fraction of every label is interpolated (linear in each axis); where less than half is
 * labelled the voxel is background, else the label with the largest fraction wins. Where the map knows how sure its labels were, that is the
 * fraction: the border lies where it would if the labels had been decided on the new grid. Grids whose voxels lie on each other, up to order and
 * direction of their axes, are copied exactly. Beyond the source by more than half a voxel there is background.
 * @returns the same map where the grid is the same
 */
export function labelsOnto(map: LabelMap, grid: Grid): LabelMap {
  if (isSameGrid(grid, map.grid)) return map
  const labels = new Uint8Array(voxelsOf(grid))
  const source = { labels: map.labels, size: map.grid.size, shares: map.shares }
  const mapping = mapGrid(grid, map.grid)
  if (mapping.kind === 'affine') {
    turnLabels(source, { labels, size: grid.size }, mapping)
  } else if (isVoxelToVoxel(mapping.axes)) {
    const offsets = nearestOffsets(mapping.axes, grid.size, map.grid.size, false)
    gather({ source: map.labels, from: 0 }, { target: labels, to: 0 }, offsets, 0)
  } else interpolateLabels(source, { labels, size: grid.size }, mapping.axes)
  return { grid, labels }
}

/** True where labels of a grid will be interpolated on their way to the source's, so that it matters how sure they were. */
export function keepsShares(grid: Grid, source: Grid | undefined): boolean {
  if (!source || isSameGrid(grid, source)) return false
  const mapping = mapGrid(source, grid)
  return mapping.kind === 'affine' || !isVoxelToVoxel(mapping.axes)
}

interface Labels {
  labels: Uint8Array
  size: Size
  shares?: LabelShares | undefined
}

/** The two voxels beside each new one along an axis, as offsets in memory, and the weight of the second. */
interface Pair {
  low: number
  high: number
  first: Int32Array
  second: Int32Array
  weight: Float64Array
}

function interpolateLabels(source: Labels, target: Labels, axes: readonly AxisMapping[]): void {
  const box = labelledBox(source)
  if (!box) return
  const [alongX, alongY, alongZ] = axes.map((mapping, t) =>
    pairsAlong(mapping, target.size[t] as number, source.size, box),
  ) as [Pair, Pair, Pair]
  const [nx, ny] = target.size
  const elect = election(source)
  for (let k = alongZ.low; k < alongZ.high; k++)
    for (let j = alongY.low; j < alongY.high; j++) {
      const front = alongZ.first[k] as number
      const back = alongZ.second[k] as number
      const upper = alongY.first[j] as number
      const lower = alongY.second[j] as number
      const lines = [upper + front, lower + front, upper + back, lower + back] as const
      const to = (k * ny + j) * nx
      for (let i = alongX.low; i < alongX.high; i++)
        target.labels[to + i] = elect(
          { left: alongX.first[i] as number, right: alongX.second[i] as number, lines },
          alongX.weight[i] as number,
          alongY.weight[j] as number,
          alongZ.weight[k] as number,
        )
    }
}

function pairsAlong({ axis, start, step }: AxisMapping, length: number, size: Size, box: LabelledBox): Pair {
  const last = size[axis] - 1
  const stride = stridesOf(size)[axis]
  const pair = {
    first: new Int32Array(length),
    second: new Int32Array(length),
    weight: new Float64Array(length),
    low: length,
    high: 0,
  }
  for (let index = 0; index < length; index++) {
    const at = start + step * index
    const isNear = at > box.from[axis] - 1 && at < box.to[axis] + 1
    if (at < -0.5 - 1e-6 || at > last + 0.5 + 1e-6 || !isNear) continue
    pair.low = Math.min(pair.low, index)
    pair.high = index + 1
    const inside = Math.min(last, Math.max(0, at))
    const lower = Math.floor(inside)
    pair.first[index] = lower * stride
    pair.second[index] = Math.min(last, lower + 1) * stride
    pair.weight[index] = inside - lower
  }
  return pair
}

function turnLabels(source: Labels, target: Labels, affine: Affine): void {
  const labelled = labelledBox(source)
  if (!labelled) return
  const extent = extentOf(source.size)
  const box = {
    from: labelled.from.map((at, axis) => Math.max(at - 1, extent.from[axis] as number)) as unknown as Vector,
    to: labelled.to.map((at, axis) => Math.min(at + 1, extent.to[axis] as number)) as unknown as Vector,
  }
  const [nx, ny, nz] = target.size
  const [sx, sy, sz] = source.size
  const [ax, ay, az] = rowStep(affine)
  const plane = sx * sy
  const elect = election(source)
  const clamp = (value: number, last: number): number => (value < 0 ? 0 : value > last ? last : value)
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const start = rowStart(affine, j, k)
      const { low, high } = runInside(start, [ax, ay, az], nx, box)
      const to = (k * ny + j) * nx
      for (let i = low; i < high; i++) {
        const x = clamp(start[0] + ax * i, sx - 1)
        const y = clamp(start[1] + ay * i, sy - 1)
        const z = clamp(start[2] + az * i, sz - 1)
        const left = x | 0
        const upper = (y | 0) * sx
        const front = (z | 0) * plane
        const lower = (y | 0) < sy - 1 ? upper + sx : upper
        const back = (z | 0) < sz - 1 ? front + plane : front
        const lines = [upper + front, lower + front, upper + back, lower + back] as const
        const right = left < sx - 1 ? left + 1 : left
        target.labels[to + i] = elect({ left, right, lines }, x - left, y - (y | 0), z - (z | 0))
      }
    }
}

/** The eight voxels around a place, as offsets in memory: those of x, and those of y and z together (y first). */
interface Corners {
  left: number
  right: number
  lines: readonly [number, number, number, number]
}

/** @returns decides the label between eight voxels; u, v, w are the weights of the second ones along x, y, z */
function election({ labels, shares }: Labels): (corners: Corners, u: number, v: number, w: number) => number {
  const votes = new Votes()
  const vote = (at: number, weight: number): void => {
    const label = labels[at] as number
    if (!shares || shares.first[at] !== label) {
      votes.add(label, weight)
      return
    }
    const part = partOf(shares.share[at] as number)
    votes.add(label, weight * part)
    votes.add(shares.second[at] as number, weight * (1 - part))
  }
  return ({ left, right, lines }, u, v, w) => {
    const first = labels[left + lines[0]] as number
    if (
      first === labels[right + lines[0]] &&
      first === labels[left + lines[1]] &&
      first === labels[right + lines[1]] &&
      first === labels[left + lines[2]] &&
      first === labels[right + lines[2]] &&
      first === labels[left + lines[3]] &&
      first === labels[right + lines[3]]
    )
      return first
    votes.clear()
    for (let line = 0; line < 4; line++) {
      const weight = (line & 1 ? v : 1 - v) * (line & 2 ? w : 1 - w)
      vote(left + (lines[line] as number), weight * (1 - u))
      vote(right + (lines[line] as number), weight * u)
    }
    return votes.elected()
  }
}

/** Labels with their weights, of which there are at most two for each of eight voxels. */
class Votes {
  readonly #labels = new Uint8Array(16)
  readonly #weights = new Float64Array(16)
  #count = 0

  clear(): void {
    this.#count = 0
  }

  add(label: number, weight: number): void {
    for (let n = 0; n < this.#count; n++)
      if (this.#labels[n] === label) {
        this.#weights[n] = (this.#weights[n] as number) + weight
        return
      }
    this.#labels[this.#count] = label
    this.#weights[this.#count++] = weight
  }

  /** The label with the most weight, where half of it or more is no background; of equal ones the smaller. */
  elected(): number {
    let labelled = 0
    let best = 0
    let most = 0
    for (let n = 0; n < this.#count; n++) {
      const label = this.#labels[n] as number
      const weight = this.#weights[n] as number
      if (label === 0) continue
      labelled += weight
      if (weight > most + 1e-9 || (weight > most - 1e-9 && label < best)) {
        most = weight
        best = label
      }
    }
    return labelled < 0.5 - 1e-9 ? 0 : best
  }
}

interface LabelledBox {
  from: Vector
  to: Vector
}

/** Smallest box of indices around all labels; null where there is none. */
function labelledBox({ labels, size }: Labels): LabelledBox | null {
  const [nx, ny, nz] = size
  const from = [nx, ny, nz] as [number, number, number]
  const to = [-1, -1, -1] as [number, number, number]
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++, at += nx) {
      let first = 0
      while (first < nx && labels[at + first] === 0) first++
      if (first === nx) continue
      let last = nx - 1
      while (labels[at + last] === 0) last--
      from[0] = Math.min(from[0], first)
      to[0] = Math.max(to[0], last)
      from[1] = Math.min(from[1], j)
      to[1] = Math.max(to[1], j)
      from[2] = Math.min(from[2], k)
      to[2] = k
    }
  return to[0] < 0 ? null : { from, to }
}
