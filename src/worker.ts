import { writeFileSync } from 'node:fs'
import { HilumError } from './errors.ts'
import { loadPipeline, type Pipeline } from './infer/load-pipelines.ts'
import type { InferTask, WorkerMessage } from './infer/task.ts'
import { runTask } from './worker-parts/run-task.ts'

let busy = false
preferredWhenMemoryEnds()
process.on('message', (task: InferTask) => void takeTask(task))
// Whoever started this process is gone: nobody waits for the result, and the job will be run again.
process.on('disconnect', () => process.exit(0))
// ONNX Runtime's library takes most of the start; a worker that is ready has it.
await import('onnxruntime-node')
send({ kind: 'ready' })

/** Where the machine has no memory left, the kernel ends this process, not the one that receives; a job can be run again. */
function preferredWhenMemoryEnds(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '800')
  } catch {
    // Not on this system.
  }
}

async function takeTask(task: InferTask): Promise<void> {
  if (busy) throw new Error('a worker takes one task at a time')
  busy = true
  const outcome = await runTask(
    task,
    () => pipelineOf(task),
    (stage, fraction) => send({ kind: 'progress', jobId: task.jobId, stage, fraction }),
  )
  busy = false
  send({ kind: 'outcome', jobId: task.jobId, outcome, rss: process.memoryUsage.rss() })
}

function send(message: WorkerMessage): void {
  if (process.connected) process.send?.(message)
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
