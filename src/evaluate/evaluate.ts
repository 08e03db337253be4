import type { Pipeline } from '../infer/manifest/pipeline.ts'
import type { InferenceServer } from '../infer/runtime/model.ts'
import { type Case, type FilesUnder, findCases } from './cases.ts'
import { EvaluateError } from './error.ts'
import type {
  CaseResult,
  ClassEvaluation,
  Evaluation,
  EvaluationSettings,
  NumberEvaluation,
  SegmentEvaluation,
} from './evaluation.ts'
import { agreementOf } from './metrics/agreement.ts'
import { calibrationOf } from './metrics/calibration.ts'
import { confusionMatrix, decisionMetrics } from './metrics/decisions.ts'
import { describeValues } from './metrics/distribution.ts'
import { frocOf } from './metrics/froc.ts'
import { rocOf } from './metrics/roc.ts'
import type { LabelsOfSegments } from './reference-masks.ts'
import { readReferences } from './references.ts'
import { labelColumn, runCase, thresholdsOf } from './run-case.ts'

export interface EvaluateOptions {
  /** Folder of the cases. */
  data: string
  /** Folder or file of what is known to be true. */
  reference: string
  labels: LabelsOfSegments
  settings: EvaluationSettings
  threads: number
  /** Inference servers by the names that pipelines call them. */
  servers?: InferenceServer[] | undefined
  filesUnder: FilesUnder
  /** ISO 8601 UTC. */
  at: string
  onCase?: (name: string, number: number, of: number) => void
}

/**
 * Runs a pipeline on every case of a folder, one after the other, and compares what it gives with references.
 * @returns the evaluation, and the cases for pictures of the worst
 * @throws EvaluateError
 */
export async function evaluatePipeline(
  pipeline: Pipeline,
  options: EvaluateOptions,
): Promise<{ evaluation: Evaluation; cases: Case[] }> {
  const { labels, settings, threads, servers, filesUnder } = options
  const { cases, notes } = await findCases(options.data, pipeline.inputs, filesUnder)
  const references = await readReferences(options.reference, cases, filesUnder)
  const results: CaseResult[] = []
  for (const [index, of] of cases.entries()) {
    options.onCase?.(of.name, index + 1, cases.length)
    results.push(await runCase(of, { pipeline, references, labels, settings, threads, servers }))
  }
  const compared = results.filter(({ outcome }) => outcome === 'compared')
  if (compared.length === 0) throw new EvaluateError('nothing-to-compare', nothingCompared(results, notes))
  notes.push(...unusedOf(references, cases, pipeline))
  const { name, version, digest, title, intendedUse, limits, demonstrator } = pipeline
  const detection = compared.flatMap((one) => one.detection ?? [])
  const evaluation: Evaluation = {
    pipeline: { name, version, digest, title, intendedUse, limits, demonstrator },
    at: options.at,
    settings,
    cases: results,
    segments: segmentsOf(compared, pipeline, settings),
    classes: classesOf(compared, pipeline, settings),
    confusion: confusionOf(compared),
    numbers: numbersOf(compared, pipeline),
    detection: frocOf(detection),
    notes,
  }
  return { evaluation, cases }
}

function nothingCompared(results: readonly CaseResult[], notes: readonly string[]): string {
  const reasons = results.map(({ name, outcome, reason }) => `${name}: ${reason ?? outcome}`)
  return ['no case could be compared with a reference', ...reasons, ...notes].join('\n')
}

function unusedOf(
  { tables }: Awaited<ReturnType<typeof readReferences>>,
  cases: readonly Case[],
  pipeline: Pipeline,
): string[] {
  const known = new Set(cases.flatMap(({ name, seriesInstanceUID }) => [name, seriesInstanceUID]))
  const strangers = [...tables.values.keys(), ...tables.lesions.keys()].filter((name) => !known.has(name))
  const names = new Set([labelColumn, ...pipeline.measure.map(({ id }) => id), ...thresholdsOf(pipeline).keys()])
  const radiomics = pipeline.measure.flatMap((entry) => ('radiomics' in entry ? [`${entry.id}-`] : []))
  const columns = [...tables.columns].filter(
    (column) =>
      !names.has(column) && column.toLowerCase() !== labelColumn && !radiomics.some((r) => column.startsWith(r)),
  )
  return [
    ...(strangers.length > 0 ? [`in the tables, but no case of the data: ${strangers.join(', ')}`] : []),
    ...(columns.length > 0
      ? [`columns that are no class and no measurement of the pipeline: ${columns.join(', ')}`]
      : []),
  ]
}

