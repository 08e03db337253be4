import * as z from 'zod'
import { finishStep } from '../step.ts'
import type { Box } from '../value.ts'
import { boxVolume, intersectionOverUnion, sharedVolume } from './box-geometry.ts'
import { valueAs } from './kinds.ts'

export const nonMaximumSuppression = finishStep({
  summary: 'Of boxes that overlap only the one with the highest score stays; works in 2D and 3D.',
  options: z.strictObject({
    /** Intersection over union above which the lower box goes. */
    overlap: z.number().min(0).max(1).default(0.5),
    /** `union`: intersection over union; `smaller`: over the smaller box, so that boxes inside of others go. */
    over: z.enum(['union', 'smaller']).default('union'),
    /** False: boxes of different classes suppress each other as well. */
    perClass: z.boolean().default(true),
    /** Boxes with a lower score go before. */
    minimumScore: z.number().default(0),
    /** The best so many are looked at, all classes together: what a detector without a score threshold gives is too much to compare. */
    candidates: z.int().min(1).max(20000).default(5000),
    /** So many stay at most. */
    maximum: z.int().min(1).default(100),
  }),
  takes: ['boxes'],
  gives: 'boxes',
  apply(value, { overlap, over, perClass, minimumScore, candidates, maximum }) {
    const { grid, boxes } = valueAs('boxes', value, 'non-maximum-suppression')
    const sorted = boxes
      .filter(({ score }) => score >= minimumScore)
      .sort((a, b) => b.score - a.score)
      .slice(0, candidates)
    const shared = over === 'union' ? intersectionOverUnion : overSmaller
    const kept: Box[] = []
    for (const box of sorted) {
      if (kept.length === maximum) break
      const isSuppressed = kept.some((k) => (!perClass || k.class === box.class) && shared(k, box) > overlap)
      if (!isSuppressed) kept.push(box)
    }
    return { kind: 'boxes', grid, boxes: kept }
  },
})

function overSmaller(a: Box, b: Box): number {
  return sharedVolume(a, b) / Math.max(1e-12, Math.min(boxVolume(a), boxVolume(b)))
}
