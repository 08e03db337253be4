import type { FileHandle } from 'node:fs/promises'
import { encodeFragment, pduHeaderLength, pdvHeaderLength, writeFragmentHeader } from './pdu.ts'

const headLength = pduHeaderLength + pdvHeaderLength

/** An association that messages are written to. */
export interface MessageTarget {
  /** Bytes of a P-DATA-TF's variable part to send at most. */
  sendLength: number
  /** Resolves when the system has taken the PDUs: their buffers may be used again. */
  write(...pdus: Buffer[]): Promise<void>
  abort(): void
}

/**
 * Sends a command and the data set behind it, straight from a file. Two buffers take turns: one is filled while the other is
 * on its way, and neither is filled again before the system has taken it.
 * @param message.offset of the data set's first byte in the file
 * @throws {DimseError} what ended the association; and what the file system says, then the association is aborted
 */
export async function sendDataSet(
  association: MessageTarget,
  message: { handle: FileHandle; command: Buffer; contextID: number; offset: number },
): Promise<void> {
  const { handle, contextID, command } = message
  try {
    const { size } = await handle.stat()
    // Fragments are of even length (PS3.8 annex E); the last one is as the file has it.
    const most = (association.sendLength - pdvHeaderLength) & ~1
    const length = Math.max(0, size - message.offset)
    const buffers = bufferPair(headLength + Math.min(most, length))
    const prefix = [encodeFragment({ contextID, command: true, last: true, value: command })]
    // The write of each buffer that may still be on its way.
    const writes: Promise<void>[] = []
    for (let done = 0, turn = 0; done < length || turn === 0; turn++) {
      const buffer = buffers[turn % 2] as Buffer
      await writes[turn % 2]
      const part = Math.min(most, length - done)
      await readFully(handle, buffer.subarray(headLength, headLength + part), message.offset + done)
      done += part
      writeFragmentHeader(buffer, { contextID, command: false, last: done === length, length: part })
      const write = association.write(...prefix.splice(0), buffer.subarray(0, headLength + part))
      // Awaited before its buffer is filled again; until then its failure must not count as unhandled.
      write.catch(() => undefined)
      writes[turn % 2] = write
    }
    await Promise.all(writes)
  } catch (error) {
    // A data set that broke off cannot be taken back: only the end of the association tells the peer.
    association.abort()
    throw error
  }
}

const bufferPair = (length: number): [Buffer, Buffer] => [
  Buffer.allocUnsafeSlow(length),
  Buffer.allocUnsafeSlow(length),
]

async function readFully(handle: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) throw new Error('the file became shorter while it was sent')
    done += bytesRead
  }
}
