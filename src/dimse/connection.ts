import type { Socket } from 'node:net'
import { DimseError } from './error.ts'
import { abortReason, encodeAbort } from './pdu.ts'
import { PDUReader, type PDUSink } from './pdu-reader.ts'
import { acknowledgePromptly } from './prompt-acknowledgement.ts'
import { readInto } from './receive-buffer.ts'

/** How long a connection may linger after our last PDU until it is cut, in ms. */
const lingerMs = 2000
/**
 * Bytes of answers that a peer may leave unread. One that waits for each of them, as it has to, leaves none; the two PDUs of a
 * file that may be on their way to it (`MessageWriter`) are allowed for.
 */
const maximumUnread = 512 * 1024

/** Why nothing is read for a moment: the message under way is being finished, or the process has enough in flight. */
export type HoldReason = 'message' | 'process'

/** What the owner of a connection is told. */
export interface ConnectionOwner extends PDUSink {
  /** The peer broke the protocol, or something of ours failed while its bytes were read: A-ABORT has been sent. */
  onFailure(error: unknown): void
  /** The connection has ended, for whatever reason; called once. */
  onClosed(): void
}

/**
 * A TCP connection that carries PDUs: reads them without gathering, can be held, and ends with a PDU rather than a reset.
 */
export class Connection {
  readonly socket: Socket
  readonly #owner: ConnectionOwner
  readonly #reader: PDUReader
  readonly #holds = new Set<HoldReason>()
  #backlog: Buffer | null = null
  #ended = false
  /** Clock reading of the last bytes, in ms. */
  lastBytesAt = Date.now()
  bytesRead = 0

  constructor(socket: Socket, owner: ConnectionOwner, options: { reuseBuffer?: boolean } = {}) {
    this.socket = socket
    this.#owner = owner
    this.#reader = new PDUReader(owner)
    socket.setNoDelay(true)
    // Errors are followed by 'close', where everything is cleared.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#owner.onClosed())
    readInto(socket, (bytes) => this.#onBytes(bytes), { reuse: options.reuseBuffer ?? true })
  }

  /** Starts reading; everything the owner's callbacks need has to be there by now. */
  start(): void {
    this.socket.resume()
  }

  get insidePDU(): boolean {
    return this.#reader.insidePDU
  }

  get isHeld(): boolean {
    return this.#holds.size > 0
  }

  /** True once our last PDU is on its way: nothing that comes is looked at any more. */
  get isEnding(): boolean {
    return this.#ended
  }

  /** Stops reading after the fragment under way; what has come already is kept, and the socket paused when more comes. */
  hold(reason: HoldReason): void {
    this.#holds.add(reason)
    this.#reader.stop()
  }

  release(reason: HoldReason): void {
    if (!this.#holds.delete(reason) || this.isHeld || this.#ended) return
    if (this.#isUnread()) return
    this.lastBytesAt = Date.now()
    const backlog = this.#backlog
    this.#backlog = null
    if (backlog !== null) this.#read(backlog)
    if (!this.isHeld && !this.#ended) this.socket.resume()
  }

  write(pdu: Buffer): void {
    if (this.#ended || !this.socket.writable || this.#isUnread()) return
    this.socket.write(pdu)
    acknowledgePromptly(this.socket)
  }

  /** Cuts a peer off that sends requests and does not read the answers: they would pile up without end. */
  #isUnread(): boolean {
    const unread = this.socket.writableLength > maximumUnread
    if (unread) this.socket.destroy()
    return unread
  }

  /** Sends a last PDU, then closes. What still comes is thrown away, so that no reset overtakes the PDU. */
  end(pdu?: Buffer): void {
    if (this.#ended) return
    this.#ended = true
    this.#backlog = null
    // More PDUs may stand in the bytes that are being read: what comes after an A-ABORT is not looked at (PS3.8 table 9-10, AA-2, AA-3).
    this.#reader.stop()
    if (this.socket.destroyed) return
    if (pdu !== undefined && this.socket.writable) this.socket.end(pdu)
    else this.socket.end()
    this.socket.resume()
    const timer = setTimeout(() => this.socket.destroy(), lingerMs)
    timer.unref()
    this.socket.once('close', () => clearTimeout(timer))
  }

  /** Waits for the peer to close, as PS3.8 9.2.3 asks of the acceptor of a release, and cuts the connection if it does not. */
  lingerUntilPeerCloses(): void {
    const timer = setTimeout(() => this.end(), lingerMs)
    timer.unref()
    this.socket.once('close', () => clearTimeout(timer))
  }

  #onBytes(bytes: Buffer): boolean {
    if (this.#ended) return true
    this.bytesRead += bytes.length
    this.lastBytesAt = Date.now()
    if (!this.isHeld) {
      this.#read(bytes)
      return this.#backlog === null
    }
    this.#keep(bytes)
    return false
  }

  #read(bytes: Buffer): void {
    try {
      let used = 0
      // A hold that was released again while its message was performed has stopped the reader for nothing.
      while (used < bytes.length && !this.isHeld && !this.#ended) used += this.#reader.read(bytes.subarray(used))
      if (used < bytes.length && !this.#ended) this.#keep(bytes.subarray(used))
    } catch (error) {
      const reason = error instanceof DimseError ? error.detail.abortReason : undefined
      this.end(encodeAbort(2, typeof reason === 'number' ? reason : abortReason.notSpecified))
      this.#owner.onFailure(error)
    }
  }

  /** A copy: the buffer that the bytes lie in is used again. At most one read's worth, since the socket is paused then. */
  #keep(bytes: Buffer): void {
    this.#backlog = this.#backlog === null ? Buffer.from(bytes) : Buffer.concat([this.#backlog, bytes])
  }
}
