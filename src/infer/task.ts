import type { InferenceServer } from './runtime/model.ts'
import type { UrgentRule } from './urgent.ts'

/** A series that the route selected. Paths only. */
export interface TaskSeries {
  seriesInstanceUID: string
  files: string[]
  /** The study that it belongs to, where that is not the task's: an earlier one. */
  studyInstanceUID?: string | undefined
}

/** What a route selected for an input of a pipeline. */
export interface TaskInput extends TaskSeries {
  /** Further series that belong to it: the phases of a sequence that is split into series. */
  further?: TaskSeries[] | undefined
}

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
  inputs: Record<string, TaskInput>
  /** Ids or kinds of the outputs that are wanted, as the route chooses; left out: all. */
  outputs?: string[] | undefined
  /** The newest earlier revision's results of the same pipeline, by role: what the new ones supersede. */
  predecessors: { role: string; sopClassUID: string; sopInstanceUID: string; seriesInstanceUID: string }[]
  /** An existing empty folder; the worker writes its result files here. */
  outFolder: string
  /** Execution providers in order of preference; `cpu` is always there. */
  providers: string[]
  /** The inference servers of the node's configuration; left out: none. */
  servers?: InferenceServer[] | undefined
  threads: number
  /** Which findings are critical, by the route; left out: none. */
  urgent?: UrgentRule[] | undefined
}

export interface WrittenResult {
  role: string
  /** Id of the output that it is of, or its kind where it has no id. */
  output: string
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

/** A result that is no DICOM object: for export. */
export interface WrittenFile {
  role: string
  output: string
  /** File name inside `outFolder`. */
  file: string
  mediaType: string
  size: number
  sha256: string
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
  | {
      kind: 'done'
      provider: string
      results: WrittenResult[]
      files: WrittenFile[]
      findings: FoundValue[]
      log: string[]
    }
  | { kind: 'refused'; reason: string; log: string[] }
  | { kind: 'failed'; code: string; reason: string; retry: 'transient' | 'permanent'; log: string[] }

/** What a worker process says over its IPC channel. */
export type WorkerMessage =
  | { kind: 'ready' }
  | { kind: 'progress'; jobId: string; stage: string; fraction: number }
  | { kind: 'outcome'; jobId: string; outcome: InferOutcome; rss: number }
