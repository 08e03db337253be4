import type { Model, ModelContext } from './model.ts'
import { openOnnx } from './onnx.ts'
import type { ModelOptions } from './options.ts'

/**
 * Opens a model with the runtime that its options name.
 * @throws {InferError} `no-provider`, `model-failed`, `model-unreachable`, `model-deadline`
 */
export async function openModel(options: ModelOptions, context: ModelContext): Promise<Model> {
  switch (options.runtime) {
    case 'onnx':
      return await openOnnx(options, context)
    case 'open-inference':
      // What speaks to servers takes longer to load than most of the rest together.
      return await (await import('./open-inference.ts')).openOpenInference(options, context)
    case 'command':
      return await (await import('./command.ts')).openCommand(options, context)
  }
}
