import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { textOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { readHead } from '../../src/dicom/head.ts'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { encodeAssociateAccept, parseAssociateRequest } from '../../src/dimse/association-pdu.ts'
import { commandField } from '../../src/dimse/command-set.ts'
import { requestCommitment } from '../../src/dimse/commitment.ts'
import { reportEvent } from '../../src/dimse/event.ts'
import { findMatches } from '../../src/dimse/find.ts'
import { InstanceSender } from '../../src/dimse/instance-sender.ts'
import { moveInstances } from '../../src/dimse/move.ts'
import { echo, sendInstances } from '../../src/dimse/send.ts'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import type { Provide, ServiceProvider, ServiceRequest } from '../../src/dimse/service.ts'
import { available } from '../support/programs.ts'
import { acceptOne } from './accepting-peer.ts'
import { TestAuthority } from './certificates.ts'
import { ctImage, explicitVR, implicitVR, rawPDU, responsePDU } from './crafted-peer.ts'
import { MemoryScp, until } from './memory-scp.ts'

const running: MemoryScp[] = []
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-scu-'))
})
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(
  abstractSyntax: string,
  field: number,
  provide: Provide,
  options: Partial<DimseServerOptions> = {},
): Promise<MemoryScp> {
  const service: ServiceProvider = {
    abstractSyntaxes: [abstractSyntax],
    permission: null,
    commandFields: [field],
    provide,
  }
  const scp = await MemoryScp.start({ services: [service], ...options })
  running.push(scp)
  return scp
}
const to = ({ port }: { port: number }) => ({ host: '127.0.0.1', port, callingAETitle: 'TEST', calledAETitle: 'HILUM' })
const keys: DicomJson = { '00100020': { vr: 'LO', Value: ['42'] }, '00100010': { vr: 'PN' } }

/** The keys of a request, read as they came. */
const elementsOf = ({ dataSet, context }: ServiceRequest): DicomJson =>
  readHead(dataSet ?? Buffer.alloc(0), { transferSyntaxUID: context.transferSyntax }).elements

const match = (n: number, { context }: ServiceRequest): Buffer =>
  encodeDataSet({ PatientID: String(n), PatientName: 'Müller^Ä' }, context.transferSyntax)

const patients: Provide = async (request, responder) => {
  const wanted = elementsOf(request)
  for (let n = 0; n < 200 && !responder.signal.aborted; n++)
    if (textOf(wanted, 'PatientID') === '42') await responder.respond({ status: 0xff00, dataSet: match(n, request) })
  await responder.respond({ status: responder.signal.aborted ? 0xfe00 : 0 })
}

async function idsOf(matches: AsyncIterable<DicomJson>): Promise<string[]> {
  const ids: string[] = []
  for await (const found of matches) ids.push(textOf(found, 'PatientID') ?? '')
  return ids
}

