/** A growing buffer with lengths that are filled in afterwards. */
export class ByteSink {
  readonly littleEndian: boolean
  #buffer = Buffer.allocUnsafe(4096)
  #length = 0

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian
  }

  get length(): number {
    return this.#length
  }

  #reserve(size: number): number {
    const at = this.#length
    if (at + size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + size))
      this.#buffer.copy(larger, 0, 0, at)
      this.#buffer = larger
    }
    this.#length += size
    return at
  }

  uint16(value: number): void {
    const at = this.#reserve(2)
    if (this.littleEndian) this.#buffer.writeUInt16LE(value, at)
    else this.#buffer.writeUInt16BE(value, at)
  }

  uint32(value: number): void {
    const at = this.#reserve(4)
    this.patchUint32(at, value)
  }

  patchUint32(at: number, value: number): void {
    if (this.littleEndian) this.#buffer.writeUInt32LE(value, at)
    else this.#buffer.writeUInt32BE(value, at)
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length)
    this.#buffer.set(value, at)
  }

  take(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }
}
