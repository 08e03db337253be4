import { maskContours } from '../encode/mask-contours.ts'
import type { Annotation } from '../encode/presentation-state.ts'
import type { Region } from '../encode/region.ts'
import type { InferredOutput } from '../infer/inference.ts'
import type { OutputOf } from '../infer/manifest/output.ts'

/** Percent, as people read it. */
export function asPercent(probability: number): string {
  return `${Math.round(probability * 100)} %`
}

/** What a presentation state draws: findings; and outlines of segments, where it names segments or has no findings. */
export function annotationsOf(inferred: InferredOutput, output: OutputOf<'presentation-state'>): Annotation[] {
  const ofFindings = inferred.findings.map(
    ({ slice, regions, label, probability }): Annotation => ({
      slice,
      regions,
      text: `${label} ${asPercent(probability)}`,
    }),
  )
  if (output.findings && !output.segments) return ofFindings
  return [...ofFindings, ...outlines(inferred)]
}

function outlines({ segments, source }: InferredOutput): Annotation[] {
  const { rows, columns } = source
  return segments.flatMap(({ maskOf, definition, bestSlice }) =>
    source.slices.flatMap((_, slice): Annotation[] => {
      const mask = maskOf(slice)
      if (!mask) return []
      const regions = maskContours(mask, { rows, columns }).flatMap(({ outer, holes }) =>
        // Contours begin at the centre of the first pixel, places on images at its corner.
        [outer, ...holes].map((points): Region => ({ kind: 'contour', points: points.map((value) => value + 0.5) })),
      )
      return [{ slice, regions, ...(slice === bestSlice ? { text: definition.label } : {}) }]
    }),
  )
}