describe('C-FIND', () => {
  it('gives the matches as they come, and releases', async () => {
    const levels: unknown[] = []
    const scp = await start(SOP.studyRootFind, commandField.cFindRQ, (request, responder) => {
      levels.push(textOf(elementsOf(request), 'QueryRetrieveLevel'))
      return patients(request, responder)
    })
    const ids = await idsOf(findMatches(to(scp), { model: 'study', level: 'STUDY', keys }))
    expect(ids).toEqual(Array.from({ length: 200 }, (_, n) => String(n)))
    await until(() => scp.closed.length === 1)
    expect([scp.closed, levels]).toEqual([['released'], ['STUDY']])
  })

  it('cancels at its limit, and releases', async () => {
    const scp = await start(SOP.patientRootFind, commandField.cFindRQ, patients)
    const ids = await idsOf(findMatches(to(scp), { model: 'patient', level: 'PATIENT', keys, limit: 3 }))
    expect(ids).toEqual(['0', '1', '2'])
    await until(() => scp.closed.length === 1)
    expect(scp.closed).toEqual(['released'])
  })

  it.each([
    ['a failure', async (_request, responder) => responder.respond({ status: 0xa900, comment: 'keys' }), 'refused'],
    ['a match that is broken', async (_request, responder) => broken(responder), 'truncated'],
  ] as [string, Provide, string][])('throws %s', async (_, provide, code) => {
    const scp = await start(SOP.studyRootFind, commandField.cFindRQ, provide)
    await expect(idsOf(findMatches(to(scp), { model: 'study', level: 'STUDY', keys }))).rejects.toMatchObject({ code })
    await until(() => scp.closed.length === 1)
    expect(scp.closed).toEqual(['released'])
  })

  it('throws where the peer serves no queries, and aborts when the signal is raised', async () => {
    const scp = await start(SOP.studyRootFind, commandField.cFindRQ, patients)
    const patient = findMatches(to(scp), { model: 'patient', level: 'PATIENT', keys })
    await expect(idsOf(patient)).rejects.toMatchObject({ code: 'association-rejected' })
    const abort = new AbortController()
    const cancelled = async () => {
      for await (const _ of findMatches(to(scp), { model: 'study', level: 'STUDY', keys, signal: abort.signal }))
        abort.abort()
    }
    await expect(cancelled()).rejects.toMatchObject({ code: 'cancelled' })
    await until(() => scp.closed.length === 1)
    expect(scp.closed).toEqual(['aborted'])
  })
})

async function broken(responder: Parameters<Provide>[1]): Promise<void> {
  await responder.respond({ status: 0xff00, dataSet: Buffer.from('10002000', 'hex') })
  await responder.respond({ status: 0 })
}

describe('C-MOVE', () => {
  it('tells each response and reports the last', async () => {
    const scp = await start(SOP.studyRootMove, commandField.cMoveRQ, async (request, responder) => {
      const { moveDestination } = request.command
      for (let completed = 1; completed < 3; completed++)
        await responder.respond({
          status: 0xff00,
          subOperations: { remaining: 3 - completed, completed, failed: 0, warning: 0 },
        })
      await responder.respond({
        status: 0xb000,
        comment: moveDestination ?? '',
        subOperations: { completed: 2, failed: 1, warning: 0 },
        dataSet: encodeDataSet({ FailedSOPInstanceUIDList: ['1.2.3'] }, request.context.transferSyntax),
      })
    })
    const seen: number[] = []
    const report = await moveInstances(
      to(scp),
      { model: 'study', level: 'STUDY', keys, destination: 'OTHER' },
      { onProgress: ({ remaining }) => seen.push(remaining) },
    )
    expect(report).toEqual({
      status: 0xb000,
      reason: 'Sub-operations complete, with failures or warnings (0xB000): OTHER',
      remaining: 0,
      completed: 2,
      failed: 1,
      warning: 0,
      failedInstances: ['1.2.3'],
    })
    expect(seen).toEqual([2, 1, 0])
  })
})

