import { availableParallelism } from 'node:os'
import path from 'node:path'
import { evaluatePipeline } from '../evaluate/evaluate.ts'
import type { Evaluation } from '../evaluate/evaluation.ts'
import type { LabelsOfSegments } from '../evaluate/reference-masks.ts'
import { worstCases } from '../evaluate/worst-cases.ts'
import { writeReport } from '../evaluate/write-report.ts'
import { inferenceServers } from '../flow/inference-servers.ts'
import { suggestion } from '../nearest-name.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { filesUnder } from './files-under.ts'
import { pipelineNamed } from './pipeline.ts'
import { isServed } from './pipeline-run.ts'

const usage = `hilum evaluate PIPELINE --data FOLDER --reference FOLDER|FILE [--out FOLDER]

Runs a pipeline (its name, or its folder) on every case of a folder, compares what it gives with what is known, and writes
report.html, evaluation.json and cases.csv. docs/evaluation.md says how cases and references are paired.

  --data FOLDER        the cases: a folder each, with DICOM files (for several inputs: a folder of each input's name in it)
  --reference PLACE    masks (NIfTI, DICOM SEG), and tables (CSV) of classes, measurements and boxes
  --out FOLDER         where the report goes (default: evaluation)
  --label SEGMENT=N,…  the values of the reference's label map that are a segment (default: its number); repeated
  --tolerance MM       of the surface Dice (default: 2)
  --overlap PART       intersection over union from which a box hits (default: 0.5)
  --draws N            of the bootstrap (default: 2000)
  --seed N             of the bootstrap (default: 1)
  --worst N            cases that are shown as pictures (default: 6)
  --threads N          CPU threads (default: all)
  --config FILE        the configuration file (default: config/hilum.yaml)`

/** `hilum evaluate`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {
    data: { type: 'string' },
    reference: { type: 'string' },
    out: { type: 'string', default: 'evaluation' },
    label: { type: 'string', multiple: true, default: [] },
    tolerance: { type: 'string', default: '2' },
    overlap: { type: 'string', default: '0.5' },
    draws: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    worst: { type: 'string', default: '6' },
    threads: { type: 'string' },
  })
  if (!parsed) return 0
  const { values } = parsed
  const [name, ...others] = parsed.positionals
  if (name === undefined || others.length > 0) throw new UsageError('evaluate: name one pipeline', usage)
  const { data, reference } = values
  if (data === undefined) throw new UsageError('evaluate: --data FOLDER is missing', usage)
  if (reference === undefined) throw new UsageError('evaluate: --reference FOLDER|FILE is missing', usage)
  const settings = {
    tolerance: number('tolerance', values.tolerance, { least: 0, most: 1000 }),
    overlap: number('overlap', values.overlap, { least: 0.01, most: 1 }),
    bootstrap: {
      draws: whole('draws', values.draws, { least: 100, most: 100_000 }),
      seed: whole('seed', values.seed, { least: 0, most: 2 ** 32 - 1 }),
    },
  }
  const most = whole('worst', values.worst, { least: 0, most: 100 })
  const threads =
    values.threads === undefined ? availableParallelism() : whole('threads', values.threads, { least: 1, most: 1024 })
  const pipeline = await pipelineNamed(name, () => configOf(values).pipelines.folder)
  const labels = labelsOf(
    values.label,
    pipeline.segments.map(({ id }) => id),
  )
  const { evaluation, cases } = await evaluatePipeline(pipeline, {
    data,
    reference,
    labels,
    settings,
    threads,
    servers: isServed(pipeline) ? inferenceServers(configOf(values)) : undefined,
    filesUnder,
    at: new Date().toISOString(),
    onCase: (of, index, count) => process.stderr.write(`${index} of ${count}: ${of}\n`),
  })
  const worst = await worstCases(evaluation.cases, { cases, pipeline, most, threads })
  const files = await writeReport(path.resolve(values.out), evaluation, worst)
  summarise(evaluation)
  for (const file of files) print(file)
  return evaluation.cases.some(({ outcome }) => outcome === 'failed') ? 1 : 0
}

interface Limits {
  least: number
  most: number
}

function number(option: string, text: string, { least, most }: Limits): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!(value >= least && value <= most))
    throw new UsageError(`evaluate: --${option} ${text}: a number from ${least} to ${most} is expected`, usage)
  return value
}

function whole(option: string, text: string, limits: Limits): number {
  const value = number(option, text, limits)
  if (!Number.isInteger(value)) throw new UsageError(`evaluate: --${option} ${text}: a whole number is expected`, usage)
  return value
}

function labelsOf(texts: readonly string[], segments: readonly string[]): LabelsOfSegments {
  const labels: Record<string, number[]> = {}
  for (const text of texts) {
    const [id = '', list = ''] = text.split('=')
    const values = list.split(',').map((value) => (value === '' ? Number.NaN : Number(value)))
    if (values.some((value) => !Number.isInteger(value)))
      throw new UsageError(`evaluate: --label ${text}: SEGMENT=1,2,… is expected`, usage)
    if (!segments.includes(id))
      throw new UsageError(`evaluate: --label ${text}: there is no segment ${id}${suggestion(id, segments)}`, usage)
    labels[id] = [...(labels[id] ?? []), ...values]
  }
  return labels
}

function summarise({ cases, segments, classes, detection, numbers }: Evaluation): void {
  for (const { name, outcome, reason } of cases)
    if (outcome !== 'compared') process.stderr.write(`${name}: ${outcome}${reason === null ? '' : `: ${reason}`}\n`)
  const text = (value: number | null | undefined): string =>
    value === null || value === undefined ? '-' : value.toPrecision(4)
  print(`${cases.filter(({ outcome }) => outcome === 'compared').length} of ${cases.length} cases compared`)
  for (const { id, dice, hausdorff95, surfaceDice } of segments)
    print(
      `${id}: Dice ${text(dice?.mean)}, Hausdorff 95 ${text(hausdorff95?.mean)} mm, surface Dice ${text(surfaceDice?.mean)}`,
    )
  for (const { id, roc, decisions } of classes)
    print(
      `${id}: AUC ${text(roc?.auc)}, sensitivity ${text(decisions.sensitivity?.value)}, specificity ${text(decisions.specificity?.value)}`,
    )
  if (detection) print(`detection: mean FROC sensitivity ${text(detection.meanSensitivity)}`)
  for (const { id, unit, agreement } of numbers)
    print(
      `${id}: mean absolute error ${text(agreement?.meanAbsoluteError)} ${unit}, bias ${text(agreement?.bias)} ${unit}`,
    )
}
