import { createLog, type Log } from '../log.ts'
import { type RunningNode, startNode } from '../node.ts'
import { configOf, print, readArguments } from './arguments.ts'

const usage = `hilum start [--config FILE]

Starts the node, and prints one line "hilum ready dimse=PORT http=PORT" when its listeners accept; dimse-tls=PORT and hl7=PORT
follow where those are configured.
  --config FILE   the configuration file (default: config/hilum.yaml)

SIGTERM or SIGINT stops it: what is in flight is finished or parked. A second signal ends it at once; nothing that was
acknowledged is lost by that either.`

/** `hilum start`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {})
  if (!parsed) return 0
  const config = configOf(parsed.values)
  const log = createLog(config.log.level)
  const stopped = untilSignal(log)
  const node = await startNode(config, { log })
  if (node.firstPassword) {
    print(
      `Administrator "admin" was created; its one-time password is ${node.firstPassword} (it has to be changed at the first login).`,
    )
  }
  const further = Object.entries(node.furtherPorts).map(([name, port]) => ` ${name}=${port}`)
  print(`hilum ready dimse=${node.dimsePort} http=${node.httpPort}${further.join('')}`)
  const failed = await Promise.race([stopped.then(() => null), endOf(node)])
  if (failed) log.error('the node has ended by itself', { reason: failed })
  await node.stop()
  log.info('stopped')
  const code = failed ? 1 : 0
  // Everything is durable by now; a handle that somebody forgot must not keep the process.
  setTimeout(() => process.exit(code), 3000).unref()
  return code
}

/** The first signal resolves; the second ends the process at once. */
function untilSignal(log: Log): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0
    const onSignal = (signal: NodeJS.Signals): void => {
      signals++
      if (signals > 1) process.exit(signal === 'SIGINT' ? 130 : 143)
      log.info('stopping', { signal })
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

/** Resolves with the reason when the node ends without having been told to. */
function endOf(node: RunningNode): Promise<string> {
  return node.stopped.then(
    () => 'stopped',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}
