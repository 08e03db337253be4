import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import type { ReceiverEvent } from '../../src/receive/received.ts'
import { type ReceiverOptions, receiverDefaults } from '../../src/receive/receiver-options.ts'
import { Reception } from '../../src/receive/reception.ts'
import { CraftedPeer, dataPDU, releaseRQ, storageContext, storeCommand, storePDUs } from '../dimse/crafted-peer.ts'
import { element, slice } from '../dimse/data-sets.ts'
import { until } from '../dimse/memory-scp.ts'

let dataDir = ''
let reception: Reception
let events: ReceiverEvent[] = []
let port = 0

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-reception-'))
  events = []
})
afterEach(async () => {
  await reception.drain(0, 0)
  rmSync(dataDir, { recursive: true, force: true })
})

async function start(options: Partial<ReceiverOptions> = {}): Promise<void> {
  reception = new Reception(
    { ...receiverDefaults, aeTitle: 'HILUM', host: '127.0.0.1', port: 0, dataDir, minimumFreeBytes: 0, ...options },
    (event) => events.push(event),
  )
  port = await reception.start()
}

const of = <K extends ReceiverEvent['kind']>(kind: K) =>
  events.filter((event): event is Extract<ReceiverEvent, { kind: K }> => event.kind === kind)
const received = () => of('received').flatMap((event) => event.instances)
const files = (folder: string) => readdirSync(path.join(dataDir, folder))

async function store(
  dataSet: Buffer,
  options: { sopInstanceUID?: string; sopClass?: string; transferSyntax?: string } = {},
) {
  const peer = await CraftedPeer.associate(port, { contexts: [storageContext(1, options.transferSyntax)] })
  peer.send(storePDUs(options.sopInstanceUID ?? '1.2.3.4', dataSet, options))
  const response = await peer.response()
  peer.send(releaseRQ)
  await peer.next()
  await until(() => of('association-closed').length > 0)
  peer.socket.destroy()
  return response
}

