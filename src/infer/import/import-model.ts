import { stat } from 'node:fs/promises'
import path from 'node:path'
import { checkModels } from '../engine/check-models.ts'
import { loadPipeline } from '../load-pipelines.ts'
import type { Pipeline } from '../manifest/pipeline.ts'
import { ImportError } from './error.ts'
import { bundleFiles, planMonai } from './from-monai.ts'
import { isNnunetFolder, planNnunet } from './from-nnunet.ts'
import { planOnnx } from './from-onnx.ts'
import type { Plan } from './plan.ts'
import type { Answers } from './question.ts'
import { slug } from './question.ts'

/** An ONNX file alone, or a folder with a bundle. */
export interface ImportSource {
  folder: string
  file: string | null
}

/**
 * Makes a plan of what files say and somebody answers.
 * @throws {ImportError} `not-importable` where nothing is there that can be imported, `bad-answer`
 */
export async function planImport(
  { folder, file }: ImportSource,
  options: { name: string; answers: Answers; kind: string | undefined },
): Promise<Plan> {
  if (file !== null) return await planOnnx(file, options)
  if (await bundleFiles(folder)) return await planMonai(folder, options)
  if (await isNnunetFolder(folder)) return await planNnunet(folder, options)
  throw new ImportError(
    'not-importable',
    `${folder}: configs/metadata.json (a MONAI bundle), or plans.json and dataset.json (nnU-Net v2) are expected; or name an ONNX file`,
  )
}

/**
 * An ONNX file alone, or a folder: also one that a file of it names.
 * @throws {ImportError} `no-model`
 */
export async function sourceOf(source: string): Promise<ImportSource> {
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

/** A name for the pipeline that a source becomes. */
export function suggestedName({ folder, file }: ImportSource): string {
  return slug(path.basename(path.resolve(file ?? folder)).replace(/\.onnx$/i, ''), 'model')
}

/** Holds a pipeline's folder against its manifest, and its models against what the manifest says of them. */
export async function checkFolder(folder: string): Promise<{ pipeline: Pipeline | null; problems: string[] }> {
  const { pipeline, problems, incomplete } = await loadPipeline(folder)
  const faults = pipeline ? await checkModels(pipeline) : []
  return {
    pipeline,
    problems: [...problems, ...incomplete, ...faults.map(({ path: at, message }) => `${at.join('.')}: ${message}`)],
  }
}
