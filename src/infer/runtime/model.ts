import type { Tensor, TensorType } from './tensor.ts'

/** What a model says of one of its inputs or outputs. */
export interface TensorInfo {
  name: string
  /** Null where the model does not say, or its type is none that is supported (then `run` fails). */
  type: TensorType | null
  /** Slowest first; a text or null is a dimension that the model leaves open. Null: the model says nothing of its dimensions. */
  dims: readonly (number | string | null)[] | null
}

/** A model that can run: in this process, on a server, or as a program. */
export interface Model {
  /** What runs it, for the record: `onnx cuda`, `open-inference triton-1`, `command`. */
  readonly provider: string
  /** What was fallen back to, what could not be secured: sentences for the job's record, without patient data. */
  readonly notes: readonly string[]
  /** Null where nobody knows before it runs. */
  readonly inputs: readonly TensorInfo[] | null
  readonly outputs: readonly TensorInfo[] | null
  /**
   * Runs it once. What is given is not changed, nor kept: the next run may be given the same memory. What comes back belongs to the caller. Runs of one model do not overlap.
   * @param feeds by the names of the inputs
   * @param wanted names of the outputs
   * @throws {InferError} `wrong-shape` where names, types or dimensions are not the model's; `model-failed`; `model-unreachable` (transient);
   * `model-deadline`
   */
  run(feeds: Readonly<Record<string, Tensor>>, wanted: readonly string[]): Promise<Record<string, Tensor>>
  close(): Promise<void>
}

/** An inference server, as the node's configuration knows it by its name. */
export interface InferenceServer {
  name: string
  /** `https://host:port` with an optional path; for gRPC `https://host:port` or `http://host:port`. */
  url: string
  /** A header of every request, as `authorization: Bearer …`. */
  headers?: Readonly<Record<string, string>>
  tls?: {
    /** PEM of the authorities that are trusted in place of the system's. */
    ca?: string
    /** PEM of the client's certificate and key. */
    certificate?: string
    key?: string
  }
  /** Seconds; the lesser of this and the pipeline's deadline counts. */
  deadlineSeconds?: number
  /** Bytes of a request or an answer; 2 GiB - 1 when absent. */
  maximumBytes?: number
}

/** What models need of the node that they run on. */
export interface ModelContext {
  /** Absolute path of the pipeline's folder. */
  folder: string
  /** Execution providers of the node's configuration, in order of preference; `cpu` is appended. */
  providers: readonly string[]
  threads: number
  /** It will be run many times on tensors of the same size: what a run needs is then kept for the next one. */
  sameSizes?: boolean
  /** An existing folder for what must not outlive the job. */
  temporaryFolder: string
  /** Undefined where the configuration has none of the name. */
  serverOf?(name: string): InferenceServer | undefined
  /** Files of the instances of an input, for programs that want them. */
  instancesOf?(input: string): readonly string[]
  /** Where DICOM objects that a program returns are put, with their identity restored; left out, they are not taken. */
  returnsFolder?: string | undefined
  /** What a program wrote to its standard streams, bounded; it may hold anything, so that it belongs in no record. */
  onProgramOutput?(output: { stream: 'stdout' | 'stderr'; text: string }): void
  signal?: AbortSignal
}
