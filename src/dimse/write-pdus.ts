import type { Socket } from 'node:net'
import { encodeFragment, pdvHeaderLength } from './pdu.ts'

/**
 * Writes PDUs together.
 * @param lost makes the error for a connection that ended
 * @returns when the system has taken them: the buffers may be used again, and nothing piles up
 */
export function writePDUs(socket: Socket, pdus: readonly Buffer[], lost: (how: string) => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const taken = (error: Error | null | undefined): void => {
      if (error) reject(lost(error.message))
      else resolve()
    }
    socket.cork()
    for (const [index, pdu] of pdus.entries()) {
      if (index === pdus.length - 1) socket.write(pdu, taken)
      else socket.write(pdu)
    }
    socket.uncork()
  })
}

/**
 * The P-DATA-TF PDUs of a message, one fragment each (PS3.8 annex E): its command set, and its data set where it has one.
 * @param sendLength bytes of a P-DATA-TF's variable part to send at most
 */
export function* messagePDUs(
  message: { contextID: number; command: Buffer; dataSet?: Buffer | undefined },
  sendLength: number,
): Generator<Buffer> {
  const { contextID, command, dataSet } = message
  yield encodeFragment({ contextID, command: true, last: true, value: command })
  // Fragments are of even length (PS3.8 annex E); the last one is as the data set has it.
  const most = (sendLength - pdvHeaderLength) & ~1
  for (let offset = 0; dataSet !== undefined && (offset === 0 || offset < dataSet.length); offset += most) {
    const value = dataSet.subarray(offset, offset + most)
    yield encodeFragment({ contextID, command: false, last: offset + most >= dataSet.length, value })
  }
}
