import { type FSWatcher, readFileSync, watch } from 'node:fs'
import type { Socket } from 'node:net'
import path from 'node:path'
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { DimseError } from './error.ts'
import { bcp195, type TLSPeer, tlsPeerOf } from './tls-profile.ts'

/** Files of a listener with TLS, and what it asks of its callers. */
export interface TLSOptions {
  /** PEM file of the certificate and its chain. */
  certificate: string
  /** PEM file of the private key. */
  key: string
  /** PEM file of the authorities whose client certificates are accepted. */
  ca?: string | undefined
  /** required: callers show a certificate of those authorities; requested: if they show one, it has to be; none: not asked. */
  clientCertificate: 'required' | 'requested' | 'none'
}

/** ms that files may still change in after the first change: a certificate and its key are written one after the other. */
const settleMs = 200

/**
 * Makes a server whose handshakes follow BCP 195, and which takes new certificate files without a restart. Whoever fails the
 * handshake is told by TLS itself, and logged with the reason.
 * @param options.handshakeTimeoutMs in which a handshake has to be done
 * @param options.onHandshake called for each TCP connection, before its handshake
 * @param options.onSecure called when a handshake is done
 * @throws {DimseError} `connection-failed` when the files cannot be used
 */
export function createTLSServer(
  options: TLSOptions & {
    handshakeTimeoutMs: number
    log: Log
    onHandshake(socket: Socket): void
    onSecure(socket: TLSSocket, peer: TLSPeer): void
  },
): { server: Server; close(): void } {
  const { clientCertificate, handshakeTimeoutMs, log } = options
  let context: SecureContextOptions
  let server: Server
  try {
    context = readContext(options)
    server = createServer({
      ...context,
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: clientCertificate !== 'none',
      rejectUnauthorized: clientCertificate === 'required',
    })
  } catch (cause) {
    throw new DimseError('connection-failed', `the TLS certificate files cannot be used: ${messageOf(cause)}`, {
      cause,
    })
  }
  server.on('connection', (socket: Socket) => options.onHandshake(socket))
  server.on('secureConnection', (socket) => {
    const peer = tlsPeerOf(socket)
    if (clientCertificate === 'none' || socket.authorized || peer.certificate === null)
      return options.onSecure(socket, peer)
    log.warn('TLS handshake failed', { address: socket.remoteAddress, reason: String(socket.authorizationError) })
    socket.destroy()
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // Whose certificate was refused is told to us as a connection that was reset. A probe that connects and leaves is nobody's trouble.
    const refused = socket.authorizationError as Error | string | null | undefined
    if (refused || error.code !== 'ECONNRESET')
      log.warn('TLS handshake failed', {
        address: addressOf(socket),
        reason: refused ? String(refused) : (error.code ?? messageOf(error)),
      })
    socket.destroy()
  })
  const watching = watchFiles(filesOf(options), () => {
    try {
      server.setSecureContext(readContext(options))
      log.info('TLS certificate files read again', { certificate: options.certificate })
    } catch (error) {
      log.error('TLS certificate files cannot be used, the old ones stay', { reason: messageOf(error) })
    }
  })
  return { server, close: () => watching.close() }
}

/** A connection that has closed is known by the plain one below it, whose address was read when it came. */
function addressOf(socket: TLSSocket): string | undefined {
  const below = (socket as { _parent?: Socket | null })._parent
  return socket.remoteAddress ?? below?.remoteAddress
}

function readContext(options: TLSOptions): SecureContextOptions {
  const { certificate, key, ca } = options
  return {
    ...bcp195,
    cert: readPEM(certificate, 'certificate'),
    key: readPEM(key, 'key'),
    ...(ca !== undefined && { ca: readPEM(ca, 'ca') }),
  }
}

/** OpenSSL's words for a file that is none of PEM name no file, and authorities without any certificate are no error to it. */
function readPEM(file: string, setting: string): Buffer {
  const bytes = readFileSync(file)
  if (!bytes.includes('-----BEGIN ')) throw new Error(`${setting}: ${file} holds no PEM`)
  return bytes
}

const filesOf = ({ certificate, key, ca }: TLSOptions): string[] => [
  certificate,
  key,
  ...(ca === undefined ? [] : [ca]),
]

/**
 * Tells when any of the files has changed, in place or by a new file of its name, and they have settled. The folders are
 * watched, because a file that is replaced takes its watch with it.
 */
function watchFiles(files: readonly string[], onChange: () => void): { close(): void } {
  const folders = new Set(files.map((file) => path.dirname(path.resolve(file))))
  let seen = contentsOf(files)
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const contents = contentsOf(files)
    if (contents === seen) return
    seen = contents
    onChange()
  }
  const later = (): void => {
    clearTimeout(timer)
    timer = setTimeout(look, settleMs)
    timer.unref()
  }
  const watchers: FSWatcher[] = [...folders].map((folder) => {
    const watcher = watch(folder, { persistent: false }, later)
    watcher.on('error', () => undefined)
    return watcher
  })
  return {
    close() {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** All of them as one text: they are small, and a change that leaves them the same is none. */
const contentsOf = (files: readonly string[]): string => files.map(contentOf).join('\0')

/** A file that cannot be read must not end the process, which serves others by what it has read before. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    return messageOf(error)
  }
}
