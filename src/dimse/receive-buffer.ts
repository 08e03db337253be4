import type { Socket } from 'node:net'

/** Bytes that one read takes at most. */
export const receiveBufferLength = 256 * 1024

/**
 * One buffer for all connections of the process: a read is handed to its callback before the next one starts, and callbacks
 * keep nothing of it. Saves an allocation of 64 KiB a read, and with it most of the garbage collection.
 */
let shared: Buffer | undefined

/** The properties through which `net.Socket` implements its `onread` option, which a server cannot pass for what it accepts. */
interface OnReadSocket {
  _handle?: { useUserBuffer?(buffer: Buffer): void } | null
  encrypted?: boolean
}

/**
 * Hands a connection's bytes to a callback, through one reused buffer where this version of Node allows it, else through
 * `data` events. The bytes are valid during the call only. Call it before anything is read (`pauseOnConnect`), then `resume`.
 * @param onBytes returns false to pause the socket; `socket.resume()` goes on
 * @returns how the bytes come
 */
export function readInto(
  socket: Socket,
  onBytes: (bytes: Buffer) => boolean,
  options: { reuse?: boolean } = {},
): 'reused-buffer' | 'data-events' {
  if (options.reuse !== false && useSharedBuffer(socket, onBytes)) return 'reused-buffer'
  socket.on('data', (chunk: Buffer) => {
    if (!onBytes(chunk)) socket.pause()
  })
  return 'data-events'
}

function useSharedBuffer(socket: Socket, onBytes: (bytes: Buffer) => boolean): boolean {
  const inner = socket as unknown as OnReadSocket & Record<symbol, unknown>
  const symbols = new Map(Object.getOwnPropertySymbols(socket).map((symbol) => [symbol.description, symbol]))
  const buffer = symbols.get('kBuffer')
  const callback = symbols.get('kBufferCb')
  const handle = inner._handle
  // TLS sockets read through their own streams.
  if (!buffer || !callback || inner.encrypted || typeof handle?.useUserBuffer !== 'function') return false
  shared ??= Buffer.allocUnsafeSlow(receiveBufferLength)
  inner[buffer] = shared
  inner[callback] = (length: number, bytes: Buffer): boolean => onBytes(bytes.subarray(0, length))
  handle.useUserBuffer(shared)
  return true
}
