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
  /** The last bytes, once there are more than the head takes. */
  #tail: Buffer | null = null
  #size = 0

  take(bytes: Buffer): void {
    this.#size += bytes.length
    const taken = this.#head !== null && this.#headUsed < headLength ? bytes.copy(this.#head, this.#headUsed, 0) : 0
    this.#headUsed += taken
    if (taken < bytes.length) this.#takeTail(bytes.subarray(taken))
  }

  /** The first bytes, at most 64 KiB; valid until `dispose`. */
  get head(): Buffer {
    return this.#head?.subarray(0, this.#headUsed) ?? Buffer.alloc(0)
  }

  /** The last bytes, at most 16. */
  get tail(): Buffer {
    return this.#tail ?? this.head.subarray(-tailLength)
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

  #takeTail(bytes: Buffer): void {
    const before = this.#tail ?? this.head.subarray(-tailLength)
    const last = bytes.subarray(-tailLength)
    this.#tail = Buffer.concat([before.subarray(last.length), last])
  }
}
