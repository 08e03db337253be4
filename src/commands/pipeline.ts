import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { HilumError } from '../errors.ts'
import { inferenceServers } from '../flow/inference-servers.ts'
import { checkModels } from '../infer/engine/check-models.ts'
import {
  type LoadedPipelines,
  loadPipeline,
  loadPipelines,
  manifestFile,
  type Pipeline,
} from '../infer/load-pipelines.ts'
import { parseText } from '../infer/manifest/parse.ts'
import { PipelineVersions } from '../infer/pipeline-versions.ts'
import { feedbackFormats } from '../store/feedback-export.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { neededApi } from './node-api.ts'
import { importModel, newPipeline } from './pipeline-import.ts'
import { installOnNode, switchOnNode } from './pipeline-install.ts'
import { runOnFolders } from './pipeline-run.ts'
import { describePipeline } from './pipeline-show.ts'

const usage = `hilum pipeline list [--config FILE]
hilum pipeline check [FOLDER|FILE…] [--config FILE]
hilum pipeline show NAME|FOLDER [--config FILE]
hilum pipeline run NAME|FOLDER --input NAME=FOLDER… --out FOLDER [--outputs ID,…] [--config FILE]
hilum pipeline import FILE|FOLDER [--name NAME] [--kind KIND] [--answers FILE] [--out FOLDER] [--config FILE]
hilum pipeline install FILE [--name NAME] [--kind KIND] [--answers FILE] [--token TOKEN] [--config FILE]
hilum pipeline enable|disable NAME@VERSION [--because TEXT] [--token TOKEN] [--config FILE]
hilum pipeline new NAME [--folder FOLDER] [--kind KIND] [--config FILE]
hilum pipeline compare A B [--studies N] [--json] [--config FILE]
hilum pipeline feedback export [--format csv|json] [--pipeline NAME] [--out FILE] [--config FILE]

  list    the pipelines in pipelines.folder: name, version, digest
  check   report every problem of every pipeline, with file, line and column: of the folders or files named, else of
          pipelines.folder. ONNX models are opened, and their inputs and outputs compared
  show    what a pipeline takes, what it does in which order, and what it gives
  run     run a pipeline on DICOM files without a node, and write its results
  import  make a pipeline of an ONNX file, of a MONAI bundle, or of a model of nnU-Net v2 with its ONNX file beside it:
          what the files say is taken, the rest asked
  install  upload a .zip or .tar of a pipeline or bundle, or an ONNX file, to the running node: it is there without a restart
  enable, disable   let the running node run a version, or run it no more
  new     begin a pipeline: a folder with pipeline.yaml and README.md
  compare   what two pipelines (NAME, NAME@1.2.0 or NAME@sha256:…) found in the studies of this node that both have run on:
            differences of the measurements, Dice of the segments. Exit code 1 where there is no such study
  feedback export   what people said of results, with what the results were

  --input NAME=FOLDER   the series of an input: a folder with the files of one series. Repeated for each input; several
                        folders of one input, or a folder with several series, make one sequence
  --out FOLDER          an empty or new folder for the results; for feedback a new file (default: standard output);
                        for import the pipeline's folder (default: its name in pipelines.folder)
  --outputs ID,…        ids or kinds of the outputs that are wanted (default: all)
  --studies N           the newest N studies (default: 100)
  --json                as JSON
  --format csv|json     of the feedback (default: csv)
  --pipeline NAME       only feedback on this pipeline: NAME for every version, or NAME@sha256:…
  --name NAME           name of the pipeline (default: that of the file or folder)
  --kind KIND           segmentation-3d, segmentation-2d, classification-3d, classification-2d, images-3d, images-2d; for
                        new also threshold, which needs no model (default)
  --answers FILE        answers in place of questions: YAML, by the names of the questions, which import prints
  --folder FOLDER       where the pipeline's folder is made (default: pipelines.folder)
  --because TEXT        why it is disabled
  --token TOKEN         of the running node; HILUM_ADMIN_TOKEN does the same
  --url URL             of the running node (default: that of the configuration)
  --threads N           CPU threads (default: those of the configuration)
  --config FILE         the configuration file (default: config/hilum.yaml)`

