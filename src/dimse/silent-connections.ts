import type { Socket } from 'node:net'

/**
 * Connections that have not requested an association. There may be so many; one more cuts off the oldest of the address that
 * has the most of them, so that whoever opens connections and says nothing keeps nobody else out.
 */
export class SilentConnections {
  readonly #most: number
  /** By the connection's two ends, since a TLS socket takes the place of the plain one below it. Oldest first. */
  readonly #sockets = new Map<string, Socket>()

  /** @param most how many there may be */
  constructor(most: number) {
    this.#most = most
  }

  add(socket: Socket): void {
    const key = keyOf(socket)
    this.#sockets.set(key, socket)
    socket.once('close', () => {
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key)
    })
    if (this.#sockets.size > this.#most) this.#cutOff()
  }

  /** The connection has requested an association. */
  delete(socket: Socket): void {
    this.#sockets.delete(keyOf(socket))
  }

  destroyAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
    this.#sockets.clear()
  }

  #cutOff(): void {
    const counts = new Map<string, number>()
    for (const key of this.#sockets.keys()) counts.set(addressIn(key), (counts.get(addressIn(key)) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const [key, socket] of this.#sockets) {
      if (counts.get(addressIn(key)) !== most) continue
      this.#sockets.delete(key)
      socket.destroy()
      return
    }
  }
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort} ${socket.localPort}`
const addressIn = (key: string): string => key.slice(0, key.indexOf(' '))
