import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { platform } from 'node:os'
import type koffi from 'koffi'

/** Of linux/tcp.h, the same on all its architectures. */
const tcpLevel = 6
const tcpQuickAck = 12

type SetSocketOption = (descriptor: number, level: number, name: number, value: number[], length: number) => number

/**
 * Asks the kernel to acknowledge what comes next as soon as it is read, and not with the next response or 40 ms later (tcp(7), TCP_QUICKACK).
 * A sender that leaves Nagle's algorithm on (RFC 896), as storescu does unless it is told otherwise, holds each data set back until its command is
 * acknowledged: without this it sends some twenty small instances a second. To be called after each response, which ends the mode. Node.js
 * does not offer the option, so that it goes through a foreign function; where that cannot be had, or on other systems, nothing happens.
 */
export const acknowledgePromptly: (socket: Socket) => void = promptly(loadSetSocketOption())

function promptly(setSocketOption: SetSocketOption | null): (socket: Socket) => void {
  if (setSocketOption === null) return () => undefined
  return (socket) => {
    const descriptor = descriptorOf(socket)
    if (descriptor !== null) setSocketOption(descriptor, tcpLevel, tcpQuickAck, [1], 4)
  }
}

function loadSetSocketOption(): SetSocketOption | null {
  if (platform() !== 'linux') return null
  try {
    const library = createRequire(import.meta.url)('koffi') as typeof koffi
    // The process itself: Node.js is linked to the C library, whatever that is called here.
    return library.load(null).func('int setsockopt(int, int, int, const int *, uint)') as SetSocketOption
  } catch {
    return null
  }
}

/** The file descriptor of an open socket on this side of any TLS; null where Node.js does not say it. */
function descriptorOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } | null }
  const descriptor = handle?.fd
  return descriptor !== undefined && descriptor >= 0 ? descriptor : null
}