describe('storage commitment', () => {
  const instances = [{ sopClassUID: ctImage, sopInstanceUID: '1.2.3' }]
  const request = { transactionUID: '1.2.9', instances }

  it('is requested, and its report taken on the same association', async () => {
    const scp = await start(SOP.storageCommitmentPushModel, commandField.nActionRQ, async (asked, responder) => {
      expect(asked.command).toMatchObject({ actionTypeID: 1, sopInstanceUID: SOP.storageCommitmentPushModelInstance })
      await responder.respond({ status: 0 })
      const failed = { ReferencedSOPClassUID: ctImage, ReferencedSOPInstanceUID: '1.2.3', FailureReason: 0x0112 }
      const event = {
        sopClassUID: SOP.storageCommitmentPushModel,
        sopInstanceUID: SOP.storageCommitmentPushModelInstance,
        eventTypeID: 2,
        encode: (syntax: string) => encodeDataSet({ TransactionUID: '1.2.9', FailedSOPSequence: [failed] }, syntax),
      }
      reported.push(await scp.server.reportEvent(asked.association.id, event))
    })
    const reported: unknown[] = []
    expect(await requestCommitment(to(scp), { ...request, waitMs: 5000 })).toEqual({
      status: 0,
      report: {
        transactionUID: '1.2.9',
        committed: [],
        failed: [{ sopClassUID: ctImage, sopInstanceUID: '1.2.3', failureReason: 0x0112 }],
      },
    })
    await until(() => reported.length === 1)
    expect(reported).toEqual([0])
  })

  it.each([
    ['does not come in time', 0],
    ['is not to come', 0x0110],
  ])('is requested, and its report %s', async (_, status) => {
    const provide: Provide = (_request, responder) => responder.respond({ status })
    const scp = await start(SOP.storageCommitmentPushModel, commandField.nActionRQ, provide)
    expect(await requestCommitment(to(scp), { ...request, waitMs: 50 })).toEqual({ status, report: null })
  })

  it('is reported on an association of its own, in the SCP role', async () => {
    const seen: unknown[] = []
    const scp = await start(SOP.storageCommitmentPushModel, commandField.nEventReportRQ, async (asked, responder) => {
      seen.push(asked.command.eventTypeID, textOf(elementsOf(asked), 'TransactionUID'), asked.context.roles)
      await responder.respond({ status: 0 })
    })
    const event = {
      sopClassUID: SOP.storageCommitmentPushModel,
      sopInstanceUID: SOP.storageCommitmentPushModelInstance,
      eventTypeID: 1,
      encode: (syntax: string) => encodeDataSet({ TransactionUID: '1.2.9' }, syntax),
    }
    expect(await reportEvent(to(scp), event)).toBe(0)
    expect(seen).toEqual([1, '1.2.9', { scu: false, scp: true }])
  })
})

