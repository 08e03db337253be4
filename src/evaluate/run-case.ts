import { HilumError, messageOf } from '../errors.ts'
import type { Inference, InferredFinding, LocatedFinding } from '../infer/inference.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import { openInput } from '../infer/read/open-input.ts'
import type { OpenedInput } from '../infer/read/opened-input.ts'
import { runPipeline } from '../infer/run-pipeline.ts'
import type { InferenceServer } from '../infer/runtime/model.ts'
import type { Case } from './cases.ts'
import { compareFindings, sketchFindings } from './compare-findings.ts'
import { compareSegments } from './compare-segments.ts'
import type { CaseResult, EvaluationSettings, Sketch } from './evaluation.ts'
import { type LabelsOfSegments, referenceMasks } from './reference-masks.ts'
import { numberIn, truthOf } from './reference-tables.ts'
import type { References } from './references.ts'

export interface CaseContext {
  pipeline: Pipeline
  references: References
  labels: LabelsOfSegments
  settings: EvaluationSettings
  threads: number
  servers?: InferenceServer[] | undefined
}

/** Column of a table that names the one class that a case belongs to. */
export const labelColumn = 'label'

/** Runs a pipeline on a case and compares what it gives with the reference; whatever goes wrong with the case is said in its result. */
export async function runCase(of: Case, context: CaseContext): Promise<CaseResult> {
  const nothing: CaseResult = {
    name: of.name,
    seriesInstanceUID: of.seriesInstanceUID,
    outcome: 'failed',
    reason: of.problem,
    segments: [],
    classes: [],
    label: null,
    numbers: [],
    detection: null,
    error: 0,
    sketch: null,
  }
  if (of.problem !== null) return nothing
  if (!isKnown(of, context.references)) return { ...nothing, outcome: 'no-reference' }
  try {
    const { pipeline, threads, servers } = context
    const task = { inputs: of.inputs, studyInstanceUID: of.studyInstanceUID, providers: ['cpu'], threads, servers }
    const inference = await runPipeline(task, pipeline)
    if (inference.kind === 'refused') return { ...nothing, outcome: 'refused', reason: inference.reason }
    return await compare(nothing, of, inference, context)
  } catch (error) {
    if (!(error instanceof HilumError)) throw error
    return { ...nothing, reason: messageOf(error) }
  }
}

function isKnown(of: Case, { tables, masksOf }: References): boolean {
  const names = [of.name, of.seriesInstanceUID]
  return names.some((name) => tables.values.has(name) || tables.lesions.has(name)) || masksOf(of) !== null
}

/** The input that results speak of, with its headers read. */
export async function openFirst(of: Case, pipeline: Pipeline): Promise<OpenedInput | null> {
  for (const input of pipeline.inputs) {
    const given = of.inputs[input.name]
    if (given && input.kind !== 'segmentation') return await openInput(given, input, { log: [] })
  }
  return null
}

async function compare(
  nothing: CaseResult,
  of: Case,
  inference: Inference,
  { pipeline, references, labels, settings }: CaseContext,
): Promise<CaseResult> {
  const opened = await openFirst(of, pipeline)
  if (!opened) return { ...nothing, reason: 'the case has no images' }
  const { findings, classifications } = foundBy(inference, pipeline)
  const cells = { ...references.tables.values.get(of.seriesInstanceUID), ...references.tables.values.get(of.name) }
  const result: CaseResult = { ...nothing, reason: null }
  const reference = references.masksOf(of)
  let sketch: Sketch | null = null
  if (reference) {
    const masks = await referenceMasks(reference, { segments: inference.segments, opened, labels })
    const compared = await compareSegments(inference.segments, masks, { opened, tolerance: settings.tolerance })
    result.segments = compared.comparisons
    sketch = compared.sketch
  }
  const lesions = references.tables.lesions.get(of.name) ?? references.tables.lesions.get(of.seriesInstanceUID)
  if (lesions && hasFindings(pipeline)) {
    result.detection = compareFindings(findings, lesions, { source: opened.source, overlap: settings.overlap })
    sketch ??= sketchFindings(findings, lesions, { opened, compared: result.detection })
  }
  compareClasses(result, classifications, { cells, pipeline })
  for (const { id, value } of inference.measurements) {
    const known = numberIn(cells[id], `${of.name}: ${id}`)
    if (known !== null && Number.isFinite(value))
      result.numbers.push({ measurement: id, result: value, reference: known })
  }
  const compared = result.segments.length + result.classes.length + result.numbers.length > 0
  const isCompared = compared || result.detection !== null || result.label !== null
  return {
    ...result,
    outcome: isCompared ? 'compared' : 'no-reference',
    error: errorOf(result),
    sketch: sketch ?? plainSketch(opened),
  }
}

