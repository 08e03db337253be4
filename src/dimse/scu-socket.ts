import { readFileSync } from 'node:fs'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTLS } from 'node:tls'
import { messageOf } from '../errors.ts'
import { DimseError } from './error.ts'
import { bcp195 } from './tls-profile.ts'

/** PEM files for calling a peer with TLS. */
export interface ClientTLS {
  /** The authorities to trust instead of the system's. */
  ca?: string | undefined
  /** Our certificate and its chain; needs `key`. */
  certificate?: string | undefined
  key?: string | undefined
}

/**
 * Connects, with TLS by BCP 195 where it is asked for; the peer's certificate has to be for its host name or address.
 * @param onConnected called when messages can be sent
 * @throws {DimseError} `connection-failed` when a PEM file cannot be used
 */
export function connectTo(
  peer: { host: string; port: number; tls?: ClientTLS | null | undefined },
  onConnected: () => void,
): Socket {
  const { host, port, tls } = peer
  if (!tls) {
    const socket = connect({ host, port, noDelay: true })
    socket.once('connect', onConnected)
    return socket
  }
  try {
    const socket = connectTLS({
      ...bcp195,
      host,
      port,
      ...(isIP(host) === 0 && { servername: host }),
      ...(tls.ca !== undefined && { ca: readFileSync(tls.ca) }),
      ...(tls.certificate !== undefined && { cert: readFileSync(tls.certificate) }),
      ...(tls.key !== undefined && { key: readFileSync(tls.key) }),
    })
    socket.setNoDelay(true)
    socket.once('secureConnect', onConnected)
    return socket
  } catch (cause) {
    throw new DimseError('connection-failed', `the TLS files for ${host} cannot be used: ${messageOf(cause)}`, {
      cause,
    })
  }
}
