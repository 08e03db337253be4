import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLog } from '../../src/log.ts'
import type { FolderPorts } from '../../src/receive/folder-take.ts'
import type { FolderPace, FolderSettings } from '../../src/receive/folder-watching.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { insertQuarantined } from '../../src/receive/quarantine-queries.ts'
import { WatchedFolder } from '../../src/receive/watched-folder.ts'
import { WatchedFolders } from '../../src/receive/watched-folders.ts'
import { IncomingError, IncomingFolder } from '../../src/store/incoming.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'
import { identity, sampleFile } from '../view/sample-file.ts'

let store: TemporaryStore
let place: string
let ports: FolderPorts
let watched: WatchedFolder
let told: string[]
let isFull: boolean

beforeEach(async () => {
  store = await temporaryStore()
  place = mkdtempSync(path.join(tmpdir(), 'hilum-watched-'))
  told = []
  isFull = false
  const { database, dataDir, indexer } = store
  const incoming = new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0 })
  ports = {
    database,
    incoming: {
      quarantineFolder: incoming.quarantineFolder,
      begin: (meta) => incoming.begin(meta),
      beginRaw() {
        if (isFull) throw new IncomingError('out-of-space', 'nothing is free', { retry: 'transient' })
        return incoming.beginRaw()
      },
    },
    indexWriter: new IndexWriter({ indexer, log: silentLog }),
    onQuarantined: (object) => insertQuarantined(database, object),
    onBatch: {
      began: () => void told.push('began'),
      ended: async () => void told.push('ended'),
      lost: async () => void told.push('lost'),
    },
    log: silentLog,
  }
})

afterEach(async () => {
  await watched?.stop()
  await store.dispose()
  rmSync(place, { recursive: true, force: true })
})

/** Events are what brings files in: the scan is far away unless a test wants it. */
async function start(settings: Partial<FolderSettings> = {}, pace: Partial<FolderPace> = {}): Promise<void> {
  watched = new WatchedFolder(
    { path: place, settle: 0.05, afterwards: 'delete', callingAETitle: 'CDROM', ...settings },
    ports,
    { lookMs: 20, scanMs: 60_000, againMs: 50, ...pace },
  )
  await watched.start()
}

const file = (instance: string) => sampleFile(identity({ instance }))
const put = (name: string, bytes: Buffer | string) => {
  mkdirSync(path.dirname(path.join(place, name)), { recursive: true })
  writeFileSync(path.join(place, name), bytes)
}
const indexed = (): Promise<string[]> =>
  store.database('instances').orderBy('sop_instance_uid').pluck('sop_instance_uid')
const there = (name: string) => existsSync(path.join(place, name))
const until = (check: () => unknown) => vi.waitFor(async () => expect(await check()).toBe(true), { timeout: 10_000 })
const untilIndexed = (uids: string[]) =>
  vi.waitFor(async () => expect(await indexed()).toEqual(uids), { timeout: 10_000 })

