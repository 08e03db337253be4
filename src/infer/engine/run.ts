import type { Pipeline } from '../manifest/pipeline.ts'
import type { StepTables } from '../manifest/value-graph.ts'
import type { OpenedInput } from '../read/opened-input.ts'
import type { ReadSegmentation } from '../read/segmentation.ts'
import type { ModelContext } from '../runtime/model.ts'
import type { InferTask } from '../task.ts'
import type { Plan } from './plan.ts'
import type { ValueStore } from './value-store.ts'

/** What a task must say for its pipeline to be run. */
export type RunTask = Pick<InferTask, 'inputs' | 'providers' | 'threads'> &
  Partial<Pick<InferTask, 'outputs' | 'outFolder' | 'studyInstanceUID' | 'servers'>>

/** What models may ask of whoever runs a pipeline, beyond its task. */
export type RunModels = Pick<ModelContext, 'returnsFolder' | 'onProgramOutput' | 'signal'>

/** One run of a pipeline: what was opened, what is held, what was said. */
export interface Run {
  task: RunTask
  pipeline: Pipeline
  tables: StepTables
  plan: Plan
  /** Inputs of images by their names; an absent one is missing. */
  opened: Map<string, OpenedInput>
  /** Segmentations that are inputs, once read. */
  arrived: Map<string, ReadSegmentation>
  values: ValueStore
  /** Execution providers and servers that ran, in order. */
  providers: string[]
  /** An existing folder for what must not outlive the run. */
  temporaryFolder: string
  models: RunModels
  /** Sentences for the job's record, without patient data. */
  log: string[]
}
