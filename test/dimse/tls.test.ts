import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type ConnectionOptions, connect as connectTLS, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AssociationRequest } from '../../src/dimse/association-pdu.ts'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import type { TLSOptions } from '../../src/dimse/tls-listener.ts'
import { type Log, type LogContext, silentLog } from '../../src/log.ts'
import { available } from '../support/programs.ts'
import { type CertificateFiles, TestAuthority } from './certificates.ts'
import { associateRequest, CraftedPeer, releaseRQ } from './crafted-peer.ts'
import { MemoryScp, until } from './memory-scp.ts'
import { recordingLog } from './recording-log.ts'

const runs = available('openssl')
let folder = ''
let authority: TestAuthority
let server: CertificateFiles
let client: CertificateFiles
let stranger: CertificateFiles
const running: MemoryScp[] = []

beforeAll(() => {
  if (!runs) return
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-tls-'))
  authority = new TestAuthority(folder)
  server = authority.issue('server')
  client = authority.issue('client')
  stranger = new TestAuthority(folder, 'another').issue('stranger')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
})

async function start(options: Partial<TLSOptions> = {}, more: Partial<DimseServerOptions> = {}): Promise<MemoryScp> {
  const tls = { port: 0, ...server, ca: authority.ca, clientCertificate: 'required' as const, ...options }
  const scp = await MemoryScp.start({ tls, ...more })
  running.push(scp)
  return scp
}

function connectTo(scp: MemoryScp, files: CertificateFiles | null, options: ConnectionOptions = {}): TLSSocket {
  return connectTLS({
    host: '127.0.0.1',
    port: scp.server.tlsPort ?? 0,
    ca: readFileSync(authority.ca),
    ...(files && { cert: readFileSync(files.certificate), key: readFileSync(files.key) }),
    ...options,
  })
}

/** How a handshake went, and the association request behind it: the answer's PDU type, or the error's code. */
async function outcomeOf(socket: TLSSocket): Promise<number | string> {
  return await new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EPROTO' ? error.message : (error.code ?? error.message)),
    )
    socket.on('close', () => resolve('closed'))
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes[0] as number)
      socket.destroy()
    })
    socket.write(associateRequest())
  })
}