describe('an instance', () => {
  it('is a file with the same data set, told with what the index needs, before the association is closed', async () => {
    await start()
    const dataSet = slice()
    expect(await store(dataSet)).toMatchObject({ status: 0 })
    const [instance] = received()
    expect(instance).toMatchObject({
      via: 'c-store',
      sender: { callingAETitle: 'CRAFTED', calledAETitle: 'HILUM', address: '127.0.0.1' },
      transferSyntaxUID: '1.2.840.10008.1.2.1',
      sopClassUID: '1.2.840.10008.5.1.4.1.1.2',
      sopInstanceUID: '1.2.3.4',
      studyInstanceUID: '1.2.3',
      seriesInstanceUID: '1.2.3.1',
      instanceNumber: 7,
      rows: 64,
      columns: 64,
      bitsAllocated: 16,
      numberOfFrames: null,
    })
    expect(instance?.header?.['00080060']).toEqual({ vr: 'CS', Value: ['CT'] })
    expect(instance?.header?.['7FE00010']).toBeUndefined()
    const bytes = readFileSync(path.join(dataDir, 'incoming', instance?.file ?? ''))
    const meta = parseFileMeta(bytes)
    expect(bytes.length).toBe(instance?.size)
    expect(meta).toMatchObject({ mediaStorageSOPInstanceUID: '1.2.3.4', transferSyntaxUID: '1.2.840.10008.1.2.1' })
    expect(bytes.subarray(meta.dataSetOffset).equals(dataSet)).toBe(true)
    expect(events.map((event) => event.kind).filter((kind) => kind !== 'listening')).toEqual([
      'association-opened',
      'received',
      'association-closed',
    ])
  })

  it('brings a header only when its series has not been met', async () => {
    await start()
    const peer = await CraftedPeer.associate(port)
    for (const [n, series] of ['1.1', '1.1', '1.2', '1.1'].entries()) {
      peer.send(storePDUs(`1.2.${n}`, slice({ sopInstanceUID: `1.2.${n}`, seriesInstanceUID: series })))
      await peer.response()
    }
    await until(() => received().length === 4)
    expect(received().map((instance) => instance.header !== undefined)).toEqual([true, false, true, false])
    peer.socket.destroy()
  })

  it('is described from the file where its head is too long for memory', async () => {
    await start()
    const more = [element(0x00290010, 'LO', 'PRIVATE'), element(0x00291010, 'OB', Buffer.alloc(200_000, 3))]
    const late = slice({ more }).subarray(0)
    expect(await store(Buffer.concat([late]))).toMatchObject({ status: 0 })
    expect(received()[0]).toMatchObject({ rows: 64, instanceNumber: 7 })
    const early = Buffer.concat([
      element(0x00090010, 'LO', 'PRIVATE'),
      element(0x00091010, 'OB', Buffer.alloc(200_000, 3)),
    ])
    events.length = 0
    // Ascending order: group 0008 first, then the private group, then the rest of the slice.
    const whole = slice()
    const cut = whole.indexOf(element(0x00100020, 'LO', 'ID1'))
    expect(await store(Buffer.concat([whole.subarray(0, cut), early, whole.subarray(cut)]))).toMatchObject({
      status: 0,
    })
    expect(received()[0]).toMatchObject({ studyInstanceUID: '1.2.3', rows: 64 })
  })

  it.each([
    ['trailing padding', Buffer.concat([slice(), element(0xfffcfffc, 'OB', Buffer.alloc(100))])],
    ['no pixel data', slice().subarray(0, slice().indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0])))],
  ])('may have %s', async (_, dataSet) => {
    await start()
    expect(await store(dataSet)).toMatchObject({ status: 0 })
  })

  it('may be encapsulated, or deflated', async () => {
    await start()
    const head = slice().subarray(0, slice().indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0])))
    const fragments = Buffer.from(
      'e07f10004f420000fffffffffeff00e000000000feff00e004000000deadbeeffeffdde000000000',
      'hex',
    )
    expect(await store(Buffer.concat([head, fragments]), { transferSyntax: '1.2.840.10008.1.2.4.80' })).toMatchObject({
      status: 0,
    })
    events.length = 0
    const deflated = deflateRawSync(slice())
    expect(await store(deflated, { transferSyntax: '1.2.840.10008.1.2.1.99' })).toMatchObject({ status: 0 })
    expect(received()[0]).toMatchObject({ studyInstanceUID: '1.2.3', rows: 64 })
  })
})

describe('what cannot be kept goes to quarantine with its reason, and its sender is told', () => {
  const whole = slice()
  const head = whole.subarray(0, whole.indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0])))
  const openFragments = Buffer.from('e07f10004f420000fffffffffeff00e000000000feff00e008000000deadbeef', 'hex')
  const jpegLS = '1.2.840.10008.1.2.4.80'
  it.each([
    [
      'another instance than the command says',
      slice({ sopInstanceUID: '9.9' }),
      {},
      0xa900,
      'command-mismatch',
      /SOPInstanceUID differs/,
    ],
    [
      'another class than the command says',
      slice({ sopClassUID: '1.2.840.10008.5.1.4.1.1.4' }),
      {},
      0xa900,
      'command-mismatch',
      /SOPClassUID differs/,
    ],
    [
      'a data set that names no study',
      slice({ studyInstanceUID: '' }),
      {},
      0xc000,
      'missing-uid',
      /StudyInstanceUID is missing/,
    ],
    ['text', Buffer.from('this is no data set at all, only text'), {}, 0xc000, /unreadable|truncated|missing/, /./],
    [
      'pixel data that breaks off',
      whole.subarray(0, -1000),
      {},
      0xc000,
      'truncated-data-set',
      /^Pixel Data announces 8192 bytes, 7192 arrived$/,
    ],
    ['a head that breaks off', head.subarray(0, -1), {}, 0xc000, /truncated/, /./],
    [
      'fragments without end',
      Buffer.concat([head, openFragments]),
      { transferSyntax: jpegLS },
      0xc000,
      'truncated-data-set',
      /Pixel Data/,
    ],
    [
      'a deflated stream that breaks off',
      deflateRawSync(slice({ pixels: Buffer.alloc(8192, 1) })).subarray(0, -20),
      { transferSyntax: '1.2.840.10008.1.2.1.99' },
      0xc000,
      /truncated|unreadable|missing/,
      /./,
    ],
    ['no data set bytes', Buffer.alloc(0), {}, 0xc000, 'missing-uid', /missing/],
  ])('%s', async (_, dataSet, options, status, code, reason) => {
    await start()
    const response = await store(dataSet, options)
    expect(response.status).toBe(status)
    expect(response.errorComment).not.toBe(null)
    const [quarantined] = of('quarantined')
    expect(quarantined?.object.code).toMatch(code)
    expect(quarantined?.object.reason).toMatch(reason)
    expect(received()).toEqual([])
    expect([files('incoming'), files('quarantine')]).toEqual([[], [quarantined?.object.file]])
    const bytes = readFileSync(path.join(dataDir, 'quarantine', quarantined?.object.file ?? ''))
    expect(bytes.subarray(parseFileMeta(bytes).dataSetOffset).equals(dataSet)).toBe(true)
    expect(bytes.length).toBe(quarantined?.object.size)
  })
})

