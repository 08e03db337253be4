import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { evaluate } from './engine/evaluate.ts'
import { classification } from './engine/findings.ts'
import { measureAll } from './engine/measurements.ts'
import { outputsOf } from './engine/outputs.ts'
import { planOf } from './engine/plan.ts'
import type { Run, RunModels, RunTask } from './engine/run.ts'
import { namedSegments, segmentsOnSource } from './engine/segments.ts'
import { SourceGrids } from './engine/source-grid.ts'
import { ValueStore } from './engine/value-store.ts'
import { InferError } from './error.ts'
import type { Inference, InferredFinding, InferredSegment, Refusal } from './inference.ts'
import type { OutputManifest } from './manifest/output.ts'
import type { Pipeline } from './manifest/pipeline.ts'
import { tables } from './manifest/tables.ts'
import type { Maker } from './manifest/value-graph.ts'
import { openInput } from './read/open-input.ts'

export interface RunOptions {
  onProgress?: (stage: string, fraction: number) => void
  /** Where sentences for the job's record go: what was said before a failure stays. */
  log?: string[]
  /** What models may ask of whoever runs them, beyond the task. */
  models?: RunModels
}

/** What part of the work an entry is, roughly. */
const weights: Readonly<Record<Maker['kind'], number>> = { input: 4, metadata: 0, prepare: 1, infer: 5, finish: 2 }
/** The same of all measurements. */
const measureWeight = 1

/**
 * Runs a pipeline on the series of a task: reads the headers and accepts them, evaluates the values that the wanted outputs are made of, and
 * measures. The outputs are made when they are asked for.
 * @returns what was found, or the pipeline's own refusal of the input
 * @throws {InferError} when an instance cannot be read or decoded, or a model fails; {FinishError} and others when a step does not fit
 */
export async function runPipeline(
  task: RunTask,
  pipeline: Pipeline,
  options: RunOptions = {},
): Promise<Inference | Refusal> {
  const log = options.log ?? []
  const temporaryFolder = await mkdtemp(path.join(task.outFolder ?? tmpdir(), 'hilum-run-'))
  try {
    const { models = {}, onProgress = () => {} } = options
    return await infer(task, pipeline, { log, temporaryFolder, models, progress: onProgress })
  } catch (error) {
    if (error instanceof InferError && error.code === 'refused') return { kind: 'refused', reason: error.message, log }
    throw error
  } finally {
    await rm(temporaryFolder, { recursive: true, force: true })
  }
}

interface Note {
  log: string[]
  temporaryFolder: string
  models: RunModels
  progress: (stage: string, fraction: number) => void
}

async function infer(task: RunTask, pipeline: Pipeline, note: Note): Promise<Inference> {
  const { log, temporaryFolder, models, progress } = note
  const wanted = wantedOutputs(task, pipeline)
  const plan = planOf(pipeline, tables, wanted)
  const run: Run = {
    task,
    pipeline,
    tables,
    plan,
    opened: new Map(),
    arrived: new Map(),
    values: new ValueStore(plan.uses),
    providers: [],
    temporaryFolder,
    models,
    log,
  }
  progress('read', 0)
  await openInputs(run)
  await evaluateAll(run, progress)
  const grids = new SourceGrids(run)
  const measurements = measureAll(run, grids)
  const first = pipeline.inputs.find(({ kind, name }) => kind !== 'segmentation' && run.opened.has(name))?.name ?? ''
  const source = grids.source(first).source
  const segments = segmentsOfFirst(run, grids, first)
  progress('measure', 1)
  return {
    kind: 'inference',
    provider: [...new Set(run.providers)].join(', ') || 'none',
    log,
    source,
    segments,
    measurements,
    classifications: classificationsOf(wanted, run),
    outputs: () => outputsOf(wanted, { run, grids, measurements }),
  }
}

/** Outputs that a task asks for, by their ids or kinds; all where it says nothing. */
function wantedOutputs({ outputs: names }: RunTask, { outputs }: Pipeline): OutputManifest[] {
  if (!names) return outputs
  return outputs.filter(({ id, kind }) => names.includes(kind) || (id !== undefined && names.includes(id)))
}

/** Reads the headers of all inputs of images first: what is refused is refused before any pixel is read. */
async function openInputs(run: Run): Promise<void> {
  for (const input of run.pipeline.inputs) {
    const given = run.task.inputs[input.name]
    if (!given && input.required) throw new InferError('unreadable-input', `the task has no input ${input.name}`)
    if (!given) run.log.push(`there is no input ${input.name}: what is made of it is left out`)
    if (!given || input.kind === 'segmentation') continue
    run.opened.set(input.name, await openInput(given, input, run))
  }
}

async function evaluateAll(run: Run, progress: Note['progress']): Promise<void> {
  const { makers } = run.plan
  const total = makers.reduce((sum, { kind }) => sum + weights[kind], measureWeight)
  let done = 0
  for (const maker of makers) {
    const stage = stageOf(maker)
    progress(stage, done / total)
    await evaluate(maker, run, (fraction) => progress(stage, (done + fraction * weights[maker.kind]) / total))
    done += weights[maker.kind]
  }
  progress('measure', done / total)
}

/** What is going on, as progress tells it. */
function stageOf(maker: Maker): string {
  switch (maker.kind) {
    case 'input':
    case 'metadata':
      return 'read'
    case 'infer':
      return 'model'
    case 'prepare':
    case 'finish':
      return maker.kind
  }
}

/** The segments of the first input's study, on its slices: those whose label maps are still held for an output. */
function segmentsOfFirst(run: Run, grids: SourceGrids, first: string): InferredSegment[] {
  const { pipeline, plan } = run
  const here = pipeline.segments.filter(({ from }) => plan.origins.get(from) === first)
  return segmentsOnSource(namedSegments(here, run), { run, grids, source: first }).segments
}

function classificationsOf(wanted: readonly OutputManifest[], run: Run): InferredFinding[] {
  const reports = wanted.filter((output) => output.kind === 'classification-report')
  return reports.flatMap((output) => {
    const held = run.values.find(output.from)
    return held?.value.kind === 'numbers' ? classification(held.value.numbers, output) : []
  })
}
