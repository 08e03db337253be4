import { randomUUID } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { textOf } from '../dicom/dataset.ts'
import { type InstanceFile, readInstanceFile } from '../dicom/instance-file.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import type { InferenceServer } from '../infer/runtime/model.ts'
import type { InferOutcome, InferTask, TaskSeries } from '../infer/task.ts'
import { suggestion } from '../nearest-name.ts'
import { runTask } from '../worker-parts/run-task.ts'
import { print } from './arguments.ts'
import { filesUnder } from './files-under.ts'

export interface RunOnFoldersOptions {
  inputs: readonly { name: string; folder: string }[]
  /** Made where it is missing; refused where it holds anything. */
  out: string
  outputs?: string[] | undefined
  threads?: number | undefined
  /** The configured inference servers; asked for where the pipeline has a model on one. */
  servers?: (() => InferenceServer[]) | undefined
}

/**
 * Runs a pipeline on the DICOM files of folders, and writes its results: what a node would do with the same series.
 * @returns exit code: 0 done, 1 refused or failed
 * @throws HilumError `no-instances` for folders that make no series of an input, `not-empty` for the results' folder
 */
export async function runOnFolders(pipeline: Pipeline, options: RunOnFoldersOptions): Promise<number> {
  const inputs: InferTask['inputs'] = {}
  const studies = new Map<string, string>()
  for (const input of pipeline.inputs) {
    const folders = options.inputs.filter(({ name }) => name === input.name).map(({ folder }) => folder)
    if (folders.length === 0 && input.required)
      throw new HilumError('no-instances', `${pipeline.name} needs --input ${input.name}=FOLDER`)
    if (folders.length === 0) continue
    const [first, ...further] = await seriesIn(folders)
    if (!first) throw new HilumError('no-instances', `${folders.join(', ')}: no DICOM file there`)
    if (further.length > 0 && input.kind !== 'sequence')
      throw new HilumError(
        'no-instances',
        `${folders.join(', ')}: ${further.length + 1} series, one is expected of ${input.name}: ${[first, ...further].map((s) => s.seriesInstanceUID).join(', ')}`,
      )
    inputs[input.name] = { ...first, ...(further.length > 0 ? { further } : {}) }
    studies.set(input.name, first.studyInstanceUID)
  }
  const unknown = options.inputs.find(({ name }) => !pipeline.inputs.some((input) => input.name === name))
  if (unknown)
    throw new HilumError(
      'no-instances',
      `${pipeline.name} has no input ${unknown.name}${suggestion(
        unknown.name,
        pipeline.inputs.map(({ name }) => name),
      )}`,
    )
  await emptyFolder(options.out)
  const own = pipeline.inputs.find(({ from, name }) => from === 'study' && studies.has(name))?.name ?? ''
  return report(
    await runTask(
      taskOf(pipeline, { inputs, studyInstanceUID: studies.get(own) ?? '' }, options),
      async () => pipeline,
      showProgress,
      { onProgramOutput: showOutput },
    ),
    options.out,
  )
}

function taskOf(
  pipeline: Pipeline,
  { inputs, studyInstanceUID }: Pick<InferTask, 'inputs' | 'studyInstanceUID'>,
  { out, outputs, threads, servers }: RunOnFoldersOptions,
): InferTask {
  return {
    jobId: randomUUID(),
    at: new Date().toISOString(),
    pipelineFolder: pipeline.folder,
    pipelineDigest: pipeline.digest,
    studyInstanceUID,
    revision: 1,
    inputs,
    outputs,
    predecessors: [],
    outFolder: path.resolve(out),
    providers: ['cpu'],
    servers: isServed(pipeline) ? servers?.() : undefined,
    threads: threads ?? availableParallelism(),
  }
}

const filesAtOnce = 8

/** True where a model of the pipeline is on a server. */
export function isServed({ infer }: Pick<Pipeline, 'infer'>): boolean {
  return infer.some(({ model }) => model.some(({ runtime }) => runtime === 'open-inference'))
}

type FoundSeries = TaskSeries & { studyInstanceUID: string }

/** The series of some folders, in the order of their UIDs. Files that cannot be read are named on standard error and left out. */
async function seriesIn(folders: readonly string[]): Promise<FoundSeries[]> {
  const series = new Map<string, FoundSeries>()
  for (const folder of folders)
    for (const { file, header } of await headersOf(await filesUnder(folder))) {
      try {
        const { elements } = await header
        const uid = textOf(elements, 'SeriesInstanceUID') ?? ''
        const found = series.get(uid) ?? {
          seriesInstanceUID: uid,
          studyInstanceUID: textOf(elements, 'StudyInstanceUID') ?? '',
          files: [],
        }
        found.files.push(file)
        series.set(uid, found)
      } catch (error) {
        process.stderr.write(`${file}: left out: ${messageOf(error)}\n`)
      }
    }
  return [...series.values()].sort((a, b) => (a.seriesInstanceUID < b.seriesInstanceUID ? -1 : 1))
}

/** Opens files, several at a time. What goes wrong with one is in its promise. */
async function headersOf(files: readonly string[]): Promise<{ file: string; header: Promise<InstanceFile> }[]> {
  const found: { file: string; header: Promise<InstanceFile> }[] = []
  for (let at = 0; at < files.length; at += filesAtOnce) {
    const some = files.slice(at, at + filesAtOnce).map((file) => ({ file, header: readInstanceFile(file) }))
    await Promise.allSettled(some.map(({ header }) => header))
    found.push(...some)
  }
  return found
}

async function emptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) throw new HilumError('not-empty', `${folder}: an empty folder is expected`)
}

/** What a program says is for whoever develops it: here, and in no record of the node. */
function showOutput({ stream, text }: { stream: 'stdout' | 'stderr'; text: string }): void {
  if (text.trim() === '') return
  const said = stream === 'stdout' ? 'program' : 'program (error)'
  for (const line of text.trimEnd().split('\n')) process.stderr.write(`${said}: ${line}\n`)
}

function showProgress(stage: string, fraction: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${Math.round(fraction * 100)} % ${stage}`)
}

function report(outcome: InferOutcome, out: string): number {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  for (const sentence of outcome.log) process.stderr.write(`${sentence}\n`)
  switch (outcome.kind) {
    case 'refused':
      print(`refused: ${outcome.reason}`)
      return 1
    case 'failed':
      print(`failed (${outcome.code}): ${outcome.reason}`)
      return 1
    case 'done':
      for (const { name, value, unit } of outcome.findings) print(`${name}: ${Number(value.toPrecision(6))} ${unit}`)
      for (const { file, size } of [...outcome.results, ...outcome.files])
        print(`${path.join(out, file)}  ${size} bytes`)
      return 0
  }
}
