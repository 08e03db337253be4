import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import type { EncodedObject } from './encode/encoded.ts'
import type { EncodingInput } from './encode/encoding-input.ts'
import { encodeResults } from './encode/results.ts'
import { HilumError } from './errors.ts'
import type { Inference } from './infer/inference.ts'
import { loadPipeline, type Pipeline } from './infer/load-pipelines.ts'
import { runPipeline } from './infer/run-pipeline.ts'
import type { FoundValue, InferOutcome, InferTask, WorkerMessage, WrittenResult } from './infer/task.ts'

/** Written at once; frames alone would make thousands of small writes. */
const writeBytes = 1024 * 1024

/** Of the work, what inference is; the rest is encoding. */
const inferFraction = 0.9

let busy = false
process.on('message', (task: InferTask) => void takeTask(task))
// Whoever started this process is gone: nobody waits for the result, and the job will be run again.
process.on('disconnect', () => process.exit(0))
// ONNX Runtime's library takes most of the start; a worker that is ready has it.
await import('onnxruntime-node')
send({ kind: 'ready' })

async function takeTask(task: InferTask): Promise<void> {
  if (busy) throw new Error('a worker takes one task at a time')
  busy = true
  const outcome = await doTask(task)
  busy = false
  send({ kind: 'outcome', jobId: task.jobId, outcome, rss: process.memoryUsage.rss() })
}

function send(message: WorkerMessage): void {
  if (process.connected) process.send?.(message)
}

/** Runs a task to its end; whatever goes wrong becomes an outcome. */
async function doTask(task: InferTask): Promise<InferOutcome> {
  const log: string[] = []
  const progress = (stage: string, fraction: number): void =>
    send({ kind: 'progress', jobId: task.jobId, stage, fraction: fraction * inferFraction })
  try {
    const pipeline = await pipelineOf(task)
    const inference = await runPipeline(task, pipeline, { onProgress: progress })
    log.push(...inference.log)
    if (inference.kind === 'refused') return { kind: 'refused', reason: inference.reason, log }
    send({ kind: 'progress', jobId: task.jobId, stage: 'encode', fraction: inferFraction })
    const results: WrittenResult[] = []
    for (const object of encodeResults(encodingInput(task, pipeline, inference)))
      results.push(await writeResult(object, task))
    return { kind: 'done', provider: inference.provider, results, findings: findingsOf(inference), log }
  } catch (error) {
    return failure(error, log)
  }
}

/** The pipeline that the job was decided for, and no other: its digest is part of what the results say about themselves. */
async function pipelineOf({ pipelineFolder, pipelineDigest }: InferTask): Promise<Pipeline> {
  const { pipeline, problems } = await loadPipeline(pipelineFolder)
  if (!pipeline) throw new HilumError('pipeline-unusable', problems.join('; '))
  if (pipeline.digest !== pipelineDigest)
    throw new HilumError(
      'pipeline-changed',
      `the files of pipeline ${pipeline.name} changed: digest ${pipeline.digest}, ${pipelineDigest} is expected`,
    )
  return pipeline
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

function encodingInput(task: InferTask, pipeline: Pipeline, inference: Inference): EncodingInput {
  return {
    studyInstanceUID: task.studyInstanceUID,
    revision: task.revision,
    at: task.at,
    predecessors: task.predecessors,
    algorithm: {
      name: pipeline.name,
      version: pipeline.version,
      digest: task.pipelineDigest,
      title: pipeline.title,
      manufacturer: pipeline.manufacturer,
      family: pipeline.family,
    },
    source: inference.source,
    segments: inference.segments,
    measurements: inference.measurements,
  }
}

function findingsOf({ measurements, segments }: Inference): FoundValue[] {
  return measurements
    .filter((m) => Number.isFinite(m.value))
    .map((m) => {
      const site = segments.find((s) => s.id === m.segment)?.definition.type ?? m.site
      return {
        name: m.name,
        value: m.value,
        unit: m.unit.value,
        code: `${m.code.scheme}:${m.code.value}`,
        site: site ? `${site.scheme}:${site.value}` : null,
      }
    })
}

/** Writes a result's chunks as they come, and syncs the file before it counts as written. */
async function writeResult(object: EncodedObject, { outFolder, predecessors }: InferTask): Promise<WrittenResult> {
  const file = `${object.role}.dcm`
  const handle = await open(path.join(outFolder, file), 'wx')
  try {
    const { size, sha256 } = await writeChunks(handle, object.chunks)
    await handle.sync()
    const supersedes = predecessors.find((p) => p.role === object.role && p.sopInstanceUID !== object.sopInstanceUID)
    return {
      role: object.role,
      file,
      size,
      sha256,
      sopClassUID: object.sopClassUID,
      sopInstanceUID: object.sopInstanceUID,
      seriesInstanceUID: object.seriesInstanceUID,
      modality: object.modality,
      supersedes: supersedes?.sopInstanceUID ?? null,
    }
  } finally {
    await handle.close()
  }
}

async function writeChunks(
  handle: FileHandle,
  chunks: Iterable<Uint8Array>,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256')
  let size = 0
  let waiting: Uint8Array[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    const block = Buffer.concat(waiting)
    hash.update(block)
    size += block.length
    // Unlike write(), this goes on until everything is written.
    await handle.appendFile(block)
    waiting = []
    bytes = 0
  }
  for (const chunk of chunks) {
    waiting.push(chunk)
    bytes += chunk.length
    if (bytes >= writeBytes) await flush()
  }
  await flush()
  return { size, sha256: hash.digest('hex') }
}
