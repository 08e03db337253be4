import { encodeOutput } from '../encode/outputs.ts'
import { HilumError } from '../errors.ts'
import type { RunModels } from '../infer/engine/run.ts'
import type { Inference } from '../infer/inference.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import { runPipeline } from '../infer/run-pipeline.ts'
import type { InferOutcome, InferTask, WrittenFile, WrittenResult } from '../infer/task.ts'
import { urgentOf } from '../infer/urgent.ts'
import { encoderOutput } from './encoder-output.ts'
import { foundValues } from './found-values.ts'
import { resultContext } from './result-context.ts'
import { returnedObjects, returnsFolder } from './returned-objects.ts'
import { writeExport, writeObject } from './write-result.ts'

/** Of the work, what inference is; the rest is encoding. */
const inferFraction = 0.9

/** Runs a task with its pipeline to its end, and writes its results into the task's folder; whatever goes wrong becomes an outcome. */
export async function runTask(
  task: InferTask,
  pipelineOf: () => Promise<Pipeline>,
  onProgress: (stage: string, fraction: number) => void = () => {},
  models: RunModels = {},
): Promise<InferOutcome> {
  const log: string[] = []
  try {
    const pipeline = await pipelineOf()
    const inference = await runPipeline(task, pipeline, {
      log,
      models: { ...models, returnsFolder: await returnsFolder(task, pipeline) },
      onProgress: (stage, fraction) => onProgress(stage, fraction * inferFraction),
    })
    if (inference.kind === 'refused') return { kind: 'refused', reason: inference.reason, log }
    const written = await write(inference, { task, pipeline, onProgress })
    const files = [...written.files, ...(await returnedObjects(task))]
    return { kind: 'done', provider: inference.provider, ...written, files, log }
  } catch (error) {
    return failure(error, log)
  }
}

interface Writing {
  task: InferTask
  pipeline: Pipeline
  onProgress: (stage: string, fraction: number) => void
}

async function write(
  inference: Inference,
  { task, pipeline, onProgress }: Writing,
): Promise<Pick<Extract<InferOutcome, { kind: 'done' }>, 'results' | 'files' | 'findings'>> {
  const results: WrittenResult[] = []
  const files: WrittenFile[] = []
  // Before the outputs: what they are made of goes while they are written.
  const findings = foundValues(inference, pipeline)
  const urgent = urgentOf(findings, task.urgent ?? []) ?? undefined
  const isWanted = ({ id, kind }: Pipeline['outputs'][number]): boolean =>
    task.outputs === undefined || task.outputs.includes(kind) || (id !== undefined && task.outputs.includes(id))
  const count = pipeline.outputs.filter(isWanted).length
  let done = 0
  for (const inferred of inference.outputs()) {
    onProgress('encode', inferFraction + (1 - inferFraction) * (done++ / count))
    const context = resultContext(task, pipeline, inferred, urgent)
    const encoding = encoderOutput(inferred, { pipeline, context, isWanted })
    const name = inferred.output.id ?? inferred.output.kind
    if (!encoding) {
      inference.log.push(`output ${name}: there is nothing to write`)
      continue
    }
    for (const result of encodeOutput(context, encoding))
      if (result.kind === 'object') results.push(await writeObject(result, name, task))
      else files.push(await writeExport(result, name, task))
  }
  return { results, files, findings }
}

/** Only messages that Hilum wrote itself are passed on: others may hold what they found in the data. */
function failure(error: unknown, log: string[]): InferOutcome {
  if (error instanceof HilumError && error.code === 'refused') return { kind: 'refused', reason: error.message, log }
  if (error instanceof HilumError)
    return {
      kind: 'failed',
      code: error.code,
      reason: error.message,
      retry: error.retry === 'permanent' ? 'permanent' : 'transient',
      log,
    }
  const { name, code } = error as { name?: string; code?: string }
  // A full disk and the like pass; the node tries again as often as it allows.
  if (code === 'ENOSPC' || code === 'EMFILE' || code === 'ENOMEM')
    return { kind: 'failed', code, reason: `the result could not be written: ${code}`, retry: 'transient', log }
  process.stderr.write(`${JSON.stringify({ level: 'error', message: 'inference failed', stack: framesOf(error) })}\n`)
  return {
    kind: 'failed',
    code: code ?? 'internal',
    reason: `internal error (${name ?? 'unknown'})`,
    retry: 'permanent',
    log,
  }
}

/** Where an error came from, without its message. */
function framesOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}