/** Names in the order in which they first occur. */
function distinct(names: readonly string[]): string[] {
  return [...new Set(names)]
}

function segmentsOf(
  cases: readonly CaseResult[],
  { segments: declared }: Pipeline,
  { bootstrap }: EvaluationSettings,
): SegmentEvaluation[] {
  const all = cases.flatMap(({ segments }) => segments)
  return distinct(all.map(({ segment }) => segment)).map((id) => {
    const own = all.filter(({ segment }) => segment === id)
    const entry = declared.find((one) => one.id === id)
    const of = (metric: 'dice' | 'iou' | 'hausdorff95' | 'surfaceDice') =>
      describeValues(
        own.flatMap((one) => one[metric] ?? []),
        bootstrap,
      )
    const relative = own
      .filter(({ referenceVolume }) => referenceVolume > 0)
      .map(({ volume, referenceVolume }) => (100 * (volume - referenceVolume)) / referenceVolume)
    const count = (result: boolean, reference: boolean): number =>
      own.filter((one) => one.volume > 0 === result && one.referenceVolume > 0 === reference).length
    return {
      id,
      label: entry && 'label' in entry ? entry.label : id,
      dice: of('dice'),
      iou: of('iou'),
      hausdorff95: of('hausdorff95'),
      surfaceDice: of('surfaceDice'),
      volumeError: agreementOf(own.map((one) => ({ result: one.volume, reference: one.referenceVolume }))),
      volumeErrorPercent: describeValues(relative, bootstrap),
      bothEmpty: count(false, false),
      missed: count(false, true),
      invented: count(true, false),
    }
  })
}

function classesOf(
  cases: readonly CaseResult[],
  pipeline: Pipeline,
  { bootstrap }: EvaluationSettings,
): ClassEvaluation[] {
  const thresholds = thresholdsOf(pipeline)
  const labels = new Map(
    pipeline.outputs.flatMap((output) =>
      output.kind === 'classification-report' ? output.classes.map(({ id, label }) => [id, label] as const) : [],
    ),
  )
  const all = cases.flatMap(({ classes }) => classes)
  return distinct(all.map((one) => one.class)).map((id) => {
    const own = all.filter((one) => one.class === id)
    return {
      id,
      label: labels.get(id) ?? id,
      threshold: thresholds.get(id) ?? Number.NaN,
      cases: own.length,
      positives: own.filter(({ truth }) => truth).length,
      decisions: decisionMetrics(own, bootstrap),
      roc: rocOf(own, bootstrap),
      calibration: calibrationOf(own),
    }
  })
}

function confusionOf(cases: readonly CaseResult[]): Evaluation['confusion'] {
  const labels = cases.flatMap(({ label }) => label ?? [])
  if (labels.length === 0) return null
  const classes = distinct(cases.filter(({ label }) => label).flatMap((one) => one.classes.map((c) => c.class)))
  const pairs = labels.map(({ truth, said }) => ({ truth: classes.indexOf(truth), said: classes.indexOf(said) }))
  return { classes, matrix: confusionMatrix(pairs, classes.length) }
}

function numbersOf(cases: readonly CaseResult[], { measure }: Pipeline): NumberEvaluation[] {
  const all = cases.flatMap(({ numbers }) => numbers)
  return distinct(all.map(({ measurement }) => measurement)).map((id) => {
    const entry = measure.find((one) => one.id === id)
    const described = entry && 'unit' in entry ? entry : null
    return {
      id,
      name: described?.name ?? id,
      unit: described?.unit.value ?? '',
      agreement: agreementOf(all.filter(({ measurement }) => measurement === id)),
    }
  })
}
