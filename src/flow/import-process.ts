import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PipelineActError } from '../admin/api-pipelines.ts'
import { type ImportOutcome, type ImportTask, runImport } from '../worker-parts/import-task.ts'

/** The process's script; null where the program runs from its sources, which cannot be forked. */
const script = import.meta.url.endsWith('.js')
  ? fileURLToPath(new URL('../worker-parts/import-process.js', import.meta.url))
  : null
/** Models are large, and disks may be cold. */
const deadlineMs = 120_000

/**
 * Looks at an uploaded model in a process of its own.
 * @throws PipelineActError `not-importable` where the process ended without an answer
 */
export async function importInProcess(task: ImportTask): Promise<ImportOutcome> {
  if (script === null) return await runImport(task)
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return await new Promise<ImportOutcome>((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(late)
      child.kill('SIGKILL')
      reject(new PipelineActError('not-importable', why))
    }
    const late = setTimeout(() => fail(`the model could not be read within ${deadlineMs / 1000} s`), deadlineMs)
    child.once('message', (message: { outcome: ImportOutcome } | { error: string }) => {
      if ('error' in message) return fail(message.error)
      clearTimeout(late)
      resolve(message.outcome)
    })
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code, signal) => {
      clearTimeout(late)
      // After an answer this says nothing to anybody.
      reject(
        new PipelineActError(
          'not-importable',
          `reading the model ended the process that did it (${signal ?? `exit code ${code}`})`,
        ),
      )
    })
    child.send(task)
  })
}
