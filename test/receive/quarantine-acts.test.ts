import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeFileMeta, parseFileMeta } from '../../src/dicom/part10.ts'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { QuarantineActs } from '../../src/receive/quarantine-acts.ts'
import { insertQuarantined } from '../../src/receive/quarantine-queries.ts'
import type { QuarantinedObject } from '../../src/receive/received.ts'
import { setAside } from '../../src/receive/set-aside.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'
import { listQuarantined } from '../../src/store/quarantine-list.ts'
import { type PostgresCluster, postgresPrograms, startPostgres } from '../support/postgres.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'
import { identity, sampleFile } from '../view/sample-file.ts'

const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7'
const good = sampleFile(identity({ instance: '1.2.3.1.1' }))

/** What C-STORE writes where the command names another instance than the data set. */
const mismatched = Buffer.concat([
  encodeFileMeta({
    mediaStorageSOPClassUID: secondaryCapture,
    mediaStorageSOPInstanceUID: '1.2.3.1.99',
    transferSyntaxUID: '1.2.840.10008.1.2.1',
  }),
  good.subarray(parseFileMeta(good).dataSetOffset),
])

const cut = sampleFile(identity({ instance: '1.2.3.1.2', more: [['7FE00010', 'OW', Buffer.alloc(100)]] })).subarray(
  0,
  -50,
)

const programs = postgresPrograms()
const dialects = ['SQLite', ...(programs ? ['PostgreSQL'] : [])]

