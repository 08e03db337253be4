import { statfsSync } from 'node:fs'

/**
 * What the free space of a file system allows.
 * - `enough`: everything
 * - `warn`: everything, but somebody should know
 * - `refuse`: nothing new is taken in
 * - `emergency`: what is being taken in is ended, and no work begins
 */
export type SpaceState = 'enough' | 'warn' | 'refuse' | 'emergency'

/** Bytes of free space below which a state begins; 0: never. */
export interface SpaceMarks {
  warnFree: number
  minimumFree: number
  emergencyFree: number
}

/** What is known of the free space. */
export interface SpaceReading extends SpaceMarks {
  state: SpaceState
  /** Bytes. */
  free: number
}

export interface FreeSpaceOptions {
  /** A folder of the file system. */
  folder: string
  marks: SpaceMarks
  /** Free bytes, in place of the file system's own answer. For tests. */
  look?: () => number
  /** A monotonic clock in ms. For tests. */
  now?: () => number
}

const ranks: readonly SpaceState[] = ['enough', 'warn', 'refuse', 'emergency']
/** A state is left only when this part of its mark more is free: at the mark itself it would come and go. */
const margin = 0.1
/** ms for which the free space is taken as known; what is written meanwhile is subtracted. */
const freshMs = 1000

/**
 * Watches the free space of a file system against three marks, with hysteresis. The file system is asked at most once a second, and
 * only when somebody wants to know.
 */
export class FreeSpace {
  readonly marks: SpaceMarks
  readonly #look: () => number
  readonly #now: () => number
  #state: SpaceState = 'enough'
  #free = 0
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor({ folder, marks, look, now }: FreeSpaceOptions) {
    const { warnFree, minimumFree, emergencyFree } = marks
    this.marks = { warnFree, minimumFree, emergencyFree }
    this.#look = look ?? (() => freeBytes(folder))
    this.#now = now ?? (() => performance.now())
  }

  /**
   * The state now.
   * @throws the file system's own error, when it cannot be asked
   */
  check(): SpaceState {
    const now = this.#now()
    if (now - this.#lookedAt >= freshMs) {
      this.#free = this.#look()
      this.#lookedAt = now
    }
    this.#state = stateOf(this.#free, this.#state, this.marks)
    return this.#state
  }

  /** Counts bytes that are about to be written. @returns the state with them @throws as `check` */
  spend(bytes: number): SpaceState {
    const state = this.check()
    this.#free -= bytes
    return state
  }

  /** State and numbers, as they are known after `check`. @throws as `check` */
  read(): SpaceReading {
    return { state: this.check(), free: Math.max(0, this.#free), ...this.marks }
  }
}

/** True in a state, and in every worse one. */
export function isAtLeast(state: SpaceState, least: SpaceState): boolean {
  return ranks.indexOf(state) >= ranks.indexOf(least)
}

/** Bytes that have to be free for the state that begins below a mark to be left. */
export function leavesAt(mark: number): number {
  return mark + mark * margin
}

/** Bytes that are free for this user on the file system of a folder. @throws the file system's own error */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

function stateOf(free: number, current: SpaceState, marks: SpaceMarks): SpaceState {
  const below = (state: SpaceState, mark: number): boolean => free < (isAtLeast(current, state) ? leavesAt(mark) : mark)
  if (below('emergency', marks.emergencyFree)) return 'emergency'
  if (below('refuse', marks.minimumFree)) return 'refuse'
  return below('warn', marks.warnFree) ? 'warn' : 'enough'
}
