import { existsSync, readdirSync, readFileSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { recoverIncoming } from '../../src/receive/recovery.ts'
import { keyOf } from '../../src/store/objects.ts'
import { instanceUID, receiveSmall, type SmallInstance, studyUID } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'
import { indexOf } from './index-contents.ts'

describe('recovery from the incoming folder', () => {
  let store: TemporaryStore
  beforeEach(async () => {
    store = await temporaryStore()
  })
  afterEach(() => store.dispose())

  const receive = (small: SmallInstance) => receiveSmall(store.incoming, small)
  const recover = () =>
    recoverIncoming({
      incomingFolder: store.incoming,
      quarantineFolder: store.quarantine,
      database: store.database,
      objects: store.objects,
      indexer: store.indexer,
      log: silentLog,
      deleteUnfinished: true,
    })
  const nothing = { deleted: 0, replayed: 0, moved: 0, indexed: 0, quarantined: 0, listed: 0 }

  it('deletes unfinished files', async () => {
    writeFileSync(path.join(store.incoming, 'abcd.part'), 'half')
    expect(await recover()).toEqual({ ...nothing, deleted: 1 })
    expect(readdirSync(store.incoming)).toEqual([])
  })

  it('lists what was put into quarantine by a node that ended before it could say so, once', async () => {
    writeFileSync(path.join(store.quarantine, 'abcd.dcm'), 'not readable')
    expect(await recover()).toEqual({ ...nothing, listed: 1 })
    expect(await store.database('quarantine').first()).toMatchObject({
      file: 'abcd.dcm',
      code: 'reason-lost',
      size: 12,
    })
    expect(await recover()).toEqual(nothing)
  })

  it('indexes what was acknowledged and never indexed, with what the file says, and does so once', async () => {
    const received = [1, 2, 3].map((instance) => receive({ study: 1, series: 1, instance }))
    const at = new Date('2026-11-21T11:00:00.000Z')
    for (const { file } of received) utimesSync(path.join(store.incoming, file), at, at)
    expect(await recover()).toEqual({ ...nothing, indexed: 3 })
    expect(await store.database('studies').first()).toMatchObject({
      study_instance_uid: studyUID(1),
      patient_name: 'Phantom^Small',
      source_instances: 3,
      last_instance_at: at.toISOString(),
    })
    expect(await store.database('arrivals').first()).toMatchObject({ via: 'recovery', instances: 3 })
    expect(
      await store
        .database('instances')
        .where({ sop_instance_uid: instanceUID(1) })
        .first(),
    ).toMatchObject({
      rows: 2,
      columns: 2,
      bits_allocated: 16,
      instance_number: 1,
    })
    const index = await indexOf(store.database)
    expect(await recover()).toEqual(nothing)
    expect(await indexOf(store.database)).toEqual(index)
  })

  it('finishes a move that a crash interrupted after the commit', async () => {
    const received = receive({ study: 1, series: 1, instance: 1 })
    await store.indexer.index([received])
    const object = path.join(store.dataDir, 'objects', keyOf(received.file))
    const incoming = path.join(store.incoming, received.file)
    renameSync(object, incoming)
    expect(await store.objects.pathOf(keyOf(received.file))).toBe(incoming)
    const index = await indexOf(store.database)
    expect(await recover()).toEqual({ ...nothing, moved: 1 })
    expect(existsSync(object)).toBe(true)
    expect(await indexOf(store.database)).toEqual(index)
  })

  it('does not bring back an older instance whose move was interrupted and that was replaced since', async () => {
    const [older, newer] = ['older', 'newer'].map((content) => receive({ study: 1, series: 1, instance: 1, content }))
    await store.indexer.index([older as never])
    await store.indexer.index([newer as never])
    const key = keyOf(older?.file ?? '')
    renameSync(path.join(store.dataDir, 'objects', key), path.join(store.incoming, older?.file ?? ''))
    expect(await recover()).toEqual({ ...nothing, moved: 1 })
    expect((await store.database('instances').first()).object_key).toBe(keyOf(newer?.file ?? ''))
    expect(await store.objects.stat(key)).not.toBeNull()
  })

  it('deletes a repeated instance whose deletion was interrupted', async () => {
    await store.indexer.index([receive({ study: 1, series: 1, instance: 1 })])
    receive({ study: 1, series: 1, instance: 1 })
    expect(await recover()).toEqual({ ...nothing, indexed: 1 })
    expect(readdirSync(store.incoming)).toEqual([])
    expect(await store.database('instances').pluck('sop_instance_uid')).toHaveLength(1)
    expect(await store.database('replaced_instances')).toEqual([])
  })

  it('lets the later of two unindexed files with one SOP Instance UID stay', async () => {
    const files = ['first', 'second'].map((content) => receive({ study: 1, series: 1, instance: 1, content }).file)
    files.forEach((file, i) => {
      const at = new Date(Date.parse('2026-11-21T11:00:00.000Z') + i * 1000)
      utimesSync(path.join(store.incoming, file), at, at)
    })
    await recover()
    expect((await store.database('instances').first()).object_key).toBe(keyOf(files[1] ?? ''))
    expect((await store.database('replaced_instances').first()).object_key).toBe(keyOf(files[0] ?? ''))
  })

  it('puts damaged files into quarantine with the reason, keeps their bytes, and recovers the others', async () => {
    const truncated = receive({ study: 1, series: 1, instance: 1 })
    truncateSync(path.join(store.incoming, truncated.file), truncated.size - 5)
    const empty = receive({ study: 1, series: 1, instance: 2 })
    truncateSync(path.join(store.incoming, empty.file), 0)
    const bytes = readFileSync(path.join(store.incoming, truncated.file))
    receive({ study: 1, series: 1, instance: 3 })
    expect(await recover()).toEqual({ ...nothing, indexed: 1, quarantined: 2 })
    const rows = await store.database('quarantine')
    expect(new Set(rows.map((row) => row.file))).toEqual(new Set([truncated.file, empty.file]))
    for (const row of rows)
      expect(row.reason).toMatch(/^found damaged after a restart; whether it had been acknowledged is not known: ./)
    expect(readFileSync(path.join(store.quarantine, truncated.file))).toEqual(bytes)
    expect(await recover()).toEqual(nothing)
  })

  it('looks damaged files up in the index all at once, since that reads the whole of it', async () => {
    for (const n of [1, 2, 3, 4]) writeFileSync(path.join(store.incoming, `abcd000${n}.dcm`), 'damaged')
    const searches: string[] = []
    store.database.on('query', ({ sql }: { sql: string }) => {
      if (/where `object_key`/.test(sql)) searches.push(sql)
    })
    expect(await recover()).toEqual({ ...nothing, quarantined: 4 })
    expect(searches).toHaveLength(2)
  })

  it('takes nothing away that is indexed, even where it finds it damaged', async () => {
    const received = receive({ study: 1, series: 1, instance: 1 })
    await store.indexer.index([received])
    const object = path.join(store.dataDir, 'objects', keyOf(received.file))
    renameSync(object, path.join(store.incoming, received.file))
    truncateSync(path.join(store.incoming, received.file), received.size - 5)
    expect(await recover()).toEqual({ ...nothing, moved: 1 })
    expect(existsSync(object)).toBe(true)
  })
})