/** `hilum pipeline`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {
    input: { type: 'string', multiple: true },
    out: { type: 'string' },
    outputs: { type: 'string' },
    threads: { type: 'string' },
    studies: { type: 'string' },
    json: { type: 'boolean' },
    format: { type: 'string' },
    pipeline: { type: 'string' },
    name: { type: 'string' },
    kind: { type: 'string' },
    answers: { type: 'string' },
    folder: { type: 'string' },
    because: { type: 'string' },
    token: { type: 'string' },
    url: { type: 'string' },
  })
  if (!parsed) return 0
  const { values } = parsed
  const [what, ...names] = parsed.positionals
  const folderOf = (): string => configOf(values).pipelines.folder
  switch (what) {
    case 'list':
      if (names.length > 0) break
      return await list(folderOf())
    case 'check':
      return await check(names.length > 0 ? names : [folderOf()])
    case 'show': {
      const [name] = names
      if (name === undefined || names.length > 1) throw new UsageError('pipeline show: name one pipeline', usage)
      print(describePipeline(await pipelineNamed(name, folderOf)))
      return 0
    }
    case 'run': {
      const [name] = names
      if (name === undefined || names.length > 1) throw new UsageError('pipeline run: name one pipeline', usage)
      if (values.out === undefined) throw new UsageError('pipeline run: --out FOLDER is missing', usage)
      return await runOnFolders(await pipelineNamed(name, folderOf), {
        inputs: (values.input ?? []).map(inputOf),
        out: values.out,
        outputs: values.outputs?.split(','),
        threads: threadsOf(values.threads),
        servers: () => inferenceServers(configOf(values)),
      })
    }
    case 'import': {
      const [source] = names
      if (source === undefined || names.length > 1)
        throw new UsageError('pipeline import: name one ONNX file, or the folder of a bundle', usage)
      const { name, kind, answers, out } = values
      return await importModel(source, { name, kind, answers, out, folderOf })
    }
    case 'install': {
      const [file] = names
      if (file === undefined || names.length > 1) throw new UsageError('pipeline install: name one file', usage)
      return await installOnNode(neededApi(configOf(values), values, 'pipeline install'), file, values)
    }
    case 'enable':
    case 'disable': {
      const [name, version] = names[0]?.split('@') ?? []
      if (!name || !version || names.length > 1)
        throw new UsageError(`pipeline ${what}: NAME@VERSION is expected`, usage)
      const api = neededApi(configOf(values), values, `pipeline ${what}`)
      return await switchOnNode(api, what, { name, version, reason: values.because })
    }
    case 'new': {
      const [name] = names
      if (name === undefined || names.length > 1) throw new UsageError('pipeline new: name one pipeline', usage)
      return await newPipeline(name, { folder: values.folder ?? folderOf(), kind: values.kind })
    }
    case 'compare': {
      const [a, b] = names
      if (a === undefined || b === undefined || names.length > 2)
        throw new UsageError('pipeline compare: name two pipelines', usage)
      const studies = Number(values.studies ?? 100)
      if (!Number.isInteger(studies) || studies < 1)
        throw new UsageError('pipeline compare: --studies: a number is expected', usage)
      const { compare } = await import('./pipeline-compare.ts')
      return await compare(configOf(values), [a, b], { studies, json: values.json ?? false })
    }
    case 'feedback': {
      if (names.join(' ') !== 'export') throw new UsageError('pipeline feedback: export is expected', usage)
      const format = feedbackFormats.find((one) => one === (values.format ?? 'csv'))
      if (!format) throw new UsageError('pipeline feedback export: --format: csv or json is expected', usage)
      const { exportFeedback } = await import('./pipeline-feedback.ts')
      return await exportFeedback(configOf(values), { format, out: values.out, pipeline: values.pipeline })
    }
    default:
      break
  }
  throw new UsageError(
    'pipeline: list or check those that are there, show, run or compare them, import or begin one, or export feedback',
    usage,
  )
}

function inputOf(text: string): { name: string; folder: string } {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1)
    throw new UsageError(`pipeline run: --input ${text}: NAME=FOLDER is expected`, usage)
  return { name: text.slice(0, at), folder: text.slice(at + 1) }
}

function threadsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const threads = Number(text)
  if (!Number.isInteger(threads) || threads < 1)
    throw new UsageError('pipeline run: --threads: a number is expected', usage)
  return threads
}

async function list(folder: string): Promise<number> {
  const { pipelines, problems, incomplete } = await loadPipelines(folder)
  for (const { name, version, digest } of pipelines) print(`${name}  ${version}  ${digest}`)
  for (const sentence of [...incomplete, ...problems]) process.stderr.write(`${sentence}\n`)
  return problems.length === 0 ? 0 : 1
}

async function check(places: readonly string[]): Promise<number> {
  const pipelines: Pipeline[] = []
  const problems: string[] = []
  for (const place of places) {
    const loaded = await loadFrom(place)
    pipelines.push(...loaded.pipelines)
    problems.push(...loaded.problems)
    for (const sentence of loaded.incomplete) process.stderr.write(`${sentence}\n`)
    for (const pipeline of loaded.pipelines) problems.push(...(await modelProblems(pipeline)))
  }
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  if (problems.length > 0) return 1
  print(`${pipelines.length} ${pipelines.length === 1 ? 'pipeline' : 'pipelines'} in ${places.join(', ')}: no problem`)
  return 0
}

/** A pipeline's folder, its manifest, or a folder of pipelines. */
async function loadFrom(place: string): Promise<LoadedPipelines> {
  const found = await stat(place).catch(() => null)
  if (!found) return { pipelines: [], incomplete: [], problems: [`${place}: no such file or folder`] }
  const own = found.isFile() ? path.dirname(place) : place
  const isPipeline = found.isFile() || (await stat(path.join(own, manifestFile)).catch(() => null)) !== null
  if (!isPipeline) return await loadPipelines(place)
  const { pipeline, ...others } = await loadPipeline(own, found.isFile() ? path.basename(place) : manifestFile)
  return { pipelines: pipeline ? [pipeline] : [], ...others }
}

