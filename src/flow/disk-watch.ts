import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { type FreeSpace, isAtLeast, type SpaceReading, type SpaceState } from '../store/free-space.ts'

export interface DiskWatchOptions {
  space: FreeSpace
  log: Log
  /** Told when the state has changed. */
  onChange(now: SpaceReading, before: SpaceState): void
}

const lookMs = 1000

/** Looks at the free space every second, and says once what each change of its state means. */
export class DiskWatch {
  readonly #options: DiskWatchOptions
  #state: SpaceState = 'enough'
  #unreadable = false
  #timer: NodeJS.Timeout | null = null

  constructor(options: DiskWatchOptions) {
    this.#options = options
  }

  start(): void {
    this.look()
    this.#timer ??= setInterval(() => this.look(), lookMs)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Whether jobs may begin. */
  get permitsWork(): boolean {
    return !isAtLeast(this.#state, 'emergency')
  }

  /** Looks now. */
  look(): void {
    const { space, log, onChange } = this.#options
    let reading: SpaceReading
    try {
      reading = space.read()
      this.#unreadable = false
    } catch (error) {
      if (!this.#unreadable) log.error('the free disk space is unknown', { reason: messageOf(error) })
      this.#unreadable = true
      return
    }
    const before = this.#state
    if (reading.state === before) return
    this.#state = reading.state
    const { state, free, warnFree, minimumFree, emergencyFree } = reading
    log[levels[state]](sentences[state], { state, before, free, warnFree, minimumFree, emergencyFree })
    onChange(reading, before)
  }
}

const levels = { enough: 'info', warn: 'warn', refuse: 'error', emergency: 'error' } as const

const sentences: Readonly<Record<SpaceState, string>> = {
  enough: 'there is enough disk space again',
  warn: 'disk space is getting low',
  refuse: 'disk space is low: no instance is taken in',
  emergency: 'disk space is nearly used up: instances under way are ended, and no job is started',
}
