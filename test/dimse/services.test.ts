import { afterEach, describe, expect, it } from 'vitest'
import { SOP } from '../../src/dicom/sop-class.ts'
import { type CommandValue, commandField, encodeCommandSet, parseCommandSet } from '../../src/dimse/command-set.ts'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import { maximumRequestLength, type Provide, type Responder, type ServiceProvider } from '../../src/dimse/service.ts'
import { HilumError } from '../../src/errors.ts'
import { CraftedPeer, dataPDU, implicitVR, releaseRQ, storageContext, storePDUs } from './crafted-peer.ts'
import { MemoryScp, until } from './memory-scp.ts'

const running: MemoryScp[] = []
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
})

const all = new Set(['store', 'query', 'retrieve'] as const)
async function start(
  provider: Partial<ServiceProvider>,
  options: Partial<DimseServerOptions> = {},
): Promise<MemoryScp> {
  const service: ServiceProvider = {
    abstractSyntaxes: [SOP.studyRootFind],
    permission: 'query',
    commandFields: [commandField.cFindRQ],
    provide: async () => undefined,
    ...provider,
  }
  const scp = await MemoryScp.start({ services: [service], admit: () => ({ permissions: all }), ...options })
  running.push(scp)
  return scp
}

const findContext = storageContext(1, implicitVR, SOP.studyRootFind)
const command = (...elements: [number, CommandValue][]) =>
  dataPDU({ command: true, last: true, value: encodeCommandSet(elements) })
const findRequest = (messageID = 7, sopClass: string = SOP.studyRootFind) =>
  command([0x0002, sopClass], [0x0100, 0x0020], [0x0110, messageID], [0x0700, 0], [0x0800, 1])
const cancelRequest = (messageID: number) => command([0x0100, 0x0fff], [0x0120, messageID], [0x0800, 0x0101])
const keys = dataPDU({ last: true, value: Buffer.from('KEYS') })
const associate = (scp: MemoryScp, options: Parameters<typeof CraftedPeer.associate>[1] = {}) =>
  CraftedPeer.associate(scp.port, { contexts: [findContext], ...options })

/** Resolves when the signal is raised. */
const cancelled = (responder: Responder): Promise<void> =>
  new Promise((resolve) => responder.signal.addEventListener('abort', () => resolve(), { once: true }))

