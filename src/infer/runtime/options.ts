import * as z from 'zod'
import { fileName, name, sha256 } from '../manifest/vocabulary.ts'

/** Files of the pipeline's folder with their digests: they decide the result. */
const pinnedFiles = z.record(fileName, sha256)

/** Execution providers of ONNX Runtime. */
export const provider = z.enum(['tensorrt', 'cuda', 'webgpu', 'cpu'])

const onnx = z.strictObject({
  runtime: z.literal('onnx').default('onnx'),
  file: fileName,
  sha256,
  /** Further files that the model refers to (external data). */
  data: pinnedFiles.optional(),
  /** Execution providers in order of preference; left out, those of the node's configuration. */
  providers: z.array(provider).min(1).optional(),
  /**
   * What happens where the first provider cannot be used. `fallback`: the next one runs, at last the CPU, and the record says so; `refuse`: the job
   * fails with the reason.
   */
  onMissingProvider: z.enum(['fallback', 'refuse']).default('fallback'),
})

const openInference = z.strictObject({
  runtime: z.literal('open-inference'),
  /** Name of the inference server in the node's configuration: addresses and credentials are no part of a pipeline. */
  server: name,
  model: z.string().regex(/^[\w][\w.-]{0,127}$/, 'the name of a model on the server is expected'),
  version: z
    .string()
    .regex(/^[\w][\w.-]{0,63}$/, 'the version of a model on the server is expected')
    .optional(),
  protocol: z.enum(['http', 'grpc']).default('http'),
  /** One run ends after this many seconds, whether the server has answered or not; the server's configuration may say less. */
  deadlineSeconds: z.number().positive().max(3600).default(120),
})

const environmentName = z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'the name of an environment variable is expected')

const command = z.strictObject({
  runtime: z.literal('command'),
  /** Program and arguments; `{in}` and `{out}` stand for the folders, `{pipeline}` for the pipeline's own. */
  command: z.array(z.string().min(1)).min(1),
  /** Files of the pipeline's folder that the program is made of, with their digests. */
  files: pinnedFiles.default({}),
  /** How arrays are handed over: `nifti` where they have a place in space, or `npy`, each with a JSON file beside it that describes it. */
  format: z.enum(['nifti', 'npy']).default('nifti'),
  /** Inputs whose instances are handed over as well, de-identified, as `{in}/NAME/N.dcm`. */
  series: z.array(name).default([]),
  /** What of a series' identity stays (PS3.15 E.3): nothing unless it is named. */
  retain: z
    .array(
      z.enum([
        'full-dates',
        'modified-dates',
        'patient-characteristics',
        'device-identity',
        'institution-identity',
        'uids',
        'safe-private',
        'cleaned-descriptors',
      ]),
    )
    .default([]),
  /** Pixels are not cleaned: instances whose header says that they show who the patient is are refused, or passed on. */
  onIdentifyingPixels: z.enum(['refuse', 'pass']).default('refuse'),
  /** Environment variables that the program gets besides PATH, HOME, TMPDIR and LANG. Nothing of the node's own environment is passed on. */
  environment: z.record(environmentName, z.string()).default({}),
  /** Memory of the program and all that it starts, MiB. */
  memoryMb: z.int().min(16).default(4096),
  deadlineSeconds: z.number().positive().max(86_400).default(600),
  /** Bytes that the program may leave in its folder, MiB. */
  outputMb: z.int().min(1).default(4096),
  /** What happens where the machine cannot take the network away from a program: `refuse`, or `record` it and run. */
  onMissingIsolation: z.enum(['refuse', 'record']).default('refuse'),
})

/** Where a model runs. Without `runtime` it is an ONNX file. */
export const modelOptions = z.union([onnx, openInference, command])

export type ModelOptions = z.output<typeof modelOptions>
export type OnnxOptions = z.output<typeof onnx>
export type OpenInferenceOptions = z.output<typeof openInference>
export type CommandOptions = z.output<typeof command>
export type Provider = z.output<typeof provider>

/** The files of the pipeline's folder that a model is made of, with the SHA-256 that each must have. */
export function filesOf(options: ModelOptions): Record<string, string> {
  switch (options.runtime) {
    case 'onnx':
      return { [options.file]: options.sha256, ...options.data }
    case 'command':
      return options.files
    case 'open-inference':
      return {}
  }
}
