import { textOf } from '../../dicom/dataset.ts'
import { InferError } from '../error.ts'
import type { Image, LabelMap } from '../image.ts'
import type { Comparison, InferredMeasurement, PriorExamination } from '../inference.ts'
import type { PipelineManifest } from '../manifest/pipeline.ts'
import type { Measured, Subjects } from '../measure/quantity.ts'
import { labelsOnto } from '../prepare/labels-onto.ts'
import { radiomics } from '../radiomics/radiomics.ts'
import { dateOf } from '../read/metadata.ts'
import { gridOfSlices } from '../read/missing-slices.ts'
import { located } from './located.ts'
import { segmentsMeasured, usedByMeasurement } from './plan.ts'
import type { Run } from './run.ts'
import { type NamedSegment, namedSegments } from './segments.ts'
import type { SourceGrids } from './source-grid.ts'

type Entry = PipelineManifest['measure'][number]
type QuantityEntry = Extract<Entry, { quantity: unknown }>
type RadiomicsEntry = Exclude<Entry, QuantityEntry>

/**
 * Makes all measurements of a manifest, in its order. What an absent input leaves without a value is left out.
 * @throws {FinishError, RadiomicsError} with the measurement's id
 */
export function measureAll(run: Run, grids: SourceGrids): InferredMeasurement[] {
  const measurements: InferredMeasurement[] = []
  const context: Context = { run, grids, before: measurements, maps: new WeakMap() }
  for (const entry of run.pipeline.measure) {
    const used = usedByMeasurement(entry, run.pipeline)
    const missing = used.find((name) => !run.values.find(name))
    if (missing !== undefined) run.log.push(`${entry.id}: not measured, there is no ${missing}`)
    else
      try {
        measurements.push(...('quantity' in entry ? measured(entry, context) : features(entry, context)))
      } catch (error) {
        throw located(error, `measure ${entry.id}`)
      }
    run.values.used(used)
  }
  return measurements
}

interface Context {
  run: Run
  grids: SourceGrids
  /** Those that were made before. */
  before: readonly InferredMeasurement[]
  /** Label maps on the grids of the images that are measured. */
  maps: WeakMap<Uint8Array, { grid: Image['grid']; map: LabelMap }[]>
}

function measured(entry: QuantityEntry, context: Context): InferredMeasurement[] {
  const { id, name, code, unit, quantity, segment, derivation, site } = entry
  const declared = context.run.tables.quantities[quantity.step]
  if (!declared) throw new Error(`no quantity is called ${quantity.step}`)
  if (declared.subject === 'prior') return changed(entry, context)
  const named = namedSegments(segmentsMeasured(entry, context.run.pipeline), context.run)
  const subject = subjectOf(entry, declared.subject, { ...context, named })
  const results: readonly Measured[] = declared.apply(subject, quantity.options, { unit: unit.value })
  const origin = context.run.values.get(entry.of ?? named[0]?.from ?? '').origin
  return results.map(({ value, part }) => ({
    id: part === undefined ? id : `${id}-${part}`,
    name: part === undefined ? name : `${name}, ${part}`,
    code,
    unit,
    value,
    segment: segment === undefined || named.length !== 1 ? null : (named[0]?.id ?? null),
    derivation: derivation ?? null,
    site: site ?? null,
    comparison: null,
    origin,
  }))
}

function subjectOf(
  { of }: QuantityEntry,
  kind: keyof Subjects,
  context: Context & { named: readonly NamedSegment[] },
): Subjects[keyof Subjects] {
  const { run, named } = context
  const value = of === undefined ? null : run.values.get(of).value
  if (kind === 'boxes' && value?.kind === 'boxes') return value
  if (kind === 'numbers' && value?.kind === 'numbers') return value
  const values = named.map((segment) => segment.value)
  if (kind === 'image+segment' && value?.kind === 'image') {
    const { image } = value
    return { image, values, labels: mapOn(image.grid, named, context) }
  }
  if (kind === 'segment') return { values, labels: mapOn(null, named, context) }
  throw new InferError('wrong-value', `the measurement is made on ${kind}, there is ${value?.kind ?? 'nothing'}`)
}

