import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { WriteBytes } from '../dicom/convert-vr.ts'
import type { Connection } from './connection.ts'
import { DimseError } from './error.ts'
import { encodeFragment } from './pdu.ts'
import { sendConverted } from './send-converted.ts'
import { type MessageTarget, sendDataSet } from './send-data-set.ts'
import { messagePDUs, writePDUs } from './write-pdus.ts'

/** Bytes of a P-DATA-TF's variable part that we send at most, whatever more a peer takes. */
const maximumSendLength = 128 * 1024

/** Messages that one association may write before others have a turn. */
const messagesPerTurn = 16

/**
 * Writes messages to a connection that we accepted, each whole before the next one. One that is written behind others, or
 * brings a data set, waits until the peer has taken what went before: nothing piles up.
 */
export class MessageWriter {
  readonly #connection: Connection
  /** Bytes of a P-DATA-TF's variable part to send at most. */
  readonly sendLength: number
  #tail: Promise<void> = Promise.resolve()
  #waiting = 0
  #sent = 0

  /** @param peerMaxPdu bytes of a P-DATA-TF's variable part that the peer takes; 0 means no limit */
  constructor(connection: Connection, peerMaxPdu: number) {
    this.#connection = connection
    this.sendLength = peerMaxPdu === 0 ? maximumSendLength : Math.min(peerMaxPdu, maximumSendLength)
  }

  /** Writes a message without data set: at once, where nothing else is being written. */
  write(contextID: number, command: Buffer): void {
    this.writeWhole(encodeFragment({ contextID, command: true, last: true, value: command }))
  }

  /** As `write`, for a message that is a PDU already. */
  writeWhole(pdu: Buffer): void {
    if (this.#waiting === 0) return this.#connection.write(pdu)
    this.#inTurn(() => this.#write(pdu)).catch(() => undefined)
  }

  /**
   * Writes a message.
   * @returns when the system has taken it
   * @throws {DimseError} `association-lost`
   */
  send(contextID: number, command: Buffer, dataSet?: Buffer): Promise<void> {
    return this.#inTurn(async () => {
      for (const pdu of messagePDUs({ contextID, command, dataSet }, this.sendLength)) await this.#write(pdu)
      // Writes that the system takes at once leave everybody else without a turn.
      if (++this.#sent % messagesPerTurn === 0) await setImmediate()
    })
  }

  /**
   * Writes a message whose data set is the rest of a file.
   * @param file.offset of the data set's first byte
   * @throws {DimseError} `association-lost`; and what the file system says, before anything is written or with the connection cut
   */
  async sendFile(contextID: number, command: Buffer, file: { path: string; offset: number }): Promise<void> {
    const handle = await open(file.path, 'r')
    try {
      await this.#inTurn(() => sendDataSet(this.#target, { handle, command, contextID, offset: file.offset }))
    } finally {
      await handle.close()
    }
  }

  /**
   * Writes a message whose data set is made while it is written.
   * @throws {DimseError} `association-lost`; and what `produce` throws, before anything is written or with the connection cut
   */
  sendConverted(contextID: number, command: Buffer, produce: (write: WriteBytes) => Promise<void>): Promise<void> {
    return this.#inTurn(() => sendConverted(this.#target, { contextID, command, produce }))
  }

  get #target(): MessageTarget {
    return {
      sendLength: this.sendLength,
      write: (...pdus: Buffer[]) => this.#write(...pdus),
      abort: () => void this.#connection.socket.destroy(),
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#waiting++
    const done = this.#tail.then(work).finally(() => this.#waiting--)
    this.#tail = done.catch(() => undefined)
    return done
  }

  #write(...pdus: Buffer[]): Promise<void> {
    const { socket, isEnding } = this.#connection
    if (isEnding || !socket.writable) return Promise.reject(lost())
    return writePDUs(socket, pdus, lost)
  }
}

const lost = (): DimseError =>
  new DimseError('association-lost', 'the association ended before a message was written', { retry: 'ambiguous' })
