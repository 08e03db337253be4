import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import type { DicomError } from '../../src/dicom/error.ts'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { commandField, encodeCommandSet } from '../../src/dimse/command-set.ts'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import type { ServiceProvider } from '../../src/dimse/service.ts'
import {
  CraftedPeer,
  ctImage,
  dataPDU,
  echoCommand,
  explicitVR,
  implicitVR,
  releaseRQ,
  responsePDU,
  storageContext,
  verification,
} from './crafted-peer.ts'
import { MemoryScp, until } from './memory-scp.ts'

const running: MemoryScp[] = []
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-own-requests-'))
})
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
  rmSync(folder, { recursive: true, force: true })
})

const all = new Set(['store', 'query', 'retrieve'] as const)
async function start(
  provider: Partial<ServiceProvider>,
  options: Partial<DimseServerOptions> = {},
): Promise<MemoryScp> {
  const service: ServiceProvider = {
    abstractSyntaxes: [SOP.studyRootGet],
    permission: 'retrieve',
    commandFields: [commandField.cGetRQ],
    provide: async () => undefined,
    ...provider,
  }
  const scp = await MemoryScp.start({ services: [service], admit: () => ({ permissions: all }), ...options })
  running.push(scp)
  return scp
}

const keys = dataPDU({ last: true, value: Buffer.from('KEYS') })
const associate = (scp: MemoryScp, options: Parameters<typeof CraftedPeer.associate>[1] = {}) =>
  CraftedPeer.associate(scp.port, options)

