import type { Value } from '../value.ts'

/** A value with the input that it is made of: whose header, study and frames it belongs to. */
export interface Held {
  value: Value
  origin: string
}

/** The memory of a value, where it is large. */
function bufferOf(value: Value): ArrayBufferLike | null {
  if (value.kind === 'image') return value.image.data.buffer
  if (value.kind === 'labels') return value.labels.labels.buffer
  return value.kind === 'tensor' ? value.data.buffer : null
}

/** The values of a run by their names. A value goes as soon as nothing uses it any more. */
export class ValueStore {
  readonly #held = new Map<string, Held>()
  readonly #uses: Map<string, number>

  /** @param uses how often each value will be used */
  constructor(uses: ReadonlyMap<string, number>) {
    this.#uses = new Map(uses)
  }

  /** Keeps a value, where anything will use it. */
  put(name: string, held: Held): void {
    if ((this.#uses.get(name) ?? 0) > 0) this.#held.set(name, held)
  }

  /** Undefined where the value could not be made, because an input that is not required is not there. */
  find(name: string): Held | undefined {
    return this.#held.get(name)
  }

  get(name: string): Held {
    const held = this.#held.get(name)
    if (!held) throw new Error(`the value ${name} is asked for, and not declared as needed`)
    return held
  }

  /** True where who uses it now is the last, and no other value has its memory: it may be changed. */
  isGivenForGood(name: string): boolean {
    const held = this.#held.get(name)
    if (!held || (this.#uses.get(name) ?? 0) > 1) return false
    const buffer = bufferOf(held.value)
    return [...this.#held].every(
      ([other, { value }]) => other === name || buffer === null || bufferOf(value) !== buffer,
    )
  }

  /** Notes that something has used values, and lets go of those that nothing else will. */
  used(names: Iterable<string>): void {
    for (const name of new Set(names)) {
      const left = (this.#uses.get(name) ?? 0) - 1
      this.#uses.set(name, left)
      if (left <= 0) this.#held.delete(name)
    }
  }

  /** Names of the values that are held now. */
  get names(): string[] {
    return [...this.#held.keys()]
  }
}
