import type { InferredSegment, SegmentDefinition } from '../inference.ts'
import type { PipelineManifest } from '../manifest/pipeline.ts'
import { extentOfLabel, type LabelSlices, maskOfLabel, translated } from './label-slices.ts'
import type { Run } from './run.ts'
import type { SourceGrids } from './source-grid.ts'

/** A segment that a manifest declares, or that came with a segmentation. */
export interface NamedSegment {
  id: string
  /** Name of the label map, or the image of probabilities. */
  from: string
  /** Its label, or the number of its channel. */
  value: number
  definition: SegmentDefinition
  /** Of a segmentation that arrived. */
  arrived: { number: number; tracking: { id: string; uid: string } | null } | null
}

/** The segments of manifest entries; those whose value could not be made are left out. */
export function namedSegments(entries: PipelineManifest['segments'], run: Run): NamedSegment[] {
  return entries.flatMap((entry): NamedSegment[] => {
    if (!('every' in entry)) {
      const { id, from, value, label, category, type, modifiers, colour } = entry
      if (!run.values.find(from)) return []
      return [{ id, from, value, definition: { label, category, type, modifiers, colour }, arrived: null }]
    }
    const arrived = run.arrived.get(entry.from)
    return (arrived?.segments ?? []).map(({ number, definition, tracking }) => ({
      id: `${entry.id}-${number}`,
      from: entry.from,
      value: number,
      definition,
      arrived: { number, tracking },
    }))
  })
}

/** Segments of label maps on the slices of a source. */
export interface SegmentsOnSource {
  segments: InferredSegment[]
  /** Null where they come of several label maps: they may overlap. */
  labelsOf: ((slice: number) => Uint8Array | null) | null
}

/** Brings segments onto the slices of a source; those that are probabilities are left out. */
export function segmentsOnSource(
  named: readonly NamedSegment[],
  { run, grids, source }: { run: Run; grids: SourceGrids; source: string },
): SegmentsOnSource {
  const ofLabels = named.filter(({ from }) => run.values.get(from).value.kind === 'labels')
  const segments = ofLabels.map((segment, index) =>
    inferredSegment(segment, index + 1, grids.labels(segment.from, source)),
  )
  const maps = new Set(ofLabels.map(({ from }) => from))
  const [only] = maps
  if (maps.size !== 1 || only === undefined) return { segments, labelsOf: null }
  const numbers = new Uint8Array(256)
  for (const [index, { value }] of ofLabels.entries()) numbers[value] = segments[index]?.number ?? 0
  return { segments, labelsOf: translated(grids.labels(only, source), numbers) }
}

function inferredSegment(segment: NamedSegment, number: number, of: LabelSlices): InferredSegment {
  const { id, value, definition, arrived } = segment
  return {
    id,
    number: arrived?.number ?? number,
    ...(arrived?.tracking ? { tracking: arrived.tracking } : {}),
    definition,
    ...extentOfLabel(of, value),
    maskOf: (slice, into) => maskOfLabel(of, { label: value, slice, into }),
  }
}
