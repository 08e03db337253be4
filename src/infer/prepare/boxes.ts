import type { Vector } from '../../dicom/geometry.ts'
import { refusal } from '../error.ts'
import { type Grid, type Image, voxelsOf } from '../image.ts'
import type { StepContext } from '../step.ts'
import type { IndexBox } from './fit.ts'
import { isSameGrid } from './grid-mapping.ts'
import { boundsOn } from './grids.ts'

/** Boxes around what a crop follows, in indices of the image, both ends inside. */

/** The smallest box around the voxels of which `counts` is true; null where there is none. */
export function boxWhere({ size }: Grid, counts: (voxel: number) => boolean): IndexBox | null {
  const [nx, ny, nz] = size
  const box: IndexBox = { low: [nx, ny, nz], high: [-1, -1, -1] }
  for (let k = 0, row = 0; k < nz; k++)
    for (let j = 0; j < ny; j++, row += nx) {
      let first = 0
      while (first < nx && !counts(row + first)) first++
      if (first === nx) continue
      let last = nx - 1
      while (!counts(row + last)) last--
      box.low = [Math.min(box.low[0], first), Math.min(box.low[1], j), Math.min(box.low[2], k)]
      box.high = [Math.max(box.high[0], last), Math.max(box.high[1], j), k]
    }
  return box.high[0] < 0 ? null : box
}

export function boxOfNonZero({ grid, channels, data }: Image): IndexBox | null {
  const voxels = voxelsOf(grid)
  if (channels === 1) return boxWhere(grid, (voxel) => data[voxel] !== 0)
  return boxWhere(grid, (voxel) => {
    for (let at = voxel; at < data.length; at += voxels) if (data[at] !== 0) return true
    return false
  })
}

/** The box of a mask that may lie on another grid. */
export function boxOfMask(
  image: Image,
  name: string,
  labels: readonly number[] | undefined,
  context: Pick<StepContext, 'valueOf'>,
): IndexBox | null {
  const value = context.valueOf(name)
  if (value.kind === 'image') {
    const { grid, data } = value.image
    return onGrid(
      image.grid,
      grid,
      boxWhere(grid, (voxel) => (data[voxel] as number) > 0.5),
    )
  }
  if (value.kind !== 'labels') throw refusal(`${name} is no mask: it is of the kind ${value.kind}`)
  const { grid, labels: map } = value.labels
  const table = Uint8Array.from({ length: 256 }, (_, label) => (label > 0 && (labels?.includes(label) ?? true) ? 1 : 0))
  return onGrid(
    image.grid,
    grid,
    boxWhere(grid, (voxel) => table[map[voxel] as number] === 1),
  )
}

/** The box around all boxes of a detector from a score on. */
export function boxOfBoxes(
  image: Image,
  name: string,
  score: number,
  context: Pick<StepContext, 'valueOf'>,
): IndexBox | null {
  const value = context.valueOf(name)
  if (value.kind !== 'boxes') throw refusal(`${name} has no boxes: it is of the kind ${value.kind}`)
  const boxes = value.boxes.filter((box) => box.score >= score)
  if (boxes.length === 0) return null
  const least = [0, 1, 2].map((axis) => Math.min(...boxes.map((box) => box.from[axis] as number)))
  const greatest = [0, 1, 2].map((axis) => Math.max(...boxes.map((box) => box.to[axis] as number)))
  // Edges lie at halves; the box of an image alone has no extent along the slices.
  const from = least.map((at, axis) => (axis === 2 && at === greatest[axis] ? at : at + 0.5))
  const to = greatest.map((at, axis) => (axis === 2 && at === least[axis] ? at : at - 0.5))
  return onGrid(image.grid, value.grid, { low: from, high: to } as unknown as IndexBox)
}

/** The same box on another grid: all voxels that it touches. */
function onGrid(grid: Grid, other: Grid, box: { low: Vector; high: Vector } | null): IndexBox | null {
  if (!box || isSameGrid(grid, other)) return whole(box)
  const { low, high } = boundsOn(grid, other, { from: box.low, to: box.high })
  return whole({
    low: low.map((at) => Math.floor(at + 0.5 + 1e-6)) as unknown as Vector,
    high: high.map((at) => Math.ceil(at - 0.5 - 1e-6)) as unknown as Vector,
  })
}

function whole(box: { low: Vector; high: Vector } | null): IndexBox | null {
  if (!box) return null
  const low = box.low.map(Math.floor) as [number, number, number]
  return {
    low,
    high: box.high.map((at, axis) => Math.max(low[axis] as number, Math.ceil(at))) as [number, number, number],
  }
}
