import * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import { type LabelMap, voxelsOf } from '../image.ts'
import { convolve } from '../radiomics/convolution.ts'
import { finishStep } from '../step.ts'
import { FinishError } from './error.ts'
import { writableFloats, writableLabels } from './kinds.ts'
import { boxesOfLabels, type LabelBox, union } from './label-boxes.ts'
import { cropMask, forEachRow, membership } from './mask-crop.ts'

type Size = readonly [number, number, number]

export const smooth = finishStep({
  summary:
    'Gaussian smoothing: of the values of an image, or of the borders of labels: where their blurred shares are at least half, the label with the largest has the voxel.',
  options: z.strictObject({
    /** Standard deviation, mm. */
    sigma: z.number().positive().max(50),
    /** Labels that are smoothed; left out: all. Others stay as they are. */
    labels: z.array(z.int().min(1).max(255)).min(1).optional(),
    /** `volume`: along all axes; `slice`: along the grid's first two. */
    within: z.enum(['volume', 'slice']).default('volume'),
  }),
  takes: ['image', 'labels'],
  gives: { image: 'image', labels: 'labels' },
  apply(value, { sigma, labels: wanted, within }, context) {
    if (value.kind === 'labels') {
      const map = writableLabels(value, context, 'smooth')
      smoothLabels(map, boxesOfLabels(map, wanted), { sigma, within })
      return { kind: 'labels', labels: map }
    }
    if (value.kind !== 'image')
      throw new FinishError('wrong-value', `smooth needs image or labels: ${value.kind} was given`)
    const image = writableFloats(value.image, context)
    const { size, spacing } = image.grid
    const voxels = voxelsOf(image.grid)
    for (let start = 0; start < image.data.length; start += voxels)
      image.data.set(
        blur(image.data.subarray(start, start + voxels), size, kernelsOf(size, spacing, { sigma, within })),
        start,
      )
    return { kind: 'image', image }
  },
})

/** Gaussians along each axis, cut off at four standard deviations; null along axes that are not blurred. */
function kernelsOf(
  size: Size,
  spacing: Vector,
  { sigma, within }: { sigma: number; within: 'volume' | 'slice' },
): (Float64Array | null)[] {
  return [0, 1, 2].map((axis) => {
    const deviation = sigma / (spacing[axis] as number)
    const reach = Math.floor(4 * deviation + 0.5)
    if (size[axis] === 1 || reach === 0 || (axis === 2 && within === 'slice')) return null
    const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, t) =>
      Math.exp(-0.5 * ((t - reach) / deviation) ** 2),
    )
    const sum = kernel.reduce((total, weight) => total + weight, 0)
    return kernel.map((weight) => weight / sum)
  })
}

/** Beyond the border the nearest voxel stands. */
function blur(data: Float32Array, size: Size, kernels: readonly (Float64Array | null)[]): Float32Array {
  let blurred = data
  for (const [axis, kernel] of kernels.entries())
    if (kernel) blurred = convolve({ size, data: blurred }, axis as 0 | 1 | 2, kernel, 'nearest')
  return blurred
}

/** Labels compete within the box around all of them: the largest share, its label, and what all shares sum to are kept a voxel. */
function smoothLabels(
  map: LabelMap,
  boxes: readonly LabelBox[],
  options: { sigma: number; within: 'volume' | 'slice' },
): void {
  const { size, spacing } = map.grid
  const kernels = kernelsOf(size, spacing, options)
  const margin = kernels.map((kernel) => (kernel ? (kernel.length - 1) / 2 : 0)) as [number, number, number]
  const around = union(boxes)
  if (!around) return
  const field = cropMask(map, membership([]), around, { margin })
  const winner = field.mask
  const most = new Float32Array(winner.length)
  const sum = new Float32Array(winner.length)
  for (const { label, ...box } of boxes) {
    const crop = cropMask(map, label, box, { margin })
    const share = blur(Float32Array.from(crop.mask), crop.size, kernels)
    const offset = [0, 1, 2].map((a) => (crop.low[a] as number) - (field.low[a] as number)) as [number, number, number]
    forEachRow({ low: offset, size: crop.size }, field.size, (inField, inCrop, length) => {
      for (let n = 0; n < length; n++) {
        const part = share[inCrop + n] as number
        sum[inField + n] = (sum[inField + n] as number) + part
        if (part <= (most[inField + n] as number)) continue
        most[inField + n] = part
        winner[inField + n] = label
      }
    })
  }
  const changes = membership([0, ...boxes.map(({ label }) => label)])
  forEachRow(field, size, (inGrid, inField, length) => {
    for (let n = 0; n < length; n++) {
      const i = inGrid + n
      if (changes[map.labels[i] as number] === 0) continue
      const at = inField + n
      map.labels[i] = (sum[at] as number) >= 0.5 ? (winner[at] as number) : 0
    }
  })
}
