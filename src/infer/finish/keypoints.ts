import * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import { type Grid, type Image, voxelsOf } from '../image.ts'
import { finishStep } from '../step.ts'
import type { Point } from '../value.ts'
import { logistic } from './activations.ts'
import { indexOfCoordinates } from './box-formats.ts'
import { FinishError } from './error.ts'
import { valueAs } from './kinds.ts'
import { requireSlices, tableOf } from './tensor-table.ts'

export const keypointsFromHeatmaps = finishStep({
  summary:
    'A key point for each channel: where it is highest, finer than a voxel by the centroid around it. Its class is the channel.',
  options: z.strictObject({
    /** mm around the highest voxel from which the centroid is taken; only values above half of the highest count, by what they exceed it. */
    radius: z.number().positive().default(5),
    /** Points with a lower score, the highest value, are left out. */
    minimumScore: z.number().optional(),
  }),
  takes: ['image'],
  gives: 'points',
  apply(value, { radius, minimumScore = Number.NEGATIVE_INFINITY }) {
    const { image } = valueAs('image', value, 'keypoints-from-heatmaps')
    const points = Array.from({ length: image.channels }, (_, channel) => peakOf(image, channel, radius))
    return { kind: 'points', grid: image.grid, points: points.filter(({ score }) => score >= minimumScore) }
  },
})

function peakOf({ grid, data }: Image, channel: number, radius: number): Point {
  const voxels = voxelsOf(grid)
  const start = channel * voxels
  let best = 0
  for (let i = 1; i < voxels; i++) if ((data[start + i] as number) > (data[start + best] as number)) best = i
  const [nx, ny] = grid.size
  const centre: Vector = [best % nx, Math.floor(best / nx) % ny, Math.floor(best / (nx * ny))]
  const score = data[start + best] as number
  const [low, high] = reachOf(centre, grid, radius)
  let total = 0
  const sums: [number, number, number] = [0, 0, 0]
  for (let k = low[2]; k <= high[2]; k++)
    for (let j = low[1]; j <= high[1]; j++)
      for (let i = low[0]; i <= high[0]; i++) {
        const away = [i, j, k].map((at, a) => (at - (centre[a] as number)) * (grid.spacing[a] as number))
        const weight = (data[start + (k * ny + j) * nx + i] as number) - score / 2
        if (!(weight > 0) || Math.hypot(...away) > radius) continue
        total += weight
        sums[0] += weight * i
        sums[1] += weight * j
        sums[2] += weight * k
      }
  // Nothing weighs where the highest value is 0 or less, as that of logits can be.
  const at: Vector = score > 0 && total > 0 ? [sums[0] / total, sums[1] / total, sums[2] / total] : centre
  return { at, score, class: channel }
}

/** First and last index of the voxels within a radius, mm, along each axis. */
function reachOf(centre: Vector, { size, spacing }: Grid, radius: number): [Vector, Vector] {
  const reach = spacing.map((mm) => Math.floor(radius / mm)) as unknown as Vector
  const low = [0, 1, 2].map((a) => Math.max(0, (centre[a] as number) - (reach[a] as number)))
  const high = [0, 1, 2].map((a) => Math.min((size[a] as number) - 1, (centre[a] as number) + (reach[a] as number)))
  return [low as unknown as Vector, high as unknown as Vector]
}

/** Which coordinates a point has, in order. */
const pointFormats = { xy: [0, 1], yx: [1, 0], xyz: [0, 1, 2], zyx: [2, 1, 0] } as const

export const keypointsFromCoordinates = finishStep({
  summary: 'Key points from a tensor of coordinates, a row for each point; its class is the row.',
  options: z.strictObject({
    /** The order of the coordinates; x runs along the grid's first axis. */
    format: z.enum(['xy', 'yx', 'xyz', 'zyx']).default('xy'),
    /** `pixels` of the model's input, or parts of its size: from 0 to 1 (`normalised`), or from -1 to 1 (`centred`). */
    coordinates: z.enum(['pixels', 'normalised', 'centred']).default('pixels'),
    /** What a coordinate of 0 pixels means: the outer `corner` of the first pixel, or its `centre`. */
    origin: z.enum(['corner', 'centre']).default('centre'),
    /** `rows`: [K, A]; `columns`: [A, K]; `vector`: all numbers in one, point after point. */
    layout: z.enum(['rows', 'columns', 'vector']).default('rows'),
    /** The number behind the coordinates is the score, as it is or as a logit; `none`: every score is 1. */
    score: z.enum(['none', 'probability', 'logit']).default('none'),
    minimumScore: z.number().optional(),
  }),
  takes: ['tensor'],
  gives: 'points',
  apply(value, { format, coordinates, origin, layout, score, minimumScore = Number.NEGATIVE_INFINITY }) {
    const tensor = valueAs('tensor', value, 'keypoints-from-coordinates')
    const order = pointFormats[format]
    const needed = order.length + (score === 'none' ? 0 : 1)
    const dims = layout === 'vector' ? [tensor.data.length / needed, needed] : tensor.dims
    const tables = tableOf({ dims, data: tensor.data }, layout === 'columns' ? 'columns' : 'rows', {
      who: 'keypoints-from-coordinates',
    })
    requireSlices(tables, tensor, 'keypoints-from-coordinates')
    const fits = tables.every(({ rows, columns }) => columns >= needed && Number.isInteger(rows))
    if (!fits)
      throw new FinishError(
        'wrong-value',
        `keypoints-from-coordinates: ${needed} numbers a point are expected, the tensor is [${tensor.dims.join(', ')}]`,
      )
    const dimensions = order.length
    const points = tables.flatMap(({ rows, at }, slice) =>
      Array.from({ length: rows }, (_, row): Point => {
        const place = [0, 0, 0]
        for (const [column, axis] of order.entries()) {
          const x = at(row, column)
          place[axis] = coordinates === 'centred' ? (x + 1) / 2 : x
        }
        const how = {
          coordinates: coordinates === 'pixels' ? coordinates : 'normalised',
          origin,
          dimensions,
          slice,
        } as const
        const given = score === 'none' ? 1 : at(row, order.length)
        return {
          at: indexOfCoordinates(place, tensor.grid, how),
          score: score === 'logit' ? logistic(given) : given,
          class: row,
        }
      }),
    )
    return { kind: 'points', grid: tensor.grid, points: points.filter((point) => point.score >= minimumScore) }
  },
})
