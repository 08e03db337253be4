import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ReceiverAnswer, ReceiverQuestion } from './questions.ts'
import type { ReceiverCommand, ReceiverEvent, Sender } from './received.ts'
import type { AdmittedRemote, ReceiverOptions } from './receiver-options.ts'

/** Events that the node acts on; the process's log lines and the steps of its life are taken care of here. */
export type ReceptionEvent = Exclude<ReceiverEvent, { kind: 'log' | 'drained' | 'listening' | 'question' }>

export interface ReceiverProcessDependencies {
  log: Log
  onEvent(event: ReceptionEvent): void
  /** Answers what the process asks; without it every question is answered by a failure. */
  onQuestion?(question: ReceiverQuestion): Promise<ReceiverAnswer>
  /**
   * The process ended on its own and is started again. What it had on disk and not told yet lies in the incoming folder; the
   * ends of its associations have been told as lost.
   */
  onLost(): void
  /** The program; the built one beside this file by default. */
  entry?: string
}

const firstRestartMs = 200
const longestRestartMs = 10_000
/** ms after which a process counts as healthy, and the next restart is quick again. */
const healthyMs = 60_000
/** ms beyond the grace within which a draining process has to end. */
const drainMs = 10_000
/**
 * How much of a function's code has to run before V8 optimises it, in bytes; by default a fifteenth of it. What a burst of some thousand
 * instances saves by optimised code is less than what the optimising costs; in a longer one it comes soon enough.
 */
const interruptBudget = '--interrupt-budget=2000000'
/** Parallel syncs: the file system commits them together, so more of them wait for one commit. */
const syncThreads = '16'

/** The node's side of the receiving process: starts it, starts it again when it ends, and hands its events on. */
export class ReceiverProcess {
  #options: ReceiverOptions
  readonly #dependencies: ReceiverProcessDependencies
  readonly #open = new Map<string, Sender>()
  #child: ChildProcess | null = null
  #port: number
  #tlsPort: number | null = null
  #stopping = false
  #restartMs = firstRestartMs
  #restart: NodeJS.Timeout | undefined
  #onDrained: (() => void) | null = null
  #startedAt: string | null = null
  #starts = 0

  constructor(options: ReceiverOptions, dependencies: ReceiverProcessDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.#port = options.port
  }

  /** The port listened on; a process that is started again keeps it. */
  get port(): number {
    return this.#port
  }

  /** The port of the listener with TLS; null where there is none. */
  get tlsPort(): number | null {
    return this.#tlsPort
  }

