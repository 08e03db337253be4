import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { receiverDefaults } from '../../src/receive/receiver-options.ts'
import { ReceiverProcess, type ReceptionEvent } from '../../src/receive/receiver-process.ts'
import { CraftedPeer, dataPDU, storeCommand, storePDUs } from '../dimse/crafted-peer.ts'
import { slice } from '../dimse/data-sets.ts'
import { until } from '../dimse/memory-scp.ts'
import { repository } from '../support/data.ts'

/** The process runs what was built: `npm run build` comes before the tests. */
const entry = path.join(repository, 'dist', 'receive', 'receiver.js')

describe.skipIf(!existsSync(entry))('the receiving process', () => {
  let dataDir = ''
  let receiver: ReceiverProcess
  let events: ReceptionEvent[] = []
  let lost = 0
  const options = () => ({
    ...receiverDefaults,
    aeTitle: 'HILUM',
    host: '127.0.0.1',
    port: 0,
    dataDir,
    minimumFreeBytes: 0,
  })
  const make = (port = 0) =>
    new ReceiverProcess(
      { ...options(), port },
      { log: silentLog, entry, onEvent: (event) => events.push(event), onLost: () => lost++ },
    )

  beforeEach(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-process-'))
    events = []
    lost = 0
    receiver = make()
    await receiver.start()
  })
  afterEach(async () => {
    await receiver.stop(0)
    rmSync(dataDir, { recursive: true, force: true })
  })

  const received = () => events.flatMap((event) => (event.kind === 'received' ? event.instances : []))
  const kinds = () => events.map((event) => event.kind).filter((kind) => kind !== 'counters')

  it('keeps instances and tells of them before it ends', async () => {
    const peer = await CraftedPeer.associate(receiver.port)
    for (let n = 0; n < 5; n++) {
      peer.send(storePDUs(`1.2.${n}`, slice({ sopInstanceUID: `1.2.${n}` })))
      expect(await peer.response()).toMatchObject({ status: 0 })
    }
    await receiver.stop(0)
    expect(received()).toHaveLength(5)
    expect(kinds().at(-1)).toBe('association-closed')
    expect(readdirSync(path.join(dataDir, 'incoming'))).toHaveLength(5)
    expect(receiver.pid).toBeUndefined()
    expect(lost).toBe(0)
  })

  it('is started again on the same port when it ends, with its associations told as lost', async () => {
    const { port, pid } = receiver
    const peer = await CraftedPeer.associate(port)
    await until(() => kinds().includes('association-opened'))
    process.kill(pid as number, 'SIGKILL')
    await peer.end()
    await until(() => lost === 1)
    expect(events.find((event) => event.kind === 'association-closed')).toMatchObject({ how: 'lost' })
    await until(() => receiver.pid !== undefined && receiver.pid !== pid)
    let again: CraftedPeer | null = null
    while (!again)
      again = await CraftedPeer.associate(port).catch(() => new Promise((r) => setTimeout(() => r(null), 20)))
    again.send(storePDUs('1.2.3.4', slice()))
    expect(await again.response()).toMatchObject({ status: 0 })
    again.socket.destroy()
  })

  it('says so when its port is taken', async () => {
    await expect(make(receiver.port).start()).rejects.toMatchObject({ code: 'receiver-start-failed' })
  })

  it('drops what is half there when it is stopped, and leaves nothing behind', async () => {
    const peer = await CraftedPeer.associate(receiver.port)
    peer.send(dataPDU({ command: true, last: true, value: storeCommand('1.2.3.4') }), dataPDU({ value: slice() }))
    await until(() => readdirSync(path.join(dataDir, 'incoming')).length === 1)
    const stopped = receiver.stop(0)
    peer.send(dataPDU({ last: true, value: Buffer.alloc(0) }))
    await stopped
    await peer.end()
    expect(readdirSync(path.join(dataDir, 'incoming')).every((name) => name.endsWith('.dcm'))).toBe(true)
  })
})
