import type { BigIntStats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { FolderMemory } from './folder-memory.ts'
import { codeOf, type FolderPorts } from './folder-take.ts'
import { type FolderPace, type FolderSettings, type FolderStatus, FolderWatching } from './folder-watching.ts'

const defaultPace: FolderPace = { lookMs: 5_000, scanMs: 30_000, againMs: 30_000, maximumWaiting: 10_000 }

/**
 * Watches one folder. The system's events say where to look, and a scan now and then finds what they missed; a file is taken in once it has
 * been the same for the settling time.
 */
export class WatchedFolder {
  readonly #settings: FolderSettings
  readonly #ports: FolderPorts
  readonly #pace: FolderPace
  readonly #status: FolderStatus
  #state: FolderWatching | null = null
  #stopping = false
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()

  constructor(settings: FolderSettings, ports: FolderPorts, pace: Partial<FolderPace> = {}) {
    const folder = path.resolve(settings.path)
    this.#settings = settings
    this.#ports = { ...ports, log: ports.log.child({ folder }) }
    this.#pace = { ...defaultPace, ...pace }
    const { callingAETitle } = settings
    const counts = { taken: 0, quarantined: 0, ignored: 0, unreadable: 0, waiting: 0 }
    this.#status = { path: folder, callingAETitle, trouble: null, ...counts }
  }

  /** How things are. */
  get status(): FolderStatus {
    const { waiting = 0, unreadable = 0 } = this.#state ?? {}
    return { ...this.#status, waiting, unreadable }
  }

  /** Begins to watch; resolves after the first look at the folder, which may not be there yet. */
  async start(): Promise<void> {
    this.#looking = this.#look()
    await this.#looking
  }

  /** Ends what is under way: a file that is half copied is copied again at the next start. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#looking
    await this.#state?.stop()
    this.#state = null
  }

  async #look(): Promise<void> {
    try {
      const root = await realpath(this.#status.path)
      const stats = await stat(root, { bigint: true })
      if (this.#state && !this.#state.isOn(root, stats)) await this.#lose('replaced')
      this.#state ??= this.#watching(root, stats)
      await this.#state.scanIfDue()
      if (this.#status.trouble !== null) this.#ports.log.info('a watched folder can be read again')
      this.#status.trouble = null
    } catch (error) {
      await this.#lose(codeOf(error))
    }
    if (this.#stopping) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
    }, this.#pace.lookMs)
  }

  #watching(root: string, stats: BigIntStats): FolderWatching {
    return new FolderWatching({
      root,
      stats,
      settings: this.#settings,
      ports: this.#ports,
      pace: this.#pace,
      memory: new FolderMemory(this.#ports.database, this.#status.path),
      counts: this.#status,
    })
  }

  /** The folder cannot be read: what is under way is given up, and it is looked for again. */
  async #lose(trouble: string): Promise<void> {
    if (this.#status.trouble !== trouble)
      this.#ports.log.error('a watched folder cannot be read or worked on', { code: trouble })
    this.#status.trouble = trouble
    const state = this.#state
    this.#state = null
    await state?.stop()
  }
}
