import type { BigIntStats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import path from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { FolderFileError, isGone, isPassedOver, versionOf } from './folder-file.ts'
import type { FileVersion, FolderMemory } from './folder-memory.ts'
import { scanFolder } from './folder-scan.ts'
import { Settling } from './folder-settling.ts'
import { codeOf, type FolderPorts, FolderTaker, newBatch } from './folder-take.ts'

/** A folder whose DICOM files are taken in as they appear. */
export interface FolderSettings {
  path: string
  /** Seconds without a change until a file counts as whole. */
  settle: number
  /** What becomes of a file that was dealt with. */
  afterwards: 'delete' | 'keep'
  callingAETitle: string
}

/** What has become of a folder's files since the node started. */
export interface FolderStatus {
  path: string
  callingAETitle: string
  /** Why it cannot be watched now: a code of the file system; null where it is. */
  trouble: string | null
  taken: number
  quarantined: number
  /** No DICOM, and left where they are. */
  ignored: number
  /** Files that cannot be read now. */
  unreadable: number
  /** Files that may still be written, or wait for their turn. */
  waiting: number
}

/** How closely a folder is watched; times in ms. */
export interface FolderPace {
  /** How often the folder itself is looked at: whether it is there, and whether it is another. */
  lookMs: number
  /** How often all of it is scanned: not every file system tells of changes. A long scan is repeated more rarely. */
  scanMs: number
  /** After how long a file or a disk that made trouble is tried again. */
  againMs: number
  /** Files that are waited for at once; the others are found by a later scan. */
  maximumWaiting: number
}

/** Files that are taken in at once. */
const filesAtOnce = 8
/** Files up to which a folder's changes are told by the system. */
const maximumWatched = 500
const pruneEveryMs = 24 * 3_600_000

export interface WatchingOptions {
  root: string
  stats: BigIntStats
  settings: FolderSettings
  ports: FolderPorts
  pace: FolderPace
  memory: FolderMemory
  counts: Pick<FolderStatus, 'taken' | 'quarantined' | 'ignored'>
}

/** A folder that is there, for as long as it is. */
export class FolderWatching {
  readonly #options: WatchingOptions
  readonly #settling: Settling
  readonly #taker: FolderTaker
  /** Files whose turn comes, by path. */
  readonly #ready = new Map<string, FileVersion>()
  readonly #busy = new Map<string, Promise<void>>()
  /** Files that could not be read or taken, with the time of the next attempt. */
  readonly #failing = new Map<string, number>()
  #watcher: FSWatcher | null = null
  #association: string | null = null
  #release: NodeJS.Timeout | null = null
  #again: NodeJS.Timeout | null = null
  #stopping = false
  #scanAt = 0
  #pruneAt = 0
  #overflowed = false

  constructor(options: WatchingOptions) {
    this.#options = options
    const { root, settings, memory, ports, pace } = options
    this.#settling = new Settling({
      root,
      settleMs: settings.settle * 1000,
      limit: pace.maximumWaiting,
      onSettled: (file) => this.#onSettled(file),
      onTrouble: (relative, error) => this.#onTrouble(relative, error),
    })
    const { afterwards, callingAETitle } = settings
    const isStopping = () => this.#stopping
    this.#taker = new FolderTaker({ root, afterwards, callingAETitle, memory, ports, isStopping })
  }

  get waiting(): number {
    return this.#settling.size + this.#ready.size + this.#busy.size
  }

  get unreadable(): number {
    return this.#failing.size
  }

  isOn(root: string, { dev, ino }: BigIntStats): boolean {
    const { stats } = this.#options
    return root === this.#options.root && dev === stats.dev && ino === stats.ino
  }

  /**
   * Has the system tell of changes, in a folder that is small enough: for every change, chokidar reads all of a folder again, once a
   * second at most. A larger one is scanned more often instead.
   */
  async #watch(files: number): Promise<void> {
    if (files > maximumWatched) await this.#unwatch()
    if (files > maximumWatched || this.#watcher !== null || this.#stopping) return
    const { root, ports } = this.#options
    // Folders only: a watch on each of thousands of files would use up what the system allows. A folder's own watch names its files.
    const ignored = (name: string, stats?: { isDirectory(): boolean }) =>
      stats?.isDirectory() === false || (name !== root && isPassedOver(path.relative(root, name)))
    const watcher = watch(root, { ignored, followSymlinks: false, ignoreInitial: true, ignorePermissionErrors: true })
    this.#watcher = watcher
    watcher.on('raw', (_event, name, details) => {
      const { watchedPath } = (details ?? {}) as { watchedPath?: string }
      if (watchedPath && name) void this.#consider(path.join(watchedPath, name))
    })
    // Files may be in a new folder before it is watched.
    watcher.on('addDir', (folder) => void this.#scan(path.relative(root, folder)).catch(() => undefined))
    watcher.on('error', (error) =>
      ports.log.warn('the system does not tell of every change in a watched folder: it is scanned', {
        code: codeOf(error),
      }),
    )
    await new Promise<void>((resolve) => watcher.once('ready', resolve))
    // What came between the scan and now was told to nobody.
    await this.#scan('')
  }

  async #unwatch(): Promise<void> {
    const watcher = this.#watcher
    this.#watcher = null
    await watcher?.close()
  }

  /** @throws what the file system says of the folder */
  async scanIfDue(): Promise<void> {
    const begun = performance.now()
    const isRoom = this.#overflowed && this.waiting <= this.#options.pace.maximumWaiting / 2
    if (begun < this.#scanAt && !isRoom) return
    await this.#forgetGone()
    await this.#watch(await this.#scan(''))
    const { memory, root, pace } = this.#options
    if (begun >= this.#pruneAt) {
      await memory.prune(async (relative) => (await versionOf(root, relative).catch(() => undefined)) === null)
      this.#pruneAt = begun + pruneEveryMs
    }
    const took = performance.now() - begun
    this.#scanAt = performance.now() + Math.max(this.#watcher === null ? pace.lookMs : pace.scanMs, 20 * took)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const timer of [this.#release, this.#again]) if (timer) clearTimeout(timer)
    this.#settling.stop()
    this.#ready.clear()
    await this.#unwatch()
    await Promise.all(this.#busy.values())
    const association = this.#association
    this.#association = null
    if (association !== null) await this.#options.ports.onBatch?.lost(association)
  }

  /** @returns how many files there are; those behind the last one that can be waited for are not counted */
  async #scan(relative: string): Promise<number> {
    let count = 0
    this.#overflowed = false
    await scanFolder(this.#options.root, relative, {
      files: async (files) => {
        count += files.length
        await this.#considerAll(files)
        return !this.#overflowed && !this.#stopping
      },
      trouble: (where, error) => this.#onTrouble(where, error),
      read: (where) => this.#failing.delete(where),
    })
    return count
  }

  async #consider(file: string): Promise<void> {
    const { root } = this.#options
    const relative = path.relative(root, file)
    if (this.#stopping || relative === '' || relative.startsWith('..') || isPassedOver(relative)) return
    try {
      const version = await versionOf(root, relative)
      if (version) await this.#considerAll([version])
      if (this.waiting <= maximumWatched || this.#watcher === null) return
      // So many at once are looked for.
      this.#scanAt = 0
      await this.#unwatch()
    } catch (error) {
      this.#onTrouble(relative, error)
    }
  }

  /** Files that were not dealt with are waited for. */
  async #considerAll(files: readonly FileVersion[]): Promise<void> {
    const now = performance.now()
    const free = files.filter(
      ({ relative }) =>
        !this.#busy.has(relative) && !this.#ready.has(relative) && (this.#failing.get(relative) ?? 0) <= now,
    )
    const outcomes = await this.#options.memory.outcomes(free)
    for (const file of free) {
      const outcome = outcomes.get(file.relative)
      if (outcome === undefined) {
        if (!this.#stopping && !this.#settling.add(file)) this.#overflowed = true
      } else if (outcome !== 'ignored' && this.#options.settings.afterwards === 'delete')
        await this.#taker.deleteAgain(file).catch((error: unknown) => this.#onTrouble(file.relative, error))
    }
  }

  #onSettled(file: FileVersion): void {
    this.#ready.set(file.relative, file)
    this.#pump()
  }

  #pump(): void {
    if (this.#again !== null || this.#stopping) return
    for (const [relative, file] of this.#ready) {
      if (this.#busy.size >= filesAtOnce) break
      this.#ready.delete(relative)
      if (this.#busy.has(relative)) continue
      const taking = this.#take(file, this.#open()).finally(() => {
        this.#busy.delete(file.relative)
        this.#pump()
        this.#releaseWhenQuiet()
      })
      this.#busy.set(file.relative, taking)
    }
  }

  async #take(file: FileVersion, association: string): Promise<void> {
    const { counts, ports, memory } = this.#options
    try {
      // It may have been dealt with since it was seen.
      if ((await memory.outcomes([file])).size > 0) return
      const outcome = await this.#taker.take(file, association)
      counts[outcome]++
      this.#failing.delete(file.relative)
      if (outcome === 'ignored')
        ports.log.info('a file of a watched folder is no DICOM instance and stays there', { size: file.size })
    } catch (error) {
      if (error instanceof FolderFileError) {
        const now = await versionOf(this.#options.root, file.relative).catch(() => null)
        if (now && error.code === 'file-changed' && !this.#stopping) this.#settling.add(now)
        return
      }
      if (isGone(error)) return
      if (codeOf(error) === 'out-of-space') this.#pause(file)
      else this.#onTrouble(file.relative, error)
    }
  }

  /** Nothing is taken while there is no space for it. */
  #pause(file: FileVersion): void {
    this.#ready.set(file.relative, file)
    if (this.#again !== null || this.#stopping) return
    this.#options.ports.log.error('no space for the files of a watched folder: they wait')
    this.#again = setTimeout(() => {
      this.#again = null
      this.#pump()
    }, this.#options.pace.againMs)
  }

  /** Forgets about trouble with what is gone. */
  async #forgetGone(): Promise<void> {
    for (const relative of this.#failing.keys())
      if ((await lstat(path.join(this.#options.root, relative)).catch((error: unknown) => !isGone(error))) === false)
        this.#failing.delete(relative)
  }

  #onTrouble(relative: string, error: unknown): void {
    const { ports, pace } = this.#options
    if (!this.#failing.has(relative))
      ports.log.error('something in a watched folder cannot be read or taken in: it is tried again', {
        code: codeOf(error),
      })
    // What is tried again is found by a scan; of too many, some are tried sooner and told again.
    if (this.#failing.size >= pace.maximumWaiting) this.#failing.clear()
    this.#failing.set(relative, performance.now() + pace.againMs)
  }

  #open(): string {
    if (this.#release) clearTimeout(this.#release)
    this.#release = null
    if (this.#association === null) {
      this.#association = newBatch()
      this.#options.ports.onBatch?.began(this.#association)
    }
    return this.#association
  }

  /** The folder is quiet when no file is written, and none came for as long as one has to be unchanged. */
  #releaseWhenQuiet(isRepeated = false): void {
    if ((this.waiting > 0 && !isRepeated) || this.#association === null || this.#stopping) return
    if (this.#release) clearTimeout(this.#release)
    const { settings, ports } = this.#options
    this.#release = setTimeout(() => {
      const association = this.#association
      this.#release = null
      // What was waited for may go away without having been taken.
      if (this.waiting > 0) return this.#releaseWhenQuiet(true)
      if (association === null) return
      this.#association = null
      ports.onBatch?.ended(association).catch((error: unknown) => {
        ports.log.error('the end of a batch of files cannot be told', { code: codeOf(error) })
      })
    }, Math.max(1, settings.settle) * 1000)
  }
}