describe('the receive stage', () => {
  it('answers 0xA700 below the reserve, keeps nothing, and goes on listening', async () => {
    await start({ minimumFreeBytes: 2 ** 60 })
    expect(await store(slice())).toMatchObject({ status: 0xa700 })
    expect([files('incoming'), files('quarantine')]).toEqual([[], []])
    expect(received()).toEqual([])
  })

  it('leaves nothing of a data set that breaks off', async () => {
    await start()
    const peer = await CraftedPeer.associate(port)
    peer.send(dataPDU({ command: true, last: true, value: storeCommand('1.2.3.4') }), dataPDU({ value: slice() }))
    await until(() => files('incoming').length === 1)
    peer.socket.destroy()
    await until(() => of('association-closed').length > 0)
    expect(of('association-closed')[0]?.how).toBe('lost')
    expect(files('incoming')).toEqual([])
  })

  it('stops reading when too much waits for the index, and goes on when it is indexed', async () => {
    await start({ maxPendingInstances: 3 })
    const peer = await CraftedPeer.associate(port)
    for (let n = 0; n < 10; n++) peer.send(storePDUs(`1.2.${n}`, slice({ sopInstanceUID: `1.2.${n}` })))
    await until(() => received().length === 3)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(received()).toHaveLength(3)
    await reception.command({ kind: 'indexed', instances: 3 })
    await until(() => received().length === 6)
    await reception.command({ kind: 'indexed', instances: 3 })
    await reception.command({ kind: 'indexed', instances: 3 })
    await until(() => received().length >= 9)
    peer.socket.destroy()
  })

  it('refuses callers by title, and tells whom', async () => {
    await start({ unknownCallers: 'reject', remotes: [{ aeTitle: 'KNOWN' }] })
    await expect(CraftedPeer.associate(port)).rejects.toThrow('not accepted')
    expect(of('association-refused')[0]).toMatchObject({
      sender: { callingAETitle: 'CRAFTED', address: '127.0.0.1' },
      reason: 'the calling AE title is not configured',
    })
    const known = await CraftedPeer.associate(port, { callingAETitle: 'KNOWN' })
    known.socket.destroy()
  })

  it('tells that it has drained after everything else', async () => {
    await start()
    const peer = await CraftedPeer.associate(port)
    peer.send(storePDUs('1.2.3.4', slice()))
    await peer.response()
    await reception.command({ kind: 'drain', graceMs: 0 })
    const kinds = events.map((event) => event.kind).filter((kind) => kind !== 'log')
    expect(kinds.slice(-3)).toEqual(['received', 'association-closed', 'drained'])
    expect(of('association-closed')[0]?.how).toBe('aborted')
  })
})
