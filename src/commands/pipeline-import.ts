import { stat } from 'node:fs/promises'
import path from 'node:path'
import { checkModels } from '../infer/engine/check-models.ts'
import { ImportError } from '../infer/import/error.ts'
import { bundleFiles, planMonai } from '../infer/import/from-monai.ts'
import { isNnunetFolder, planNnunet } from '../infer/import/from-nnunet.ts'
import { planOnnx } from '../infer/import/from-onnx.ts'
import type { Plan } from '../infer/import/plan.ts'
import { slug } from '../infer/import/question.ts'
import { planSkeleton } from '../infer/import/skeleton.ts'
import { writePipelineFolder } from '../infer/import/write-pipeline.ts'
import { loadPipeline } from '../infer/load-pipelines.ts'
import { name as nameSchema } from '../infer/manifest/vocabulary.ts'
import { print } from './arguments.ts'
import { GivenAnswers } from './pipeline-answers.ts'

/**
 * `hilum pipeline import`: makes a pipeline's folder of an ONNX file, a MONAI bundle, or a model of nnU-Net.
 * @returns exit code: 0 the pipeline passes the check; 1 something is left to do, which is said
 * @throws {ImportError}
 */
export async function importModel(
  source: string,
  options: {
    name?: string | undefined
    kind?: string | undefined
    answers?: string | undefined
    out?: string | undefined
    folderOf(): string
  },
): Promise<number> {
  const answers = await GivenAnswers.read(options.answers)
  const { folder, file } = await sourceOf(source)
  const name = checkedName(options.name ?? suggestedName(file ?? folder))
  const planned = await planOf({ folder, file }, { name, answers, kind: options.kind }).finally(() => answers.close())
  answers.expectAllAsked()
  const plan = { ...planned, notes: [...assumptions(answers), ...planned.notes] }
  const out = options.out ?? path.join(options.folderOf(), name)
  await writePipelineFolder(plan, out)
  for (const [id, answer] of answers.taken) print(`${id}: ${answer}`)
  return await report(plan, out)
}

/**
 * `hilum pipeline new`: a folder to begin with.
 * @throws {ImportError}
 */
export async function newPipeline(
  name: string,
  { folder, kind = 'threshold' }: { folder: string; kind?: string | undefined },
): Promise<number> {
  const plan = planSkeleton(checkedName(name), kind)
  const out = path.join(folder, name)
  await writePipelineFolder(plan, out)
  print(`${out}: pipeline.yaml and README.md are written`)
  for (const sentence of plan.todo) print(`to do: ${sentence}`)
  return 0
}

/** What nobody answered, for the README: without it a guess would look like knowledge. */
function assumptions({ assumed, taken }: GivenAnswers): string[] {
  const guessed = assumed.filter((id) => id !== 'title' && !id.startsWith('code-'))
  if (guessed.length === 0) return []
  const list = guessed.map((id) => `${id} (${taken.get(id)})`).join(', ')
  return [`Nobody answered these, so that what is most usual was taken. Check each against the training: ${list}.`]
}

async function planOf(
  { folder, file }: { folder: string; file: string | null },
  options: { name: string; answers: GivenAnswers; kind: string | undefined },
): Promise<Plan> {
  if (file !== null) return await planOnnx(file, options)
  if (await bundleFiles(folder)) return await planMonai(folder, options)
  if (await isNnunetFolder(folder)) return await planNnunet(folder, options)
  throw new ImportError(
    'not-importable',
    `${folder}: configs/metadata.json (a MONAI bundle), or plans.json and dataset.json (nnU-Net v2) are expected; or name an ONNX file`,
  )
}

/** An ONNX file alone, or a folder: also one that a file of it names. */
async function sourceOf(source: string): Promise<{ folder: string; file: string | null }> {
  const found = await stat(source).catch(() => null)
  if (!found) throw new ImportError('no-model', `${source}: no such file or folder`)
  if (found.isDirectory()) return { folder: source, file: null }
  const folder = path.dirname(source)
  switch (path.basename(source)) {
    case 'plans.json':
    case 'dataset.json':
      return { folder, file: null }
    case 'metadata.json':
    case 'inference.json':
    case 'inference.yaml':
      return { folder: path.dirname(folder), file: null }
    default:
      break
  }
  if (!/\.onnx$/i.test(source))
    throw new ImportError(
      'no-model',
      `${source}: an ONNX file is expected; PyTorch and TensorFlow write one (docs/pipelines.md says how)`,
    )
  return { folder, file: source }
}

function suggestedName(source: string): string {
  return slug(path.basename(path.resolve(source)).replace(/\.onnx$/i, ''), 'model')
}

function checkedName(name: string): string {
  const parsed = nameSchema.safeParse(name)
  if (!parsed.success)
    throw new ImportError('bad-answer', `${name}: the name of a pipeline has lower-case letters, digits and hyphens`)
  return name
}

async function report(plan: Plan, out: string): Promise<number> {
  for (const note of plan.notes) print(`note: ${note}`)
  for (const sentence of plan.todo) print(`to do: ${sentence}`)
  const { pipeline, problems } = await loadPipeline(out)
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  const faults = pipeline ? await checkModels(pipeline) : []
  for (const { path: at, message } of faults) process.stderr.write(`${at.join('.')}: ${message}\n`)
  const passes = pipeline !== null && faults.length === 0
  print(
    passes
      ? `${out}: written, no problem`
      : `${out}: written; it does not pass the check yet: see above, and the file itself`,
  )
  return passes ? 0 : 1
}
