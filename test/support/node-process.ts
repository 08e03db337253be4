import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { repository } from './data.ts'

export const adminToken = 'a-token-for-tests-only'

/** What `GET /api/studies/{uid}` answers, as far as the tests look at it. */
export interface Timeline {
  state: string
  instances: number
  revision: number
  completion: { at: string; reason: string } | null
  arrivals: { from: string; seriesInstanceUID: string; instances: number; identical: number; replaced: number }[]
  decisions: {
    route: string
    matched: boolean
    because: Record<string, unknown>
    series: Record<string, string>
    reason: string
  }[]
  jobs: {
    id: string
    kind: string
    state: string
    refused: boolean
    error: string | null
    pipeline: string | null
    attempts: { ms: number | null; provider: string | null; error: string | null }[]
  }[]
  results: {
    sopInstanceUID: string
    seriesInstanceUID: string
    modality: string
    supersedes: string | null
    deliveries: { destination: string; state: string; proof: string | null }[]
  }[]
  findings: { name: string; value: number; unit: string; code: string; site: string | null }[]
  events: { kind: string; sentence: string }[]
}

/** A real node: `node dist/main.js start` on ports of its own and a folder of its own. */
export class NodeProcess {
  readonly dataDir: string
  readonly environment: Record<string, string>
  #child: ChildProcess | undefined
  #stderr = ''
  dimsePort = 0
  httpPort = 0
  /** The administrator's one-time password, as the first start printed it. */
  firstPassword = ''

  readonly #config: string | undefined

  /**
   * @param environment settings as HILUM_ variables
   * @param config a configuration file, instead of the default one
   */
  constructor(environment: Record<string, string> = {}, config?: string) {
    this.dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-test-'))
    this.environment = environment
    this.#config = config
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('the node is not running')
    return pid
  }

  get log(): string {
    return this.#stderr
  }

  /** Starts the node and waits for its `hilum ready` line; a restarted node keeps its ports. */
  async start(): Promise<this> {
    const child = spawn(
      process.execPath,
      ['dist/main.js', 'start', ...(this.#config ? ['--config', this.#config] : [])],
      {
        cwd: repository,
        detached: true, // a process group of its own, so that kill() ends the children too
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH ?? '',
          HOME: process.env.HOME ?? '',
          HILUM_DATADIR: this.dataDir,
          HILUM_DIMSE_HOST: '127.0.0.1',
          HILUM_DIMSE_PORT: String(this.dimsePort),
          HILUM_HTTP_PORT: String(this.httpPort),
          HILUM_ADMIN_TOKEN: adminToken,
          HILUM_RECEIVE_MINIMUMFREE: '1048576',
          ...this.environment,
        },
      },
    )
    this.#child = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-200_000)
    })
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    const ready = (async () => {
      for await (const line of lines) {
        this.firstPassword = /one-time password is (\S+)/.exec(line)?.[1] ?? this.firstPassword
        const found = /hilum ready dimse=(\d+) http=(\d+)/.exec(line)
        if (!found) continue
        this.dimsePort = Number(found[1])
        this.httpPort = Number(found[2])
        return
      }
      throw new Error(`the node ended before it was ready:\n${this.#stderr.slice(-4000)}`)
    })()
    await Promise.race([
      ready,
      sleep(60_000, undefined, { ref: false }).then(() => {
        throw new Error(`the node was not ready within 60 s:\n${this.#stderr.slice(-4000)}`)
      }),
    ])
    lines.resume()
    return this
  }

  /** SIGKILL, as a power switch would: to the whole process group, or to the main process alone. */
  async kill(what: 'group' | 'main' = 'group'): Promise<void> {
    const child = this.#child
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    process.kill(what === 'group' ? -child.pid : child.pid, 'SIGKILL')
    await exited
  }

  /** SIGTERM and the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = (await exited) as [number | null]
    return code
  }

  async dispose(): Promise<void> {
    await this.stop()
    if (this.#child?.pid) {
      try {
        process.kill(-this.#child.pid, 'SIGKILL')
      } catch {
        // the group is gone, as it should be
      }
    }
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** Tests block their event loop while outside programs run, and so miss that an idle connection was closed: one more try. */
  async fetch(where: string, init: RequestInit = {}): Promise<Response> {
    const request = (): Promise<Response> =>
      fetch(new URL(where, this.url), {
        ...init,
        headers: { authorization: `Bearer ${adminToken}`, ...(init.headers as Record<string, string> | undefined) },
      })
    return request().catch((error: unknown) => {
      if ((init.method ?? 'GET') !== 'GET') throw error
      return request()
    })
  }

  async json<T>(where: string): Promise<T> {
    const response = await this.fetch(where)
    if (!response.ok) throw new Error(`${where}: HTTP ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  /** The study's timeline, or null while the node does not know the study. */
  async timeline(studyInstanceUID: string): Promise<Timeline | null> {
    const response = await this.fetch(`/api/studies/${studyInstanceUID}`)
    if (response.status === 404) return null
    if (!response.ok) throw new Error(`timeline: HTTP ${response.status} ${await response.text()}`)
    return (await response.json()) as Timeline
  }

  /** Waits until the study's timeline satisfies a condition. */
  async until(
    studyInstanceUID: string,
    condition: (timeline: Timeline) => boolean,
    { seconds = 120, what = 'the expected state' } = {},
  ): Promise<Timeline> {
    const end = Date.now() + seconds * 1000
    let last: Timeline | null = null
    while (Date.now() < end) {
      last = await this.timeline(studyInstanceUID)
      if (last && condition(last)) return last
      await sleep(200)
    }
    throw new Error(
      `${what} was not reached within ${seconds} s; the timeline is ${JSON.stringify(last, null, 1)}\n${this.log.slice(-3000)}`,
    )
  }
}

/** True when everything that the study led to is over. */
export function isSettled(timeline: Timeline): boolean {
  return timeline.state === 'done' || timeline.state === 'failed'
}
