import { afterEach, describe, expect, it } from 'vitest'
import { parseAssociateAccept } from '../../src/dimse/association-pdu.ts'
import { encodeCommandSet } from '../../src/dimse/command-set.ts'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import { HilumError } from '../../src/errors.ts'
import {
  associateRequest,
  CraftedPeer,
  ctImage,
  dataPDU,
  echoCommand,
  explicitVR,
  implicitVR,
  rawPDU,
  releaseRQ,
  storageContext,
  storeCommand,
  storePDUs,
  verification,
} from './crafted-peer.ts'
import { MemoryScp, until } from './memory-scp.ts'

const running: MemoryScp[] = []
async function start(options: Partial<DimseServerOptions> = {}): Promise<MemoryScp> {
  const scp = await MemoryScp.start(options)
  running.push(scp)
  return scp
}
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
})

const echoContext = { id: 3, abstractSyntax: verification, transferSyntaxes: [implicitVR] }
const commandPDU = (value: Buffer, context = 1) => dataPDU({ context, command: true, last: true, value })

describe.each([{ reuseBuffer: true }, { reuseBuffer: false }])(
  'an association ($reuseBuffer: reused buffer)',
  (options) => {
    it('keeps every fragment of several in one PDU', async () => {
      const scp = await start(options)
      const peer = await CraftedPeer.associate(scp.port)
      peer.send(
        commandPDU(storeCommand('1.2.3')),
        dataPDU({ value: Buffer.from('AA') }, { value: Buffer.from('BB') }, { value: Buffer.from('CC'), last: true }),
      )
      expect(await peer.response()).toMatchObject({ status: 0, sopInstanceUID: '1.2.3' })
      expect(scp.stored.map((stored) => stored.bytes.toString())).toEqual(['AABBCC'])
    })

    it('keeps a command and its data set in one PDU, sent byte by byte', async () => {
      const scp = await start(options)
      const peer = await CraftedPeer.associate(scp.port)
      const bytes = dataPDU(
        { command: true, value: storeCommand('1.2.3').subarray(0, 20) },
        { command: true, last: true, value: storeCommand('1.2.3').subarray(20) },
        { last: true, value: Buffer.from('WHOLE!') },
      )
      for (const byte of bytes) {
        peer.send(Buffer.of(byte))
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(await peer.response()).toMatchObject({ status: 0 })
      expect(scp.stored[0]?.bytes.toString()).toBe('WHOLE!')
    })

    it('answers stores that a peer sends without waiting, each once and in their order', async () => {
      const scp = await start(options)
      const peer = await CraftedPeer.associate(scp.port)
      const data = Buffer.alloc(300_000, 9)
      for (let n = 1; n <= 20; n++) peer.send(storePDUs(`1.2.${n}`, data, { messageID: n }))
      for (let n = 1; n <= 20; n++)
        expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: n, status: 0 })
      expect(scp.stored.every((stored) => stored.bytes.equals(data))).toBe(true)
    })

    it('reads nothing while it is held, and loses nothing', async () => {
      const scp = await start(options)
      const peer = await CraftedPeer.associate(scp.port)
      scp.server.hold()
      peer.send(storePDUs('1.2.1', Buffer.alloc(1000)), storePDUs('1.2.2', Buffer.alloc(2000)))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(scp.stored).toHaveLength(0)
      scp.server.release()
      await peer.response()
      await peer.response()
      expect(scp.stored.map((stored) => stored.bytes.length)).toEqual([1000, 2000])
    })
  },
)

