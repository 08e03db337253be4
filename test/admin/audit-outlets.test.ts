import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { Audit } from '../../src/admin/audit.ts'
import { AuditFile } from '../../src/admin/audit-file.ts'
import { type AuditOutlet, AuditOutlets } from '../../src/admin/audit-outlets.ts'
import { SyslogOutlet, type SyslogSettings } from '../../src/admin/audit-syslog.ts'
import { silentLog } from '../../src/log.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

const source = { id: 'HILUM' }
let store: TemporaryStore
let audit: Audit
let folder: string
let pki: string
let running: AuditOutlets[] = []
let servers: SyslogServer[] = []
let now = new Date('2026-03-01T23:59:00.000Z')

beforeAll(() => {
  pki = mkdtempSync(path.join(tmpdir(), 'hilum-pki-'))
  const file = (name: string) => path.join(pki, name)
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', file('key.pem'), '-out', file('certificate.pem')]
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...made, ...subject], { stdio: 'pipe' })
})
afterAll(() => rmSync(pki, { recursive: true, force: true }))

beforeEach(async () => {
  store = await temporaryStore()
  now = new Date('2026-03-01T23:59:00.000Z')
  audit = new Audit(store.database, () => now)
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-audit-'))
})
afterEach(async () => {
  for (const outlets of running.splice(0)) await outlets.stop()
  for (const server of servers.splice(0)) await server.stop()
  await store.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const record = (action: string) => audit.record({ actor: 'user:anna', action, outcome: 'success' })

async function start(...outlets: AuditOutlet[]): Promise<AuditOutlets> {
  const started = new AuditOutlets({ database: store.database, outlets, log: silentLog })
  audit.onRecorded(() => started.poke())
  await started.start()
  running.push(started)
  return started
}

const written = async (outlets: AuditOutlets, count = 0) =>
  vi.waitFor(
    async () => {
      const [status] = await outlets.status()
      expect(status).toMatchObject({ waiting: 0 })
      expect(status?.sequence).toBeGreaterThanOrEqual(count)
    },
    { timeout: 15_000, interval: 20 },
  )

const lines = (name: string) =>
  readFileSync(path.join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

it('writes a file a day that only the node may read, and what was recorded before it was there', async () => {
  await record('login')
  const file = new AuditFile({ folder, source, keepDays: 0 })
  const outlets = await start(file)
  await written(outlets, 1)
  now = new Date('2026-03-02T00:01:00.000Z')
  await record('logout')
  await written(outlets, 2)
  expect(readdirSync(folder).sort()).toEqual(['audit-2026-03-01.jsonl', 'audit-2026-03-02.jsonl'])
  expect(statSync(path.join(folder, 'audit-2026-03-01.jsonl')).mode & 0o777).toBe(0o600)
  const [first] = lines('audit-2026-03-01.jsonl')
  const row = await store.database('audit').where({ sequence: 1 }).first()
  expect(first).toMatchObject({ sequence: 1, hash: row.hash, actor: 'user:anna', action: 'login' })
  expect(first?.message).toContain('<EventID csd-code="110114"')
})

it('writes nothing twice after a crash, and cuts off what was begun', async () => {
  for (const action of ['login', 'query', 'logout']) await record(action)
  const outlets = await start(new AuditFile({ folder, source, keepDays: 0 }))
  await written(outlets, 3)
  await outlets.stop()
  running = []
  // As if the last two had been written, and the node had died before the database knew, in the middle of a fourth.
  await store.database('audit_outlets').update({ sequence: 1 })
  appendFileSync(path.join(folder, 'audit-2026-03-01.jsonl'), '{"sequence":4,"ha')
  await record('login')
  const again = await start(new AuditFile({ folder, source, keepDays: 0 }))
  await written(again, 4)
  expect(lines('audit-2026-03-01.jsonl').map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
})

it('deletes files that are older than they are to be kept', async () => {
  mkdirSync(folder, { recursive: true })
  appendFileSync(path.join(folder, 'audit-2001-01-01.jsonl'), '')
  appendFileSync(path.join(folder, 'notes.txt'), '')
  now = new Date()
  await record('login')
  await written(await start(new AuditFile({ folder, source, keepDays: 30 })), 1)
  expect(readdirSync(folder).sort()).toEqual([`audit-${now.toISOString().slice(0, 10)}.jsonl`, 'notes.txt'])
})

it('leaves an outlet to one of several processes', async () => {
  const count = { one: 0, two: 0 }
  const outlet = (name: keyof typeof count): AuditOutlet => ({
    name: 'shared',
    from: 'beginning',
    write: async (rows) => {
      count[name] += rows.length
      await Promise.resolve()
    },
    close: () => Promise.resolve(),
  })
  const [one, two] = [await start(outlet('one')), await start(outlet('two'))]
  for (let i = 0; i < 10; i++) await record('login')
  one.poke()
  two.poke()
  await written(one, 10)
  expect(count.one + count.two).toBe(10)
  expect(Math.min(count.one, count.two)).toBe(0)
})

/** Frames of octet counting, as a server takes them apart (RFC 5425 4.3). */
class SyslogServer {
  readonly messages: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(transport: 'tls' | 'tcp') {
    const options = {
      key: readFileSync(path.join(pki, 'key.pem')),
      cert: readFileSync(path.join(pki, 'certificate.pem')),
    }
    const take = (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      let pending = Buffer.alloc(0)
      socket.on('data', (bytes: Buffer) => {
        pending = Buffer.concat([pending, bytes])
        for (;;) {
          const blank = pending.indexOf(0x20)
          const length = Number(pending.subarray(0, Math.max(0, blank)).toString('ascii'))
          if (blank < 1 || pending.length < blank + 1 + length) return
          this.messages.push(pending.subarray(blank + 1, blank + 1 + length).toString('utf8'))
          pending = pending.subarray(blank + 1 + length)
        }
      })
    }
    this.#server = transport === 'tls' ? createTlsServer(options, take) : createTcpServer(take)
    this.#server.on('tlsClientError', () => {})
    servers.push(this)
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return
    this.drop()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  get sequences(): number[] {
    return this.messages.map((message) => Number(/sequence="(\d+)"/.exec(message)?.[1]))
  }
}

const settings = (transport: SyslogSettings['transport'], port: number): SyslogSettings => ({
  host: '127.0.0.1',
  port,
  transport,
  facility: 10,
  ...(transport === 'tls' && { ca: path.join(pki, 'certificate.pem') }),
})

it.each(['tls', 'tcp'] as const)(
  'sends each entry to a syslog server over %s, with its octets counted',
  async (transport) => {
    const server = new SyslogServer(transport)
    const outlets = await start(new SyslogOutlet(settings(transport, await server.listen()), source))
    await audit.record({ actor: 'user:Jürgen', action: 'login', outcome: 'success' })
    await audit.record({ actor: 'user:anna', action: 'login', outcome: 'failure' })
    await written(outlets, 2)
    expect(server.sequences).toEqual([1, 2])
    const row = await store.database('audit').where({ sequence: 1 }).first()
    const [first = '', second] = server.messages
    // RFC 5424 6: priority 10 * 8 + 5, version, time, host, application, process, message id, structured data, and the XML after a BOM.
    expect(first).toMatch(
      new RegExp(
        `^<85>1 2026-03-01T23:59:00\\.000Z \\S+ hilum-HILUM ${process.pid} DICOM\\+RFC3881 \\[hilum@32473 sequence="1" hash="${row.hash}"\\] \ufeff<\\?xml`,
      ),
    )
    expect(first).toContain('user:Jürgen')
    expect(second).toMatch(/^<84>1 /)
  },
)

it('keeps for a syslog server what was recorded while it was away, and holds nobody up', async () => {
  const first = new SyslogServer('tls')
  const port = await first.listen()
  const outlets = await start(new SyslogOutlet(settings('tls', port), source))
  await record('login')
  await written(outlets, 1)
  await first.stop()
  for (let i = 0; i < 30; i++) await record('query')
  await vi.waitFor(async () => expect((await outlets.status())[0]?.trouble).not.toBeNull(), { timeout: 10_000 })
  expect((await outlets.status())[0]).toMatchObject({ waiting: expect.any(Number) })
  const second = new SyslogServer('tls')
  await second.listen(port)
  await written(outlets, 31)
  const seen = new Set([...first.sequences, ...second.sequences])
  expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, i) => i + 1))
  expect((await outlets.status())[0]?.trouble).toBeNull()
})

it('sends again what may have been lost with a connection', async () => {
  const server = new SyslogServer('tcp')
  const outlets = await start(new SyslogOutlet(settings('tcp', await server.listen()), source))
  await record('login')
  await written(outlets, 1)
  server.drop()
  await record('logout')
  await written(outlets, 2)
  expect(server.sequences.at(-1)).toBe(2)
  expect(server.sequences.filter((sequence) => sequence === 1).length).toBeGreaterThanOrEqual(2)
})

it('does not trust a syslog server whose certificate is not known', async () => {
  const server = new SyslogServer('tls')
  const { ca: _, ...unknown } = settings('tls', await server.listen())
  const outlets = await start(new SyslogOutlet(unknown, source))
  await record('login')
  await vi.waitFor(async () => expect((await outlets.status())[0]?.trouble).toMatch(/self-signed/), { timeout: 10_000 })
  expect(server.messages).toEqual([])
})

it('sends a datagram an entry over UDP', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  try {
    await start(new SyslogOutlet(settings('udp', socket.address().port), source))
    const came = once(socket, 'message')
    await record('login')
    const [message] = (await came) as [Buffer]
    expect(message.toString('utf8')).toMatch(/^<85>1 .*<\/AuditMessage>$/)
  } finally {
    socket.close()
  }
})
