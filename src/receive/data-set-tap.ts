/** Bytes of a data set's beginning that are kept: enough for the index's elements of nearly all instances. */
export const headLength = 64 * 1024
const tailLength = 16

/** Heads are used again: one is needed per association, for as long as an instance arrives. */
const spareHeads: Buffer[] = []
const maximumSpareHeads = 32

/** Keeps the first and last bytes of a data set that passes by. */
export class DataSetTap {
  #head: Buffer | null = spareHeads.pop() ?? Buffer.allocUnsafeSlow(headLength)
  #headUsed = 0
  readonly #tail = Buffer.alloc(tailLength)
  #tailUsed = 0
  #size = 0

  take(bytes: Buffer): void {
    this.#size += bytes.length
    if (this.#head !== null && this.#headUsed < headLength)
      this.#headUsed += bytes.copy(this.#head, this.#headUsed, 0, headLength - this.#headUsed)
    if (bytes.length >= tailLength) {
      bytes.copy(this.#tail, 0, bytes.length - tailLength)
      this.#tailUsed = tailLength
      return
    }
    const kept = Math.min(this.#tailUsed, tailLength - bytes.length)
    this.#tail.copy(this.#tail, 0, this.#tailUsed - kept, this.#tailUsed)
    bytes.copy(this.#tail, kept)
    this.#tailUsed = kept + bytes.length
  }

  /** The first bytes, at most 64 KiB; valid until `dispose`. */
  get head(): Buffer {
    return this.#head?.subarray(0, this.#headUsed) ?? Buffer.alloc(0)
  }

  /** The last bytes, at most 16. */
  get tail(): Buffer {
    return this.#tail.subarray(0, this.#tailUsed)
  }

  /** Bytes that passed. */
  get size(): number {
    return this.#size
  }

  /** Gives the head's buffer back; `head` is empty afterwards. */
  dispose(): void {
    if (this.#head !== null && spareHeads.length < maximumSpareHeads) spareHeads.push(this.#head)
    this.#head = null
  }
}
