import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { AuditRow } from '../store/audit-chain.ts'
import type { AuditSource } from './audit-message.ts'
import { auditMessage } from './audit-message.ts'
import type { AuditOutlet } from './audit-outlets.ts'

export interface SyslogSettings {
  host: string
  port?: number | undefined
  transport: 'tls' | 'tcp' | 'udp'
  ca?: string | undefined
  certificate?: string | undefined
  key?: string | undefined
  facility: number
}

const connectMs = 10_000
/** How long a connection is watched after a batch: syslog has no acknowledgement, a peer that has gone tells so within it, ms. */
const watchMs = 300
/** What was sent so shortly before a connection was lost is sent again, ms. */
const againMs = 30_000
const severity = { notice: 5, warning: 4 } as const

/**
 * An entry as a syslog message (RFC 5424; PS3.15 A.6: facility 10, MSGID DICOM+RFC3881, the XML as MSG). Its structured data anchors the chain; 32473
 * is the number that RFC 5612 gives to those without one of their own.
 */
export function syslogMessage(row: AuditRow, source: AuditSource, facility: number): string {
  const priority = facility * 8 + (row.outcome === 'success' ? severity.notice : severity.warning)
  const host = printable(hostname(), 255)
  const application = printable(`hilum-${source.id}`, 48)
  const header = `<${priority}>1 ${row.at} ${host} ${application} ${process.pid} DICOM+RFC3881`
  return `${header} [hilum@32473 sequence="${row.sequence}" hash="${row.hash}"] \ufeff${auditMessage(row, source)}`
}

/** Octet counting (RFC 5425 4.3, RFC 6587 3.4.1). */
export function syslogFrame(message: string): Buffer {
  const bytes = Buffer.from(message, 'utf8')
  return Buffer.concat([Buffer.from(`${bytes.length} `, 'ascii'), bytes])
}

function printable(text: string, longest: number): string {
  return text.replace(/[^\x21-\x7e]/g, '-').slice(0, longest) || '-'
}

/** Sends the audit to a syslog server over TLS (RFC 5425), TCP (RFC 6587) or UDP (RFC 5426). */
export class SyslogOutlet implements AuditOutlet {
  readonly name = 'syslog'
  readonly from = 'now'
  readonly #settings: SyslogSettings
  readonly #source: AuditSource
  #socket: Socket | null = null
  #recent: { at: number; frame: Buffer }[] = []

  constructor(settings: SyslogSettings, source: AuditSource) {
    this.#settings = settings
    this.#source = source
  }

  async write(rows: readonly AuditRow[]): Promise<void> {
    const messages = rows.map((row) => syslogMessage(row, this.#source, this.#settings.facility))
    if (this.#settings.transport === 'udp') return await this.#sendDatagrams(messages)
    const frames = messages.map(syslogFrame)
    if (this.#socket === null || this.#socket.destroyed) {
      this.#socket = await this.#connect()
      await this.#send(this.#recentFrames())
    }
    await this.#send(frames)
    const at = Date.now()
    this.#recent.push(...frames.map((frame) => ({ at, frame })))
    this.#recentFrames()
  }

  async close(): Promise<void> {
    const socket = this.#socket
    this.#socket = null
    if (socket === null || socket.destroyed) return
    socket.end()
    await Promise.race([once(socket, 'close'), sleep(1000, undefined, { ref: false })]).catch(() => {})
    socket.destroy()
  }

  #recentFrames(): Buffer[] {
    const since = Date.now() - againMs
    this.#recent = this.#recent.filter(({ at }) => at >= since)
    return this.#recent.map(({ frame }) => frame)
  }

  async #connect(): Promise<Socket> {
    const { host, transport, ca, certificate, key } = this.#settings
    const port = this.#settings.port ?? (transport === 'tls' ? 6514 : 514)
    const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file))
    const socket =
      transport === 'tls'
        ? connectTls({
            host,
            port,
            ...(isIP(host) === 0 && { servername: host }),
            ca: read(ca),
            cert: read(certificate),
            key: read(key),
            minVersion: 'TLSv1.2',
          })
        : connectTcp({ host, port })
    // Nothing is expected; without a reader the other side's end would not be seen.
    socket.resume()
    socket.setKeepAlive(true, 15_000)
    socket.setTimeout(connectMs, () => socket.destroy(new Error(`${host}:${port} does not answer`)))
    try {
      await once(socket, transport === 'tls' ? 'secureConnect' : 'connect')
    } catch (error) {
      socket.destroy()
      throw error
    }
    socket.setTimeout(0)
    socket.on('error', () => {}) // told by the next write
    socket.on('end', () => socket.destroy())
    return socket
  }

  async #send(frames: readonly Buffer[]): Promise<void> {
    if (frames.length === 0) return
    const socket = this.#socket
    if (socket === null) throw new Error('there is no connection')
    const lost = new Promise<never>((_, reject) => {
      socket.once('close', () => reject(new Error('the connection was lost')))
    })
    const stuck = AbortSignal.timeout(connectMs)
    const written = new Promise<void>((resolve, reject) => {
      stuck.addEventListener('abort', () => reject(new Error('the server takes nothing')), { once: true })
      socket.write(Buffer.concat(frames), (error) => (error ? reject(error) : resolve()))
    })
    try {
      await Promise.race([written, lost])
      await Promise.race([sleep(watchMs), lost])
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  async #sendDatagrams(messages: readonly string[]): Promise<void> {
    const { host, port = 514 } = this.#settings
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
    try {
      for (const message of messages)
        await new Promise<void>((resolve, reject) =>
          socket.send(message, port, host, (error) => (error ? reject(error) : resolve())),
        )
    } finally {
      socket.close()
    }
  }
}