describe.runIf(runs)('a listener with TLS', () => {
  it('admits by certificate, beside the one without, under one limit', async () => {
    const seen: AssociationRequest['tls'][] = []
    const admit = (request: AssociationRequest) => {
      seen.push(request.tls)
      return null
    }
    const scp = await start({}, { maxAssociations: 1, admit })
    const peer = CraftedPeer.over(connectTo(scp, client))
    peer.send(associateRequest())
    expect((await peer.next())?.type).toBe(2)
    expect(scp.opened[0]?.tls).toMatchObject({ protocol: 'TLSv1.3', certificate: { subject: 'O=Test, CN=client' } })
    expect(seen[0]?.certificate?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    const plain = await CraftedPeer.connect(scp.port)
    plain.send(associateRequest())
    expect([...((await plain.next())?.body ?? [])]).toEqual([0, 2, 3, 2])
    peer.send(releaseRQ)
    expect((await peer.next())?.type).toBe(6)
    await CraftedPeer.associate(scp.port)
    expect(seen[1]).toBeNull()
  })

  it.each([
    ['required', 'our', 2],
    ['required', 'no', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
    ['required', 'a stranger’s', 'closed'],
    ['requested', 'no', 2],
    ['requested', 'a stranger’s', 'closed'],
    ['none', 'no', 2],
  ] as const)('with a client certificate %s, answers to %s certificate', async (clientCertificate, whose, outcome) => {
    const scp = await start({ clientCertificate })
    const files = whose === 'no' ? null : whose === 'our' ? client : stranger
    expect(await outcomeOf(connectTo(scp, files))).toBe(outcome)
  })

  it.each([
    ['TLS 1.2 with what RFC 9325 recommends', { maxVersion: 'TLSv1.2' }, 2],
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, /protocol version/],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }, /handshake failure/],
    ['no forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' }, /handshake failure/],
  ] as const)('takes or refuses %s', async (_, options, outcome) => {
    const scp = await start({}, { log: recordingLog().log })
    const seen = await outcomeOf(connectTo(scp, client, options))
    if (typeof outcome === 'number') expect(seen).toBe(outcome)
    else expect(seen).toMatch(outcome)
  })

  it('does not renegotiate', async () => {
    const scp = await start({}, { associationTimeoutMs: 300 })
    const socket = connectTo(scp, client, { maxVersion: 'TLSv1.2' })
    await once(socket, 'secureConnect')
    const failed = await new Promise((resolve) => {
      socket.on('error', () => undefined)
      socket.on('close', () => resolve('closed'))
      socket.renegotiate({}, (error) => resolve(error ? 'refused' : 'renegotiated'))
    })
    expect(failed).not.toBe('renegotiated')
    socket.destroy()
  })

  it.each(['required', 'requested'] as const)(
    'logs whose certificate is refused, and why, where it is %s',
    async (clientCertificate) => {
      const told: LogContext[] = []
      const log: Log = { ...silentLog, warn: (_, context) => void told.push(context ?? {}) }
      const scp = await start({ clientCertificate }, { log })
      expect(await outcomeOf(connectTo(scp, stranger))).toBe('closed')
      await until(() => told.length > 0)
      expect(told).toEqual([
        { address: expect.stringContaining('127.0.0.1'), reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      ])
    },
  )

  it('logs a failed handshake once, and not that somebody came and went', async () => {
    const { log, lines } = recordingLog()
    const scp = await start({}, { log })
    const probe = connect(scp.server.tlsPort ?? 0, '127.0.0.1')
    await once(probe, 'connect')
    probe.destroy()
    const garbage = connect(scp.server.tlsPort ?? 0, '127.0.0.1', () => garbage.write(associateRequest()))
    await once(garbage, 'close')
    await until(() => lines.length > 0)
    expect(lines).toEqual(['TLS handshake failed'])
  })

  it('gives up on a handshake that does not end', async () => {
    const scp = await start({}, { associationTimeoutMs: 100 })
    const socket = connect(scp.server.tlsPort ?? 0, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'close')
    expect(scp.server.openAssociations).toBe(0)
  })

  it('takes new certificate files without a restart, and keeps the old ones where the new are broken', async () => {
    const { log, lines } = recordingLog()
    const files = { certificate: path.join(folder, 'live.pem'), key: path.join(folder, 'live.key') }
    const put = (from: CertificateFiles) => {
      cpSync(from.certificate, files.certificate)
      cpSync(from.key, files.key)
    }
    put(server)
    const scp = await start(files, { log })
    const served = async () => {
      const socket = connectTo(scp, client)
      await once(socket, 'secureConnect')
      const { subject } = socket.getPeerCertificate()
      socket.destroy()
      return subject.CN
    }
    expect(await served()).toBe('server')
    put(authority.issue('renewed'))
    await until(() => lines.length === 1)
    expect(await served()).toBe('renewed')
    writeFileSync(files.certificate, 'no certificate')
    await until(() => lines.length === 2)
    expect(await served()).toBe('renewed')
    rmSync(files.key)
    mkdirSync(files.key)
    await until(() => lines.length === 3)
    expect(await served()).toBe('renewed')
    expect(lines).toEqual([
      'TLS certificate files read again',
      'TLS certificate files cannot be used, the old ones stay',
      'TLS certificate files cannot be used, the old ones stay',
    ])
  })

  it('does not start with files that cannot be used', async () => {
    const tls = { port: 0, ...server, key: client.key, clientCertificate: 'none' as const }
    await expect(MemoryScp.start({ tls })).rejects.toMatchObject({ code: 'connection-failed' })
    const ca = path.join(folder, 'no.pem')
    writeFileSync(ca, 'no PEM')
    await expect(MemoryScp.start({ tls: { ...tls, key: server.key, ca } })).rejects.toThrow(`ca: ${ca} holds no PEM`)
  })
})

const withDcmtk = runs && available('echoscu')

describe.runIf(withDcmtk)('dcmtk over TLS', () => {
  const echoscu = (scp: MemoryScp, ...args: string[]): ChildProcess =>
    spawn('echoscu', [...args, '+cf', authority.ca, '-aec', 'HILUM', '127.0.0.1', String(scp.server.tlsPort)])
  const codeOf = async (child: ChildProcess): Promise<number> => ((await once(child, 'close')) as [number])[0]

  it.each(['+py', '+px', '+pz'])('is served with a certificate, profile %s', async (profile) => {
    const scp = await start()
    expect(await codeOf(echoscu(scp, '+tls', client.key, client.certificate, profile))).toBe(0)
  })

  it('is served without a certificate only where none is required', async () => {
    expect(await codeOf(echoscu(await start({ clientCertificate: 'requested' }), '+tla'))).toBe(0)
    expect(await codeOf(echoscu(await start(), '+tla'))).not.toBe(0)
  })
})
