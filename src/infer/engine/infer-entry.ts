import type { InferenceManifest } from '../manifest/inference.ts'
import { runModels } from '../runner/run-models.ts'
import type { Model, ModelContext } from '../runtime/model.ts'
import { openModel } from '../runtime/open-model.ts'
import type { Value } from '../value.ts'
import { located } from './located.ts'
import type { Run } from './run.ts'

/**
 * Opens the models of an entry, runs them, and closes them.
 * @returns the values that they give, by name
 * @throws {InferError} what the runtime and the runner throw, with the name of the entry before it
 */
export async function runEntry(
  entry: InferenceManifest,
  run: Run,
  progress: (fraction: number) => void,
): Promise<Map<string, Value>> {
  const models: Model[] = []
  try {
    for (const options of entry.model) models.push(await openModel(options, contextOf(run)))
    for (const { provider, notes } of models) {
      run.log.push(...notes, `${entry.name} ran on ${nameOf(provider)}`)
      run.providers.push(nameOf(provider))
    }
    return await runModels(entry, {
      valueOf: (name) => run.values.get(name).value,
      models,
      onProgress: progress,
    })
  } catch (error) {
    throw located(error, `infer ${entry.name}`)
  } finally {
    for (const model of models) await model.close()
  }
}

/** ONNX Runtime's providers go by their own names. */
function nameOf(provider: string): string {
  return provider.replace(/^onnx /, '')
}

function contextOf({ task, pipeline, temporaryFolder }: Run): ModelContext {
  const { servers } = task
  return {
    folder: pipeline.folder,
    providers: task.providers,
    threads: task.threads,
    temporaryFolder,
    serverOf: (name) => servers?.find((server) => server.name === name),
    instancesOf: (input) => {
      const given = task.inputs[input]
      return given ? [given, ...(given.further ?? [])].flatMap(({ files }) => files) : []
    },
  }
}
