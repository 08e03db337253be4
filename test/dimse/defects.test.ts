import { afterEach, describe, expect, it, vi } from 'vitest'
import { SOP } from '../../src/dicom/sop-class.ts'
import { encodeAssociateAccept, parseAssociateRequest } from '../../src/dimse/association-pdu.ts'
import { commandField, encodeCommandSet } from '../../src/dimse/command-set.ts'
import { ScuAssociation } from '../../src/dimse/scu-association.ts'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import type { Provide } from '../../src/dimse/service.ts'
import { acceptOne } from './accepting-peer.ts'
import {
  associateRequest,
  CraftedPeer,
  dataPDU,
  echoCommand,
  explicitVR,
  implicitVR,
  storageContext,
  storePDUs,
  verification,
} from './crafted-peer.ts'
import { MemoryScp } from './memory-scp.ts'

/** What was found wrong with common implementations, and is not tested where its code is. */

const running: MemoryScp[] = []
async function start(options: Partial<DimseServerOptions> = {}): Promise<MemoryScp> {
  const scp = await MemoryScp.start(options)
  running.push(scp)
  return scp
}
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
})

const fail = (): never => {
  throw new Error('thrown by the test')
}
const query = (provide: Provide, abstractSyntax: string = SOP.studyRootFind): Partial<DimseServerOptions> => ({
  services: [{ abstractSyntaxes: [abstractSyntax], permission: null, commandFields: [commandField.cFindRQ], provide }],
})
const find = (abstractSyntax: string, messageID = 1) =>
  Buffer.concat([
    dataPDU({
      command: true,
      last: true,
      value: encodeCommandSet([
        [0x0002, abstractSyntax],
        [0x0100, 0x0020],
        [0x0110, messageID],
        [0x0800, 1],
      ]),
    }),
    dataPDU({ last: true, value: Buffer.from('KEYS') }),
  ])

describe('the process goes on', () => {
  it.each([
    ['admission', { admit: fail }, associateRequest()],
    ['the start of an association', { onOpened: fail }, associateRequest()],
  ])('when %s throws', async (_, options, bytes) => {
    const scp = await start(options)
    const peer = await CraftedPeer.connect(scp.port)
    peer.send(bytes)
    await peer.end()
    expect(peer.pdus.at(-1)?.type).toBe(7)
    expect(scp.server.openAssociations).toBe(0)
  })

  it('when an instance cannot be written', async () => {
    const scp = await start({ beginStore: () => ({ write: fail, end: async () => fail(), abandon: () => undefined }) })
    const peer = await CraftedPeer.associate(scp.port)
    for (const uid of ['1.2.1', '1.2.2']) {
      peer.send(storePDUs(uid, Buffer.from('AB')))
      expect(await peer.response()).toMatchObject({ status: 0x0110, sopInstanceUID: uid, errorComment: null })
    }
  })

  it('when a provider responds after its last response, which is not sent', async () => {
    const scp = await start(
      query(async (_, responder) => {
        await responder.respond({ status: 0 })
        await responder.respond({ status: 0xff00 })
      }),
    )
    const peer = await CraftedPeer.associate(scp.port, { contexts: [storageContext(1, implicitVR, SOP.studyRootFind)] })
    peer.send(find(SOP.studyRootFind, 1), find(SOP.studyRootFind, 2))
    expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: 1, status: 0 })
    expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: 2, status: 0 })
  })
})

describe('a response', () => {
  it.each([SOP.patientRootFind, SOP.modalityWorklistFind])('names the class that was asked: %s', async (sopClass) => {
    const scp = await start(query((_, responder) => responder.respond({ status: 0 }), sopClass))
    const peer = await CraftedPeer.associate(scp.port, { contexts: [storageContext(1, implicitVR, sopClass)] })
    peer.send(find(sopClass))
    expect(await peer.response()).toMatchObject({ sopClassUID: sopClass })
  })

  it('repeats a UID as it came, even where it breaks PS3.5', async () => {
    const scp = await start()
    const peer = await CraftedPeer.associate(scp.port)
    peer.send(storePDUs('1.2.003.04', Buffer.from('AB')))
    expect(await peer.response()).toMatchObject({ sopInstanceUID: '1.2.003.04' })
    expect(scp.stored[0]?.request.sopInstanceUID).toBe('1.2.003.04')
  })

  it('with a data set fits the smallest PDU that is taken', async () => {
    const scp = await start(query((_, responder) => responder.respond({ status: 0, dataSet: Buffer.alloc(9000) })))
    const contexts = [storageContext(1, implicitVR, SOP.studyRootFind)]
    const peer = await CraftedPeer.associate(scp.port, { contexts, maxPdu: 4096 })
    peer.send(find(SOP.studyRootFind))
    const lengths: number[] = []
    for (let n = 0; n < 4; n++) lengths.push((await peer.next())?.body.length ?? 0)
    expect(lengths.slice(1)).toEqual([4096, 4096, 9000 - 2 * 4090 + 6])
  })
})

describe('as a requestor', () => {
  it('a peer that takes PDUs of a few bytes only is refused', async () => {
    const { port, accepted, close } = await acceptOne()
    const peer = { host: '127.0.0.1', port, callingAETitle: 'A', calledAETitle: 'B' }
    const opening = ScuAssociation.open(peer, { contexts: [storageContext()] })
    const other = await accepted
    const request = parseAssociateRequest((await other.next())?.body ?? Buffer.alloc(0))
    const contexts = [{ id: 1, result: 0 as const, transferSyntax: explicitVR }]
    other.send(encodeAssociateAccept(request, { contexts, maxPdu: 6 }))
    await expect(opening).rejects.toMatchObject({ code: 'association-rejected' })
    expect((await other.next())?.type).toBe(7)
    close()
  })

  it('a release by the acceptor is answered', async () => {
    const { port, accepted, close } = await acceptOne()
    const peer = { host: '127.0.0.1', port, callingAETitle: 'A', calledAETitle: 'B' }
    const opening = ScuAssociation.open(peer, { contexts: [storageContext()] })
    const other = await accepted
    const request = parseAssociateRequest((await other.next())?.body ?? Buffer.alloc(0))
    other.send(
      encodeAssociateAccept(request, { contexts: [{ id: 1, result: 0, transferSyntax: explicitVR }], maxPdu: 0 }),
      Buffer.from([5, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
    )
    const association = await opening
    expect((await other.next())?.type).toBe(6)
    expect(await association.closed).toMatchObject({ code: 'association-lost' })
    close()
  })
})

describe('the library', () => {
  it('answers C-ECHO on a context of a higher ID than one after it, and prints nothing', async () => {
    const printed = (['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((name) => vi.spyOn(console, name))
    const scp = await start()
    const contexts = [{ id: 5, abstractSyntax: verification, transferSyntaxes: [implicitVR] }, storageContext(1)]
    const peer = await CraftedPeer.associate(scp.port, { contexts })
    peer.send(dataPDU({ context: 5, command: true, last: true, value: echoCommand(3) }))
    expect(await peer.response()).toMatchObject({ commandField: 0x8030, messageIDBeingRespondedTo: 3, status: 0 })
    for (const spy of printed) expect(spy).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })
})
