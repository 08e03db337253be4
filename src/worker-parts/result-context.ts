import type { OutputName, ResultContext } from '../encode/encoding-input.ts'
import type { InferredOutput } from '../infer/inference.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import type { InferTask } from '../infer/task.ts'

/** What every result object of a task needs, for an output's source. */
export function resultContext(
  task: Pick<InferTask, 'studyInstanceUID' | 'revision' | 'at' | 'predecessors'>,
  pipeline: Pipeline,
  { source, furtherInputs }: Pick<InferredOutput, 'source' | 'furtherInputs'>,
  urgent?: ResultContext['urgent'],
): ResultContext {
  const { name, version, digest, title, manufacturer, family, demonstrator } = pipeline
  return {
    studyInstanceUID: task.studyInstanceUID,
    revision: task.revision,
    at: task.at,
    predecessors: task.predecessors,
    algorithm: { name, version, digest, title, manufacturer, family, demonstrator },
    source,
    furtherInputs,
    urgent,
  }
}

/** The name of an output among those of its kind; none where it has no id: the results of a pipeline with one of a kind need none. */
export function outputName({ output, ordinal }: Pick<InferredOutput, 'output' | 'ordinal'>): OutputName | undefined {
  const { id, title, kind } = output
  return id === undefined && title === undefined ? undefined : { id: id ?? kind, ordinal, title }
}
