import { describe, expect, it } from 'vitest'
import { parseAssociateAccept } from '../../src/dimse/association-pdu.ts'
import { encodeCommandSet } from '../../src/dimse/command-set.ts'
import {
  associateRequest,
  CraftedPeer,
  commandPDU,
  dataPDU,
  rawPDU,
  releaseRQ,
  storeCommand,
  storePDUs,
} from './crafted-peer.ts'
import { startScp, until } from './memory-scp.ts'

describe('the end of an association', () => {
  it('is a release: answered, told, and the connection closed', async () => {
    const scp = await startScp()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(releaseRQ)
    expect((await peer.next())?.type).toBe(6)
    await until(() => scp.closed.length > 0)
    expect(scp.closed).toEqual(['released'])
    peer.socket.end()
    await peer.end()
  })

  it('is a release, after which nothing is looked at any more', async () => {
    const scp = await startScp()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(releaseRQ, storePDUs('1.2.3', Buffer.from('AB')), releaseRQ)
    expect((await peer.next())?.type).toBe(6)
    peer.socket.end()
    await peer.end()
    expect([peer.pdus, scp.stored, scp.closed]).toEqual([[], [], ['released']])
  })

  it('is told after the instance under way is kept', async () => {
    const scp = await startScp()
    const order: string[] = []
    scp.beforeSuccess = async () => {
      await new Promise((resolve) => setTimeout(resolve, 60))
      order.push(`kept, ${scp.closed.length} closed`)
    }
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(storePDUs('1.2.3', Buffer.from('AB')))
    await until(() => scp.opened.length > 0)
    peer.socket.destroySoon()
    await until(() => scp.closed.length > 0)
    expect(order).toEqual(['kept, 0 closed'])
    expect(scp.stored).toHaveLength(1)
  })

  it('abandons the data set that breaks off', async () => {
    const scp = await startScp()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(commandPDU(storeCommand('1.2.3')), dataPDU({ value: Buffer.alloc(1000) }))
    await until(() => scp.opened.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 30))
    peer.socket.destroy()
    await until(() => scp.closed.length > 0)
    expect(scp.abandoned).toHaveLength(1)
    expect(scp.stored).toHaveLength(0)
    expect(scp.closed).toEqual(['lost'])
  })

  it('is an abort by the peer', async () => {
    const scp = await startScp()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(rawPDU(7, Buffer.from([0, 0, 0, 0])))
    await peer.end()
    expect(scp.closed).toEqual(['aborted'])
  })

  it('leaves what follows an abort in the same bytes unread', async () => {
    const scp = await startScp()
    const peer = await CraftedPeer.connect(scp.port)
    peer.send(Buffer.concat([rawPDU(7, Buffer.from([0, 0, 0, 0])), associateRequest()]))
    await peer.end()
    expect(peer.pdus).toEqual([])
    expect(scp.opened).toEqual([])
  })
})

describe('what breaks the protocol gets an A-ABORT by the provider, and the connection is closed', () => {
  const pdvBeyond = Buffer.from([4, 0, 0, 0, 0, 10, 0, 0, 0, 99, 1, 3, 0, 0, 0, 0])
  it.each([
    [
      'a fragment on a context that was not accepted',
      dataPDU({ context: 77, command: true, value: Buffer.alloc(2) }),
      6,
    ],
    ['a data set that no command announced', dataPDU({ last: true, value: Buffer.alloc(2) }), 5],
    [
      'a second command before the data set',
      Buffer.concat([commandPDU(storeCommand('1.2')), commandPDU(storeCommand('1.3'))]),
      5,
    ],
    ['a value that leads beyond its PDU', pdvBeyond, 6],
    ['a second association request', associateRequest(), 2],
    ['a release inside a message', Buffer.concat([commandPDU(storeCommand('1.2')), releaseRQ]), 2],
    ['an unknown PDU type', Buffer.from('GET / HTTP/1.1\r\n'), 1],
    ['a PDU of 4 GiB', Buffer.from([4, 0, 0xff, 0xff, 0xff, 0xff]), 6],
    ['a command set that is cut short', commandPDU(storeCommand('1.2').subarray(0, 30)), 6],
    ['a command set without end', dataPDU({ command: true, value: Buffer.alloc(70_000) }), 6],
    [
      'a response nobody asked for',
      commandPDU(
        encodeCommandSet([
          [0x0100, 0x8001],
          [0x0800, 0x0101],
        ]),
      ),
      5,
    ],
  ])('%s', async (_, bytes, reason) => {
    const scp = await startScp()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(bytes)
    const abort = await peer.next()
    expect([abort?.type, ...(abort?.body ?? [])]).toEqual([7, 0, 0, 2, reason])
    await peer.end()
    expect(scp.closed).toEqual(['aborted'])
    expect(scp.abandoned.length + scp.stored.length).toBeLessThanOrEqual(1)
    const next = await CraftedPeer.associate(scp.port)
    next.send(releaseRQ)
    expect((await next.next())?.type).toBe(6)
  })

  it.each([
    ['garbage before any association', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 1],
    ['data before any association', commandPDU(storeCommand('1.2')), 2],
    [
      'a malformed association request',
      rawPDU(1, Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(66), Buffer.from([0x10, 0, 9, 9])])),
      6,
    ],
  ])('%s', async (_, bytes, reason) => {
    const scp = await startScp()
    const peer = await CraftedPeer.connect(scp.port)
    peer.send(bytes)
    const abort = await peer.next()
    expect([abort?.type, ...(abort?.body ?? [])]).toEqual([7, 0, 0, 2, reason])
    await peer.end()
    expect(scp.opened).toEqual([])
  })
})

