import * as z from 'zod'
import { occlusionOptions } from '../runner/occlusion.ts'
import { augmentOptions, combineOptions, runOptions, tensorInput, tensorOutput } from '../runner/options.ts'
import { modelOptions } from '../runtime/options.ts'
import { name } from './vocabulary.ts'

/** An entry of `infer`: one run of a model, or of an ensemble of models, on named values. */
export const inferenceSchema = z.strictObject({
  name,
  /** A model, or several with the same inputs and outputs: an ensemble. */
  model: z.union([modelOptions, z.array(modelOptions).min(1)]).transform((m) => [m].flat()),
  combine: combineOptions.default('mean'),
  /** By the name of the model's input. */
  inputs: z.record(z.string().min(1), tensorInput),
  run: runOptions.default({ kind: 'whole' }),
  augment: augmentOptions.optional(),
  /** By the name of the model's output. */
  outputs: z.record(z.string().min(1), tensorOutput),
  /** A map of what a classifier's answer depends on. */
  occlusion: occlusionOptions.optional(),
})
export type InferenceManifest = z.output<typeof inferenceSchema>