describe('our own requests on an association', () => {
  const getContext = storageContext(1, implicitVR, SOP.studyRootGet)
  const getRequest = dataPDU({
    command: true,
    last: true,
    value: encodeCommandSet([
      [0x0002, SOP.studyRootGet],
      [0x0100, 0x0010],
      [0x0110, 9],
      [0x0800, 1],
    ]),
  })
  const retrieval = {
    contexts: [getContext, storageContext(3)],
    roles: [{ sopClassUID: ctImage, scu: false, scp: true }],
  }

  function fileOf(dataSet: Buffer) {
    const sopInstanceUID = '1.2.3.4'
    const file = path.join(folder, 'one.dcm')
    const meta = { mediaStorageSOPClassUID: ctImage, mediaStorageSOPInstanceUID: sopInstanceUID }
    writeFileSync(file, Buffer.concat([encodeFileMeta({ ...meta, transferSyntaxUID: explicitVR }), dataSet]))
    return { path: file, sopClassUID: ctImage, sopInstanceUID, transferSyntaxUID: explicitVR }
  }

  it('bring the bytes of a file to a peer in the SCP role, and its status back', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_001 }, (_, n) => n & 0xff))
    const file = fileOf(bytes)
    const statuses: unknown[] = []
    const scp = await start({
      provide: async (_, responder) => {
        statuses.push(await responder.store(file))
        statuses.push(await responder.store({ ...file, transferSyntaxUID: '1.2.840.10008.1.2.4.80' }))
        await responder.respond({ status: 0, subOperations: { completed: 1, failed: 1, warning: 0 } })
      },
    })
    const peer = await associate(scp, { ...retrieval, maxPdu: 16384 })
    expect(peer.answer?.roles).toEqual(retrieval.roles)
    peer.send(getRequest, keys)
    expect(await peer.response()).toMatchObject({ commandField: 1, messageID: 1, sopInstanceUID: '1.2.3.4' })
    expect(Buffer.from(await peer.dataSet(), 'latin1').equals(bytes)).toBe(true)
    peer.send(responsePDU(0x8001, 1, 0xb007, 3))
    expect(await peer.response()).toMatchObject({ commandField: 0x8010, status: 0, completed: 1, failed: 1 })
    expect(statuses).toEqual([0xb007, null])
  })

  it('bring a data set with the headers of the only uncompressed syntax that the peer has a context for', async () => {
    const pixels = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n & 0xff))
    const dataSet = { ReferencedSeriesSequence: [{ Modality: 'CT' }], PixelData: pixels }
    const whole = fileOf(encodeDataSet(dataSet, explicitVR))
    const statuses: unknown[] = []
    const reasons: string[] = []
    const scp = await start({
      provide: async (_, responder) => {
        statuses.push(await responder.store(whole))
        // Nothing is written of what cannot be converted: the association goes on.
        const broken = fileOf(encodeDataSet(dataSet, explicitVR).subarray(0, -1))
        await responder.store(broken).catch((error: DicomError) => reasons.push(error.code))
        await responder.respond({ status: 0 })
      },
    })
    const contexts = [getContext, { ...storageContext(3), transferSyntaxes: [implicitVR] }]
    const peer = await associate(scp, { ...retrieval, contexts, maxPdu: 16384 })
    peer.send(getRequest, keys)
    expect(await peer.response()).toMatchObject({ commandField: 1, messageID: 1 })
    const came = Buffer.from(await peer.dataSet(), 'latin1')
    const sequence = '08001511ffffffff feff00e0ffffffff 0800600002000000 4354 feff0de000000000 feffdde000000000'
    const pixelData = Buffer.from('e07f1000e0930400', 'hex')
    const expected = Buffer.concat([Buffer.from(sequence.replaceAll(' ', ''), 'hex'), pixelData, pixels])
    expect(came.equals(expected)).toBe(true)
    peer.send(responsePDU(0x8001, 1, 0, 3))
    expect(await peer.response()).toMatchObject({ commandField: 0x8010, status: 0 })
    expect([statuses, reasons]).toEqual([[0], ['truncated']])
  })

  describe('while a peer is slow to take a file', () => {
    /** More than the buffers of a loopback connection take. */
    const bytes = Buffer.from(new Uint32Array(12 * 1024 * 1024).map((_, n) => n).buffer)
    const open = async (more: Parameters<typeof CraftedPeer.associate>[1] = {}) => {
      const file = fileOf(bytes)
      const provide: ServiceProvider['provide'] = async (_, responder) => {
        await responder.store(file)
        await responder.respond({ status: 0 })
      }
      const scp = await start({ provide }, { asynchronousOperations: 2 })
      const contexts = [...retrieval.contexts, storageContext(5, implicitVR, verification)]
      const peer = await associate(scp, { ...retrieval, contexts, maxPdu: 0, ...more })
      peer.send(getRequest, keys)
      expect(await peer.response()).toMatchObject({ commandField: 1 })
      peer.socket.pause()
      return { scp, peer }
    }
    const finish = async (peer: CraftedPeer) => {
      peer.socket.resume()
      expect(Buffer.from(await peer.dataSet(), 'latin1').equals(bytes)).toBe(true)
      peer.send(responsePDU(0x8001, 1, 0, 3))
    }

    it('a pause in the reading of all associations does not end its', async () => {
      const { scp, peer } = await open()
      for (let n = 0; n < 30; n++) {
        scp.server.hold()
        await wait(10)
        scp.server.release()
      }
      await finish(peer)
      expect(await peer.response()).toMatchObject({ commandField: 0x8010, status: 0 })
    })

    it('other answers wait until its data set is whole', async () => {
      const { peer } = await open({ asynchronousOperations: { invoked: 2, performed: 1 } })
      peer.send(dataPDU({ context: 5, command: true, last: true, value: echoCommand(10) }))
      await wait(300)
      await finish(peer)
      const answers = [await peer.response(), await peer.response()]
      expect(new Set(answers.map((answer) => answer.commandField))).toEqual(new Set([0x8010, 0x8030]))
    })
  })

  it('fail when the association ends before the response', async () => {
    const file = fileOf(Buffer.from('AB'))
    const failures: unknown[] = []
    const scp = await start({
      provide: async (_, responder) =>
        void (await responder.store(file).catch((error: unknown) => failures.push(error))),
    })
    const peer = await associate(scp, retrieval)
    peer.send(getRequest, keys)
    await peer.response()
    peer.socket.destroy()
    await until(() => failures.length === 1 && scp.closed.length === 1)
    expect(failures).toMatchObject([{ code: 'association-lost' }])
  })

  it('report events to the requestor of an association that is still open', async () => {
    const scp = await start({
      abstractSyntaxes: [SOP.storageCommitmentPushModel],
      commandFields: [commandField.nActionRQ],
    })
    const peer = await associate(scp, { contexts: [storageContext(1, explicitVR, SOP.storageCommitmentPushModel)] })
    const id = scp.opened[0]?.id ?? ''
    const event = {
      sopClassUID: SOP.storageCommitmentPushModel,
      sopInstanceUID: SOP.storageCommitmentPushModelInstance,
      eventTypeID: 2,
      encode: (transferSyntaxUID: string) => Buffer.from(transferSyntaxUID),
    }
    const reported = scp.server.reportEvent(id, event)
    expect(await peer.response()).toMatchObject({
      commandField: 0x0100,
      messageID: 1,
      eventTypeID: 2,
      hasDataSet: true,
    })
    expect(await peer.dataSet()).toBe(explicitVR)
    peer.send(responsePDU(0x8100, 1, 0x0110))
    expect(await reported).toBe(0x0110)
    expect(await scp.server.reportEvent(id, { ...event, sopClassUID: SOP.studyRootFind })).toBeNull()
    const unanswered = scp.server.reportEvent(id, event)
    await peer.response()
    peer.socket.destroy()
    expect(await unanswered).toBeNull()
    expect(await scp.server.reportEvent(id, event)).toBeNull()
  })

  it('fail when the peer releases instead of answering', async () => {
    const reported: unknown[] = []
    const scp = await start({
      provide: async ({ association }, responder) => {
        await responder.respond({ status: 0 })
        const event = { sopClassUID: SOP.studyRootGet, sopInstanceUID: '1.2.3', eventTypeID: 1 }
        reported.push(await scp.server.reportEvent(association.id, event))
      },
    })
    const peer = await associate(scp, retrieval)
    peer.send(getRequest, keys)
    await peer.response()
    await peer.response()
    peer.send(releaseRQ)
    expect((await peer.next())?.type).toBe(6)
    expect(reported).toEqual([null])
  })

  it('end the association where they are never answered', async () => {
    const scp = await start({}, { idleTimeoutMs: 150 })
    const peer = await associate(scp, retrieval)
    const event = { sopClassUID: SOP.studyRootGet, sopInstanceUID: '1.2.3', eventTypeID: 1 }
    expect(await scp.server.reportEvent(scp.opened[0]?.id ?? '', event)).toBeNull()
    await peer.response()
    expect((await peer.next())?.type).toBe(7)
  })
})
