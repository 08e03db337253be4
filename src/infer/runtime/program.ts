import { type ChildProcess, spawn } from 'node:child_process'
import { lstat, readdir } from 'node:fs/promises'
import path from 'node:path'
import { InferError } from '../error.ts'
import { canLimitMemory, endingWithParent, isolation } from './isolation.ts'
import { residentMemory } from './process-tree.ts'

export interface Program {
  /** Program and arguments. */
  command: readonly string[]
  /** Its working folder. */
  folder: string
  /** All that it finds in its environment. */
  environment: Readonly<Record<string, string>>
  /** Milliseconds. */
  deadline: number
  /** Bytes of it and all that it starts. */
  memory: number
  /** A folder whose files may have no more than so many bytes. */
  output: { folder: string; bytes: number }
  /** Is told the last part of what it wrote, whatever its end. */
  onOutput?: ((output: { stream: 'stdout' | 'stderr'; text: string }) => void) | undefined
  signal?: AbortSignal | undefined
}

/** Bytes of each standard stream that are kept. */
const keptBytes = 64 * 1024
/** Between two looks at a program's memory and output, milliseconds. */
const watchInterval = 100

/**
 * Runs a program in its own process group (and its own namespaces, where the machine permits: then without a network), with nothing of this process's
 * environment, within limits of time, memory and output. Whatever the end, everything that it started is killed.
 * @throws {InferError} `model-deadline`; `model-failed` when it cannot be started, ends with an error, is killed, or takes too much. The
 * message holds nothing that the program wrote.
 */
export async function runProgram(program: Program): Promise<void> {
  const { prefix } = await isolation()
  const limit = (await canLimitMemory()) ? ['prlimit', `--data=${program.memory}`, '--core=0', '--'] : []
  const [file, ...args] = [...(await endingWithParent()), ...prefix, ...limit, ...program.command] as [
    string,
    ...string[],
  ]
  const child = spawn(file, args, {
    cwd: program.folder,
    env: program.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, which can be killed as one.
    detached: true,
  })
  const [stdout, stderr] = [kept(child.stdout), kept(child.stderr)]
  const ended = ending(child)
  const watch = watching(program, child)
  try {
    const reason = await Promise.race([ended, watch.exceeded])
    if (reason) throw new InferError(reason.code, reason.message + hintOf(stderr(), program))
  } finally {
    watch.stop()
    kill(child)
    await ended
    program.onOutput?.({ stream: 'stdout', text: stdout() })
    program.onOutput?.({ stream: 'stderr', text: stderr() })
  }
}

interface Reason {
  code: 'model-failed' | 'model-deadline'
  message: string
}

/** Words of those languages' and libraries' own that say what a program lacked; what else it wrote may hold anything. */
const lacks = {
  memory: /out of memory|bad_alloc|MemoryError|cannot allocate memory|allocation failed|ENOMEM/i,
  network: /ENETUNREACH|network is unreachable|EAI_AGAIN|temporary failure in name resolution/i,
} as const

/** Why a program may have ended as it did, as far as its last words tell; nothing of them is in it. */
function hintOf(stderr: string, { memory }: Program): string {
  if (lacks.memory.test(stderr))
    return `; it ran out of memory: at most ${Math.floor(memory / 2 ** 20)} MiB are allowed`
  return lacks.network.test(stderr) ? '; it asked for the network, and it has no network' : ''
}

/** Resolves with why it failed, or null. */
function ending(child: ChildProcess): Promise<Reason | null> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      const { code = 'unknown error' } = error as { code?: string }
      resolve({ code: 'model-failed', message: `the program cannot be started: ${code}` })
    })
    // Not `close`: what the program leaves behind holds its streams open.
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(null)
      else if (signal) resolve({ code: 'model-failed', message: `the program was ended by ${signal}` })
      else resolve({ code: 'model-failed', message: `the program ended with exit code ${code}` })
    })
  })
}

/** Looks after the deadline, the memory and the output; `exceeded` resolves when one of them is beyond its limit, and else never. */
function watching(program: Program, child: ChildProcess): { exceeded: Promise<Reason>; stop: () => void } {
  let resolve: (reason: Reason) => void
  const exceeded = new Promise<Reason>((done) => {
    resolve = done
  })
  const timeout = setTimeout(
    () => resolve({ code: 'model-deadline', message: `the program did not end within ${program.deadline / 1000} s` }),
    program.deadline,
  )
  const aborted = (): void => resolve({ code: 'model-failed', message: 'the program was ended with its job' })
  program.signal?.addEventListener('abort', aborted)
  let looking = false
  const look = async (): Promise<void> => {
    const { memory, output } = program
    const resident = child.pid === undefined ? 0 : await residentMemory(child.pid)
    if (resident > memory) resolve({ code: 'model-failed', message: beyond('memory', resident, memory) })
    const written = await folderBytes(output.folder, output.bytes)
    if (written > output.bytes) resolve({ code: 'model-failed', message: beyond('output', written, output.bytes) })
  }
  const interval = setInterval(() => {
    if (looking) return
    looking = true
    void look().finally(() => {
      looking = false
    })
  }, watchInterval)
  const stop = (): void => {
    clearTimeout(timeout)
    clearInterval(interval)
    program.signal?.removeEventListener('abort', aborted)
  }
  return { exceeded, stop }
}

function beyond(what: string, found: number, limit: number): string {
  return `the program has ${Math.ceil(found / 2 ** 20)} MiB of ${what}, at most ${Math.floor(limit / 2 ** 20)} MiB are allowed`
}

/** Bytes of all files of a folder; it stops counting above the limit. Links are not followed. */
export async function folderBytes(folder: string, limit: number): Promise<number> {
  let sum = 0
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const place = path.join(folder, entry.name)
    if (entry.isDirectory()) sum += await folderBytes(place, limit - sum)
    else
      sum += await lstat(place).then(
        (stat) => stat.size,
        () => 0,
      )
    if (sum > limit) break
  }
  return sum
}

/** Ends the process group; with a namespace of processes, also whatever left the group. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing is left of it.
  }
  child.stdout?.destroy()
  child.stderr?.destroy()
}

/** Reads a stream to its end, so that the program never waits, and keeps the last part. */
function kept(stream: NodeJS.ReadableStream): () => string {
  let last = Buffer.alloc(0)
  stream.on('error', () => {})
  stream.on('data', (chunk: Buffer) => {
    last = Buffer.concat([last, chunk]).subarray(-keptBytes)
  })
  return () => last.toString('utf8')
}