  /** Id of the process while one runs. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** When the process that runs was started (ISO 8601 UTC), and how many there were before it. */
  get life(): { startedAt: string | null; restarts: number } {
    return { startedAt: this.#child ? this.#startedAt : null, restarts: Math.max(0, this.#starts - 1) }
  }

  /**
   * Starts the process.
   * @returns the port, once it listens
   * @throws {HilumError} `receiver-start-failed` when it ends before that; it is not started again then
   */
  async start(): Promise<number> {
    await this.#spawn()
    return this.#port
  }

  /** Says that so many of the received instances are indexed. */
  indexed(instances: number): void {
    this.#send({ kind: 'indexed', instances })
  }

  /** Says who may call from now on; a process that is started again knows it, too. */
  admit(remotes: AdmittedRemote[]): void {
    this.#options = { ...this.#options, remotes }
    this.#send({ kind: 'remotes', remotes, unknownCallers: this.#options.unknownCallers })
  }

  /** Ends the process in order: open associations may go on for `graceMs`, then every event has been handed on. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restart)
    const child = this.#child
    if (child === null) return
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs + drainMs)
    this.#send({ kind: 'drain', graceMs })
    await Promise.race([drained, exited])
    if (child.connected) child.disconnect()
    await exited
    clearTimeout(timer)
  }

  #send(command: ReceiverCommand): void {
    // Without a process nothing waits to be told: a new one starts its counts at zero.
    if (this.#child?.connected) this.#child.send(command, () => undefined)
  }

  /** A process that is started again listens where the one before it did. */
  #tls(): Pick<ReceiverOptions, 'tls'> {
    const { tls } = this.#options
    return tls ? { tls: { ...tls, port: this.#tlsPort ?? tls.port } } : {}
  }

  #spawn(): Promise<void> {
    const entry = this.#dependencies.entry ?? fileURLToPath(new URL('./receiver.js', import.meta.url))
    const options: ReceiverOptions = { ...this.#options, port: this.#port, ...this.#tls() }
    const child = fork(entry, {
      env: { ...process.env, UV_THREADPOOL_SIZE: syncThreads, HILUM_RECEIVER: JSON.stringify(options) },
      execArgv: [...process.execArgv, interruptBudget],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child = child
    const startedAt = Date.now()
    this.#startedAt = new Date(startedAt).toISOString()
    this.#starts++
    return new Promise((resolve, reject) => {
      let listening = false
      child.on('message', (event: ReceiverEvent) => {
        if (event.kind === 'listening') {
          listening = true
          this.#port = event.port
          this.#tlsPort = event.tlsPort
          resolve()
        }
        if (event.kind === 'question') void this.#answer(child, event)
        else this.#onEvent(event)
      })
      const ended = (how: string): void => {
        if (this.#child !== child) return
        this.#child = null
        if (!listening)
          reject(new HilumError('receiver-start-failed', `the receiving process ended before it listened: ${how}`))
        this.#onEnded(how, { listening, ranMs: Date.now() - startedAt })
      }
      child.on('error', (error) => ended(error.message))
      child.on('exit', (code, signal) => {
        const how = signal ?? `exit code ${code}`
        // What the process sent last is read from the channel after its exit is known.
        if (child.connected) child.once('disconnect', () => ended(how))
        else ended(how)
      })
    })
  }

  /** The answer goes to the process that asked: one that was started since knows nothing of the question. */
  async #answer(child: ChildProcess, { id, question }: Extract<ReceiverEvent, { kind: 'question' }>): Promise<void> {
    const { log, onQuestion } = this.#dependencies
    let answer: ReceiverAnswer = { about: 'failure', status: 0x0110, comment: 'the node answers no questions' }
    try {
      if (onQuestion) answer = await onQuestion(question)
    } catch (error) {
      log.error('a question of the receiving process could not be answered', {
        about: question.about,
        reason: messageOf(error),
      })
      answer = { about: 'failure', status: 0x0110, comment: 'the node could not answer' }
    }
    if (child.connected) child.send({ kind: 'answer', id, answer } satisfies ReceiverCommand, () => undefined)
  }

  #onEvent(event: Exclude<ReceiverEvent, { kind: 'question' }>): void {
    const { log, onEvent } = this.#dependencies
    switch (event.kind) {
      case 'log':
        log[event.level](event.sentence, event.context)
        return
      case 'drained':
        this.#onDrained?.()
        return
      case 'listening':
        return
      case 'association-opened':
        this.#open.set(event.association, event.sender)
        break
      case 'association-closed':
        this.#open.delete(event.association)
        break
      case 'received':
      case 'quarantined':
      case 'journal-closed':
      case 'association-refused':
      case 'instance-refused':
      case 'counters':
        break
    }
    onEvent(event)
  }

  #onEnded(how: string, life: { listening: boolean; ranMs: number }): void {
    const at = new Date().toISOString()
    for (const [association, sender] of this.#open)
      this.#dependencies.onEvent({ kind: 'association-closed', association, sender, at, how: 'lost' })
    this.#open.clear()
    if (this.#stopping) return
    if (life.listening) {
      this.#dependencies.log.error('the receiving process ended and is started again', {
        how,
        restartMs: this.#restartMs,
      })
      this.#dependencies.onLost()
      if (life.ranMs > healthyMs) this.#restartMs = firstRestartMs
      this.#scheduleRestart()
    }
  }

  #scheduleRestart(): void {
    this.#restart = setTimeout(() => {
      this.#spawn().catch((error: HilumError) => {
        this.#dependencies.log.error('the receiving process could not be started', { reason: error.message })
        if (!this.#stopping) this.#scheduleRestart()
      })
    }, this.#restartMs)
    this.#restartMs = Math.min(longestRestartMs, this.#restartMs * 2)
  }
}
