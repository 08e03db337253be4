import { openCommand } from './command.ts'
import type { Model, ModelContext } from './model.ts'
import { openOnnx } from './onnx.ts'
import { openOpenInference } from './open-inference.ts'
import type { ModelOptions } from './options.ts'

/**
 * Opens a model with the runtime that its options name.
 * @throws {InferError} `no-provider`, `model-failed`, `model-unreachable`, `model-deadline`
 */
export function openModel(options: ModelOptions, context: ModelContext): Promise<Model> {
  switch (options.runtime) {
    case 'onnx':
      return openOnnx(options, context)
    case 'open-inference':
      return openOpenInference(options, context)
    case 'command':
      return openCommand(options, context)
  }
}
