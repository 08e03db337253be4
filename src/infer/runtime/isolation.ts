import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Programs and arguments that stand before a program, so that it runs without a network, and ends with all that it starts. */
export interface Isolation {
  prefix: readonly string[]
  /** What is missing: a sentence; null where nothing is. */
  missing: string | null
}

/** Own namespaces for the network and for processes: others, and their environment, are not seen; all ends with the first of them. */
const namespaces = ['--net', '--pid', '--fork', '--kill-child=KILL', '--mount-proc']

/** As root, and as somebody else, who needs a namespace of users for the others. */
const variants = [namespaces, ['--user', '--map-current-user', ...namespaces]]

let found: Promise<Isolation> | undefined

/** What this machine can do to take the network away from a program; it is tried once. */
export function isolation(): Promise<Isolation> {
  found ??= find()
  return found
}

async function find(): Promise<Isolation> {
  for (const variant of variants) {
    try {
      await run('unshare', [...variant, 'true'], { timeout: 10_000 })
      return { prefix: ['unshare', ...variant], missing: null }
    } catch {}
  }
  return { prefix: [], missing: 'the network cannot be taken away from programs (unshare --net is not permitted)' }
}

let tying: Promise<readonly string[]> | undefined

/** What stands before a program so that the kernel ends it with the process that started it (util-linux); nothing where that cannot be. */
export function endingWithParent(): Promise<readonly string[]> {
  const prefix = ['setpriv', '--pdeathsig', 'KILL', '--']
  tying ??= run('setpriv', [...prefix.slice(1), 'true'], { timeout: 10_000 }).then(
    () => prefix,
    () => [],
  )
  return tying
}

let limiting: Promise<boolean> | undefined

/** Whether the kernel can be told a limit for a program's memory (util-linux). */
export function canLimitMemory(): Promise<boolean> {
  limiting ??= run('prlimit', ['--data=1073741824', 'true'], { timeout: 10_000 }).then(
    () => true,
    () => false,
  )
  return limiting
}
