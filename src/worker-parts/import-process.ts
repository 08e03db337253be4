import { messageOf } from '../errors.ts'
import { type ImportTask, runImport } from './import-task.ts'

/** A process that looks at one uploaded model, and ends: what a model does to ONNX Runtime does not concern the node. */
process.once('message', (task: ImportTask) => {
  runImport(task).then(
    (outcome) => send({ outcome }),
    (error: unknown) => send({ error: messageOf(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

function send(message: object): void {
  process.send?.(message, () => process.exit(0))
}