describe('a watched folder', () => {
  it('takes in what is there and what comes, also in new folders, and deletes it when it is durable and indexed', async () => {
    put('before.dcm', file('1.2.3.1.1'))
    await start()
    put('after', file('1.2.3.1.2'))
    put('new/folder/below.dcm', file('1.2.3.1.3'))
    await untilIndexed(['1.2.3.1.1', '1.2.3.1.2', '1.2.3.1.3'])
    await until(() => !there('before.dcm') && !there('after') && !there('new/folder/below.dcm'))
    const arrivals = await store.database('arrivals').select('via', 'sender', 'association')
    for (const arrival of arrivals) expect(arrival).toMatchObject({ via: 'folder', sender: 'CDROM@folder' })
    const row = await store.database('instances').where({ sop_instance_uid: '1.2.3.1.1' }).first('object_key')
    expect(await readFile(await store.objects.pathOf(row.object_key))).toEqual(file('1.2.3.1.1'))
    expect(watched.status).toMatchObject({ taken: 3, waiting: 0, trouble: null })
  })

  it('is one association a batch: it begins with the first file and ends when the folder is quiet', async () => {
    await start()
    put('1.dcm', file('1.2.3.1.1'))
    put('2.dcm', file('1.2.3.1.2'))
    await until(() => told.includes('ended'))
    expect(told).toEqual(['began', 'ended'])
    expect(await indexed()).toHaveLength(2)
    expect(await store.database('arrivals').countDistinct({ n: 'association' })).toEqual([{ n: 1 }])
  })

  it('leaves a file alone while it grows, and takes it once, whole', async () => {
    const bytes = file('1.2.3.1.1')
    await start({ settle: 1 })
    put('slow.dcm', bytes.subarray(0, 200))
    for (let at = 200; at < bytes.length; at += 100) {
      await sleep(60)
      expect(await indexed()).toEqual([])
      appendFileSync(path.join(place, 'slow.dcm'), bytes.subarray(at, at + 100))
    }
    await untilIndexed(['1.2.3.1.1'])
    expect(await readdir(store.quarantine)).toEqual([])
  })

  it('passes over unfinished and hidden names, and takes a file when it gets its own', async () => {
    put('.hidden/1.dcm', file('1.2.3.1.1'))
    put('2.dcm.part', file('1.2.3.1.2'))
    put('3.tmp', file('1.2.3.1.3'))
    await start()
    renameSync(path.join(place, '2.dcm.part'), path.join(place, '2.dcm'))
    await untilIndexed(['1.2.3.1.2'])
    expect(there('3.tmp') && there('.hidden/1.dcm')).toBe(true)
  })

  it('remembers across restarts what it keeps, and takes a file again when it has changed', async () => {
    put('1.dcm', file('1.2.3.1.1'))
    await start({ afterwards: 'keep' })
    await until(async () => (await store.database('folder_files').where({ outcome: 'taken' })).length === 1)
    await watched.stop()
    await start({ afterwards: 'keep' })
    put('2.dcm', file('1.2.3.1.2'))
    await untilIndexed(['1.2.3.1.1', '1.2.3.1.2'])
    await until(() => watched.status.taken === 1)
    put('1.dcm', file('1.2.3.1.3'))
    await untilIndexed(['1.2.3.1.1', '1.2.3.1.2', '1.2.3.1.3'])
    expect(there('1.dcm')).toBe(true)
    rmSync(path.join(place, '1.dcm'))
    await watched.stop()
    await start({ afterwards: 'keep' })
    expect(await store.database('folder_files').pluck('path')).toEqual(['2.dcm'])
  })

  it('never deletes what is no DICOM instance, and tells of it once', async () => {
    const log = vi.fn<(sentence: string) => void>()
    ports = { ...ports, log: { ...silentLog, info: log, child: () => ({ ...silentLog, info: log }) } }
    put('readme.txt', 'nothing to see')
    put('empty', '')
    put('DICOMDIR', sampleFile([['00041130', 'CS', 'DISC']], { sopClassUID: '1.2.840.10008.1.3.10' }))
    await start()
    await until(() => watched.status.ignored === 3)
    await watched.stop()
    await start({}, { scanMs: 0 })
    await sleep(200)
    expect(watched.status).toMatchObject({ ignored: 0, quarantined: 0, taken: 0 })
    expect(there('readme.txt') && there('empty') && there('DICOMDIR')).toBe(true)
    expect(log.mock.calls.filter(([sentence]) => sentence.includes('no DICOM'))).toHaveLength(3)
  })

  it('puts broken DICOM files into quarantine with the reason, whether content or name says that they are DICOM', async () => {
    const cut = sampleFile(identity({ instance: '1.2.3.1.1', more: [['7FE00010', 'OW', Buffer.alloc(100)]] })).subarray(
      0,
      -50,
    )
    put('cut', cut)
    put('noise.dcm', 'no DICOM')
    await start()
    await until(() => watched.status.quarantined === 2)
    const rows = await store.database('quarantine').orderBy('code').select('code', 'via', 'sender', 'file')
    expect(rows).toMatchObject([
      { code: 'not-part10', via: 'folder', sender: 'CDROM@folder' },
      { code: 'truncated-data-set', via: 'folder' },
    ])
    expect(await readFile(path.join(store.quarantine, rows[1].file))).toEqual(cut)
    await until(() => !there('cut') && !there('noise.dcm'))
  })

  it('quarantines a file once, although a node ended before it could delete it', async () => {
    put('noise.dcm', 'no DICOM')
    writeFileSync(path.join(store.quarantine, 'abcd01.dcm'), 'no DICOM')
    const sender = { callingAETitle: 'unknown', calledAETitle: '', address: 'recovered' }
    const lost = { code: 'reason-lost', reason: '?', via: 'recovery', sender, at: '2026-01-01T00:00:00.000Z' } as const
    const uids = { sopClassUID: null, sopInstanceUID: null, transferSyntaxUID: null }
    await insertQuarantined(store.database, { ...lost, ...uids, file: 'abcd01.dcm', size: 8 })
    await start()
    await until(() => !there('noise.dcm'))
    expect(await readdir(store.quarantine)).toEqual(['abcd01.dcm'])
    expect(await store.database('quarantine').select('code', 'via', 'sender')).toEqual([
      { code: 'not-part10', via: 'folder', sender: 'CDROM@folder' },
    ])
  })

  it('follows no link out of the folder', async () => {
    const outside = mkdtempSync(path.join(tmpdir(), 'hilum-outside-'))
    writeFileSync(path.join(outside, 'secret.dcm'), file('1.2.3.1.66'))
    symlinkSync(path.join(outside, 'secret.dcm'), path.join(place, 'link.dcm'))
    symlinkSync(outside, path.join(place, 'folder'))
    await start({}, { scanMs: 0 })
    put('real.dcm', file('1.2.3.1.1'))
    await untilIndexed(['1.2.3.1.1'])
    await sleep(200)
    expect(await indexed()).toEqual(['1.2.3.1.1'])
    expect(existsSync(path.join(outside, 'secret.dcm'))).toBe(true)
    rmSync(outside, { recursive: true })
  })

  it('says that its folder is gone, and goes on by itself when it is back', async () => {
    await start()
    put('1.dcm', file('1.2.3.1.1'))
    await untilIndexed(['1.2.3.1.1'])
    renameSync(place, `${place}-away`)
    await until(() => watched.status.trouble === 'ENOENT')
    renameSync(`${place}-away`, place)
    put('2.dcm', file('1.2.3.1.2'))
    await untilIndexed(['1.2.3.1.1', '1.2.3.1.2'])
    await until(() => watched.status.trouble === null)
    put('3.dcm', file('1.2.3.1.3'))
    await untilIndexed(['1.2.3.1.1', '1.2.3.1.2', '1.2.3.1.3'])
    expect(watched.status.trouble).toBeNull()
  })

  it('begins with a folder that is not there yet', async () => {
    await start({ path: path.join(place, 'later') })
    expect(watched.status.trouble).toBe('ENOENT')
    put('later/1.dcm', file('1.2.3.1.1'))
    await untilIndexed(['1.2.3.1.1'])
  })

  it('waits for some files at a time, and finds the others by scanning', async () => {
    const uids = Array.from({ length: 9 }, (_, i) => `1.2.3.1.${i + 1}`)
    for (const uid of uids) put(`${uid}.dcm`, file(uid))
    await start({}, { maximumWaiting: 2 })
    expect(watched.status.waiting).toBe(2)
    await untilIndexed(uids)
  })

  it('waits while the disk is full, and loses nothing', async () => {
    isFull = true
    put('1.dcm', file('1.2.3.1.1'))
    await start()
    await sleep(200)
    expect(there('1.dcm')).toBe(true)
    isFull = false
    await untilIndexed(['1.2.3.1.1'])
    await until(() => !there('1.dcm'))
  })

  it('leaves nothing half in the incoming folder when it is stopped', async () => {
    const large = sampleFile(
      identity({ instance: '1.2.3.1.1', more: [['7FE00010', 'OW', Buffer.alloc(32 * 1024 * 1024)]] }),
    )
    put('large.dcm', large)
    await start({ settle: 0 })
    await until(() => watched.status.waiting > 0 || !there('large.dcm'))
    await watched.stop()
    expect((await readdir(store.incoming)).filter((name) => name.endsWith('.part'))).toEqual([])
    await start({ settle: 0 })
    await untilIndexed(['1.2.3.1.1'])
    expect(await store.database('instances').count({ n: '*' })).toEqual([{ n: 1 }])
  })
})

it('tells how all of them are, without their paths', async () => {
  const settings = { settle: 1, afterwards: 'keep' as const, callingAETitle: 'A' }
  const folders = new WatchedFolders([{ ...settings, path: place }], ports)
  expect(folders.health()).toEqual({ ok: true, sentence: '1 watched' })
})
