import type { WriteBytes } from '../dicom/convert-vr.ts'
import { encodeFragment, pduHeaderLength, pdvHeaderLength, writeFragmentHeader } from './pdu.ts'
import type { MessageTarget } from './send-data-set.ts'

const headLength = pduHeaderLength + pdvHeaderLength

/**
 * Sends a command and a data set that is made while it is sent. Two buffers take turns, as in `sendDataSet`; nothing is written before
 * the first of them is full, or the data set has ended.
 * @param message.produce hands over the data set's bytes, all of them when its promise resolves
 * @throws {DimseError} what ended the association; and what `produce` throws: then the association is aborted if something was written
 */
export async function sendConverted(
  association: MessageTarget,
  message: { command: Buffer; contextID: number; produce(write: WriteBytes): Promise<void> },
): Promise<void> {
  const fragments = new Fragments(association, message)
  try {
    await message.produce((bytes) => fragments.add(bytes))
    await fragments.end()
  } catch (error) {
    // A data set that broke off cannot be taken back: only the end of the association tells the peer.
    if (fragments.begun) association.abort()
    throw error
  }
}

/** Fills one buffer with a fragment while the other is on its way. */
class Fragments {
  readonly #association: MessageTarget
  readonly #contextID: number
  readonly #buffers: [Buffer, Buffer]
  /** The write of each buffer that may still be on its way. */
  readonly #writes: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()]
  /** The command goes before the first fragment. */
  readonly #prefix: Buffer[]
  #turn: 0 | 1 = 0
  #filled = headLength

  constructor(association: MessageTarget, { command, contextID }: { command: Buffer; contextID: number }) {
    this.#association = association
    this.#contextID = contextID
    // Fragments are of even length (PS3.8 annex E); the last one is as the data set has it.
    const length = headLength + ((association.sendLength - pdvHeaderLength) & ~1)
    this.#buffers = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)]
    this.#prefix = [encodeFragment({ contextID, command: true, last: true, value: command })]
  }

  /** True when something was written. */
  get begun(): boolean {
    return this.#prefix.length === 0
  }

  add(bytes: Buffer): void | Promise<void> {
    const buffer = this.#buffers[this.#turn]
    // A full buffer waits for what comes: it may hold the last fragment.
    if (this.#filled + bytes.length > buffer.length) return this.#addInParts(bytes)
    this.#filled += bytes.copy(buffer, this.#filled)
  }

  async #addInParts(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      if (this.#filled === this.#buffers[this.#turn].length) await this.#write(false)
      const copied = bytes.copy(this.#buffers[this.#turn], this.#filled, done)
      this.#filled += copied
      done += copied
    }
  }

  async end(): Promise<void> {
    await this.#write(true)
    await Promise.all(this.#writes)
  }

  /** Hands the buffer over, and goes on with the other one when that is free. */
  async #write(last: boolean): Promise<void> {
    const pdu = this.#buffers[this.#turn].subarray(0, this.#filled)
    const head = { contextID: this.#contextID, command: false, last, length: this.#filled - headLength }
    writeFragmentHeader(pdu, head)
    const write = this.#association.write(...this.#prefix.splice(0), pdu)
    // Awaited before its buffer is filled again; until then its failure must not count as unhandled.
    write.catch(() => undefined)
    this.#writes[this.#turn] = write
    this.#turn = this.#turn === 0 ? 1 : 0
    this.#filled = headLength
    await this.#writes[this.#turn]
  }
}
