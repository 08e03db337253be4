/**
 * The receiving process: talks DICOM and writes to disk, apart from the index and HTTP, so that neither holds up the other.
 * Started with an IPC channel and its options in `HILUM_RECEIVER`; see receiver-process.ts.
 */
import { messageOf } from '../errors.ts'
import type { ReceiverCommand, ReceiverEvent } from './received.ts'
import type { ReceiverOptions } from './receiver-options.ts'
import { Reception } from './reception.ts'

function emit(event: ReceiverEvent): void {
  // A node that is gone finds what was received in the incoming folder when it comes back.
  if (process.connected) process.send?.(event, undefined, undefined, () => undefined)
}

async function main(): Promise<void> {
  const options = JSON.parse(process.env.HILUM_RECEIVER ?? '') as ReceiverOptions
  const reception = new Reception(options, emit)
  process.on('message', (command: ReceiverCommand) => void reception.command(command))
  process.on('disconnect', () => {
    reception.nodeLost()
    // Nothing more is acknowledged: a new node may have looked through the incoming folder by then, and would not look again.
    void reception.drain(0, 0).finally(() => process.exit(0))
  })
  // A terminal's Ctrl-C reaches every process of the group: the node decides when this one ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
  await reception.start()
}

main().catch((error: unknown) => {
  process.stderr.write(`the receiver could not start: ${messageOf(error)}\n`)
  process.exit(1)
})
