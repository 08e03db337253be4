/** The minimal lower layer protocol (HL7 implementation guide, appendix C): a message between two blocks. */
const startBlock = 0x0b
const endBlock = 0x1c
const carriageReturn = 0x0d

/** What the bytes of a connection turn out to be. */
export type Hl7Frame =
  /** `whole`: false where the next message began before this one had ended. */
  | { kind: 'message'; bytes: Buffer; whole: boolean }
  /** Longer than the limit: these are its first bytes, and the connection is of no more use. */
  | { kind: 'too-long'; bytes: Buffer }
  /** Too many bytes outside of any message: this is no HL7. */
  | { kind: 'garbage' }

/** Bytes outside of messages that are passed over: line feeds, a peer's remains. */
const maximumGarbage = 64 * 1024

/** Finds the messages in the bytes of a connection. Holds one message at most. */
export class Hl7FrameReader {
  readonly #maximum: number
  #parts: Buffer[] = []
  #length = 0
  #inside = false
  #garbage = 0

  /** @param maximum bytes of the longest message */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** True from a message's first byte to its last. */
  get underWay(): boolean {
    return this.#inside
  }

  /** The messages that these bytes complete. After `too-long` or `garbage` nothing more is to be read. */
  *read(bytes: Buffer): Generator<Hl7Frame> {
    let at = 0
    while (at < bytes.length) {
      if (!this.#inside) {
        const start = bytes.indexOf(startBlock, at)
        this.#garbage += strayIn(bytes.subarray(at, start === -1 ? bytes.length : start))
        if (this.#garbage > maximumGarbage) return yield { kind: 'garbage' }
        if (start === -1) return
        this.#inside = true
        at = start + 1
      }
      const end = nextBlock(bytes, at)
      this.#take(bytes.subarray(at, end === -1 ? bytes.length : end))
      if (this.#length > this.#maximum)
        return yield { kind: 'too-long', bytes: this.#message().subarray(0, this.#maximum) }
      if (end === -1) return
      const whole = bytes[end] === endBlock
      this.#inside = !whole
      this.#garbage = 0
      yield { kind: 'message', bytes: this.#message(), whole }
      at = end + 1
    }
  }

  #take(part: Buffer): void {
    if (part.length === 0) return
    this.#parts.push(Buffer.from(part))
    this.#length += part.length
  }

  #message(): Buffer {
    const message = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
    this.#parts = []
    this.#length = 0
    return message
  }
}

/** The end of the message, or the beginning of another one that should not be there. */
function nextBlock(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(endBlock, from)
  const start = bytes.subarray(0, end === -1 ? bytes.length : end).indexOf(startBlock, from)
  return start === -1 ? end : start
}

/** The carriage return behind an end block, and empty lines, are no garbage. */
function strayIn(bytes: Buffer): number {
  let stray = 0
  for (const byte of bytes) if (byte !== carriageReturn && byte !== 0x0a) stray++
  return stray
}

/** A message as it goes over the wire. */
export function frameHl7(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([startBlock]), message, Buffer.from([endBlock, carriageReturn])])
}