describe('a request', () => {
  it('goes to its provider whole, and each response goes out with its data set', async () => {
    const seen: unknown[] = []
    const scp = await start({
      provide: async ({ command: { messageID, priority }, dataSet, context, association }, responder) => {
        seen.push(messageID, priority, dataSet?.toString(), context.transferSyntax, association.callingAETitle)
        for (const text of ['FIRST', 'SECOND'])
          await responder.respond({ status: 0xff00, dataSet: Buffer.from(text.repeat(2000)) })
        await responder.respond({ status: 0 })
      },
    })
    const peer = await associate(scp, { maxPdu: 4096 })
    peer.send(
      findRequest(),
      dataPDU({ value: Buffer.from('KE') }, { value: Buffer.from('Y') }),
      dataPDU({ value: Buffer.from('S'), last: true }),
    )
    const dataSets: string[] = []
    for (let n = 0; n < 2; n++) {
      expect(await peer.response()).toMatchObject({
        commandField: 0x8020,
        messageIDBeingRespondedTo: 7,
        sopClassUID: SOP.studyRootFind,
        sopInstanceUID: null,
        hasDataSet: true,
        status: 0xff00,
      })
      dataSets.push(await peer.dataSet())
    }
    expect(dataSets).toEqual(['FIRST'.repeat(2000), 'SECOND'.repeat(2000)])
    expect(await peer.response()).toMatchObject({ status: 0, hasDataSet: false })
    expect(seen).toEqual([7, 0, 'KEYS', implicitVR, 'CRAFTED'])
  })

  it.each([
    ['what it throws', async () => Promise.reject(new Error('PATIENT^NAME')), 0x0110, null],
    ['a status that it throws', async () => refuse(0xa801), 0xa801, 'refused'],
    ['no response at all', async () => undefined, 0x0110, null],
    ['only pending responses', onlyPending, 0x0110, null],
  ])('gets a last response for %s', async (_, provide: Provide, status, errorComment) => {
    const scp = await start({ provide })
    const peer = await associate(scp)
    peer.send(findRequest(), keys)
    let response = await peer.response()
    if (response.status === 0xff00) response = await peer.response()
    expect(response).toMatchObject({ status, errorComment })
    peer.send(findRequest(8), keys)
    expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: 8 })
  })

  it('says how far a retrieve is, as numbers of 16 bits', async () => {
    const scp = await start({
      abstractSyntaxes: [SOP.studyRootMove],
      commandFields: [commandField.cMoveRQ],
      provide: ({ command: { moveDestination } }, responder) =>
        responder.respond({
          status: 0,
          comment: moveDestination ?? '',
          subOperations: { remaining: 0, completed: 70_000, failed: 2, warning: 1 },
        }),
    })
    const peer = await associate(scp, { contexts: [storageContext(1, implicitVR, SOP.studyRootMove)] })
    peer.send(
      command([0x0002, SOP.studyRootMove], [0x0100, 0x0021], [0x0110, 1], [0x0600, 'PACS'], [0x0700, 0], [0x0800, 1]),
      keys,
    )
    expect(await peer.response()).toMatchObject({
      errorComment: 'PACS',
      remaining: 0,
      completed: 0xffff,
      failed: 2,
      warning: 1,
    })
  })

  it.each([
    ['C-FIND', SOP.studyRootFind, 0x0020, 0xa700],
    ['N-ACTION', SOP.storageCommitmentPushModel, 0x0130, 0x0213],
  ])('%s with a data set beyond the limit is refused, and the association goes on', async (_, sop, field, status) => {
    let provided = 0
    const scp = await start({
      abstractSyntaxes: [sop],
      commandFields: [field],
      provide: async (_request, responder) => {
        provided++
        await responder.respond({ status: 0 })
      },
    })
    const peer = await associate(scp, { contexts: [storageContext(1, implicitVR, sop)] })
    const request = command([0x0003, sop], [0x0100, field], [0x0110, 1], [0x0800, 1], [0x1001, '1.2.3'])
    const most = dataPDU({ value: Buffer.alloc(maximumRequestLength) })
    peer.send(request, most, dataPDU({ value: Buffer.alloc(1), last: true }))
    expect(await peer.response()).toMatchObject({ status })
    peer.send(request, most, dataPDU({ value: Buffer.alloc(0), last: true }))
    expect(await peer.response()).toMatchObject({ status: 0 })
    expect(provided).toBe(1)
  })

  it.each([
    ['another command', command([0x0002, SOP.studyRootFind], [0x0100, 0x0021], [0x0110, 1], [0x0800, 1]), 0x0211],
    ['another SOP class', findRequest(1, SOP.patientRootFind), 0x0122],
  ])('with %s than the context serves is refused', async (_, request, status) => {
    const scp = await start({})
    const peer = await associate(scp)
    peer.send(request, keys)
    expect(await peer.response()).toMatchObject({ status })
  })

  it('for a service of a class that the caller may use another service of is refused', async () => {
    const served: unknown[] = []
    const both = await MemoryScp.start({
      admit: () => ({ permissions: new Set() }),
      services: [
        {
          abstractSyntaxes: [SOP.storageCommitmentPushModel],
          permission: null,
          commandFields: [commandField.nSetRQ],
          provide: async (_, responder) => responder.respond({ status: 0 }),
        },
        {
          abstractSyntaxes: [SOP.storageCommitmentPushModel],
          permission: 'store',
          commandFields: [commandField.nActionRQ],
          provide: async (_, responder) => {
            served.push('N-ACTION')
            await responder.respond({ status: 0 })
          },
        },
      ],
    })
    running.push(both)
    const peer = await associate(both, { contexts: [storageContext(1, implicitVR, SOP.storageCommitmentPushModel)] })
    const request = (field: number) =>
      command([0x0003, SOP.storageCommitmentPushModel], [0x0100, field], [0x0110, 1], [0x0800, 0x0101], [0x1001, '1.2'])
    peer.send(request(commandField.nSetRQ))
    expect(await peer.response()).toMatchObject({ status: 0 })
    peer.send(request(commandField.nActionRQ))
    expect(await peer.response()).toMatchObject({ status: 0x0124 })
    expect(served).toEqual([])
  })

  it('waits for the one before it where no window was negotiated', async () => {
    const order: string[] = []
    const open: (() => void)[] = []
    const scp = await start({
      provide: async ({ command: { messageID } }, responder) => {
        order.push(`begin ${messageID}`)
        await new Promise<void>((resolve) => open.push(resolve))
        order.push(`end ${messageID}`)
        await responder.respond({ status: 0 })
      },
    })
    const peer = await associate(scp, { contexts: [findContext, storageContext(3)] })
    peer.send(findRequest(1), keys, storePDUs('1.2.3', Buffer.from('AB'), { context: 3, messageID: 2 }))
    peer.send(findRequest(3), keys)
    await until(() => open.length === 1)
    expect(scp.stored).toHaveLength(0)
    open[0]?.()
    expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: 1 })
    expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: 2 })
    await until(() => open.length === 2)
    open[1]?.()
    expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: 3 })
    expect(order).toEqual(['begin 1', 'end 1', 'begin 3', 'end 3'])
  })
})