function hasFindings({ outputs }: Pipeline): boolean {
  return outputs.some((output) => 'findings' in output && output.findings !== undefined)
}

/** What a detector found, and what classifiers said of the whole. */
function foundBy(
  inference: Inference,
  pipeline: Pipeline,
): { findings: readonly LocatedFinding[]; classifications: readonly InferredFinding[] } {
  let findings: readonly LocatedFinding[] = []
  let classifications: readonly InferredFinding[] = inference.classifications
  const isNeeded = hasFindings(pipeline) || classifications.length === 0
  if (isNeeded)
    for (const inferred of inference.outputs()) {
      if (inferred.findings.length > findings.length) findings = inferred.findings
      if (classifications.length === 0) classifications = inferred.classification
    }
  return { findings, classifications }
}

/** The score from which a class without a threshold counts as found. */
const evenOdds = 0.5

/** The threshold of each class that the outputs declare. */
export function thresholdsOf({ outputs }: Pipeline): Map<string, number> {
  const thresholds = new Map<string, number>()
  for (const output of outputs) {
    const classes =
      output.kind === 'classification-report'
        ? output.classes
        : 'classification' in output
          ? (output.classification?.classes ?? [])
          : []
    for (const { id, threshold } of classes) thresholds.set(id, threshold ?? evenOdds)
  }
  return thresholds
}

function compareClasses(
  result: CaseResult,
  classifications: readonly InferredFinding[],
  { cells, pipeline }: { cells: Readonly<Record<string, string>>; pipeline: Pipeline },
): void {
  if (classifications.length === 0) return
  const label = Object.entries(cells).find(([column]) => column.toLowerCase() === labelColumn)?.[1] ?? ''
  const best = classifications.reduce((a, b) => (b.probability > a.probability ? b : a))
  const one = classifications.find(({ id, label: words }) => id === label || words === label)
  const isOneOfMany = one !== undefined && classifications.length > 1
  if (isOneOfMany) result.label = { truth: one.id, said: best.id }
  const thresholds = thresholdsOf(pipeline)
  for (const { id, probability } of classifications) {
    const own = truthOf(cells[id], `${result.name}: ${id}`)
    const truth = own ?? (one === undefined ? null : one.id === id)
    if (truth === null) continue
    const found = isOneOfMany ? best.id === id : probability >= (thresholds.get(id) ?? evenOdds)
    result.classes.push({ class: id, score: probability, found, truth })
  }
}

function errorOf({ segments, classes, detection }: CaseResult): number {
  const overlaps = segments.flatMap(({ dice }) => (dice === null ? [] : [dice]))
  const missing = overlaps.length === 0 ? 0 : 1 - overlaps.reduce((sum, dice) => sum + dice, 0) / overlaps.length
  const confident = Math.max(0, ...classes.map(({ score, truth }) => Math.abs(score - (truth ? 1 : 0))))
  return Math.max(missing, confident, detection ? detectionError(detection) : 0)
}

/** The part of lesions and findings that are wrong. */
function detectionError({ lesions, findings }: NonNullable<CaseResult['detection']>): number {
  const hit = new Set(findings.flatMap(({ hits }) => hits)).size
  const wrong = lesions - hit + findings.filter(({ hits }) => hits.length === 0).length
  return wrong === 0 ? 0 : wrong / (wrong + hit)
}

/** The middle slice, with nothing drawn. */
function plainSketch({ grid }: OpenedInput): Sketch {
  const [columns, rows, slices] = grid.size
  const spacing = [grid.spacing[0], grid.spacing[1]] as const
  const crop = [0, 0, columns, rows] as const
  return { slice: slices >> 1, slices, columns, rows, spacing, result: '', reference: '', crop }
}
