import { describe, expect, it } from 'vitest'
import { encodeCommandSet } from '../../src/dimse/command-set.ts'
import { HilumError } from '../../src/errors.ts'
import {
  CraftedPeer,
  commandPDU,
  ctImage,
  dataPDU,
  echoCommand,
  explicitVR,
  implicitVR,
  storageContext,
  storeCommand,
  storePDUs,
  verification,
} from './crafted-peer.ts'
import { startScp, until } from './memory-scp.ts'

const echoContext = { id: 3, abstractSyntax: verification, transferSyntaxes: [implicitVR] }

describe.each([{ reuseBuffer: true }, { reuseBuffer: false }])(
  'an association ($reuseBuffer: reused buffer)',
  (options) => {
    it('keeps every fragment of several in one PDU', async () => {
      const scp = await startScp(options)
      const peer = await CraftedPeer.associate(scp.port)
      peer.send(
        commandPDU(storeCommand('1.2.3')),
        dataPDU({ value: Buffer.from('AA') }, { value: Buffer.from('BB') }, { value: Buffer.from('CC'), last: true }),
      )
      expect(await peer.response()).toMatchObject({ status: 0, sopInstanceUID: '1.2.3' })
      expect(scp.stored.map((stored) => stored.bytes.toString())).toEqual(['AABBCC'])
    })

    it('keeps a command and its data set in one PDU, sent byte by byte', async () => {
      const scp = await startScp(options)
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
      const scp = await startScp(options)
      const peer = await CraftedPeer.associate(scp.port)
      const data = Buffer.alloc(300_000, 9)
      for (let n = 1; n <= 20; n++) peer.send(storePDUs(`1.2.${n}`, data, { messageID: n }))
      for (let n = 1; n <= 20; n++)
        expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: n, status: 0 })
      expect(scp.stored.every((stored) => stored.bytes.equals(data))).toBe(true)
    })

    it('reads nothing while it is held, and loses nothing', async () => {
      const scp = await startScp(options)
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
    const scp = await startScp()
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
    const scp = await startScp({ pduTimeoutMs: 200 })
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
    const scp = await startScp()
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
    const scp = await startScp()
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
    const scp = await startScp()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(storePDUs('1.2.3', Buffer.from('AB'), { sopClass }))
    expect(await peer.response()).toMatchObject({ status })
  })

  it('translates the reason of a refusal to a status, takes the bytes, and goes on', async () => {
    const scp = await startScp()
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
    const scp = await startScp()
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
