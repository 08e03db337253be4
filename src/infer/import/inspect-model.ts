import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { messageOf } from '../../errors.ts'
import type { TensorInfo } from '../runtime/model.ts'
import { openModel } from '../runtime/open-model.ts'
import { ImportError } from './error.ts'
import type { PlanModel } from './plan.ts'

/** What an ONNX file says of its inputs and outputs. */
export interface ModelTensors {
  inputs: readonly TensorInfo[]
  outputs: readonly TensorInfo[]
}

/** Opens an ONNX file on the CPU to see what it takes and gives. @throws {ImportError} `no-model` */
export async function inspectModel(file: string): Promise<ModelTensors> {
  const folder = path.dirname(path.resolve(file))
  try {
    const model = await openModel(
      {
        runtime: 'onnx',
        file: path.basename(file),
        sha256: '0'.repeat(64),
        providers: ['cpu'],
        onMissingProvider: 'fallback',
      },
      { folder, providers: ['cpu'], threads: 1, temporaryFolder: folder },
    )
    await model.close()
    return { inputs: model.inputs ?? [], outputs: model.outputs ?? [] }
  } catch (error) {
    throw new ImportError('no-model', `${file}: ${messageOf(error)}`, { cause: error })
  }
}

/** ONNX files in folders, sorted by their path; folders that are not there have none. */
export async function onnxFilesIn(folders: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const folder of folders) {
    const names = await readdir(folder).catch((): string[] => [])
    found.push(...names.filter((name) => /\.onnx$/i.test(name)).map((name) => path.join(folder, name)))
  }
  return found.sort()
}

/**
 * Models as they will lie in the pipeline's folder: `model.onnx`, or `model-1.onnx` and further. Files of external data keep their names, because
 * models refer to them.
 */
export async function planModels(files: readonly string[]): Promise<PlanModel[]> {
  const models: PlanModel[] = []
  for (const [index, file] of files.entries()) {
    const stem = path.basename(file).replace(/\.onnx$/i, '')
    const beside = await readdir(path.dirname(path.resolve(file)))
    const isData = (name: string): boolean =>
      [`${stem}.onnx.data`, `${stem}.onnx_data`, `${stem}.data`, `${stem}_data`].includes(name)
    models.push({
      source: file,
      name: files.length === 1 ? 'model.onnx' : `model-${index + 1}.onnx`,
      data: beside.filter(isData).map((name) => ({ source: path.join(path.dirname(file), name), name })),
    })
  }
  const data = models.flatMap((model) => model.data.map(({ name }) => name))
  if (new Set(data).size < data.length)
    throw new ImportError(
      'not-importable',
      `${data.join(', ')}: several models refer to files of the same name: save each as one file`,
    )
  return models
}
