/** One inference job, as the node hands it to a worker process. Paths only: the worker reads and decodes for itself. */
export interface InferTask {
  jobId: string
  /** ISO 8601 UTC; the date and time of every result, so that a repeated job writes the same bytes. */
  at: string
  pipelineFolder: string
  /** `sha256:…` over the manifest and the model: what decides the result. */
  pipelineDigest: string
  studyInstanceUID: string
  revision: number
  /** Input name of the pipeline to the series that the route selected for it. */
  inputs: Record<string, { seriesInstanceUID: string; files: string[] }>
  /** The newest earlier revision's results of the same pipeline, by role: what the new ones supersede. */
  predecessors: { role: string; sopClassUID: string; sopInstanceUID: string; seriesInstanceUID: string }[]
  /** An existing empty folder; the worker writes its result files here. */
  outFolder: string
  /** Execution providers in order of preference; `cpu` is always there. */
  providers: string[]
  threads: number
}

export interface WrittenResult {
  role: string
  /** File name inside `outFolder`: a whole Part 10 file, synced. */
  file: string
  size: number
  sha256: string
  sopClassUID: string
  sopInstanceUID: string
  seriesInstanceUID: string
  modality: string
  supersedes: string | null
}

export interface FoundValue {
  name: string
  value: number
  /** UCUM. */
  unit: string
  /** `scheme:value` of the concept. */
  code: string
  /** `scheme:value` of the anatomy, or null where the value speaks of the whole input. */
  site: string | null
}

/** How a job ended. `refused` is the pipeline's own judgement: the input is outside its declared limits. */
export type InferOutcome =
  | { kind: 'done'; provider: string; results: WrittenResult[]; findings: FoundValue[]; log: string[] }
  | { kind: 'refused'; reason: string; log: string[] }
  | { kind: 'failed'; code: string; reason: string; retry: 'transient' | 'permanent'; log: string[] }

/** What a worker process says over its IPC channel. */
export type WorkerMessage =
  | { kind: 'ready' }
  | { kind: 'progress'; jobId: string; stage: string; fraction: number }
  | { kind: 'outcome'; jobId: string; outcome: InferOutcome; rss: number }
