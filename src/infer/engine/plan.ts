import type { OutputManifest, OverlayManifest } from '../manifest/output.ts'
import type { PipelineManifest } from '../manifest/pipeline.ts'
import { type Maker, makersOf, originsOf, type StepTables } from '../manifest/value-graph.ts'

/** In what order the entries of a manifest are evaluated, and how often each value is used. */
export interface Plan {
  /** Only those that something wanted is made of; each stands behind what it needs. */
  makers: Maker[]
  /** How many makers, measurements and outputs use a value, by its name. */
  uses: Map<string, number>
  /** The input that each value is made of. */
  origins: Map<string, string>
}

/**
 * Plans the evaluation: what the measurements need is made first, then output by output, so that values can go soon.
 * @param outputs that are wanted
 */
export function planOf(manifest: PipelineManifest, tables: StepTables, outputs: readonly OutputManifest[]): Plan {
  const all = makersOf(manifest, tables)
  const origins = originsOf(all)
  const makerOf = new Map(all.flatMap((maker) => maker.gives.map(({ name }) => [name, maker] as const)))
  const makers = new Set<Maker>()
  const uses = new Map<string, number>()
  const use = (names: Iterable<string>): void => {
    for (const name of new Set(names)) {
      uses.set(name, (uses.get(name) ?? 0) + 1)
      const maker = makerOf.get(name)
      if (!maker || makers.has(maker)) continue
      use(valuesUsedBy(maker))
      makers.add(maker)
    }
  }
  for (const entry of manifest.measure) use(usedByMeasurement(entry, manifest))
  for (const output of outputs) use(usedByOutput(output, manifest, origins))
  return { makers: [...makers], uses, origins }
}

/** The values that an entry is made of. Inputs and metadata need the headers of others only. */
export function valuesUsedBy(maker: Maker): string[] {
  return maker.kind === 'input' || maker.kind === 'metadata' ? [] : maker.needs.map(({ name }) => name)
}

type Entry = PipelineManifest['measure'][number]

/** The values that a measurement is made on. */
export function usedByMeasurement(entry: Entry, manifest: PipelineManifest): string[] {
  const of = entry.of === undefined ? [] : [entry.of]
  return [...of, ...segmentsMeasured(entry, manifest).map(({ from }) => from)]
}

/** The segments that a measurement is made on: the one that it names, else all. */
export function segmentsMeasured(entry: Entry, { segments }: PipelineManifest): PipelineManifest['segments'] {
  if ('quantity' in entry && entry.change) return []
  return segments.filter(({ id }) => entry.segment === undefined || entry.segment === id)
}

/** The input whose images an output speaks of. */
export function sourceOf(output: OutputManifest, { inputs }: PipelineManifest): string {
  return output.source ?? inputs.find(({ kind }) => kind !== 'segmentation')?.name ?? ''
}

/** The values that an output is made of. */
export function usedByOutput(
  output: OutputManifest,
  manifest: PipelineManifest,
  origins: ReadonlyMap<string, string>,
): string[] {
  const names = segmentsShown(output, manifest, origins).map(({ from }) => from)
  if ('from' in output) names.push(output.from)
  if ('findings' in output && output.findings) names.push(output.findings.from)
  if ('classification' in output && output.classification) names.push(output.classification.from)
  const picture = pictureOf(output)
  if (picture) names.push(sourceOf(output, manifest))
  if (picture?.heatMap) names.push(picture.heatMap.from)
  return names
}

/** The picture of the source's images that an output shows. */
export function pictureOf(output: OutputManifest): OverlayManifest | undefined {
  if (output.kind === 'colour-capture') return output
  return output.kind === 'summary-pdf' ? output.picture : undefined
}

/** Kinds of outputs that show, or speak of, segments. */
const ofSegments = new Set<OutputManifest['kind']>([
  'segmentation',
  'measurement-report',
  'planar-report',
  'colour-capture',
  'presentation-state',
  'summary-pdf',
  'key-images',
  'structure-set',
  'json',
])

/**
 * The segments that an output shows: those that it names, else all that are made of the same study as its source, this one or an earlier
 * one.
 */
export function segmentsShown(
  output: OutputManifest,
  manifest: PipelineManifest,
  origins: ReadonlyMap<string, string>,
): PipelineManifest['segments'] {
  if (!ofSegments.has(output.kind)) return []
  const ids = 'segments' in output ? output.segments : pictureOf(output)?.segments
  if (ids) return manifest.segments.filter(({ id }) => ids.includes(id))
  const studyOf = (input: string | undefined): string | undefined =>
    manifest.inputs.find(({ name }) => name === input)?.from
  const study = studyOf(sourceOf(output, manifest))
  return manifest.segments.filter(({ from }) => studyOf(origins.get(from)) === study)
}
