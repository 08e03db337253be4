import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { headLength } from '../../src/receive/data-set-tap.ts'
import type { ReceivedInstance, ReceiverEvent } from '../../src/receive/received.ts'
import { receiverDefaults } from '../../src/receive/receiver-options.ts'
import { Reception } from '../../src/receive/reception.ts'
import { readJournal } from '../../src/store/journal.ts'
import { CraftedPeer, dataPDU, storageContext, storeCommand, storePDUs } from '../dimse/crafted-peer.ts'
import { element, slice } from '../dimse/data-sets.ts'
import { until } from '../dimse/memory-scp.ts'

let dataDir = ''
let reception: Reception
let events: ReceiverEvent[] = []
let port = 0

beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-reception-'))
  events = []
  reception = new Reception(
    { ...receiverDefaults, aeTitle: 'HILUM', host: '127.0.0.1', port: 0, dataDir, minimumFreeBytes: 0, journals: true },
    (event) => events.push(event),
  )
  port = await reception.start()
  await until(() => journals().length === 2)
})
afterEach(async () => {
  await reception.drain(0, 0)
  rmSync(dataDir, { recursive: true, force: true })
})

const of = <K extends ReceiverEvent['kind']>(kind: K) =>
  events.filter((event): event is Extract<ReceiverEvent, { kind: K }> => event.kind === kind)
const received = () => of('received').flatMap((event) => event.instances)
const files = (folder: string) => readdirSync(path.join(dataDir, folder))
const journals = () => files('journal').filter((name) => name.endsWith('.journal'))

async function bytesOf({ journal, file }: ReceivedInstance): Promise<Buffer | null> {
  const handle = await open(path.join(dataDir, 'journal', `${journal?.journal}.journal`), 'r')
  try {
    for await (const record of readJournal(handle))
      if (record.file === file && record.offset === journal?.offset) return record.bytes
    return null
  } finally {
    await handle.close()
  }
}

async function store(dataSet: Buffer, options: { sopInstanceUID?: string; transferSyntax?: string } = {}) {
  const peer = await CraftedPeer.associate(port, { contexts: [storageContext(1, options.transferSyntax)] })
  peer.send(storePDUs(options.sopInstanceUID ?? '1.2.3.4', dataSet))
  const response = await peer.response()
  peer.socket.destroy()
  return response
}

describe('a small instance', () => {
  it('is durable in a journal, and has no file', async () => {
    const dataSet = slice()
    expect(await store(dataSet)).toMatchObject({ status: 0 })
    await until(() => received().length === 1)
    const [instance] = received()
    expect(instance).toMatchObject({ sopInstanceUID: '1.2.3.4', rows: 64, instanceNumber: 7 })
    const bytes = (await bytesOf(instance as ReceivedInstance)) as Buffer
    expect(bytes.length).toBe(instance?.size)
    const meta = parseFileMeta(bytes)
    expect(meta).toMatchObject({ mediaStorageSOPInstanceUID: '1.2.3.4', transferSyntaxUID: TS.explicitVRLittleEndian })
    expect(bytes.subarray(meta.dataSetOffset).equals(dataSet)).toBe(true)
    expect(files('incoming')).toEqual([])
  })

  it('is told of before its journal is, which is closed when nothing more comes', async () => {
    for (const n of [1, 2]) await store(slice({ sopInstanceUID: `1.2.${n}` }), { sopInstanceUID: `1.2.${n}` })
    await until(() => of('journal-closed').length > 0)
    const [instance] = received()
    expect(of('journal-closed')[0]).toEqual({ kind: 'journal-closed', journal: instance?.journal?.journal, records: 2 })
    expect(received()).toHaveLength(2)
  })

  it('leaves nothing when its sender goes away in the middle', async () => {
    const peer = await CraftedPeer.associate(port)
    peer.send(
      dataPDU({ command: true, last: true, value: storeCommand('1.2.3.4') }, { value: slice().subarray(0, 300) }),
    )
    await until(() => of('association-opened').length === 1)
    peer.socket.destroy()
    await until(() => of('association-closed').length === 1)
    expect([files('incoming'), files('quarantine'), received()]).toEqual([[], [], []])
  })

  it('goes to quarantine when it is not what the command said', async () => {
    expect(await store(slice(), { sopInstanceUID: '1.2.3.5' })).toMatchObject({ status: 0xa900 })
    const [quarantined] = of('quarantined')
    expect(quarantined?.object).toMatchObject({ code: 'command-mismatch' })
    expect([files('incoming'), files('quarantine')]).toEqual([[], [quarantined?.object.file]])
  })
})

describe('an instance that no journal takes', () => {
  it.each([
    [
      'is longer than what is kept in memory',
      slice({ more: [element(0x00291010, 'OB', Buffer.alloc(headLength, 3))] }),
      undefined,
    ],
    ['has to be read to its end', deflateRawSync(slice()), TS.deflated],
  ])('has a file of its own because it %s', async (_why, dataSet, transferSyntax) => {
    const options = transferSyntax === undefined ? {} : { transferSyntax }
    expect(await store(dataSet, options)).toMatchObject({ status: 0 })
    await until(() => received().length === 1)
    expect(received()[0]?.journal).toBeUndefined()
    expect(files('incoming')).toEqual([received()[0]?.file])
  })

  it('has one as well while no journal can be made', async () => {
    rmSync(path.join(dataDir, 'journal'), { recursive: true })
    const statuses: (number | null)[] = []
    for (let n = 1; n <= 5; n++) {
      const sopInstanceUID = `1.2.${n}`
      statuses.push((await store(slice({ sopInstanceUID }), { sopInstanceUID })).status)
    }
    // That a journal is gone is noticed before anything in it is acknowledged.
    expect(statuses[0]).not.toBe(0)
    expect(statuses.slice(-2)).toEqual([0, 0])
    await until(() => received().length === statuses.filter((status) => status === 0).length)
    expect(files('incoming').sort()).toEqual(
      received()
        .map(({ file }) => file)
        .sort(),
    )
  })
})