/** The label map of segments on a grid; on that of the series that it is made of where none is asked for, as results show it. */
function mapOn(grid: Image['grid'] | null, named: readonly NamedSegment[], { run, grids, maps }: Context): LabelMap {
  const name = named[0]?.from ?? ''
  const { value, origin } = run.values.get(name)
  if (value.kind !== 'labels') throw new InferError('wrong-value', `a label map is expected, there is ${value.kind}`)
  if (grid === null) return { grid: gridOfSlices(grids.source(origin)), labels: grids.labels(name, origin).labels }
  const known = maps.get(value.labels.labels) ?? []
  maps.set(value.labels.labels, known)
  const before = known.find((one) => one.grid === grid)
  if (before) return before.map
  const map = labelsOnto(value.labels, grid)
  known.push({ grid, map })
  return map
}

function features(entry: RadiomicsEntry, context: Context): InferredMeasurement[] {
  const { run } = context
  const { value, origin } = run.values.get(entry.of)
  if (value.kind !== 'image') throw new InferError('wrong-value', `an image is expected, there is ${value.kind}`)
  const { image } = value
  return namedSegments(segmentsMeasured(entry, run.pipeline), run).flatMap((segment) => {
    const labels = mapOn(image.grid, [segment], context)
    if (!labels.labels.includes(segment.value)) {
      run.log.push(`${segment.id}: no radiomics, the segment is empty`)
      return []
    }
    return radiomics(image, labels, { ...entry.radiomics, label: segment.value }).map((feature) => ({
      id: `${entry.id}-${segment.id}-${feature.tag}`,
      name: [feature.name, feature.aggregation?.name, feature.filter?.name].filter((part) => part).join(', '),
      code: { value: feature.code, scheme: 'IBSI', meaning: feature.name.slice(0, 64) },
      unit: { value: feature.unit, scheme: 'UCUM', meaning: feature.unit === '1' ? 'no units' : feature.unit },
      value: feature.value,
      segment: segment.id,
      derivation: null,
      site: null,
      comparison: null,
      origin,
    }))
  })
}

/** A change since an earlier study; nothing where one of both was not measured. */
function changed(entry: QuantityEntry, { run, grids, before }: Context): InferredMeasurement[] {
  const { id, name, code, unit, quantity, change, derivation, site } = entry
  const [now, earlier] = [change?.now, change?.before].map((wanted) => before.find((one) => one.id === wanted))
  const declared = run.tables.quantities[quantity.step]
  if (!now || !earlier || !declared) {
    run.log.push(`${id}: not measured, there is no value to compare with`)
    return []
  }
  const [study, prior] = [now, earlier].map(({ origin }) => grids.source(origin))
  const dateIn = (opened: typeof study): string | null => textOf(opened?.source.header ?? {}, 'StudyDate')
  const [day, priorDay] = [dateOf(dateIn(study)), dateOf(dateIn(prior))]
  const subject = {
    now: now.value,
    before: earlier.value,
    days: day === null || priorDay === null ? null : day - priorDay,
  }
  const [result] = declared.apply(subject, quantity.options, { unit: unit.value })
  return [
    {
      id,
      name,
      code,
      unit,
      value: result?.value ?? Number.NaN,
      segment: now.segment,
      derivation: derivation ?? null,
      site: site ?? now.site,
      comparison: comparisonWith(earlier, { run, grids }),
      origin: now.origin,
    },
  ]
}

function comparisonWith(earlier: InferredMeasurement, { run, grids }: Pick<Context, 'run' | 'grids'>): Comparison {
  const { source, given } = grids.source(earlier.origin)
  const segment = run.pipeline.segments.find(({ id }) => id === earlier.segment)
  const middle = source.slices[source.slices.length >> 1]
  const shown = segment && 'value' in segment ? bestSlice(segment, earlier.origin, { run, grids }) : null
  const image = (shown === null ? undefined : source.slices[shown]) ?? middle
  const prior: PriorExamination = {
    studyInstanceUID: given.studyInstanceUID ?? textOf(source.header, 'StudyInstanceUID') ?? '',
    seriesInstanceUID: source.seriesInstanceUID,
    studyDate: textOf(source.header, 'StudyDate'),
    images: image ? [image] : [],
  }
  return { code: earlier.code, unit: earlier.unit, value: earlier.value, prior }
}

/** The slice of the earlier series that shows a segment best, where its label map is still held. */
function bestSlice(
  { from, value }: { from: string; value: number },
  origin: string,
  { run, grids }: Pick<Context, 'run' | 'grids'>,
): number | null {
  if (!run.values.find(from)) return null
  const { counts, slices } = grids.labels(from, origin)
  let best = 0
  for (let slice = 0; slice < slices; slice++)
    if ((counts[slice * 256 + value] as number) > (counts[best * 256 + value] as number)) best = slice
  return (counts[best * 256 + value] as number) > 0 ? best : null
}