describe('association requests', () => {
  it('are answered with our own maximum length, whatever the peer announces', async () => {
    const scp = await startScp()
    for (const maxPdu of [0, 4096, 2 ** 31]) {
      const peer = await CraftedPeer.connect(scp.port)
      peer.send(associateRequest({ maxPdu }))
      const answer = await peer.next()
      expect(answer?.type).toBe(2)
      expect(parseAssociateAccept(answer?.body ?? Buffer.alloc(0)).maxPdu).toBe(262144)
    }
  })

  it('are rejected with source and reason, and told', async () => {
    const scp = await startScp()
    const peer = await CraftedPeer.connect(scp.port)
    peer.send(associateRequest({ calledAETitle: 'OTHER' }))
    const rejection = await peer.next()
    expect([rejection?.type, ...(rejection?.body ?? [])]).toEqual([3, 0, 1, 1, 7])
    await peer.end()
    expect(scp.refused).toEqual(['another AE title'])
  })

  it('are rejected for the moment when too many associations are open', async () => {
    const scp = await startScp({ maxAssociations: 1 })
    const first = await CraftedPeer.associate(scp.port)
    const second = await CraftedPeer.connect(scp.port)
    second.send(associateRequest())
    const rejection = await second.next()
    expect([rejection?.type, ...(rejection?.body ?? [])]).toEqual([3, 0, 2, 3, 2])
    first.send(releaseRQ)
    await first.next()
    expect((await CraftedPeer.associate(scp.port)).closed).toBe(false)
  })
})

describe('time-outs', () => {
  it.each([
    ['a peer that requests no association', { associationTimeoutMs: 100 }, false, null],
    ['a peer that sends nothing more', { idleTimeoutMs: 100 }, true, null],
    ['a peer that trickles inside a PDU', { pduTimeoutMs: 150 }, true, commandPDU(storeCommand('1.2.3'))],
  ])('%s is aborted', async (_, limits, associated, bytes) => {
    const scp = await startScp(limits)
    const peer = associated ? await CraftedPeer.associate(scp.port) : await CraftedPeer.connect(scp.port)
    const trickle = setInterval(() => bytes && peer.send(Buffer.of(4)), 20)
    if (bytes) peer.send(bytes, Buffer.from([4, 0, 0, 1, 0, 0, 0, 0, 0, 0xfc, 1, 2]))
    const abort = await peer.next()
    clearInterval(trickle)
    expect([abort?.type, ...(abort?.body ?? [])]).toEqual([7, 0, 0, 2, 0])
    await peer.end()
    expect(scp.closed).toEqual(associated ? ['aborted'] : [])
  })

  it('do not count while the instance is being kept', async () => {
    const scp = await startScp({ pduTimeoutMs: 400, idleTimeoutMs: 400 })
    scp.beforeSuccess = () => new Promise((resolve) => setTimeout(resolve, 1000))
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(storePDUs('1.2.3', Buffer.from('AB')))
    expect(await peer.response()).toMatchObject({ status: 0 })
  })
})

describe('draining', () => {
  it('lets the message under way end, then aborts, and accepts nothing more', async () => {
    const scp = await startScp()
    const idle = await CraftedPeer.associate(scp.port)
    const busy = await CraftedPeer.associate(scp.port)
    busy.send(commandPDU(storeCommand('1.2.3')), dataPDU({ value: Buffer.from('AB') }))
    await until(() => scp.opened.length === 2)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const drained = scp.server.drain(0, 5000)
    expect((await idle.next())?.type).toBe(7)
    busy.send(dataPDU({ last: true, value: Buffer.from('CD') }))
    expect(await busy.response()).toMatchObject({ status: 0 })
    expect((await busy.next())?.type).toBe(7)
    await drained
    expect(scp.stored[0]?.bytes.toString()).toBe('ABCD')
    await expect(CraftedPeer.connect(scp.port)).rejects.toThrow('ECONNREFUSED')
  })
})