describe('instances', () => {
  function write(name: string, sopClass: string = ctImage): string {
    const file = path.join(folder, name)
    const meta = { mediaStorageSOPClassUID: sopClass, mediaStorageSOPInstanceUID: `1.2.3.${name.length}` }
    const head = encodeFileMeta({ ...meta, transferSyntaxUID: explicitVR })
    writeFileSync(file, Buffer.concat([head, Buffer.from('ABCD')]))
    return file
  }

  it('of a stream go over one association until another class comes', async () => {
    const scp = await MemoryScp.start()
    running.push(scp)
    const sender = new InstanceSender(to(scp))
    const files = [write('a'), write('bb'), write('ccc', SOP.mrImage), write('dddd'), path.join(folder, 'none')]
    const statuses: unknown[] = []
    for (const file of files) statuses.push((await sender.send(file)).status)
    await sender.close()
    expect(statuses).toEqual([0, 0, 0, 0, null])
    expect(scp.opened.map(({ contexts }) => contexts.size)).toEqual([1, 2])
    await until(() => scp.closed.length === 2)
    expect(scp.closed).toEqual(['released', 'released'])
  })

  it('of a stream go over one association where it was said what will come', async () => {
    const scp = await MemoryScp.start()
    running.push(scp)
    const sender = new InstanceSender(to(scp))
    const classes = [ctImage, SOP.mrImage]
    sender.expect(classes.map((sopClassUID) => ({ sopClassUID, transferSyntaxUID: explicitVR })))
    for (const file of [write('a'), write('bb', SOP.mrImage)]) await sender.send(file)
    await sender.close()
    expect(scp.opened.map(({ contexts }) => contexts.size)).toEqual([2])
  })

  it('of a stream go on after the association was lost; the one on its way is ambiguous', async () => {
    const scp = await MemoryScp.start()
    running.push(scp)
    scp.beforeSuccess = () => new Promise(() => undefined)
    const sender = new InstanceSender({ ...to(scp), timeoutMs: 100 })
    expect(await sender.send(write('a'))).toMatchObject({ status: null, retry: 'ambiguous' })
    scp.beforeSuccess = async () => undefined
    expect(await sender.send(write('bb'))).toMatchObject({ status: 0 })
    await sender.close()
  })

  it.runIf(available('openssl'))(
    'go over TLS, with our certificate; a name that is not the peer’s is refused',
    async () => {
      const authority = new TestAuthority(folder)
      const [server, client] = [authority.issue('server'), authority.issue('client')]
      const scp = await MemoryScp.start({
        tls: { port: 0, ...server, ca: authority.ca, clientCertificate: 'required' },
      })
      running.push(scp)
      const peer = { ...to(scp), port: scp.server.tlsPort ?? 0, tls: { ca: authority.ca, ...client } }
      expect(await sendInstances({ ...peer, files: [write('a')] })).toMatchObject({ stored: 1 })
      expect(scp.opened[0]?.tls?.certificate?.subject).toBe('O=Test, CN=client')
      await expect(echo({ ...peer, tls: { ca: authority.ca } })).rejects.toMatchObject({ code: /./ })
      await expect(echo({ ...peer, tls: client })).rejects.toMatchObject({ code: 'connection-failed' })
      await expect(echo({ ...peer, host: '127.0.0.2' })).rejects.toMatchObject({ code: 'connection-failed' })
      await expect(echo({ ...peer, tls: { ca: '/nowhere' } })).rejects.toMatchObject({ code: 'connection-failed' })
    },
  )

  it('are sent with the originator of the move, and with a user identity', async () => {
    const { port, accepted, close } = await acceptOne()
    const userIdentity = {
      type: 1,
      positiveResponseRequested: true,
      primary: Buffer.from('robot'),
      secondary: Buffer.alloc(0),
    }
    const moveOriginator = { aeTitle: 'WORKSTATION', messageID: 77 }
    const sending = sendInstances({ ...to({ port }), userIdentity, moveOriginator, files: [write('a')] })
    const peer = await accepted
    const request = parseAssociateRequest((await peer.next())?.body ?? Buffer.alloc(0))
    expect(request.userIdentity).toEqual(userIdentity)
    const contexts = [{ id: 1, result: 0 as const, transferSyntax: explicitVR }]
    peer.send(encodeAssociateAccept(request, { contexts, maxPdu: 16384 }))
    expect(await peer.response()).toMatchObject({
      commandField: 1,
      moveOriginatorAETitle: 'WORKSTATION',
      moveOriginatorMessageID: 77,
    })
    peer.socket.destroy()
    expect((await sending).files).toMatchObject([{ status: null, retry: 'ambiguous' }])
    close()
  })

  it('are not stored on the word of a response to another of them', async () => {
    const { port, accepted, close } = await acceptOne()
    const file = path.join(folder, 'one.dcm')
    const meta = { mediaStorageSOPClassUID: ctImage, mediaStorageSOPInstanceUID: '1.2.3' }
    writeFileSync(file, encodeFileMeta({ ...meta, transferSyntaxUID: explicitVR }))
    const sending = sendInstances({ ...to({ port }), files: [file] })
    const peer = await accepted
    const request = parseAssociateRequest((await peer.next())?.body ?? Buffer.alloc(0))
    const answers = [{ id: 1, result: 0 as const, transferSyntax: explicitVR }]
    peer.send(encodeAssociateAccept(request, { contexts: answers, maxPdu: 16384 }), responsePDU(0x8001, 99, 0))
    const { files, stored } = await sending
    close()
    expect(stored).toBe(0)
    expect(files).toMatchObject([{ status: null, retry: 'ambiguous' }])
  })

  it('whose context came back with another transfer syntax are not sent', async () => {
    const { port, accepted, close } = await acceptOne()
    const sending = sendInstances({ ...to({ port }), files: [write('a')] })
    const peer = await accepted
    const request = parseAssociateRequest((await peer.next())?.body ?? Buffer.alloc(0))
    const contexts = [{ id: 1, result: 0 as const, transferSyntax: implicitVR }]
    peer.send(encodeAssociateAccept(request, { contexts, maxPdu: 16384 }))
    expect((await peer.next())?.type).toBe(5)
    peer.send(rawPDU(6, new Uint8Array(4)))
    expect((await sending).files[0]?.reason).toContain('transfer syntax not supported')
    close()
  })
})
