import type { Grid } from '../image.ts'
import type { InferenceManifest } from '../manifest/inference.ts'
import { occlusionMap } from '../runner/occlusion.ts'
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
    for (const options of entry.model) models.push(await openModel(options, contextOf(run, entry)))
    for (const { provider, notes } of models) {
      run.log.push(...notes, `${entry.name} ran on ${nameOf(provider)}`)
      run.providers.push(nameOf(provider))
    }
    const context = {
      valueOf: (name: string) => run.values.get(name).value,
      models,
      sourceGrid: sourceGridOf(entry, run),
    }
    const { occlusion } = entry
    const isExplained = occlusion && run.plan.uses.has(occlusion.value)
    const own = isExplained ? 0.02 : 1
    const values = await runModels(entry, { ...context, onProgress: (part) => progress(own * part) })
    if (!isExplained) return values
    const onProgress = (part: number): void => progress(own + (1 - own) * part)
    return new Map([...values, ...(await occlusionMap(entry, occlusion, { ...context, onProgress }))])
  } catch (error) {
    throw located(error, `infer ${entry.name}`)
  } finally {
    for (const model of models) await model.close()
  }
}

/** Grid of the images that the entry's values are made of. */
function sourceGridOf(entry: InferenceManifest, { plan, opened }: Run): Grid | undefined {
  const [output] = Object.values(entry.outputs).flat()
  return opened.get(plan.origins.get(output?.value ?? '') ?? '')?.grid
}

/** ONNX Runtime's providers go by their own names. */
function nameOf(provider: string): string {
  return provider.replace(/^onnx /, '')
}

function contextOf(run: Run, { run: { kind } }: InferenceManifest): ModelContext {
  const { task, pipeline, temporaryFolder, models } = run
  const { servers } = task
  return {
    ...models,
    folder: pipeline.folder,
    providers: task.providers,
    threads: task.threads,
    sameSizes: kind === 'slices' || kind === 'slabs' || kind === 'sliding-window',
    temporaryFolder,
    serverOf: (name) => servers?.find((server) => server.name === name),
    instancesOf: (input) => {
      const given = task.inputs[input]
      return given ? [given, ...(given.further ?? [])].flatMap(({ files }) => files) : []
    },
  }
}
