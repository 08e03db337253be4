import { type Box, type Component, findComponents } from '../../components.ts'
import { refusal } from '../../error.ts'
import { cropMask } from '../mask-crop.ts'
import { label, litres, millilitres, type Work } from './labels.ts'

/** How far the joined lungs are eroded at most to come apart, mm, and in which steps. */
const erosion = { from: 1, to: 12, step: 1 }
/** Each half holds at least this share of what is left of both. */
const smallestShare = 0.2
/** Distances are kept in quarters of a millimetre. */
const quarters = 4
const unreached = 65535

/**
 * Tells two lungs apart that touch (at the front or the back, where they meet in a membrane thinner than a voxel): erodes them until they
 * come apart, then gives every voxel to the half that is nearer along a way through the lungs.
 * @param joined the component that carries `label.lungs`
 * @throws {InferError} `refused` when they do not come apart: there is only one lung
 */
export function separateLungs(work: Work, joined: Component): void {
  const box: Box = { low: joined.low, high: joined.high }
  const field = new Field(work, box)
  field.fromBoundary()
  for (let depth = erosion.from; depth <= erosion.to; depth += erosion.step) {
    const halves = findHalves(work, field, depth)
    if (!halves) continue
    field.fromHalves(halves)
    field.paint()
    work.log.push(`the lungs were joined: they came apart at ${depth} mm`)
    return
  }
  throw refusal(`only one lung was found, of ${litres(millilitres(work, joined.voxels))}; two are expected`, {
    volume: millilitres(work, joined.voxels),
  })
}

/** Marks of each box voxel's half: 0 none, 1 and 2. */
type Halves = { mark(index: number): 0 | 1 | 2 }

/** The two large parts of what is deeper than `depth`, when they lie side by side. */
function findHalves(work: Work, field: Field, depth: number): Halves | null {
  const least = depth * quarters
  const parts = findComponents(field.extent, (i) => (field.distance[i] as number) > least && field.inside(i), {
    connectivity: 6,
  })
  const total = parts.list.reduce((sum, { voxels }) => sum + voxels, 0)
  const order = parts.list.map((part, index) => ({ part, index })).sort((a, b) => b.part.voxels - a.part.voxels)
  const [one, two] = order
  if (!one || !two || two.part.voxels < total * smallestShare) return null
  const [sx, sy, sz] = work.extent.spacing
  const apart = (sum: 'sumX' | 'sumY' | 'sumZ', spacing: number): number =>
    Math.abs(one.part[sum] / one.part.voxels - two.part[sum] / two.part.voxels) * spacing
  if (apart('sumX', sx) < Math.max(30, apart('sumY', sy), apart('sumZ', sz))) return null
  const marks = new Uint8Array(field.distance.length)
  const oneIsLeft = one.part.sumX / one.part.voxels > two.part.sumX / two.part.voxels
  parts.forEachRun(({ offset, length, component }) => {
    if (component === one.index) marks.fill(oneIsLeft ? 1 : 2, offset, offset + length)
    else if (component === two.index) marks.fill(oneIsLeft ? 2 : 1, offset, offset + length)
  })
  return { mark: (i) => marks[i] as 0 | 1 | 2 }
}

/** Distances within the box around the joined lungs, by sweeps to and fro until nothing changes. */
class Field {
  readonly extent: { size: readonly [number, number, number]; spacing: readonly [number, number, number] }
  readonly distance: Uint16Array
  private halves: Uint8Array | null = null
  /** 1 for voxels of the lungs: `inside`, looked up once. */
  private readonly lungs: Uint8Array
  private readonly work: Work
  private readonly box: Box

  constructor(work: Work, box: Box) {
    this.work = work
    this.box = box
    const size = [0, 1, 2].map((axis) => (box.high[axis] as number) - (box.low[axis] as number))
    this.extent = { size: size as [number, number, number], spacing: work.extent.spacing }
    this.distance = new Uint16Array((size[0] as number) * (size[1] as number) * (size[2] as number))
    this.lungs = cropMask({ grid: work.extent, labels: work.labels }, label.lungs, box).mask
  }

  /** Index in the volume of a voxel of the box. */
  private volumeIndex(i: number): number {
    const [width, height] = this.extent.size
    const [nx, ny] = this.work.extent.size
    const x = i % width
    const y = Math.floor(i / width) % height
    const z = Math.floor(i / (width * height))
    return ((z + this.box.low[2]) * ny + y + this.box.low[1]) * nx + x + this.box.low[0]
  }

  inside(i: number): boolean {
    return this.lungs[i] === 1
  }

  /** Distance of each lung voxel to what is no lung. */
  fromBoundary(): void {
    for (let i = 0; i < this.distance.length; i++) this.distance[i] = this.inside(i) ? unreached : 0
    this.sweep()
  }

  /** Distance of each lung voxel to the nearer half, on a way through the lungs, and which half it is. */
  fromHalves(halves: Halves): void {
    const marks = new Uint8Array(this.distance.length)
    for (let i = 0; i < this.distance.length; i++) {
      const mark = halves.mark(i)
      marks[i] = this.inside(i) ? mark : 3
      this.distance[i] = mark === 0 ? unreached : 0
    }
    this.halves = marks
    while (this.sweep()) {
      // until nothing changes
    }
  }

  /** Gives every voxel its half's label. */
  paint(): void {
    const { labels } = this.work
    for (let i = 0; i < this.distance.length; i++) {
      const mark = this.halves?.[i]
      if (mark === 3 || mark === undefined) continue
      labels[this.volumeIndex(i)] = mark === 1 ? label.leftLung : mark === 2 ? label.rightLung : label.none
    }
  }

  /** One sweep forward and one backward over face neighbours; true when something changed. */
  private sweep(): boolean {
    const forward = this.pass(1)
    const backward = this.pass(-1)
    return forward || backward
  }

  private pass(direction: 1 | -1): boolean {
    const { distance, halves } = this
    const [width, height, depth] = this.extent.size
    const costs = this.extent.spacing.map((mm) => Math.max(1, Math.round(mm * quarters))) as [number, number, number]
    let changed = false
    const relax = (i: number, from: number, cost: number): void => {
      if (halves && (halves[from] === 3 || halves[from] === 0)) return
      const through = (distance[from] as number) + cost
      if (through >= (distance[i] as number)) return
      distance[i] = through
      if (halves) halves[i] = halves[from] as number
      changed = true
    }
    const [x0, y0, z0] = direction === 1 ? [0, 0, 0] : [width - 1, height - 1, depth - 1]
    for (let z = z0; z >= 0 && z < depth; z += direction)
      for (let y = y0; y >= 0 && y < height; y += direction)
        for (let x = x0; x >= 0 && x < width; x += direction) {
          const i = (z * height + y) * width + x
          if (halves ? halves[i] === 3 : distance[i] === 0) continue
          if (x !== x0) relax(i, i - direction, costs[0])
          if (y !== y0) relax(i, i - direction * width, costs[1])
          if (z !== z0) relax(i, i - direction * width * height, costs[2])
        }
    return changed
  }
}
