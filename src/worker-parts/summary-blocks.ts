import { type ColourCapture, capturePicture } from '../encode/colour-capture.ts'
import type { ResultContext } from '../encode/encoding-input.ts'
import type { Summary } from '../encode/summary-pdf.ts'
import type { InferredOutput } from '../infer/inference.ts'
import type { OutputOf } from '../infer/manifest/output.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import { asPercent } from './annotations.ts'

type Block = Summary['blocks'][number]

/** The page of a summary: what the pipeline is, what was measured and found, and pictures of it. */
export function summaryBlocks(
  inferred: InferredOutput,
  { pipeline, context, capture }: { pipeline: Pipeline; context: ResultContext; capture: ColourCapture | null },
): Block[] {
  const output = inferred.output as OutputOf<'summary-pdf'>
  return [
    ...output.text.map((text): Block => ({ kind: 'paragraph', text })),
    ...classificationBlocks(inferred),
    ...measurementBlocks(inferred),
    ...(capture ? pictureBlocks(capture, context, output.pictures) : []),
    { kind: 'heading', text: 'Limits' },
    { kind: 'paragraph', text: pipeline.intendedUse },
    { kind: 'paragraph', text: pipeline.limits },
  ]
}

function classificationBlocks({ classification }: InferredOutput): Block[] {
  if (classification.length === 0) return []
  const rows = classification.map(({ label, probability, evaluations }) => [
    label,
    asPercent(probability),
    evaluations[0]?.value.meaning ?? '',
  ])
  return [
    { kind: 'heading', text: 'Classification' },
    { kind: 'table', header: true, widths: [3, 1, 1], rows: [['Finding', 'Probability', ''], ...rows] },
  ]
}

function measurementBlocks({ measurements, segments }: InferredOutput): Block[] {
  if (measurements.length === 0) return []
  const labels = new Map(segments.map(({ id, definition }) => [id, definition.label]))
  const rows = measurements.map(({ name, value, unit, segment }) => [
    name,
    segment === null ? '' : (labels.get(segment) ?? segment),
    Number.isFinite(value) ? `${rounded(value)} ${unit.value === '1' ? '' : readable(unit)}`.trim() : 'not measured',
  ])
  return [
    { kind: 'heading', text: 'Measurements' },
    { kind: 'table', header: true, widths: [3, 2, 2], rows: [['Measurement', 'Of', 'Value'], ...rows] },
  ]
}

/** Four significant digits are what measurements hold. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** UCUM writes some units as nobody reads them. */
function readable({ value, meaning }: { value: string; meaning: string }): string {
  return /[[{']/.test(value) ? meaning : value
}

function pictureBlocks(capture: ColourCapture, context: ResultContext, most: number): Block[] {
  const all = capture.slices ?? context.source.slices.map((_, slice) => slice)
  // Evenly spread over those that are to be shown.
  const step = Math.max(1, all.length / most)
  const shown = Array.from({ length: Math.min(most, all.length) }, (_, n) => all[Math.floor((n + 0.5) * step)] ?? 0)
  return shown.map((slice) => ({
    kind: 'picture',
    picture: capturePicture(context, capture, slice),
    caption: `Image ${slice + 1} of ${context.source.slices.length}`,
  }))
}
