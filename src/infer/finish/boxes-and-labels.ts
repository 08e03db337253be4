import * as z from 'zod'
import { findComponents } from '../components.ts'
import { type Image, type LabelMap, voxelsOf } from '../image.ts'
import { fillBox } from '../mask.ts'
import { resampleOnto } from '../prepare/resample.ts'
import { finishStep } from '../step.ts'
import type { Box } from '../value.ts'
import { FinishError } from './error.ts'
import { valueAs } from './kinds.ts'
import { boxesOfLabels, type LabelBox } from './label-boxes.ts'

export const componentsToBoxes = finishStep({
  summary: 'A box around each connected component of each label; its class is the label minus 1.',
  options: z.strictObject({
    labels: z.array(z.int().min(1).max(255)).min(1).optional(),
    connectivity: z.union([z.literal(6), z.literal(18), z.literal(26)]).default(26),
    /** `slice`: a flat box around each part of each slice along the grid's third axis. */
    within: z.enum(['volume', 'slice']).default('volume'),
    /** Smaller components get no box: mL in the volume. */
    minimumVolume: z.number().positive().optional(),
    /** Image that scores the boxes, as a probability map; left out: every score is 1. */
    scores: z.string().min(1).optional(),
    /** Channel of it; left out: the class, or 0 where there is one channel only. */
    channel: z.int().min(0).optional(),
    statistic: z.enum(['maximum', 'mean']).default('maximum'),
    /** The best, or else the largest, so many. */
    maximum: z.int().min(1).max(10000).default(1000),
  }),
  takes: ['labels'],
  gives: 'boxes',
  needs: ({ scores }) => (scores === undefined ? [] : [scores]),
  apply(value, options, context) {
    const { labels: map } = valueAs('labels', value, 'components-to-boxes')
    const scores =
      options.scores === undefined
        ? null
        : valueAs('image', context.valueOf(options.scores), 'components-to-boxes').image
    const image = scores && resampleOnto(scores, map.grid)
    const [sx, sy, sz] = map.grid.spacing
    const least = options.minimumVolume === undefined ? 0 : (options.minimumVolume * 1000) / (sx * sy * sz) - 1e-6
    const found = boxesOfLabels(map, options.labels).flatMap((box) => {
      const score =
        image && scorer(image, options.channel ?? (image.channels === 1 ? 0 : box.label - 1), options.statistic)
      return boxesOf(map, box, { ...options, least, score })
    })
    found.sort((a, b) => b.box.score - a.box.score || b.voxels - a.voxels)
    return { kind: 'boxes', grid: map.grid, boxes: found.slice(0, options.maximum).map(({ box }) => box) }
  },
})

type Scorer = (runs: { offset: number; length: number }, before: number) => number

/** Adds a run of voxels to a component's score: the largest value, or the sum. */
function scorer(
  { grid, channels, data }: Image,
  channel: number,
  statistic: 'maximum' | 'mean',
): { add: Scorer; isMean: boolean } {
  if (channel >= channels)
    throw new FinishError('wrong-value', `components-to-boxes asks for channel ${channel}, there are ${channels}`)
  const start = channel * voxelsOf(grid)
  const add: Scorer = ({ offset, length }, before) => {
    let result = before
    for (let i = start + offset; i < start + offset + length; i++) {
      const x = data[i] as number
      if (statistic === 'mean') result += x
      else if (x > result) result = x
    }
    return result
  }
  return { add, isMean: statistic === 'mean' }
}

function boxesOf(
  map: LabelMap,
  { label, low, high }: LabelBox,
  options: {
    connectivity: 6 | 18 | 26
    within: 'volume' | 'slice'
    least: number
    score: ReturnType<typeof scorer> | null
  },
): { box: Box; voxels: number }[] {
  const { score, least, within } = options
  const connectivity = within === 'volume' ? options.connectivity : options.connectivity === 6 ? 4 : 8
  const members = { labels: map.labels, value: label }
  const parts = findComponents(map.grid, members, { connectivity, box: { low, high } })
  const scores = new Float64Array(parts.list.length).fill(score ? (score.isMean ? 0 : Number.NEGATIVE_INFINITY) : 1)
  if (score)
    parts.forEachRun((run) => {
      scores[run.component] = score.add(run, scores[run.component] as number)
    })
  const isFlat = within === 'slice' || map.grid.size[2] === 1
  return parts.list.flatMap(({ voxels, low: first, high: end }, n) => {
    if (voxels < least) return []
    const half = isFlat ? 0 : 0.5
    const box: Box = {
      from: [first[0] - 0.5, first[1] - 0.5, first[2] - half],
      to: [end[0] - 0.5, end[1] - 0.5, end[2] - 1 + half],
      score: (scores[n] as number) / (score?.isMean ? voxels : 1),
      class: label - 1,
    }
    return [{ box, voxels }]
  })
}

export const boxesToLabels = finishStep({
  summary: 'Labels inside of boxes: the class plus 1. Where boxes overlap the one with the higher score has the voxel.',
  options: z.strictObject({
    /** Label of each class; left out: its index plus 1. 0 leaves a class out. */
    labels: z.array(z.int().min(0).max(255)).min(1).optional(),
    minimumScore: z.number().default(0),
  }),
  takes: ['boxes'],
  gives: 'labels',
  apply(value, { labels: table, minimumScore }) {
    const { grid, boxes } = valueAs('boxes', value, 'boxes-to-labels')
    const map: LabelMap = { grid, labels: new Uint8Array(voxelsOf(grid)) }
    const ordered = boxes.filter(({ score }) => score >= minimumScore).sort((a, b) => a.score - b.score)
    for (const box of ordered) {
      const label = table ? table[box.class] : box.class + 1
      if (label === undefined || label > 255)
        throw new FinishError('wrong-value', `boxes-to-labels has no label for class ${box.class}`)
      if (label > 0) fillBox(map, box, label)
    }
    return { kind: 'labels', labels: map }
  },
})