describe('a request under way', () => {
  it('is cancelled by C-CANCEL for its message ID only', async () => {
    const scp = await start({
      provide: async (_, responder) => {
        await responder.respond({ status: 0xff00, dataSet: Buffer.from('AB') })
        await cancelled(responder)
        await responder.respond({ status: 0xfe00 })
      },
    })
    const peer = await associate(scp)
    peer.send(findRequest(7), keys)
    expect(await peer.response()).toMatchObject({ status: 0xff00 })
    await peer.next()
    peer.send(cancelRequest(6), cancelRequest(7))
    expect(await peer.response()).toMatchObject({ status: 0xfe00 })
  })

  it.each([
    ['the connection is lost', (peer: CraftedPeer) => peer.socket.destroy(), 'lost'],
    ['the peer aborts', (peer: CraftedPeer) => peer.send(Buffer.from([7, 0, 0, 0, 0, 4, 0, 0, 0, 0])), 'aborted'],
  ])('is cancelled when %s', async (_, end, how) => {
    const failures: unknown[] = []
    const scp = await start({
      provide: async (_request, responder) => {
        await responder.respond({ status: 0xff00, dataSet: Buffer.from('AB') })
        await cancelled(responder)
        await responder.respond({ status: 0xff00 }).catch((error: unknown) => failures.push(error))
      },
    })
    const peer = await associate(scp)
    peer.send(findRequest(), keys)
    await peer.response()
    end(peer)
    await until(() => scp.closed.length === 1)
    expect(scp.closed).toEqual([how])
    expect(failures).toMatchObject([{ code: 'association-lost' }])
  })

  it('ends before the release that comes meanwhile is answered', async () => {
    const scp = await start({
      provide: async (_, responder) => {
        await cancelled(responder)
        await responder.respond({ status: 0xfe00 })
      },
    })
    const peer = await associate(scp)
    peer.send(findRequest(), keys, releaseRQ)
    expect(await peer.response()).toMatchObject({ status: 0xfe00 })
    expect((await peer.next())?.type).toBe(6)
    await until(() => scp.closed.length === 1)
    expect(scp.closed).toEqual(['released'])
  })

  it('is held back by a peer that does not read, and ended when it never does', async () => {
    let written = 0
    const scp = await start(
      {
        provide: async (_, responder) => {
          for (; written < 10_000; written++) await responder.respond({ status: 0xff00, dataSet: Buffer.alloc(50_000) })
        },
      },
      { pduTimeoutMs: 300 },
    )
    const peer = await associate(scp)
    peer.socket.pause()
    peer.send(findRequest(), keys)
    await until(() => scp.closed.length === 1)
    // What the kernel takes for a connection is some MB; nothing of 500 MB lies in memory.
    expect(written).toBeLessThan(1000)
    expect(scp.closed).toEqual(['aborted'])
  })
})

const onlyPending: Provide = (_, responder) => responder.respond({ status: 0xff00 })

function refuse(status: number): never {
  throw new HilumError('refused', 'refused', { detail: { status } })
}

describe('command sets of requests', () => {
  it('are read with every element that services need', () => {
    const bytes = encodeCommandSet([
      [0x0003, '1.2.3'],
      [0x0100, 0x0130],
      [0x0110, 5],
      [0x0600, 'DEST'],
      [0x0700, 2],
      [0x0800, 1],
      [0x1001, '1.2.4'],
      [0x1002, 1],
      [0x1008, 3],
      [0x1030, 'MOVER'],
      [0x1031, 65535],
    ])
    expect(parseCommandSet(bytes)).toMatchObject({
      sopClassUID: '1.2.3',
      sopInstanceUID: '1.2.4',
      moveDestination: 'DEST',
      priority: 2,
      eventTypeID: 1,
      actionTypeID: 3,
      moveOriginatorAETitle: 'MOVER',
      moveOriginatorMessageID: 65535,
    })
  })

  it('are read with the tags of an attribute identifier list', () => {
    const list = Buffer.from('0000051008000000100010000800180000000001020000002001', 'hex')
    expect(parseCommandSet(list).attributeIdentifiers).toEqual([0x00100010, 0x00080018])
  })
})