async function modelProblems(pipeline: Pipeline): Promise<string[]> {
  const problems = await checkModels(pipeline)
  if (problems.length === 0) return []
  const file = path.join(pipeline.folder, manifestFile)
  const { where } = parseText(await readFile(file, 'utf8'))
  return problems.map(({ path: at, message }) => `${file}:${where(at)}: ${at.join('.')}: ${message}`)
}

/**
 * An installed pipeline by its name (the newest version), `name@1.2.0` or digest, or the pipeline of a folder.
 * @throws HilumError `no-pipeline` with every problem
 */
export async function pipelineNamed(name: string, folderOf: () => string): Promise<Pipeline> {
  const isFolder = (await stat(path.join(name, manifestFile)).catch(() => null)) !== null
  if (isFolder) {
    const { pipeline, problems, incomplete } = await loadPipeline(name)
    if (!pipeline) throw new HilumError('no-pipeline', [...problems, ...incomplete].join('\n'))
    return pipeline
  }
  const folder = folderOf()
  const { pipelines, problems, incomplete } = await loadPipelines(folder)
  const found = new PipelineVersions(pipelines).get(name)
  if (!found)
    throw new HilumError(
      'no-pipeline',
      [`no pipeline in ${folder} is called "${name}", and no folder is`, ...incomplete, ...problems].join('\n'),
    )
  return found
}