describe('messages', () => {
  it('goes on with what follows a message without data set in the same chunk', async () => {
    const scp = await start()
    const peer = await CraftedPeer.associate(scp.port, { contexts: [storageContext(), echoContext] })
    peer.send(commandPDU(echoCommand(1), 3), commandPDU(echoCommand(2), 3), storePDUs('1.2.3', Buffer.from('AB')))
    expect(await peer.response()).toMatchObject({ commandField: 0x8030, messageIDBeingRespondedTo: 1, status: 0 })
    expect(await peer.response()).toMatchObject({ commandField: 0x8030, messageIDBeingRespondedTo: 2, status: 0 })
    expect(await peer.response()).toMatchObject({ commandField: 0x8001, status: 0 })
    for (let n = 3; n < 500; n++) {
      peer.send(commandPDU(echoCommand(n), 3))
      expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: n, status: 0 })
    }
  })

  it('cuts a peer off that sends requests and never reads the answers', async () => {
    const scp = await start({ pduTimeoutMs: 200 })
    const peer = await CraftedPeer.associate(scp.port)
    peer.socket.pause()
    const find = commandPDU(
      encodeCommandSet([
        [0x0002, ctImage],
        [0x0100, 0x0020],
        [0x0110, 4],
        [0x0800, 0x0101],
      ]),
    )
    const many = Buffer.concat(Array.from({ length: 2000 }, () => find))
    for (let n = 0; n < 100; n++) peer.send(many)
    await until(() => scp.closed.length === 1)
    expect(scp.closed).toEqual(['aborted'])
  })

  it('serves contexts whose IDs are out of order, each with its own transfer syntax', async () => {
    const scp = await start()
    const contexts = [storageContext(9, '1.2.840.10008.1.2.4.80'), storageContext(3, implicitVR), storageContext(5)]
    const peer = await CraftedPeer.associate(scp.port, { contexts })
    for (const context of [3, 9, 5]) {
      peer.send(storePDUs(`1.2.${context}`, Buffer.from('AB'), { context }))
      expect(await peer.response()).toMatchObject({ status: 0 })
    }
    expect(scp.stored.map((stored) => stored.request.context.transferSyntax)).toEqual([
      implicitVR,
      '1.2.840.10008.1.2.4.80',
      explicitVR,
    ])
  })

  it('answers an operation that nobody serves with 0x0211, after its data set', async () => {
    const scp = await start()
    const peer = await CraftedPeer.associate(scp.port)
    const find = encodeCommandSet([
      [0x0002, ctImage],
      [0x0100, 0x0020],
      [0x0110, 4],
      [0x0800, 1],
    ])
    peer.send(commandPDU(find), dataPDU({ last: true, value: Buffer.from('KEYS') }))
    expect(await peer.response()).toMatchObject({ commandField: 0x8020, messageIDBeingRespondedTo: 4, status: 0x0211 })
    peer.send(storePDUs('1.2.3', Buffer.from('AB')))
    expect(await peer.response()).toMatchObject({ status: 0 })
  })

  it.each([
    ['a class that is no storage', '1.2.840.10008.5.1.4.1.2.2.1', 0x0122],
    ['a private class', '1.2.392.200036.1', 0],
  ])('answers a store of %s', async (_, sopClass, status) => {
    const scp = await start()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(storePDUs('1.2.3', Buffer.from('AB'), { sopClass }))
    expect(await peer.response()).toMatchObject({ status })
  })

  it('translates the reason of a refusal to a status, takes the bytes, and goes on', async () => {
    const scp = await start()
    scp.beforeStore = () => {
      throw new HilumError('out-of-space', 'full')
    }
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(storePDUs('1.2.3', Buffer.alloc(500_000)))
    expect(await peer.response()).toMatchObject({ status: 0xa700, errorComment: 'full' })
    scp.beforeStore = () => undefined
    scp.beforeSuccess = async () => {
      throw new Error('anything, even a name')
    }
    peer.send(storePDUs('1.2.3', Buffer.from('AB')))
    expect(await peer.response()).toMatchObject({ status: 0x0110, errorComment: null })
  })

  it('answers a store without a data set with 0xC000', async () => {
    const scp = await start()
    const peer = await CraftedPeer.associate(scp.port)
    const command = encodeCommandSet([
      [0x0002, ctImage],
      [0x0100, 1],
      [0x0110, 1],
      [0x0800, 0x0101],
      [0x1000, '1.2.3'],
    ])
    peer.send(commandPDU(command))
    expect(await peer.response()).toMatchObject({ status: 0xc000 })
  })
})

describe('the end of an association', () => {
  it('is a release: answered, told, and the connection closed', async () => {
    const scp = await start()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(releaseRQ)
    expect((await peer.next())?.type).toBe(6)
    await until(() => scp.closed.length > 0)
    expect(scp.closed).toEqual(['released'])
    peer.socket.end()
    await peer.end()
  })

  it('is a release, after which nothing is looked at any more', async () => {
    const scp = await start()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(releaseRQ, storePDUs('1.2.3', Buffer.from('AB')), releaseRQ)
    expect((await peer.next())?.type).toBe(6)
    peer.socket.end()
    await peer.end()
    expect([peer.pdus, scp.stored, scp.closed]).toEqual([[], [], ['released']])
  })

  it('is told after the instance under way is kept', async () => {
    const scp = await start()
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
    const scp = await start()
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
    const scp = await start()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(rawPDU(7, Buffer.from([0, 0, 0, 0])))
    await peer.end()
    expect(scp.closed).toEqual(['aborted'])
  })

  it('leaves what follows an abort in the same bytes unread', async () => {
    const scp = await start()
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
    const scp = await start()
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
    const scp = await start()
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
    const scp = await start()
    for (const maxPdu of [0, 4096, 2 ** 31]) {
      const peer = await CraftedPeer.connect(scp.port)
      peer.send(associateRequest({ maxPdu }))
      const answer = await peer.next()
      expect(answer?.type).toBe(2)
      expect(parseAssociateAccept(answer?.body ?? Buffer.alloc(0)).maxPdu).toBe(262144)
    }
  })

  it('are rejected with source and reason, and told', async () => {
    const scp = await start()
    const peer = await CraftedPeer.connect(scp.port)
    peer.send(associateRequest({ calledAETitle: 'OTHER' }))
    const rejection = await peer.next()
    expect([rejection?.type, ...(rejection?.body ?? [])]).toEqual([3, 0, 1, 1, 7])
    await peer.end()
    expect(scp.refused).toEqual(['another AE title'])
  })

  it('are rejected for the moment when too many associations are open', async () => {
    const scp = await start({ maxAssociations: 1 })
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
    const scp = await start(limits)
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
    const scp = await start({ pduTimeoutMs: 400, idleTimeoutMs: 400 })
    scp.beforeSuccess = () => new Promise((resolve) => setTimeout(resolve, 1000))
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(storePDUs('1.2.3', Buffer.from('AB')))
    expect(await peer.response()).toMatchObject({ status: 0 })
  })
})

describe('draining', () => {
  it('lets the message under way end, then aborts, and accepts nothing more', async () => {
    const scp = await start()
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