describe.each(dialects)('quarantine in %s', (dialect) => {
  let store: TemporaryStore
  let acts: QuarantineActs
  let changes: number
  let cluster: PostgresCluster | null = null

  beforeAll(async () => {
    cluster = dialect === 'PostgreSQL' && programs ? await startPostgres(programs) : null
  })

  afterAll(() => cluster?.dispose())

  beforeEach(async () => {
    store = await temporaryStore(cluster?.url ?? '')
    if (cluster) await store.database.raw('truncate studies, quarantine restart identity cascade')
    changes = 0
    const { dataDir, database, indexer } = store
    acts = new QuarantineActs({
      database,
      incoming: new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0 }),
      indexWriter: new IndexWriter({ indexer, log: silentLog }),
      onChanged: () => changes++,
      log: silentLog,
    })
  })

  afterEach(() => store.dispose())

  async function put(bytes: Buffer, object: Partial<QuarantinedObject> = {}): Promise<number> {
    const file = `abcd${readdirSync(store.quarantine).length}.dcm`
    writeFileSync(path.join(store.quarantine, file), bytes)
    await insertQuarantined(store.database, {
      file,
      at: '2026-11-21T12:00:00.000Z',
      size: bytes.length,
      code: 'command-mismatch',
      reason: 'SOPInstanceUID differs',
      via: 'c-store',
      sender: { callingAETitle: 'CT@1', calledAETitle: 'HILUM', address: '10.0.0.5' },
      sopClassUID: secondaryCapture,
      sopInstanceUID: '1.2.3.1.99',
      transferSyntaxUID: '1.2.840.10008.1.2.1',
      ...object,
    })
    return (await store.database('quarantine').where({ file }).first('id')).id
  }

  const indexed = (): Promise<string[]> => store.database('instances').pluck('sop_instance_uid')
  const rowOf = (id: number) => store.database('quarantine').where({ id }).first()

  it('takes in again what is right by now, with its sender, and keeps the row', async () => {
    const id = await put(good, { sopInstanceUID: '1.2.3.1.1', code: 'out-of-space' })
    expect(await acts.reingest(id, { by: 'user:ann', accept: false })).toEqual({
      studyInstanceUID: '1.2.3',
      seriesInstanceUID: '1.2.3.1',
      sopInstanceUID: '1.2.3.1.1',
    })
    expect(await indexed()).toEqual(['1.2.3.1.1'])
    expect(await rowOf(id)).toMatchObject({
      state: 'reingested',
      state_by: 'user:ann',
      state_at: expect.stringMatching(/^20/),
      stored_instance_uid: '1.2.3.1.1',
    })
    expect(await store.database('arrivals').first()).toMatchObject({ via: 'c-store', sender: 'CT@1@10.0.0.5' })
    expect([readdirSync(store.quarantine), readdirSync(store.incoming)]).toEqual([[], []])
    await expect(acts.reingest(id, { by: 'x', accept: false })).rejects.toMatchObject({ code: 'not-in-quarantine' })
    expect(changes).toBeGreaterThan(0)
  })

  it('accepts a mismatch with the command on an operator’s word, and writes meta information that fits', async () => {
    const id = await put(mismatched)
    await expect(acts.reingest(id, { by: 'x', accept: false })).rejects.toMatchObject({ code: 'still-refused' })
    expect((await rowOf(id)).state).toBe('quarantined')
    await acts.reingest(id, { by: 'x', accept: true })
    const row = await store.database('instances').first('object_key')
    const stored = readFileSync(await store.objects.pathOf(row.object_key))
    expect(parseFileMeta(stored).mediaStorageSOPInstanceUID).toBe('1.2.3.1.1')
    expect(stored.subarray(parseFileMeta(stored).dataSetOffset)).toEqual(
      good.subarray(parseFileMeta(good).dataSetOffset),
    )
  })

  it('refuses again what is still broken, accepts nothing but a mismatch, and finds a reason that was lost', async () => {
    const broken = await put(cut, { code: 'truncated-data-set', via: 'stow-rs' })
    await expect(acts.reingest(broken, { by: 'x', accept: false })).rejects.toMatchObject({ code: 'still-refused' })
    await expect(acts.reingest(broken, { by: 'x', accept: true })).rejects.toMatchObject({
      code: 'not-acceptable-reason',
    })
    const lost = await put(cut, { code: 'reason-lost', via: 'recovery', sopInstanceUID: null })
    await expect(acts.reingest(lost, { by: 'x', accept: false })).rejects.toThrow('truncated-data-set')
    expect(await rowOf(lost)).toMatchObject({ code: 'truncated-data-set', sop_instance_uid: '1.2.3.1.2' })
    expect([await indexed(), readdirSync(store.incoming)]).toEqual([[], []])
    expect(readdirSync(store.quarantine)).toHaveLength(2)
  })

  it('keeps one copy of what the database refuses to list, and says so', async () => {
    const id = await put(good, { code: 'not-indexable', sopInstanceUID: '1.2.3.1.1' })
    const { dataDir, database, objects, incoming: incomingFolder, quarantine: quarantineFolder } = store
    const refusal = Object.assign(new Error('unsupported Unicode escape sequence'), { code: '22P05' })
    const refusing = new QuarantineActs({
      database,
      incoming: new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0 }),
      indexWriter: new IndexWriter({
        indexer: { index: () => Promise.reject(refusal) },
        setAside: async (instance) => {
          await setAside(instance, refusal, { database, objects, incomingFolder, quarantineFolder })
        },
        log: silentLog,
      }),
      onChanged: () => undefined,
      log: silentLog,
    })
    const refused = { code: 'still-refused', message: 'the database refuses to list it (22P05)' }
    await expect(refusing.reingest(id, { by: 'x', accept: false })).rejects.toMatchObject(refused)
    expect(await database('quarantine').select('id', 'state')).toEqual([{ id, state: 'quarantined' }])
    expect([readdirSync(quarantineFolder), readdirSync(incomingFolder)]).toEqual([['abcd0.dcm'], []])
  })

  it('discards: the bytes go, the row says who and when', async () => {
    const id = await put(cut)
    const both = await Promise.allSettled([acts.discard(id, { by: 'user:ann' }), acts.discard(id, { by: 'user:bob' })])
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(await rowOf(id)).toMatchObject({ state: 'discarded', state_by: 'user:ann' })
    expect(readdirSync(store.quarantine)).toEqual([])
    await expect(acts.discard(id, { by: 'x' })).rejects.toMatchObject({ code: 'not-in-quarantine' })
    await expect(acts.discard(9999, { by: 'x' })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('says where the bytes are gone', async () => {
    const id = await put(good)
    await rm(store.quarantine, { recursive: true })
    for (const accept of [true, false])
      await expect(acts.reingest(id, { by: 'x', accept })).rejects.toMatchObject({ code: 'bytes-gone' })
  })

  it('is listed by state, code, way, sender and time', async () => {
    const ids = [
      await put(cut, { code: 'truncated-data-set' }),
      await put(cut, { via: 'folder', sender: { callingAETitle: 'CDROM', calledAETitle: '', address: 'folder' } }),
      await put(cut, { at: '2026-11-22T12:00:00.000Z' }),
    ]
    await acts.discard(ids[0] as number, { by: 'x' })
    const found = async (filter: Omit<Parameters<typeof listQuarantined>[1], 'limit' | 'offset'>) =>
      (await listQuarantined(store.database, { limit: 10, offset: 0, ...filter })).objects.map(({ id }) => id)
    expect(await found({})).toEqual([...ids].reverse())
    expect(await found({ state: 'discarded' })).toEqual([ids[0]])
    expect(await found({ code: 'truncated-data-set' })).toEqual([ids[0]])
    expect(await found({ via: 'folder' })).toEqual([ids[1]])
    expect(await found({ sender: 'CT@1' })).toEqual([ids[2], ids[0]])
    expect(await found({ sender: 'CT@1@10.0.0.5' })).toEqual([ids[2], ids[0]])
    expect(await found({ sender: 'C_@1' })).toEqual([])
    expect(await found({ from: '2026-11-22T00:00:00.000Z' })).toEqual([ids[2]])
    expect(await found({ to: '2026-11-22T00:00:00.000Z' })).toEqual([ids[1], ids[0]])
    expect(await listQuarantined(store.database, { limit: 1, offset: 1 })).toMatchObject({
      total: 3,
      objects: [{ id: ids[1], state: 'quarantined', stateBy: null }],
    })
  })
})
